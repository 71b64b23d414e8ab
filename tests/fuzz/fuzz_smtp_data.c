/* SPDX-License-Identifier: MIT */

/* The content of DATA and BDAT, read in pieces, is what a reader gives that looks at each byte of the
 * whole: the first CRLF dot CRLF ends it, and nothing else does. Input: the mode, the size of pieces,
 * and the bytes on the wire. */

#include "smtp/data_reader.h"

#include "fuzz/input.h"

struct expected {
    struct buf content;
    size_t used;
    bool done, smuggled, has_8bit, has_body;
};

static bool is_at(struct mox_slice s, size_t at, const char *text)
{
    size_t n = strlen(text);
    return at <= s.len && s.len - at >= n && memcmp(s.data + at, text, n) == 0;
}

/* Behind CRLF, or at the start. */
static bool starts_line(struct mox_slice s, size_t at)
{
    return at == 0 || (at >= 2 && is_at(s, at - 2, "\r\n"));
}

/* Behind LF that has no CR. */
static bool starts_lf_line(struct mox_slice s, size_t at)
{
    return at >= 1 && s.data[at - 1] == '\n' && !starts_line(s, at);
}

static size_t end_of_data(struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (starts_line(s, i) && is_at(s, i, ".\r\n"))
            return i;
    return SIZE_MAX;
}

/* What some other server could take for the end, or a CR without LF. */
static bool smuggles(struct mox_slice s, size_t at)
{
    if (s.data[at] == '\r')
        return at + 1 < s.len && s.data[at + 1] != '\n';
    if (s.data[at] != '.')
        return false;
    return (starts_line(s, at) && is_at(s, at, ".\n")) ||
           (starts_lf_line(s, at) && (is_at(s, at, ".\n") || is_at(s, at, ".\r\n")));
}

static bool is_empty_line(struct mox_slice s, size_t at)
{
    return (at == 0 || s.data[at - 1] == '\n') && (is_at(s, at, "\n") || is_at(s, at, "\r\n"));
}

static void expect(struct expected *e, struct mox_slice s, enum data_mode mode)
{
    size_t end = mode == DATA_DOTS ? end_of_data(s) : SIZE_MAX;
    e->done = end < SIZE_MAX;
    e->used = e->done ? end + 3 : s.len;
    s.len = e->used; /* a CR at the very end of it says nothing yet */
    for (size_t i = 0; i < s.len; i++) {
        bool is_dot = mode == DATA_DOTS && s.data[i] == '.' && starts_line(s, i);
        e->has_8bit = e->has_8bit || s.data[i] >= 0x80;
        if (e->done && i >= end)
            continue;
        e->has_body = e->has_body || is_empty_line(s, i);
        e->smuggled = e->smuggled || (mode == DATA_DOTS && smuggles(s, i));
        if (mode != DATA_BINARY && s.data[i] == '\n' && (i == 0 || s.data[i - 1] != '\r'))
            mox__buf_byte(&e->content, '\r');
        if (!is_dot)
            mox__buf_byte(&e->content, s.data[i]);
    }
}

/* Bytes that wait for what follows: a dot at the front of a line is held back with its CR. */
static size_t held_back(struct mox_slice s, enum data_mode mode, bool done)
{
    if (mode != DATA_DOTS || done)
        return 0;
    return s.len >= 2 && is_at(s, s.len - 2, ".\r") && starts_line(s, s.len - 2) ? 1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct input in = {{data, len}};
    struct expected e = {.used = 0};
    struct buf got;
    struct data_reader r = {.mode = (enum data_mode)input_below(&in, 3)};
    size_t step = (size_t)input_byte(&in) + 1, at = 0;
    uint8_t out[DATA_READER_ROOM(256)];
    mox_env_system(&env);
    mox__buf_init(&e.content, &env, SIZE_MAX / 2);
    mox__buf_init(&got, &env, SIZE_MAX / 2);
    expect(&e, in.rest, r.mode);
    while (at < in.rest.len && !r.done) {
        size_t n = in.rest.len - at < step ? in.rest.len - at : step, written = 0;
        size_t used = mox__data_read(&r, in.rest.data + at, n, out, &written);
        assert(written <= DATA_READER_ROOM(n) && (used == n || r.done));
        mox__buf_append(&got, out, written);
        at += used;
    }
    assert(r.done == e.done && at == e.used);
    assert(r.smuggled == e.smuggled && r.has_8bit == e.has_8bit && r.has_body == e.has_body);
    size_t held = held_back(in.rest, r.mode, r.done);
    assert(got.len + held == e.content.len);
    assert_same(buf_bytes(&got), slice(e.content.data, got.len));
    mox__buf_free(&e.content);
    mox__buf_free(&got);
    return 0;
}
