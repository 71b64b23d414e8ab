/* SPDX-License-Identifier: MIT */
#include "columns.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int columns_add(struct columns *c, const void *data, size_t len)
{
    if (len > c->room - c->len) {
        size_t room = 2 * (c->len + len) + 1024;
        char *text = realloc(c->text, room);
        if (text == NULL)
            return false;
        c->text = text;
        c->room = room;
    }
    memcpy(c->text + c->len, data, len);
    c->len += len;
    return true;
}

/* Characters of UTF-8. */
static size_t width_of(const char *text, size_t len)
{
    size_t width = 0;
    for (size_t i = 0; i < len; i++)
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    return width;
}

/* Calls `each` for every field. */
static void walk(const struct columns *c,
                 void (*each)(void *user, size_t column, const char *text, size_t len, bool last),
                 void *user)
{
    size_t column = 0, start = 0;
    for (size_t i = 0; i < c->len; i++) {
        bool last = c->text[i] == '\n';
        if (!last && c->text[i] != '\t')
            continue;
        each(user, column, c->text + start, i - start, last);
        column = last ? 0 : column + 1;
        start = i + 1;
    }
}

static void measure(void *user, size_t column, const char *text, size_t len, bool last)
{
    size_t *widths = user, width = width_of(text, len);
    (void)last;
    if (column < COLUMNS_MAX && width > widths[column])
        widths[column] = width;
}

/* An empty field is "-", so that programs find each in its place; the last one needs no padding. */
static void print(void *user, size_t column, const char *text, size_t len, bool last)
{
    const size_t *widths = user;
    if (len == 0) {
        text = "-";
        len = 1;
    }
    (void)fwrite(text, 1, len, stdout);
    if (last) {
        (void)putchar('\n');
        return;
    }
    size_t width = width_of(text, len);
    for (size_t wide = column < COLUMNS_MAX ? widths[column] : 0; width < wide + 2; width++)
        (void)putchar(' ');
}

void columns_print(struct columns *c)
{
    size_t widths[COLUMNS_MAX] = {0};
    for (size_t i = 0; i < c->count; i++)
        measure(widths, i, c->titles[i], strlen(c->titles[i]), false);
    walk(c, measure, widths);
    for (size_t i = 0; i < c->count; i++)
        print(widths, i, c->titles[i], strlen(c->titles[i]), i + 1 == c->count);
    walk(c, print, widths);
}

void columns_free(struct columns *c)
{
    free(c->text);
    c->text = NULL;
    c->len = c->room = 0;
}
