/* SPDX-License-Identifier: MIT */
#include <mox/explain.h>

#include <stdio.h>
#include <stdlib.h>

#include "offline.h"
#include "place.h"

/* Why a stored message is where it is: the running server says it, and without one the data directory. */

static int print_piece(void *user, struct mox_slice piece)
{
    (void)user;
    return fwrite(piece.data, 1, piece.len, stdout) == piece.len ? MOX_OK : MOX_EIO;
}

static enum exit_code ask_server(const struct cli *cli, struct mox_ctl_client *client)
{
    const char *const lines[] = {"explain", cli->args[0], cli->args[1], cli->args[2],
                                 cli_has(cli, "json") ? "json" : "text"};
    return place_talk(client, lines, sizeof lines / sizeof lines[0], print_piece, NULL);
}

static enum exit_code ask_account(const struct cli *cli, uint32_t uid)
{
    struct offline o;
    struct mox_error err = {0};
    char *text = NULL;
    enum exit_code code = offline_open(&o, cli, cli->args[0], MOX_ACCOUNT_EXISTING);
    if (code == EXIT_OK) {
        const struct mox_explain explain = {.size = sizeof explain,
                                            .config = o.config,
                                            .account = o.account,
                                            .json = cli_has(cli, "json")};
        if (mox_explain_stored(&text, &cli->env, &explain, cli->args[1], uid, &err) < 0)
            code = cli_fail("%s", err.text);
        else if (fputs(text, stdout) < 0)
            code = cli_fail("cannot write the result");
        mox_text_free(&cli->env, text);
    }
    offline_close(&o);
    return code;
}

static enum exit_code run_explain(struct cli *cli)
{
    struct mox_ctl_client *client;
    char *end;
    unsigned long uid = strtoul(cli->args[2], &end, 10);
    if (cli->args[2][0] < '0' || cli->args[2][0] > '9' || *end != '\0' || uid == 0 ||
        uid > UINT32_MAX)
        return cli_usage(cli->command, "a UID is a number, not \"%s\"", cli->args[2]);
    enum exit_code code = place_find_server(cli, &client);
    if (code != EXIT_OK)
        return code;
    return client != NULL ? ask_server(cli, client) : ask_account(cli, (uint32_t)uid);
}

static const struct flag flags[] = {
    {"json", NULL, "one JSON object instead of lines"},
    {NULL, NULL, NULL},
};

static const struct command commands[] = {
    {.words = "explain",
     .args = "account mailbox uid",
     .summary = "find out why a message is where it is",
     .help =
         "Shows why a stored message was accepted, or why it is in the mailbox for rejects: "
         "the reason\n"
         "that was given when it came (reason), what was found out about its sender (arrival,\n"
         "authentication_results), and what its account would say now (now): to which mailbox "
         "it would go\n"
         "and by which ruleset, step by step whether its sender is known (reputation), and "
         "what the junk\n"
         "filter thinks of it, with the words that say most (junk_filter). Most of that\n"
         "is from short pieces of the text, which nobody can read: how much stands in from_words "
         "and\n"
         "from_rest, in logarithms of odds, above 0 for junk. A filter that has not learnt_enough, "
         "from 50\n"
         "wanted messages, is believed only of clients without a reverse name. The threshold is "
         "that of\n"
         "the configuration, or 0.25 when it was lowered as the message came (strict says why).\n"
         "Names of the DNS are not asked again. UIDs are those of IMAP.\n"
         "\n"
         "The running server answers, or, when none runs, the data directory of the "
         "configuration.\n"
         "\n"
         "    mox explain mox Rejects 3\n"
         "    mox explain --json alice Inbox 1234 | jq .now.reputation",
     .flags = flags,
     .min_args = 3,
     .max_args = 3,
     .run = run_explain},
};

const struct command_group explain_group = {"Why a message is where it is", commands,
                                            sizeof commands / sizeof commands[0]};
