/* SPDX-License-Identifier: MIT */

/* A string that the server writes is read back the same by two readers: that of the tests and the
 * engine's own. A log line has one line end, its own, and nothing that a terminal would obey. */

#include <mox/log.h>

#include "base/logfmt.h"
#include "fuzz/input.h"
#include "imap/lex.h"
#include "message/header.h"
#include "message/wire.h"
#include "support/sexp.h"

static void read_back(const struct mox_env *env, struct mox_slice wire, struct mox_slice expected)
{
    struct arena arena;
    struct lexer l;
    struct sexp s;
    struct mox_slice text;
    size_t at = 0;
    mox__arena_init(&arena, env, SIZE_MAX / 2);
    mox__lex_init(&l, wire, &arena);
    assert(mox__lex_string(&l, &text) && mox__lex_end(&l));
    assert_same(text, expected);
    assert(sexp_read(wire, &at, &s) && at == wire.len && s.kind == SEXP_STRING);
    assert_same(s.text, expected);
    sexp_free(&s);
    mox__arena_reset(&arena);
}

/* No literal may hold a NUL. */
static void without_nul(struct buf *out, struct mox_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == 0)
            mox__buf_text(out, "\xef\xbf\xbd");
        else
            mox__buf_byte(out, text.data[i]);
}

static void check_strings(const struct mox_env *env, struct mox_slice text)
{
    struct buf wire, expected, line;
    mox__buf_init(&wire, env, SIZE_MAX / 2);
    mox__buf_init(&expected, env, SIZE_MAX / 2);
    mox__buf_init(&line, env, SIZE_MAX / 2);
    mox__wire_string(&wire, text);
    without_nul(&expected, text);
    read_back(env, buf_bytes(&wire), buf_bytes(&expected));

    mox__buf_clear(&wire);
    mox__buf_clear(&expected);
    mox__wire_value(&wire, text.data == NULL ? slice_of("") : text);
    mox__header_unfold(&line, text);
    without_nul(&expected, buf_bytes(&line));
    read_back(env, buf_bytes(&wire), buf_bytes(&expected));
    mox__buf_free(&wire);
    mox__buf_free(&expected);
    mox__buf_free(&line);
}

static void check_line(struct mox_slice text, const char *copy, bool plain, size_t size)
{
    char out[4096];
    const struct mox_log_field fields[] = {
        {.key = "bytes", .type = MOX_LOG_BYTES, .value = {.bytes = text}},
        {.key = "text", .type = MOX_LOG_TEXT, .value = {.text = copy}},
        {.key = "n", .type = MOX_LOG_DURATION, .value = {.i = (int64_t)(text.len * 7919)}}};
    const struct mox_log_line line = {.level = MOX_LOG_INFO,
                                      .pkg = "test",
                                      .message = "constant",
                                      .error = plain ? NULL : copy,
                                      .fields = fields,
                                      .field_count = 3};
    size_t len = mox__logfmt(&line, plain, out, size);
    assert(len > 0 && len <= size && out[len - 1] == '\n');
    for (size_t i = 0; i + 1 < len; i++)
        assert(out[i] >= ' ' && out[i] < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct input in = {{data, len}};
    size_t size = 2u + input_below(&in, 4095);
    char copy[256] = "";
    mox_env_system(&env);
    check_strings(&env, in.rest);
    if (in.rest.len > 0)
        memcpy(copy, in.rest.data, in.rest.len < sizeof copy ? in.rest.len : sizeof copy - 1);
    check_line(in.rest, copy, false, size);
    check_line(in.rest, copy, true, size);
    return 0;
}
