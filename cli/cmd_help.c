/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "command.h"
#include "help.h"

static enum exit_code run_help(struct cli *cli)
{
    const struct command *only = NULL;
    if (cli_has(cli, "man")) {
        help_man(stdout);
        return EXIT_OK;
    }
    if (cli_has(cli, "bash")) {
        help_bash(stdout);
        return EXIT_OK;
    }
    if (cli->arg_count == 0) {
        help_overview(stdout);
        return EXIT_OK;
    }
    size_t found = help_count(cli->args, cli->arg_count, &only);
    if (found == 0)
        return cli_usage(NULL, "unknown command \"%s\"", cli->args[0]);
    if (found == 1)
        help_command(stdout, only);
    else
        help_summaries(stdout, cli->args, cli->arg_count);
    return EXIT_OK;
}

static enum exit_code run_version(struct cli *cli)
{
    (void)cli;
    (void)puts("mox " MOX_VERSION);
    return EXIT_OK;
}

/* For the build: they have no help of their own, so they are not shown. */
static const struct flag help_flags[] = {
    {"man", NULL, NULL},
    {"bash", NULL, NULL},
    {NULL, NULL, NULL},
};

static const struct command commands[] = {
    {.words = "help",
     .args = "[command]",
     .summary = "explain a command",
     .help = "Explains a command; lists those that start with the given words; lists all.\n"
             "\n"
             "    mox help localserve\n"
             "    mox help config",
     .flags = help_flags,
     .max_args = 4,
     .run = run_help},
    {.words = "version",
     .args = "",
     .summary = "print the version",
     .help = "Prints the version.",
     .run = run_version},
};

const struct command_group help_group = {"Help", commands, sizeof commands / sizeof commands[0]};
