/* SPDX-License-Identifier: MIT */

/* The canonical body that is hashed is the one that a slow and obvious writer makes (RFC 6376 §3.4.3,
 * §3.4.4), whatever part of it is signed. */

#include "fuzz/input.h"
#include "mailauth/signed_message.h"

static const char head[] = "From: a@example.com\r\n\r\n";

static void drop_empty_lines(struct buf *out)
{
    while (out->len >= 2 && memcmp(out->data + out->len - 2, "\r\n", 2) == 0)
        out->len -= 2;
}

static void slow_simple(struct buf *out, struct mox_slice body)
{
    mox__buf_slice(out, body);
    drop_empty_lines(out);
    mox__buf_text(out, "\r\n");
}

static void slow_relaxed(struct buf *out, struct mox_slice body)
{
    for (size_t i = 0; i < body.len;) {
        size_t start = i;
        while (i < body.len && (body.data[i] == ' ' || body.data[i] == '\t'))
            i++;
        bool at_end = i == body.len || (body.len - i >= 2 && memcmp(body.data + i, "\r\n", 2) == 0);
        if (i > start && !at_end)
            mox__buf_byte(out, ' ');
        if (i < body.len)
            mox__buf_byte(out, body.data[i++]);
    }
    drop_empty_lines(out);
    if (out->len > 0)
        mox__buf_text(out, "\r\n");
}

static void assert_hash(const struct body_hash *h, struct mox_slice canonical)
{
    uint8_t digest[HASH_MAX];
    bool is_cut = h->limit < canonical.len;
    mox__hash(h->hash, slice(canonical.data, is_cut ? (size_t)h->limit : canonical.len), digest);
    assert(memcmp(digest, h->digest, mox__hash_len(h->hash)) == 0);
    assert(h->is_short == (h->limit != UINT64_MAX && h->limit > canonical.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct input in = {slice(data, len)};
    struct mox_env env;
    struct mox_signed_message *m;
    struct buf text, canonical[2];
    size_t index;
    mox_env_system(&env);
    uint64_t limit = input_below(&in, 4096);
    mox__buf_init(&text, &env, SIZE_MAX / 2);
    mox__buf_text(&text, head);
    mox__buf_slice(&text, in.rest);
    assert(mox_signed_message_new(&m, &env, buf_bytes(&text)) == MOX_OK);
    for (enum canon canon = CANON_SIMPLE; canon <= CANON_RELAXED; canon++) {
        assert(mox__body_hash_want(m, HASH_SHA256, canon, UINT64_MAX, &index) == MOX_OK);
        assert(mox__body_hash_want(m, HASH_SHA1, canon, limit, &index) == MOX_OK);
        mox__buf_init(&canonical[canon], &env, SIZE_MAX / 2);
    }
    mox__body_hash_run(m);
    slow_simple(&canonical[CANON_SIMPLE], in.rest);
    slow_relaxed(&canonical[CANON_RELAXED], in.rest);
    for (size_t i = 0; i < m->hash_count; i++)
        assert_hash(&m->hashes[i], buf_bytes(&canonical[m->hashes[i].canon]));
    mox_signed_message_free(m);
    mox__buf_free(&text);
    mox__buf_free(&canonical[0]);
    mox__buf_free(&canonical[1]);
    return 0;
}
