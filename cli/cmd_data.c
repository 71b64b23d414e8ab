/* SPDX-License-Identifier: MIT */
#include <mox/store.h>

#include <stdio.h>
#include <sys/stat.h>

#include "command.h"
#include "offline.h"
#include "place.h"
#include "retrain.h"

/* The stored mail, and what is learnt from it. */

#define MAX_RETRAIN 1000 /* accounts that are named */

static void print_problem(void *user, const char *text)
{
    size_t *count = user;
    ++*count;
    (void)puts(text);
}

static enum exit_code run_verify_data(struct cli *cli)
{
    char dir[PATH_MAX];
    struct mox_error err = {0};
    size_t count = 0;
    enum exit_code code = EXIT_OK;
    if (cli->arg_count == 0)
        code = place_of_data(cli, dir);
    else if (snprintf(dir, sizeof dir, "%s", cli->args[0]) >= PATH_MAX)
        code = cli_fail("the path %s is too long", cli->args[0]);
    if (code != EXIT_OK)
        return code;
    struct stat st; /* an empty folder is a data directory without accounts, a missing one a typo */
    if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
        return cli_fail("no folder %s; name a data directory", dir);
    code = offline_check_user(dir, "verify a copy of it");
    if (code != EXIT_OK)
        return code;
    int rc = mox_store_verify(&cli->env, dir, print_problem, &count, &err);
    if (rc == MOX_OK)
        return EXIT_OK;
    if (rc == MOX_ECORRUPT && count > 0)
        return cli_fail("%s: %zu problem%s; restore what is damaged from a backup", dir, count,
                        count == 1 ? "" : "s");
    return cli_fail("%s", err.text);
}

static const struct command commands[] = {
    {.words = "verifydata",
     .args = "[data-directory]",
     .summary = "check the stored mail",
     .help = "Checks everything in a data directory: that its databases are whole, that counts, UIDs and\n"
             "references are right, and that every file is there and belongs to a message. Prints each\n"
             "problem, and fails when there is one. The server must not be running.\n"
             "\n"
             "No message is changed, and nothing repaired. But a data directory is opened as the server opens\n"
             "it, and must be writable: it gets a file lock and a folder tmp, what a crash left half-written is\n"
             "settled, and databases of an older version become those of this one. Of a backup that is to stay as\n"
             "it is, verify a copy.\n"
             "\n"
             "The data directory is that of the configuration, or the one that is named.\n"
             "\n"
             "    mox verifydata\n"
             "    d=$(mktemp -d) && cp -r /backup/mox/data \"$d\" && mox verifydata \"$d/data\"",
     .max_args = 1,
     .run = run_verify_data},
    {.words = "retrain",
     .args = "[account ...]",
     .summary = "build junk filters anew",
     .help = "Builds the junk filter of each named account, or of all that have one, anew from the messages\n"
             "that are marked as junk or not junk, and prints what it has learnt. The running server does\n"
             "it, while accounts are in use; without one, mox has the data directory to itself meanwhile.\n"
             "\n"
             "Filters learn by themselves whenever a message is marked, moved or removed: this is for one\n"
             "that is not believed. It can be interrupted; the filter then is as before.\n"
             "\n"
             "    mox retrain\n"
             "    mox retrain alice",
     .max_args = MAX_RETRAIN,
     .run = retrain_run},
};

const struct command_group data_group = {"Data", commands, sizeof commands / sizeof commands[0]};
