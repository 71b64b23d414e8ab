/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "command.h"
#include "log_levels.h"
#include "password.h"
#include "place.h"

/* Commands for a running server. */

/* Sends a command, and waits for its ok. */
static int call(struct mox_ctl_client *client, const char *const *lines, size_t count,
                struct mox_error *err)
{
    int rc = mox_ctl_send(client, lines, count, err);
    return rc < 0 ? rc : mox_ctl_expect_ok(client, err);
}

static enum exit_code report(int rc, const struct mox_error *err)
{
    return rc < 0 ? cli_fail("%s", err->text) : EXIT_OK;
}

static enum exit_code run_stop(struct cli *cli)
{
    static const char *const lines[] = {"stop"};
    struct mox_ctl_client *client = NULL;
    struct mox_error err;
    enum exit_code code = place_connect(cli, &client);
    if (code != EXIT_OK)
        return code;
    int rc = mox_ctl_send(client, lines, 1, &err);
    if (rc == MOX_OK)
        rc = mox_ctl_wait_closed(client, &err);
    mox_ctl_client_free(client);
    return report(rc, &err);
}

static int print_piece(void *user, struct mox_slice piece)
{
    (void)user;
    return fwrite(piece.data, 1, piece.len, stdout) == piece.len ? MOX_OK : MOX_EIO;
}

static enum exit_code run_log_levels(struct cli *cli)
{
    const char *level = cli->arg_count > 0 ? cli->args[0] : "";
    const char *pkg = cli->arg_count > 1 ? cli->args[1] : "";
    const char *const show[] = {"loglevels"}, *const set[] = {"setloglevels", pkg, level};
    if (*pkg != '\0' && log_check_package(cli->command, pkg) != EXIT_OK)
        return EXIT_USAGE;
    return cli->arg_count > 0 ? place_ask(cli, set, 3, NULL, NULL)
                              : place_ask(cli, show, 1, print_piece, NULL);
}

static enum exit_code run_metrics(struct cli *cli)
{
    static const char *const lines[] = {"metrics"};
    return place_ask(cli, lines, 1, print_piece, NULL);
}

/* Connects before it asks, so that nobody types a password in vain. */
static enum exit_code run_set_account_password(struct cli *cli)
{
    char password[PASSWORD_MAX + 1] = "";
    const char *const lines[] = {"setaccountpassword", cli->args[0], password};
    struct mox_ctl_client *client = NULL;
    struct mox_error err;
    enum exit_code code = place_connect(cli, &client);
    if (code == EXIT_OK)
        code = password_read(password);
    if (code == EXIT_OK)
        code = report(call(client, lines, 3, &err), &err);
    password_wipe(password);
    mox_ctl_client_free(client);
    return code;
}

static const struct command commands[] = {
    {.words = "stop",
     .args = "",
     .summary = "stop the running server",
     .help = "Stops the running server: sessions are told, get a few seconds to finish, and are cut\n"
             "then. Returns when the server has stopped.",
     .run = run_stop},
    {.words = "setaccountpassword",
     .args = "account-or-address",
     .summary = "set the password of an account",
     .help = "Sets the password with which the users of an account log in. It is one line of standard\n"
             "input; on a terminal it is asked for, and not shown.\n"
             "\n"
             "    mox setaccountpassword mox@localhost\n"
             "    pwgen -s 20 1 | mox setaccountpassword alice",
     .min_args = 1,
     .max_args = 1,
     .run = run_set_account_password},
    {.words = "loglevels",
     .args = "[level [package]]",
     .summary = "show or change what the running server logs",
     .help = "Shows the log levels of the running server, or changes one until it stops: the default,\n"
             "or that of a package. An empty level takes a package's own level away.\n"
             "\n"
             "Levels are error, warn, info, debug, trace (protocol lines), traceauth (passwords too)\n"
             "and tracedata (messages too). Packages are\n" LOG_PACKAGES ".\n"
             "\n"
             "    mox loglevels\n"
             "    mox loglevels trace imapserver\n"
             "    mox loglevels '' imapserver",
     .max_args = 2,
     .run = run_log_levels},
    {.words = "metrics",
     .args = "",
     .summary = "show what the running server counts",
     .help = "Prints the metrics of the running server in the text format of Prometheus: connections,\n"
             "commands and how long they took, deliveries, logins, lines of the log, and what the process\n"
             "takes of memory, processor and descriptors. Labels are words of the server's own.\n"
             "\n"
             "    mox metrics\n"
             "    mox metrics | grep ^mox_authentication_total",
     .run = run_metrics},
};

const struct command_group server_group = {"Server", commands,
                                           sizeof commands / sizeof commands[0]};
