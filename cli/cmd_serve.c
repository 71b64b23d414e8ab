/* SPDX-License-Identifier: MIT */
#include <mox/server.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "command.h"
#include "place.h"

/* The throw-away server. */

/* Standard ports plus more than this would be no ports. */
#define PORT_BASE_MAX 64000

static enum exit_code take_port_base(const struct cli *cli, uint16_t *out)
{
    const char *text = cli_flag(cli, "port-base");
    char *end = NULL;
    if (text == NULL)
        return EXIT_OK;
    long n = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || n < 1 || n > PORT_BASE_MAX)
        return cli_usage(cli->command, "-port-base is a number from 1 to %d, not \"%s\"",
                         PORT_BASE_MAX, text);
    *out = (uint16_t)n;
    return EXIT_OK;
}

/* Those of mox.conf, and over them those of the command line. */
static enum exit_code set_log_levels(struct cli *cli, const struct mox_localserve_config *config)
{
    struct mox_config *files = NULL;
    struct mox_error err;
    enum exit_code code = EXIT_OK;
    mox_logger_plain(cli->logger, false);
    if (mox_localserve_prepare(&files, &cli->env, config, &err) < 0)
        return cli_fail("%s", err.text);
    if (mox_config_log_levels(files, cli->logger) < 0)
        code = cli_fail("%s/mox.conf: too many PackageLogLevels; remove some", config->dir);
    mox_config_free(files);
    return code == EXIT_OK ? cli_log_levels(cli) : code;
}

/* The user's folder for configurations, which a new user does not have yet. */
static void make_parent(const char *dir)
{
    char parent[PATH_MAX];
    (void)snprintf(parent, sizeof parent, "%s", dir);
    char *slash = strrchr(parent, '/');
    if (slash == NULL || slash == parent)
        return;
    *slash = '\0';
    (void)mkdir(parent, 0700); /* what fails here fails with a text below */
}

/* Programs start with few descriptors, for those that use select(); a connection takes one each. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static enum exit_code run_localserve(struct cli *cli)
{
    struct mox_localserve_config config;
    struct mox_error err;
    char dir[PATH_MAX];
    int status = 0;
    mox_localserve_config_init(&config);
    if (cli_flag(cli, "config") != NULL)
        return cli_usage(cli->command, "localserve has a mox.conf of its own; name its folder with "
                                       "-dir, not -config");
    enum exit_code code = place_of_localserve(cli, dir);
    if (code == EXIT_OK)
        code = take_port_base(cli, &config.port_base);
    if (code != EXIT_OK)
        return code;
    if (!cli_has(cli, "dir"))
        make_parent(dir);
    config.dir = dir;
    config.ip = cli_flag(cli, "ip");
    config.init_only = cli_has(cli, "initonly");
    config.pedantic = cli_has(cli, "pedantic");
    config.limits = cli_has(cli, "limits");
    config.transcript = cli_has(cli, "transcript");
    config.logger = cli->logger;
    config.resolver_forward = cli_flag(cli, "resolver");
    config.trust_anchor = cli_flag(cli, "trust-anchor");
    code = set_log_levels(cli, &config);
    if (code != EXIT_OK)
        return code;
    raise_descriptors();
    (void)signal(SIGPIPE, SIG_IGN); /* whoever read the log, or a server of the DNS, may be gone */
    if (mox_localserve_run(&cli->env, &config, &status, &err) < 0)
        return cli_fail("%s", err.text);
    return (enum exit_code)status; /* the signal that ended it, else 0 */
}

static const struct flag localserve_flags[] = {
    {"ip", "address", "listen on this address instead of 127.0.0.1 and ::1"},
    {"port-base", "number", "ports are the standard ones plus this; default 1000"},
    {"limits", NULL, "limit and slow down clients, as a server on the internet does"},
    {"transcript", NULL, "print every dialogue, as the client and the server said it"},
    {"initonly", NULL, "make the folder, and do not serve"},
    {NULL, NULL, NULL},
};

static const struct command commands[] = {
    {.words = "localserve",
     .args = "",
     .summary = "serve mail for the developers of programs that send or read it",
     .help = "Runs a mail server on this machine that needs no configuration and no root, and from which\n"
             "nothing leaves. It accepts every recipient; mail for unknown ones is delivered to the\n"
             "account mox: address mox@localhost, password moxmoxmox.\n"
             "\n"
             "It listens on the standard ports plus 1000: SMTP 1025, submission 1587 and 1465 (TLS),\n"
             "IMAP 1143 and 1993 (TLS).\n"
             "\n"
             "Its folder is made when it does not exist, by default mox-localserve in $XDG_CONFIG_HOME\n"
             "or ~/.config; another one is named with -dir. It has mox.conf, domains.conf, a\n"
             "certificate for localhost, and the data.\n"
             "\n"
             "It does not look at $MOXCONF and config/mox.conf, and takes no -config. Other commands look there\n"
             "before they take its default folder: name it with -dir for mox stop, mox import and the like.\n"
             "\n"
             "mox stop ends it with exit code 0, a signal with the number of that signal: 2 for Control-C.\n"
             "\n"
             "Recipients fail on request: those that end in temperror with 451, in permerror with 550,\n"
             "in three digits from 400 to 599 with that code; timeout gets no reply for an hour.\n"
             "\n"
             "Common mistakes of clients are tolerated. With -pedantic they are refused, with a reply that\n"
             "says what is wrong; then users also send from their own addresses only.\n"
             "\n"
             "Clients may open as many connections, fail to log in as often, and deliver as much as they like.\n"
             "With -limits they are limited and slowed down, as a server on the internet does.\n"
             "\n"
             "    mox localserve\n"
             "    mox localserve -dir /tmp/mail -port-base 20000 -transcript",
     .flags = localserve_flags,
     .run = run_localserve},
};

const struct command_group serve_group = {"Development", commands,
                                          sizeof commands / sizeof commands[0]};
