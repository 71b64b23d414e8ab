/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include <mox/env.h>
#include <mox/log.h>

/* The command line as a table. A command is a row in the file of its group; dispatch, help, the man
 * page and shell completion are made from the rows. */

enum exit_code { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct cli;

struct flag {
    const char *name;
    const char
        *value; /* what stands for the value in a usage line; NULL: the flag is there or not */
    const char *help; /* NULL: not shown */
};

struct command {
    const char *words;        /* "config test" */
    const char *args;         /* "[level [pkg]]", or "" */
    const char *summary;      /* one line, lower case, without a period */
    const char *help;         /* paragraphs, separated by empty lines; examples are indented */
    const struct flag *flags; /* ended by one without a name; or NULL */
    unsigned min_args, max_args;
    enum exit_code (*run)(struct cli *cli);
};

struct command_group {
    const char *title;
    const struct command *commands;
    size_t count;
};

/* In the order of the help; one group per file. */
extern const struct command_group *const command_groups[];
extern const size_t command_group_count;
extern const struct command_group serve_group, server_group, config_group, logins_group, data_group, import_group,
    reports_group, check_group, explain_group, dns_group, spf_group, dkim_group, arc_group,
    policies_group, junk_group, help_group;
extern const struct flag global_flags[];

#define MAX_FLAGS 16

/* What was typed. */
struct cli {
    struct mox_env env; /* logs to `logger` */
    struct mox_logger *logger;
    const struct command *command;
    char **args;
    unsigned arg_count;
    struct {
        const char *name, *value; /* "true" for a flag without a value */
    } flags[MAX_FLAGS];
    size_t flag_count;
    const char *split_flag; /* one without a value, behind which stood true or false: or NULL */
};

/* The value of a flag, or NULL when it was not given. The last one counts. */
const char *cli_flag(const struct cli *cli, const char *name);
bool cli_has(const struct cli *cli, const char *name);

/* Says "mox: …" on stderr and returns EXIT_FAILED. */
enum exit_code cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, with the command's usage line and how to learn more; returns EXIT_USAGE. */
enum exit_code cli_usage(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Gives the logger the levels of -loglevel: once at the start, and again by who has given it others. */
enum exit_code cli_log_levels(const struct cli *cli);
/* Takes the command line apart, and runs it. */
enum exit_code cli_run(int argc, char **argv);

#endif
