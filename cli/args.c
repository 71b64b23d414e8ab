/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "help.h"

#define MAX_WORDS 4

const char *cli_flag(const struct cli *cli, const char *name)
{
    const char *value = NULL;
    for (size_t i = 0; i < cli->flag_count; i++)
        if (strcmp(cli->flags[i].name, name) == 0)
            value = cli->flags[i].value;
    return value;
}

bool cli_has(const struct cli *cli, const char *name)
{
    const char *value = cli_flag(cli, name);
    return value != NULL && strcmp(value, "false") != 0;
}

enum exit_code cli_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fputs("mox: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    return EXIT_FAILED;
}

enum exit_code cli_usage(const struct command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fputs("mox: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    if (command != NULL) {
        (void)fputs("usage: ", stderr);
        help_usage(stderr, command);
    }
    (void)fprintf(stderr, "see: mox help%s%s\n", command == NULL ? "" : " ",
                  command == NULL ? "" : command->words);
    return EXIT_USAGE;
}

static const struct flag *find_flag(const struct flag *flags, const char *name, size_t len)
{
    for (; flags != NULL && flags->name != NULL; flags++)
        if (strlen(flags->name) == len && strncmp(flags->name, name, len) == 0)
            return flags;
    return NULL;
}

static bool is_flag(const char *arg)
{
    return arg[0] == '-' && arg[1] != '\0';
}

static bool is_bool(const char *value)
{
    return strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
}

/* Of a flag without one. A "false" that follows is an argument, and may be meant for the flag. */
static const char *implied(struct cli *cli, const struct flag *f, const char *next)
{
    if (is_bool(next))
        cli->split_flag = f->name;
    return "true";
}

/* Takes the flag at argv[*at], and its value, which may be the next argument. */
static enum exit_code take_flag(struct cli *cli, int argc, char **argv, int *at)
{
    const char *name = argv[*at] + 1 + (argv[*at][1] == '-');
    const char *value = strchr(name, '=');
    size_t len = value == NULL ? strlen(name) : (size_t)(value - name);
    const struct flag *f = cli->command == NULL ? NULL : find_flag(cli->command->flags, name, len);
    if (f == NULL)
        f = find_flag(global_flags, name, len);
    if (f == NULL)
        return cli_usage(cli->command, "unknown flag -%.*s", (int)len, name);
    if (value != NULL)
        value++;
    else if (f->value == NULL)
        value = implied(cli, f, *at + 1 < argc ? argv[*at + 1] : "");
    else if (*at + 1 < argc)
        value = argv[++*at];
    else
        return cli_usage(cli->command, "flag -%s needs a value: -%s %s", f->name, f->name,
                         f->value);
    if (f->value == NULL && !is_bool(value))
        return cli_usage(cli->command, "flag -%s is true or false, not \"%s\"", f->name, value);
    if (cli->flag_count == MAX_FLAGS)
        return cli_usage(cli->command, "too many flags");
    cli->flags[cli->flag_count].name = f->name;
    cli->flags[cli->flag_count++].value = value;
    ++*at;
    return EXIT_OK;
}

/* How many of the words a command's name consists of, when `words` begin with them; else 0. */
static size_t words_matched(const struct command *c, char **words, size_t count)
{
    const char *rest = c->words;
    for (size_t i = 0; i < count; i++) {
        size_t len = strcspn(rest, " ");
        if (strlen(words[i]) != len || strncmp(rest, words[i], len) != 0)
            return 0;
        rest += len;
        if (*rest == '\0')
            return i + 1;
        rest++;
    }
    return 0;
}

static const struct command *find_command(char **words, size_t count, size_t *used)
{
    const struct command *best = NULL;
    *used = 0;
    for (size_t g = 0; g < command_group_count; g++)
        for (size_t i = 0; i < command_groups[g]->count; i++) {
            const struct command *c = &command_groups[g]->commands[i];
            size_t n = words_matched(c, words, count);
            if (n > *used) {
                best = c;
                *used = n;
            }
        }
    return best;
}

/* No command has that name; its beginning may be right. */
static enum exit_code no_such_command(char **words, size_t count)
{
    for (size_t n = count; n > 0; n--) {
        if (!help_is_prefix(words, n))
            continue;
        (void)fprintf(stderr, n == count ? "usage:\n" : "mox: unknown command; did you mean:\n");
        help_usages(stderr, words, n);
        return EXIT_USAGE;
    }
    return cli_usage(NULL, "unknown command \"%s\"", words[0]);
}

static enum exit_code run_command(struct cli *cli)
{
    const struct command *c = cli->command;
    if (cli_has(cli, "help")) {
        help_command(stdout, c);
        return EXIT_OK;
    }
    if (cli->arg_count < c->min_args)
        return cli_usage(c, "%s: an argument is missing", c->words);
    if (cli->arg_count > c->max_args && cli->split_flag != NULL)
        return cli_usage(c, "%s: too many arguments; true or false is joined to its flag: -%s=false",
                         c->words, cli->split_flag);
    if (cli->arg_count > c->max_args)
        return cli_usage(c, "%s: too many arguments, from \"%s\" on", c->words,
                         cli->args[c->max_args]);
    return c->run(cli);
}

/* Flags and arguments in any order, up to "--". */
static enum exit_code take_rest(struct cli *cli, int argc, char **argv, int at)
{
    while (at < argc) {
        if (strcmp(argv[at], "--") == 0) {
            while (++at < argc)
                cli->args[cli->arg_count++] = argv[at];
        } else if (is_flag(argv[at])) {
            enum exit_code code = take_flag(cli, argc, argv, &at);
            if (code != EXIT_OK)
                return code;
        } else {
            cli->args[cli->arg_count++] = argv[at++];
        }
    }
    return EXIT_OK;
}

static enum exit_code dispatch(struct cli *cli, int argc, char **argv)
{
    int at = 1;
    enum exit_code code = EXIT_OK;
    while (at < argc && is_flag(argv[at]) && strcmp(argv[at], "--") != 0) {
        code = take_flag(cli, argc, argv, &at);
        if (code != EXIT_OK)
            return code;
    }
    at += at < argc && strcmp(argv[at], "--") == 0;
    size_t count = 0, used = 0;
    while (count < MAX_WORDS && at + (int)count < argc && !is_flag(argv[at + (int)count]))
        count++;
    if (count == 0) {
        bool asked = cli_has(cli, "help");
        help_overview(asked ? stdout : stderr);
        return asked ? EXIT_OK : EXIT_USAGE;
    }
    cli->command = find_command(argv + at, count, &used);
    if (cli->command == NULL)
        return no_such_command(argv + at, count);
    code = take_rest(cli, argc, argv, at + (int)used);
    if (code == EXIT_OK)
        code = cli_log_levels(cli);
    return code == EXIT_OK ? run_command(cli) : code;
}

enum exit_code cli_run(int argc, char **argv)
{
    struct cli cli = {0};
    mox_env_system(&cli.env);
    cli.args = calloc((size_t)argc + 1, sizeof *cli.args);
    if (cli.args == NULL || mox_logger_new(&cli.logger, STDERR_FILENO) < 0) {
        free(cli.args);
        return cli_fail("out of memory");
    }
    mox_logger_plain(cli.logger, true);
    mox_logger_attach(cli.logger, &cli.env);
    enum exit_code code = dispatch(&cli, argc, argv);
    mox_logger_free(cli.logger);
    free(cli.args);
    /* Results that did not get out, on a full disk for example, are a failure. */
    if (fflush(stdout) != 0 || ferror(stdout))
        return cli_fail("cannot write the results");
    return code;
}
