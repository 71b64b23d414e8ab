/* SPDX-License-Identifier: MIT */
#ifndef CLI_COLUMNS_H
#define CLI_COLUMNS_H

#include <stddef.h>

/* A table on standard output: lines whose fields are separated by tabs, set in columns. */
struct columns {
    const char *const *titles;
    size_t count;
    char *text; /* lines so far, owned */
    size_t len, room;
};

#define COLUMNS_MAX 16

/* Adds a piece of the lines. False: out of memory. */
int columns_add(struct columns *c, const void *data, size_t len);
void columns_print(struct columns *c);
void columns_free(struct columns *c);

#endif
