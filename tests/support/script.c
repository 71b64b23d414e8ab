/* SPDX-License-Identifier: MIT */
#include "support/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cm.h"

/* The escapes of the dialogues, in place; returns the length. */
static size_t unescape(char *text)
{
    char *to = text;
    for (const char *at = text; *at != '\0';) {
        unsigned byte = (uint8_t)*at++;
        if (byte == '\\' && *at != '\0') {
            char c = *at++;
            byte = c == 'r'   ? '\r'
                   : c == 'n' ? '\n'
                   : c == 't' ? '\t'
                   : c == '0' ? '\0'
                              : (uint8_t)c;
            if (c == 'x' && sscanf(at, "%2x", &byte) == 1)
                at += 2;
        }
        *to++ = (char)byte;
    }
    return (size_t)(to - text);
}

/* Keeps what the client says: C: a line, c: bytes. */
static void add_line(struct script *s, const char *line)
{
    if ((line[0] != 'C' && line[0] != 'c') || line[1] != ':' || line[2] != ' ')
        return;
    assert_true(s->count < SCRIPT_LINES_MAX);
    size_t size = strlen(line) + 3;
    char *copy = malloc(size);
    assert_non_null(copy);
    (void)snprintf(copy, size, "%s", line + 3);
    copy[strcspn(copy, "\n")] = '\0';
    size_t len = unescape(copy);
    if (line[0] == 'C') {
        memcpy(copy + len, "\r\n", 2);
        len += 2;
    }
    s->lines[s->count] = copy;
    s->lens[s->count++] = len;
}

void script_read(struct script *s, struct mox_slice data)
{
    char line[8192];
    const char *at = (const char *)data.data, *end = at + data.len;
    s->count = 0;
    while (at < end) {
        size_t len = strcspn(at, "\n");
        (void)snprintf(line, sizeof line, "%.*s", (int)len, at);
        add_line(s, line);
        at += len + 1;
    }
}

void script_free(struct script *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->lines[i]);
    s->count = 0;
}
