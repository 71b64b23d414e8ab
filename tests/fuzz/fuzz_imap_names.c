/* SPDX-License-Identifier: MIT */

/* Names of mailboxes: modified UTF-7 has one form and goes both ways, a name that is fit stays so on
 * the wire, and patterns of LIST find what an exhaustive matcher finds. Input: a pattern, a name and
 * more names for a list, with NULs between. */

#include <mox/mailstore.h>
#include <stdlib.h>

#include "fuzz/input.h"
#include "imap/lex.h"
#include "imap/listline.h"
#include "imap/match.h"
#include "mailstore/utf7.h"

#define NAMES_MAX 16

/* Whether a run has the character &: that is read there, and written "&-". */
static bool has_shifted_ampersand(struct mox_slice text, const char *decoded)
{
    size_t written = 0, meant = 0;
    for (size_t i = 0; i + 1 < text.len; i++)
        written += text.data[i] == '&' && text.data[i + 1] == '-';
    for (; *decoded != '\0'; decoded++)
        meant += *decoded == '&';
    return meant > written;
}

static void utf7_goes_both_ways(struct arena *a, struct mox_slice text)
{
    struct buf wire;
    char *out = arena_new(a, char, mox__utf7_decoded_max(text.len) + 1);
    mox__buf_init(&wire, a->env, SIZE_MAX / 2);
    if (mox__utf7_decode(text, out) == MOX_OK) {
        assert(mox__slice_is_utf8(slice_of(out)) && strlen(out) <= mox__utf7_decoded_max(text.len));
        mox__utf7_encode(&wire, out);
        assert(mox__slice_eq(buf_bytes(&wire), text) != has_shifted_ampersand(text, out));
    }
    mox__buf_clear(&wire);
    if (mox__slice_is_utf8(text)) {
        const char *name = mox__arena_strndup(a, text.data, text.len);
        mox__utf7_encode(&wire, name);
        char *back = arena_new(a, char, mox__utf7_decoded_max(wire.len) + 1);
        assert(mox__utf7_decode(buf_bytes(&wire), back) == MOX_OK && strcmp(back, name) == 0);
    }
    mox__buf_free(&wire);
}

/* The wire form in quotes, as the engine writes it. */
static void a_fit_name_is_read_back(struct arena *a, const char *text)
{
    char name[MOX_MAILBOX_NAME_MAX + 1], again[MOX_MAILBOX_NAME_MAX + 1];
    struct buf wire;
    struct lexer l;
    const char *read;
    struct mox_error err;
    if (mox_mailbox_name_check(text, name, &err) < 0) {
        assert(err.text[0] != '\0');
        return;
    }
    assert(mox_mailbox_name_check(name, again, &err) == MOX_OK && strcmp(name, again) == 0);
    mox__buf_init(&wire, a->env, SIZE_MAX / 2);
    mox__buf_byte(&wire, '"');
    size_t start = wire.len;
    mox__utf7_encode(&wire, name);
    for (size_t i = start; i < wire.len; i++)
        if (wire.data[i] == '"' || wire.data[i] == '\\') {
            assert(mox__buf_reserve(&wire, 1) != NULL);
            memmove(wire.data + i + 1, wire.data + i, wire.len++ - i);
            wire.data[i++] = '\\';
        }
    mox__buf_byte(&wire, '"');
    mox__lex_init(&l, buf_bytes(&wire), a);
    assert(mox__lex_mailbox(&l, &read) && mox__lex_end(&l) && strcmp(read, name) == 0);
    mox__buf_free(&wire);
}

/* can[i] of the pattern from p on: whether it matches the name from i on. */
static bool can_match(struct arena *a, const char *pattern, const char *name)
{
    size_t len = strlen(name);
    bool *can = arena_new(a, bool, len + 1), *longer = arena_new(a, bool, len + 1);
    can[len] = true; /* nothing matches nothing */
    for (size_t p = strlen(pattern); p-- > 0;) {
        bool *swap = longer;
        longer = can;
        can = swap;
        for (size_t i = len + 1; i-- > 0;) {
            bool wild = pattern[p] == '*' || (pattern[p] == '%' && name[i] != '/');
            if (pattern[p] == '*' || pattern[p] == '%')
                can[i] = longer[i] || (wild && i < len && can[i + 1]);
            else
                can[i] = i < len && name[i] == pattern[p] && longer[i + 1];
        }
    }
    return can[0];
}

/* Of the name and of a part of it, as LSUB asks; and in bounds. */
static void a_pattern_finds_what_it_can(struct arena *a, const char *pattern, const char *name)
{
    size_t len = strlen(name);
    bool *matched = arena_new(a, bool, len + 1);
    size_t work = mox__pattern_match(pattern, name, len, matched);
    assert(work <= strlen(pattern) * (len + 1));
    assert(matched[len] == can_match(a, pattern, name));
    const char *part = mox__arena_strndup(a, name, len / 2);
    assert(matched[len / 2] == can_match(a, pattern, part));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct mox_mailbox *)a)->name, ((const struct mox_mailbox *)b)->name);
}

static void children_are_found(struct arena *a, struct input *in)
{
    struct mox_mailbox list[NAMES_MAX];
    struct mox_mailboxes names = {.list = list};
    while (in->rest.len > 0 && names.count < NAMES_MAX) {
        struct mox_slice s = input_until(in, 0);
        list[names.count] =
            (struct mox_mailbox){.name = mox__arena_strndup(a, s.data, s.len), .id = s.len % 3};
        names.count++;
    }
    qsort(list, names.count, sizeof list[0], by_name);
    for (size_t i = 0; i < names.count; i++) {
        size_t len = strlen(list[i].name);
        bool has = false;
        for (size_t k = 0; k < names.count; k++)
            has = has || (list[k].id != 0 && strncmp(list[k].name, list[i].name, len) == 0 &&
                          list[k].name[len] == '/');
        assert(mox__list_has_children(&names, list[i].name) == has);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct arena a;
    struct input in = {{data, len}};
    const char *joined;
    mox_env_system(&env);
    mox__arena_init(&a, &env, SIZE_MAX / 2);
    struct mox_slice pattern = input_until(&in, 0), name = input_until(&in, 0);
    const char *p = mox__arena_strndup(&a, pattern.data, pattern.len);
    const char *n = mox__arena_strndup(&a, name.data, name.len);
    a_pattern_finds_what_it_can(&a, p, n);
    int rc = mox__pattern_join(&a, n, p, &joined);
    assert(rc == MOX_OK || rc == MOX_ELIMIT);
    assert(rc != MOX_OK || joined == NULL || strlen(joined) <= PATTERN_MAX_BYTES + 1);
    utf7_goes_both_ways(&a, name);
    a_fit_name_is_read_back(&a, n);
    children_are_found(&a, &in);
    mox__arena_reset(&a);
    return 0;
}
