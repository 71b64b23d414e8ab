/* SPDX-License-Identifier: MIT */
#include "lines.h"

#include <mox/error.h>

#include <stdlib.h>
#include <string.h>

size_t lines_split(char *line, char *fields[], size_t max)
{
    size_t count = 0;
    for (char *at = line; at != NULL && count < max; count++) {
        fields[count] = at;
        at = strchr(at, '\t');
        if (at != NULL)
            *at++ = '\0';
    }
    return count;
}

unsigned long long lines_number(const char *field)
{
    return strtoull(field, NULL, 10);
}

int lines_take(void *user, struct mox_slice piece)
{
    struct lines *l = user;
    for (size_t i = 0; i < piece.len; i++) {
        if (piece.data[i] != '\n') {
            l->line[l->len] = (char)piece.data[i];
            l->len += l->len < sizeof l->line - 1;
            continue;
        }
        l->line[l->len] = '\0';
        l->each(l->user, l->line);
        l->len = 0;
    }
    return MOX_OK;
}
