/* SPDX-License-Identifier: MIT */

/* What threads are made by is stable: a base subject is its own base and that of its answers, and the
 * ids of References, written again, are the same ids. */

#include "message/thread.h"

#include "fuzz/input.h"

static void base_of(struct buf *out, struct mox_slice subject, bool *is_response)
{
    mox__buf_clear(out);
    mox__subject_base(subject, out, is_response);
    assert(!out->failed && mox__slice_is_utf8(buf_bytes(out)));
    for (size_t i = 0; i < out->len; i++)
        assert(out->data[i] != 0 && to_lower(out->data[i]) == out->data[i]);
}

static void check_subject(const struct mox_env *env, struct mox_slice subject)
{
    struct buf base, answer, other;
    bool is_response;
    mox__buf_init(&base, env, SIZE_MAX / 2);
    mox__buf_init(&answer, env, SIZE_MAX / 2);
    mox__buf_init(&other, env, SIZE_MAX / 2);
    base_of(&base, subject, &is_response);
    assert(base.len == 0 || (base.data[0] != ' ' && base.data[base.len - 1] != ' '));

    static const char *const prefixes[] = {"Re: ", "FWD :", " fw [tag]: ", "[list] re: "};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        mox__buf_clear(&answer);
        mox__buf_text(&answer, prefixes[i]);
        mox__buf_slice(&answer, subject);
        base_of(&other, buf_bytes(&answer), &is_response);
        assert(is_response);
        assert_same(buf_bytes(&other), buf_bytes(&base));
    }
    /* What was encoded twice is decoded once. */
    if (base.len > 0 && memmem(base.data, base.len, "=?", 2) == NULL) {
        base_of(&other, buf_bytes(&base), &is_response);
        assert(!is_response);
        assert_same(buf_bytes(&other), buf_bytes(&base));
    }
    mox__buf_free(&base);
    mox__buf_free(&answer);
    mox__buf_free(&other);
}

/* The ids in `text`, in brackets, with junk between. */
static size_t collect(struct buf *out, struct mox_slice text, const char *junk)
{
    struct references r = {.text = text};
    size_t count = 0, open = 0;
    for (;; count++, open = out->len) {
        mox__buf_text(out, "<");
        if (!mox__references_next(&r, out))
            break;
        assert(out->len > open + 1);
        mox__buf_printf(out, ">%s", junk);
    }
    out->len = open;
    return count;
}

static void check_references(const struct mox_env *env, struct mox_slice text)
{
    struct buf once, twice, first;
    mox__buf_init(&once, env, SIZE_MAX / 2);
    mox__buf_init(&twice, env, SIZE_MAX / 2);
    mox__buf_init(&first, env, SIZE_MAX / 2);
    size_t count = collect(&once, text, " ");
    assert(collect(&twice, buf_bytes(&once), " ") == count);
    assert_same(buf_bytes(&twice), buf_bytes(&once));
    if (count > 0) { /* the first is what Message-Id would say */
        assert(mox__message_id(buf_bytes(&once), &first));
        assert(first.len + 1 < once.len && once.data[first.len + 1] == '>');
        assert_same(buf_bytes(&first), slice(once.data + 1, first.len));
    }
    mox__buf_free(&once);
    mox__buf_free(&twice);
    mox__buf_free(&first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    mox_env_system(&env);
    check_subject(&env, slice(data, len));
    check_references(&env, slice(data, len));
    return 0;
}
