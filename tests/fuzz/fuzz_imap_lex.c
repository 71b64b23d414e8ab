/* SPDX-License-Identifier: MIT */

/* The lexer takes what is there or stays where it is and says what was missing; what it takes lies
 * in the text or has been copied. Flags and dates that were read are written and read the same.
 * Input: what to take, one byte each up to a NUL, and the text. */

#include <mox/date.h>

#include "fuzz/input.h"
#include "imap/flags.h"
#include "imap/lex.h"

static void check_flags(struct arena *a, struct mox_slice text)
{
    struct flag_list list, again;
    struct mox_error err;
    struct buf wire;
    int rc = mox__flags_parse(&list, a, text, &err);
    assert(rc == MOX_OK || rc == MOX_ESYNTAX || rc == MOX_ELIMIT);
    assert(rc == MOX_OK || err.text[0] != '\0');
    if (rc < 0 || list.keyword_count > 64)
        return;
    mox__buf_init(&wire, a->env, SIZE_MAX / 2);
    uint64_t all = list.keyword_count == 64 ? UINT64_MAX : (UINT64_C(1) << list.keyword_count) - 1;
    mox__flags_write(&wire, list.flags, all, list.keywords, (unsigned)list.keyword_count, false);
    assert(wire.len >= 2 && wire.data[0] == '(' && wire.data[wire.len - 1] == ')');
    assert(mox__flags_parse(&again, a, slice(wire.data + 1, wire.len - 2), &err) == MOX_OK);
    assert(again.flags == list.flags && again.keyword_count == list.keyword_count);
    for (size_t i = 0; i < list.keyword_count; i++)
        assert(strcmp(again.keywords[i], list.keywords[i]) == 0);
    mox__buf_free(&wire);
}

/* The same moment, as the reader of mail's own dates sees it. */
static void check_date_time(struct mox_slice taken, int64_t us)
{
    struct mox_date date;
    char text[64];
    assert(taken.len < sizeof text && us % 1000000 == 0);
    memcpy(text, taken.data + 1, taken.len - 2);
    text[taken.len - 2] = '\0';
    text[strcspn(text, "-")] = ' ';
    text[strcspn(text, "-")] = ' ';
    /* RFC 5322 has neither a zone beyond a day nor a year 0. */
    if (mox_date_parse(slice_of(text), &date) == MOX_OK && date.second < 60 && date.year > 0)
        assert(mox_date_unix(&date) * 1000000 == us);
}

/* Takes one thing; whether it was there. */
static bool take(struct lexer *l, uint8_t what)
{
    struct mox_slice s = {0};
    const char *name = NULL;
    const uint8_t *start = l->at;
    uint64_t n = 0;
    int64_t moment = 0;
    bool nil, there;
    switch (what % 16) {
    case 0:
        return mox__lex_byte(l, (uint8_t)('(' + what / 16));
    case 1:
        return mox__lex_space(l);
    case 2:
        return mox__lex_word(l, what / 16 % 2 == 0 ? "NIL" : "a1b");
    case 3:
        return mox__lex_tag(l, &s);
    case 4:
        return mox__lex_atom(l, &s);
    case 5:
        return mox__lex_string(l, &s);
    case 6:
        return mox__lex_astring(l, &s);
    case 7:
        there = mox__lex_nstring(l, &s, &nil);
        assert(!there || !nil || s.data == NULL);
        return there;
    case 8:
    case 9:
        there = what % 16 == 8 ? mox__lex_mailbox(l, &name) : mox__lex_list_pattern(l, &name);
        assert(!there || mox__slice_is_utf8(slice_of(name)));
        return there;
    case 10:
        there = mox__lex_number(l, UINT32_MAX, &n);
        assert(!there || n <= UINT32_MAX);
        return there;
    case 11:
        there = mox__lex_parens(l, &s);
        if (there)
            check_flags(l->arena, s);
        return there;
    case 12:
        there = mox__lex_date(l, &moment);
        assert(!there || (moment > -800000 && moment < 3000000));
        return there;
    case 13:
        there = mox__lex_date_time(l, &moment);
        if (there)
            check_date_time(slice(start, (size_t)(l->at - start)), moment);
        return there;
    case 14:
        return mox__lex_rest(l, &s);
    default:
        return false;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct arena a;
    struct lexer l;
    struct input in = {{data, len}};
    struct mox_slice steps = input_until(&in, 0);
    mox_env_system(&env);
    mox__arena_init(&a, &env, SIZE_MAX / 2);
    mox__lex_init(&l, in.rest, &a);
    for (size_t i = 0; i < steps.len; i++) {
        const uint8_t *before = l.at;
        bool was_end = l.at == l.end;
        if (take(&l, steps.data[i])) {
            assert(l.at > before && l.at <= l.end && !was_end);
        } else {
            assert(l.at == before && !l.no_memory);
            assert(steps.data[i] % 16 == 15 || l.expected[0] != '\0');
            assert(mox__lex_failure(&l) == MOX_ESYNTAX);
        }
        assert(mox__lex_end(&l) == (mox__lex_peek(&l) < 0));
    }
    check_flags(&a, in.rest);
    mox__arena_reset(&a);
    return 0;
}
