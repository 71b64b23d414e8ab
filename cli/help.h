/* SPDX-License-Identifier: MIT */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "command.h"

/* "mox config test [flags]", with a line end. */
void help_usage(FILE *out, const struct command *command);
/* All of a command. */
void help_command(FILE *out, const struct command *command);
/* All commands, a line for each. */
void help_overview(FILE *out);
/* Whether the names of some commands start with these words, and their usage lines or summaries. */
bool help_is_prefix(char **words, size_t count);
void help_usages(FILE *out, char **words, size_t count);
void help_summaries(FILE *out, char **words, size_t count);
/* How many start with the words; *only is the last of them. */
size_t help_count(char **words, size_t count, const struct command **only);

/* mox(1), and what bash asks for completing a command line. */
void help_man(FILE *out);
void help_man_topics(FILE *out); /* its sections on the log and on metrics */
void help_bash(FILE *out);

#endif
