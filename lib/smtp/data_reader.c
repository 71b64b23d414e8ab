/* SPDX-License-Identifier: MIT */
#include "smtp/data_reader.h"

#include <string.h>

/* What stands right in front of the next byte. */
enum at {
    AT_LINE,      /* CRLF, or nothing yet */
    AT_LF_LINE,   /* a bare LF: dots behind it are not stuffed */
    AT_TEXT,      /* part of a line */
    AT_CR,        /* CR */
    AT_EMPTY_CR,  /* CR as the first byte of a line */
    AT_DOT,       /* CRLF dot, the dot is held back */
    AT_DOT_CR,    /* CRLF dot CR, both held back */
    AT_LF_DOT,    /* LF dot */
    AT_LF_DOT_CR, /* LF dot CR */
    AT_COUNT
};

enum byte_class { IS_CR, IS_LF, IS_DOT, IS_OTHER, CLASSES };

enum effect {
    PUT = 1 << 0,    /* the byte is content */
    CR_1ST = 1 << 1, /* a CR in front of it is, too */
    BODY = 1 << 2,   /* the line that ends here is empty */
    BAD = 1 << 3,    /* smuggling */
    END = 1 << 4     /* the end of DATA */
};

/* Only CRLF dot CRLF is the end. What a lax server further on may take for it is BAD: any CR
 * without an LF, CRLF dot LF, LF dot LF and LF dot CRLF. */
static const struct transition {
    uint8_t next, effects;
} table[AT_COUNT][CLASSES] = {
    /* for CR, LF, a dot, anything else */
    [AT_LINE] = {{AT_EMPTY_CR, PUT},
                 {AT_LF_LINE, CR_1ST | PUT | BODY},
                 {AT_DOT, 0},
                 {AT_TEXT, PUT}},
    [AT_LF_LINE] = {{AT_EMPTY_CR, PUT},
                    {AT_LF_LINE, CR_1ST | PUT | BODY},
                    {AT_LF_DOT, PUT},
                    {AT_TEXT, PUT}},
    [AT_TEXT] = {{AT_CR, PUT}, {AT_LF_LINE, CR_1ST | PUT}, {AT_TEXT, PUT}, {AT_TEXT, PUT}},
    [AT_CR] = {{AT_CR, PUT | BAD}, {AT_LINE, PUT}, {AT_TEXT, PUT | BAD}, {AT_TEXT, PUT | BAD}},
    [AT_EMPTY_CR] = {{AT_CR, PUT | BAD},
                     {AT_LINE, PUT | BODY},
                     {AT_TEXT, PUT | BAD},
                     {AT_TEXT, PUT | BAD}},
    [AT_DOT] = {{AT_DOT_CR, 0}, {AT_LF_LINE, CR_1ST | PUT | BAD}, {AT_TEXT, PUT}, {AT_TEXT, PUT}},
    [AT_DOT_CR] = {{AT_CR, CR_1ST | PUT | BAD},
                   {AT_LINE, END},
                   {AT_TEXT, CR_1ST | PUT | BAD},
                   {AT_TEXT, CR_1ST | PUT | BAD}},
    [AT_LF_DOT] = {{AT_LF_DOT_CR, PUT},
                   {AT_LF_LINE, CR_1ST | PUT | BAD},
                   {AT_TEXT, PUT},
                   {AT_TEXT, PUT}},
    [AT_LF_DOT_CR] = {{AT_CR, PUT | BAD},
                      {AT_LINE, PUT | BAD},
                      {AT_TEXT, PUT | BAD},
                      {AT_TEXT, PUT | BAD}},
};

static enum byte_class class_of(const struct data_reader *r, uint8_t c)
{
    if (c == '\r')
        return IS_CR;
    if (c == '\n')
        return IS_LF;
    return c == '.' && r->mode == DATA_DOTS ? IS_DOT : IS_OTHER;
}

static uint8_t *step(struct data_reader *r, uint8_t c, uint8_t *out)
{
    const struct transition *t = &table[r->at][class_of(r, c)];
    r->at = t->next;
    r->done = (t->effects & END) != 0;
    r->smuggled |= (t->effects & BAD) != 0 && r->mode == DATA_DOTS;
    r->has_body |= (t->effects & BODY) != 0;
    if ((t->effects & CR_1ST) != 0 && r->mode != DATA_BINARY)
        *out++ = '\r';
    if ((t->effects & PUT) != 0)
        *out++ = c;
    return out;
}

/* How many bytes from `at` on are plain: whole lines with CRLF that are not empty and have no dot
 * in front, and the start of one more. *lf is the next LF at or behind `at`, kept from call to
 * call, so that no byte is searched twice for the same thing. */
static size_t plain_run(struct data_reader *r, const uint8_t *start, const uint8_t *end,
                        const uint8_t **lf)
{
    const uint8_t *at = start;
    while (at < end) {
        if (r->at == AT_LINE && (*at == '.' || *at == '\r' || *at == '\n'))
            break;
        if (*lf == NULL || *lf < at) {
            *lf = memchr(at, '\n', (size_t)(end - at));
            if (*lf == NULL)
                *lf = end;
        }
        const uint8_t *cr = memchr(at, '\r', (size_t)(*lf - at));
        const uint8_t *stop = cr == NULL ? *lf : cr;
        if (stop > at)
            r->at = AT_TEXT;
        at = stop;
        if (cr == NULL || cr + 1 != *lf || *lf == end)
            break; /* a bare LF, a bare CR, or the end of what we have: for step() */
        at = *lf + 1;
        r->at = AT_LINE;
    }
    return (size_t)(at - start);
}

static bool has_high_bit(const uint8_t *p, size_t len)
{
    uint64_t seen = 0, word;
    for (; len >= sizeof word; p += sizeof word, len -= sizeof word) {
        memcpy(&word, p, sizeof word);
        seen |= word;
    }
    for (; len > 0; p++, len--)
        seen |= *p;
    return (seen & UINT64_C(0x8080808080808080)) != 0;
}

size_t mox__data_read(struct data_reader *r, const uint8_t *in, size_t len, uint8_t *out,
                      size_t *written)
{
    const uint8_t *at = in, *end = in + len, *lf = NULL;
    uint8_t *put = out;
    while (at < end && !r->done) {
        bool untouched = r->mode == DATA_BINARY && r->has_body; /* nothing more to learn */
        if (untouched || r->at == AT_LINE || r->at == AT_TEXT) {
            size_t n = untouched ? (size_t)(end - at) : plain_run(r, at, end, &lf);
            memcpy(put, at, n);
            put += n;
            at += n;
            if (at == end)
                break;
        }
        put = step(r, *at++, put);
    }
    if (!r->has_8bit)
        r->has_8bit = has_high_bit(in, (size_t)(at - in));
    *written = (size_t)(put - out);
    return (size_t)(at - in);
}
