/* SPDX-License-Identifier: MIT */
#include "message/address.h"

#include <mox/header.h>

#include "base/text.h"

void mox__addresses_init(struct addresses *a, const struct mox_env *env, struct mox_slice value)
{
    *a = (struct addresses){0};
    struct buf *const bufs[] = {&a->name, &a->comment, &a->route, &a->mailbox, &a->host};
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++)
        mox__buf_init(bufs[i], env, SIZE_MAX / 2); /* none outgrows the value */
    mox__addresses_reset(a, value);
}

void mox__addresses_reset(struct addresses *a, struct mox_slice value)
{
    a->text = value;
    a->at = 0;
    a->in_group = a->no_quotes = a->no_comments = a->failed = false;
}

void mox__addresses_free(struct addresses *a)
{
    mox__buf_free(&a->name);
    mox__buf_free(&a->comment);
    mox__buf_free(&a->route);
    mox__buf_free(&a->mailbox);
    mox__buf_free(&a->host);
}

/* The byte at the place, or 0 at the end: a NUL in the text is no special either. */
static uint8_t peek(const struct addresses *a)
{
    return a->at < a->text.len ? a->text.data[a->at] : 0;
}

static bool at_end(const struct addresses *a)
{
    return a->at >= a->text.len;
}

static bool is_white(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What no word has. Dots, brackets, controls and 8-bit bytes are let through, as real names do. */
static const bool specials[256] = {
    ['('] = true,  [')'] = true,  ['<'] = true,  ['>'] = true, ['@'] = true,
    [','] = true,  [';'] = true,  [':'] = true,  ['"'] = true, [' '] = true,
    ['\t'] = true, ['\r'] = true, ['\n'] = true,
};

static bool is_word(uint8_t c)
{
    return !specials[c];
}

/* Empties a buffer; running out of memory is not forgotten. */
static void empty(struct addresses *a, struct buf *b)
{
    a->failed |= b->failed;
    mox__buf_clear(b);
}

/* Takes the comment that opens here into a->comment: the last one of an address counts. A
 * parenthesis without its other half is skipped. */
static void take_comment(struct addresses *a)
{
    size_t start = ++a->at, depth = 1;
    empty(a, &a->comment);
    for (; !a->no_comments && !at_end(a); a->at++) {
        uint8_t c = peek(a);
        if (c == '\\' && a->at + 1 < a->text.len)
            c = a->text.data[++a->at];
        else if (c == '(')
            depth++;
        else if (c == ')' && --depth == 0)
            break;
        if (c != '\r' && c != '\n')
            mox__buf_byte(&a->comment, c);
    }
    if (!a->no_comments && !at_end(a)) {
        a->at++;
        return;
    }
    empty(a, &a->comment);
    a->no_comments = true;
    a->at = start;
}

/* Skips white space and comments; whether there was any. */
static bool skip_cfws(struct addresses *a)
{
    size_t start = a->at;
    while (!at_end(a)) {
        if (peek(a) == '(')
            take_comment(a);
        else if (is_white(peek(a)) || peek(a) == ')')
            a->at++;
        else
            break;
    }
    return a->at > start;
}

/* Behind the quoted string that opens here, or 0 if it has no end; then none of the rest has, and
 * it is not looked for again. */
static size_t quoted_end(struct addresses *a)
{
    if (a->no_quotes)
        return 0;
    for (size_t i = a->at + 1; i < a->text.len; i++) {
        if (a->text.data[i] == '"')
            return i + 1;
        if (a->text.data[i] == '\\')
            i++;
    }
    a->no_quotes = true;
    return 0;
}

static bool at_word(const struct addresses *a)
{
    return !at_end(a) && (peek(a) == '"' || is_word(peek(a)));
}

/* Appends the text of the word here, an atom or a quoted string; whether it is an atom that ends in
 * a dot. A quote without an end is skipped. */
static bool take_word(struct addresses *a, struct buf *out)
{
    size_t start = a->at;
    if (peek(a) == '"') {
        size_t end = quoted_end(a);
        a->at = end > 0 ? end : start + 1;
        if (end > 0)
            mox__buf_unquoted(out, slice(a->text.data + start + 1, end - start - 2));
        return false;
    }
    while (!at_end(a) && is_word(peek(a)))
        a->at++;
    mox__buf_append(out, a->text.data + start, a->at - start);
    return a->text.data[a->at - 1] == '.';
}

static struct mox_slice of(const struct buf *b)
{
    return slice(b->data, b->len);
}

/* Words up to something else; how many. All of them make a phrase (a->name, joined by single
 * spaces); the last ones that only dots join make a localpart (a->mailbox), as in
 * "John Doe j . doe@x.example"; *before is how much of the phrase stands in front of that. */
static unsigned take_words(struct addresses *a, size_t *before)
{
    unsigned words = 0;
    bool dotted = false;
    for (*before = 0;; words++) {
        bool gap = skip_cfws(a);
        if (!at_word(a))
            return words;
        if (words > 0 && gap && !dotted && peek(a) != '.') {
            *before = a->name.len;
            empty(a, &a->mailbox);
        } else if (words > 0) {
            words--; /* joined to the one before */
        }
        if (gap && a->name.len > 0)
            mox__buf_byte(&a->name, ' ');
        size_t len = a->mailbox.len;
        dotted = take_word(a, &a->mailbox);
        mox__buf_slice(&a->name, slice_from(of(&a->mailbox), len));
    }
}

/* A domain with white space and comments around its dots, or a literal. */
static void take_host(struct addresses *a)
{
    (void)skip_cfws(a);
    if (peek(a) == '[') {
        for (; !at_end(a) && peek(a) != ']'; a->at++)
            if (!is_white(peek(a)))
                mox__buf_byte(&a->host, peek(a));
        if (!at_end(a))
            mox__buf_byte(&a->host, a->text.data[a->at++]);
        return;
    }
    while (!at_end(a) && is_word(peek(a))) {
        size_t start = a->at;
        while (!at_end(a) && is_word(peek(a)))
            a->at++;
        mox__buf_append(&a->host, a->text.data + start, a->at - start);
        bool dotted = a->text.data[a->at - 1] == '.';
        (void)skip_cfws(a);
        if (!dotted && peek(a) != '.')
            break;
    }
}

static void skip_to_separator(struct addresses *a)
{
    while (!at_end(a) && peek(a) != ',' && peek(a) != ';') {
        size_t end = peek(a) == '"' ? quoted_end(a) : 0;
        if (end > 0)
            a->at = end;
        else if (!skip_cfws(a))
            a->at++;
    }
}

/* The source route in front of an address (RFC 5322 §4.4), with its colon: "@a,@b:". */
static void take_route(struct addresses *a)
{
    while (!at_end(a) && peek(a) != ':' && peek(a) != '>') {
        if (!is_white(peek(a)))
            mox__buf_byte(&a->route, peek(a));
        a->at++;
    }
    if (peek(a) == ':')
        a->at++;
}

/* The localpart in angle brackets. White space in it is wrong, and kept. */
static void take_localpart(struct addresses *a)
{
    bool joined = true;
    for (;;) {
        bool gap = skip_cfws(a);
        if (!at_word(a))
            return;
        if (gap && !joined && peek(a) != '.')
            mox__buf_byte(&a->mailbox, ' ');
        joined = take_word(a, &a->mailbox);
    }
}

/* Behind "<": a localpart, a domain, and what ends it. */
static void take_angle(struct addresses *a)
{
    empty(a, &a->mailbox);
    empty(a, &a->host);
    (void)skip_cfws(a);
    if (peek(a) == '@')
        take_route(a);
    take_localpart(a);
    if (peek(a) == '@') {
        a->at++;
        take_host(a);
    }
    while (!at_end(a) && peek(a) != '>' && peek(a) != ',' && peek(a) != ';')
        a->at++;
    if (peek(a) == '>')
        a->at++;
    (void)skip_cfws(a);
}

/* "user@host", or "user@host <user@host>", where the first is the name. */
static void take_addr_spec(struct addresses *a, size_t before)
{
    a->at++;
    take_host(a);
    (void)skip_cfws(a);
    if (peek(a) == '<') {
        mox__buf_byte(&a->name, '@');
        mox__buf_append(&a->name, a->host.data, a->host.len);
        a->at++;
        take_angle(a);
        return;
    }
    a->name.len = before;
    if (peek(a) == '@')
        skip_to_separator(a);
}

static void fill(const struct addresses *a, struct address *out)
{
    *out = (struct address){
        .kind = MOX_ADDRESS_MAILBOX,
        .name = mox__slice_trim(a->name.len > 0 ? of(&a->name) : of(&a->comment)),
        .route = of(&a->route),
        .mailbox = of(&a->mailbox),
        .host = of(&a->host),
    };
}

static void clear(struct addresses *a)
{
    empty(a, &a->name);
    empty(a, &a->comment);
    empty(a, &a->route);
    empty(a, &a->mailbox);
    empty(a, &a->host);
}

/* Takes what stands here, which is not a separator. */
static void take_element(struct addresses *a, struct address *out)
{
    size_t before;
    unsigned words = take_words(a, &before);
    uint8_t c = peek(a);
    if (c == ':' && !a->in_group) {
        a->at++;
        a->in_group = true;
        *out = (struct address){.kind = MOX_ADDRESS_GROUP, .name = of(&a->name)};
        return;
    }
    if (c == '<') {
        a->at++;
        take_angle(a);
    } else if (c == '@') {
        take_addr_spec(a, before);
    } else if (words > 1) { /* only a name */
        empty(a, &a->mailbox);
    } else {
        empty(a, &a->name); /* only a localpart */
    }
    if (c == ':')
        a->at++; /* groups do not nest */
    fill(a, out);
}

static bool take_next(struct addresses *a, struct address *out)
{
    for (;;) {
        (void)skip_cfws(a);
        if (at_end(a) && !a->in_group)
            return false;
        if (at_end(a) || (peek(a) == ';' && a->in_group)) {
            a->at += !at_end(a);
            a->in_group = false;
            *out = (struct address){.kind = MOX_ADDRESS_GROUP_END};
            return true;
        }
        if (peek(a) != ',' && peek(a) != ';' && peek(a) != '>') /* ">>" is seen */
            break;
        a->at++;
        empty(a, &a->comment);
    }
    size_t start = a->at;
    take_element(a, out);
    a->at += a->at == start; /* whatever it is, it is behind us */
    return true;
}

bool mox__addresses_next(struct addresses *a, struct address *out)
{
    clear(a);
    bool more = take_next(a, out);
    a->failed |= a->name.failed || a->comment.failed || a->route.failed || a->mailbox.failed ||
                 a->host.failed;
    return more && !a->failed;
}

/* Looks at the addresses of one field. What has no domain is none, as what stands before the comma of an unquoted
 * `Doe, Jane <jane@sender.example>`. */
static enum from_status only_address(struct addresses *a, struct buf *mailbox, struct buf *host)
{
    struct address address;
    bool has_any = false;
    unsigned count = 0;
    while (mox__addresses_next(a, &address)) {
        if (address.kind != MOX_ADDRESS_MAILBOX)
            continue;
        has_any = true;
        if (address.host.len == 0)
            continue;
        if (++count > 1)
            return FROM_SEVERAL;
        mox__buf_slice(mailbox, address.mailbox);
        mox__buf_slice(host, address.host);
    }
    if (a->failed || mailbox->failed || host->failed)
        return FROM_NOMEM;
    if (!has_any)
        return FROM_MISSING;
    return mailbox->len > 0 && host->len > 0 ? FROM_ONE : FROM_MALFORMED;
}

enum from_status mox__address_from(const struct mox_env *env, struct mox_slice headers,
                                   struct buf *mailbox, struct buf *host)
{
    struct mox_header_field field;
    struct mox_slice value = {0};
    unsigned fields = 0;
    for (size_t at = 0; mox_header_next(headers, &at, &field);) {
        if (mox__slice_is_nocase(field.name, "From")) {
            value = field.value;
            fields++;
        }
    }
    if (fields != 1)
        return fields == 0 ? FROM_MISSING : FROM_SEVERAL;
    struct addresses list;
    mox__addresses_init(&list, env, value);
    enum from_status status = only_address(&list, mailbox, host);
    mox__addresses_free(&list);
    return status;
}
