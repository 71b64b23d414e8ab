/* SPDX-License-Identifier: MIT */
#include "help.h"

#include <string.h>

/* A terminal's width, less what stands in front of a usage line. */
#define USAGE_COLUMNS 92

/* The next piece of a usage line, on a new line when this one is full. */
static void usage_piece(FILE *out, size_t *column, const char *piece)
{
    size_t len = strlen(piece) + 1;
    bool is_full = *column + len > USAGE_COLUMNS;
    (void)fprintf(out, "%s%s", is_full ? "\n           " : " ", piece);
    *column = is_full ? len + 4 : *column + len;
}

void help_usage(FILE *out, const struct command *command)
{
    size_t column = strlen(command->words) + 4;
    (void)fprintf(out, "mox %s", command->words);
    for (const struct flag *f = command->flags; f != NULL && f->name != NULL; f++) {
        char piece[80];
        if (f->help == NULL)
            continue;
        (void)snprintf(piece, sizeof piece, "[-%s%s%s]", f->name, f->value == NULL ? "" : " ",
                       f->value == NULL ? "" : f->value);
        usage_piece(out, &column, piece);
    }
    if (command->args[0] != '\0')
        usage_piece(out, &column, command->args);
    (void)fputc('\n', out);
}

static void show_flags(FILE *out, const struct flag *flags)
{
    for (const struct flag *f = flags; f->name != NULL; f++) {
        if (f->help == NULL)
            continue;
        char left[64];
        (void)snprintf(left, sizeof left, "-%s%s%s", f->name, f->value == NULL ? "" : " ",
                       f->value == NULL ? "" : f->value);
        (void)fprintf(out, "  %-20s %s\n", left, f->help);
    }
}

static bool has_visible_flags(const struct flag *flags)
{
    for (; flags != NULL && flags->name != NULL; flags++)
        if (flags->help != NULL)
            return true;
    return false;
}

void help_command(FILE *out, const struct command *command)
{
    (void)fputs("usage: ", out);
    help_usage(out, command);
    (void)fprintf(out, "\n%s\n", command->help);
    if (has_visible_flags(command->flags)) {
        (void)fputs("\nFlags:\n", out);
        show_flags(out, command->flags);
    }
    (void)fputs("\nFlags of all commands:\n", out);
    show_flags(out, global_flags);
}

static void summary(FILE *out, const struct command *command)
{
    (void)fprintf(out, "  %-24s %s\n", command->words, command->summary);
}

void help_overview(FILE *out)
{
    (void)fputs("usage: mox [flags] command [flags] [arguments]\n", out);
    for (size_t g = 0; g < command_group_count; g++) {
        (void)fprintf(out, "\n%s:\n", command_groups[g]->title);
        for (size_t i = 0; i < command_groups[g]->count; i++)
            summary(out, &command_groups[g]->commands[i]);
    }
    (void)fputs("\nFlags of all commands:\n", out);
    show_flags(out, global_flags);
    (void)fputs("\n\"mox help command\" explains a command. Start with: mox localserve\n", out);
}

static bool starts_with(const struct command *c, char **words, size_t count)
{
    const char *rest = c->words;
    for (size_t i = 0; i < count; i++) {
        size_t len = strcspn(rest, " ");
        if (len == 0 || strlen(words[i]) != len || strncmp(rest, words[i], len) != 0)
            return false;
        rest += len + (rest[len] == ' ');
    }
    return true;
}

size_t help_count(char **words, size_t count, const struct command **only)
{
    size_t found = 0;
    for (size_t g = 0; g < command_group_count; g++)
        for (size_t i = 0; i < command_groups[g]->count; i++)
            if (starts_with(&command_groups[g]->commands[i], words, count)) {
                *only = &command_groups[g]->commands[i];
                found++;
            }
    return found;
}

bool help_is_prefix(char **words, size_t count)
{
    const struct command *only;
    return help_count(words, count, &only) > 0;
}

static void show_matching(FILE *out, char **words, size_t count,
                          void (*show)(FILE *out, const struct command *c))
{
    for (size_t g = 0; g < command_group_count; g++)
        for (size_t i = 0; i < command_groups[g]->count; i++)
            if (starts_with(&command_groups[g]->commands[i], words, count))
                show(out, &command_groups[g]->commands[i]);
}

static void indented_usage(FILE *out, const struct command *command)
{
    (void)fputs("  ", out);
    help_usage(out, command);
}

void help_usages(FILE *out, char **words, size_t count)
{
    show_matching(out, words, count, indented_usage);
}

void help_summaries(FILE *out, char **words, size_t count)
{
    show_matching(out, words, count, summary);
}
