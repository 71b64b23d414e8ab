/* SPDX-License-Identifier: MIT */

/* Any bytes are headers: fields make up the whole, unfolded values have one line, decoded ones are
 * UTF-8, and what is canonical stays as it is. */

#include <mox/header.h>

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "message/header.h"
#include "message/text.h"
#include "message/thread.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct mox_slice bytes(const struct buf *b)
{
    return slice(b->data, b->len);
}

static void check_value(struct mox_slice value, struct buf *out)
{
    mox__buf_clear(out);
    mox__header_unfold(out, value);
    assert(out->len == 0 || memchr(out->data, '\n', out->len) == NULL);
    assert(out->len <= value.len);
    mox__buf_clear(out);
    mox__encoded_words(out, NULL, value);
    assert(!out->failed && mox__slice_is_utf8(bytes(out)));
    mox__buf_clear(out);
    bool is_response;
    mox__subject_base(value, out, &is_response);
    assert(!out->failed && mox__slice_is_utf8(bytes(out)));
}

/* An id that was made canonical is canonical, unless it took its quotes to be one. */
static void check_id(struct mox_slice value, struct buf *out, struct buf *again)
{
    mox__buf_clear(out);
    mox__buf_clear(again);
    mox__buf_byte(out, '<');
    if (!mox__message_id(value, out)) {
        assert(out->len == 1);
        return;
    }
    mox__buf_byte(out, '>');
    assert(mox__message_id(bytes(out), again));
    assert(mox__slice_eq(bytes(again), slice(out->data + 1, out->len - 2)));
}

static void check_references(struct mox_slice value, struct buf *out)
{
    struct references r = {.text = value};
    size_t count = 0;
    mox__buf_clear(out);
    while (mox__references_next(&r, out))
        count++;
    assert(!out->failed && count <= value.len / 3 && r.at == value.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct buf out, again;
    struct mox_slice all = {data, len};
    struct mox_header_field field;
    mox_env_system(&env);
    mox__buf_init(&out, &env, SIZE_MAX / 2);
    mox__buf_init(&again, &env, SIZE_MAX / 2);
    size_t at = 0, before = 0;
    for (; mox_header_next(all, &at, &field); before = at) {
        assert(at > before && field.raw.data == data + before && field.raw.len == at - before);
        assert(field.name.len + field.value.len <= field.raw.len);
        check_value(field.value, &out);
        check_id(field.value, &out, &again);
        check_references(field.value, &out);
    }
    assert(at == before && mox_header_end(all) == at + (at < len ? mox__blank_line(all, at) : 0));
    mox__buf_free(&out);
    mox__buf_free(&again);
    return 0;
}
