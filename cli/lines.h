/* SPDX-License-Identifier: MIT */
#ifndef CLI_LINES_H
#define CLI_LINES_H

#include <mox/types.h>

#include "command.h"

/* Lines of a server, put together from the pieces of a stream. Longer ones are cut. */
struct lines {
    /* A line without its end, which may be changed. */
    void (*each)(void *user, char *line);
    void *user;
    char line[4096];
    size_t len;
};

/* For mox_ctl_receive(), with the `struct lines` as its user. */
int lines_take(void *user, struct mox_slice piece);
/* Cuts a line at its tabs; returns how many fields there are, `max` at most. */
size_t lines_split(char *line, char *fields[], size_t max);
/* The number that a field is. */
unsigned long long lines_number(const char *field);

#endif
