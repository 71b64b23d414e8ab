/* SPDX-License-Identifier: MIT */

/* Text that is written as encoded words (RFC 2047) or as a parameter in pieces (RFC 2231) comes back,
 * wherever it was cut; text without either is only unfolded. Input: how to cut, and the text. */

#include "base/base64.h"
#include "fuzz/input.h"
#include "message/charset.h"
#include "message/content.h"
#include "message/header.h"
#include "message/text.h"

static void put_word(struct buf *out, struct mox_slice piece, bool base64)
{
    if (base64) {
        mox__buf_text(out, "=?UTF-8?b?");
        mox__base64_encode(out, piece);
    } else {
        mox__buf_text(out, "=?utf-8*en?Q?");
        for (size_t i = 0; i < piece.len; i++)
            if (piece.data[i] == ' ')
                mox__buf_byte(out, '_');
            else
                mox__buf_printf(out, "=%02X", piece.data[i]);
    }
    mox__buf_text(out, "?=");
}

/* Words side by side are one text: the white space between them is not part of it. */
static void words_come_back(struct mox_slice text, size_t step)
{
    struct mox_env env;
    struct buf value, got;
    struct mox_slice rest = text;
    mox_env_system(&env);
    mox__buf_init(&value, &env, SIZE_MAX / 2);
    mox__buf_init(&got, &env, SIZE_MAX / 2);
    for (unsigned i = 0; rest.len > 0; i++) {
        size_t n = rest.len < step ? rest.len : step;
        mox__buf_text(&value, i % 3 == 0 ? "\r\n " : " ");
        put_word(&value, slice(rest.data, n), (i + step) % 2 == 0);
        rest = slice_from(rest, n);
    }
    mox__encoded_words(&got, NULL, buf_bytes(&value));
    assert(!got.failed);
    assert_same(buf_bytes(&got), text);
    mox__buf_free(&value);
    mox__buf_free(&got);
}

/* In sections, the first of which names the charset. */
static void a_parameter_comes_back(struct mox_slice text, size_t step)
{
    struct mox_env env;
    struct buf value, got;
    struct mox_slice rest = text, charset;
    mox_env_system(&env);
    mox__buf_init(&value, &env, SIZE_MAX / 2);
    mox__buf_init(&got, &env, SIZE_MAX / 2);
    if (step < rest.len / 90 + 1)
        step = rest.len / 90 + 1; /* within PARAMS_MAX */
    for (unsigned i = 0; i == 0 || rest.len > 0; i++) {
        size_t n = rest.len < step ? rest.len : step;
        mox__buf_printf(&value, ";\r\n Name*%u*=%s", i, i == 0 ? "utf-8'en'" : "");
        for (size_t k = 0; k < n; k++)
            mox__buf_printf(&value, "%%%02x", rest.data[k]);
        rest = slice_from(rest, n);
    }
    bool there =
        mox__param_value((struct params){.text = buf_bytes(&value)}, "name", &got, &charset);
    assert(there && mox__slice_is(charset, "utf-8"));
    assert_same(buf_bytes(&got), text);
    mox__buf_free(&value);
    mox__buf_free(&got);
}

/* Any bytes as a value with parameters. */
static void check_params(struct mox_slice value)
{
    struct mox_env env;
    struct buf text;
    struct params p;
    struct param param, found;
    struct mox_slice type, subtype;
    mox_env_system(&env);
    mox__buf_init(&text, &env, SIZE_MAX / 2);
    bool both = mox__content_type(value, &type, &subtype, &p);
    assert(both == (type.len > 0 && subtype.len > 0) && p.at <= value.len);
    size_t behind = mox__skip_cfws(value, 0);
    assert(behind <= value.len && mox__skip_cfws(value, behind) == behind);
    const struct params all = p;
    for (size_t at = p.at; mox__param_next(&p, &param); at = p.at) {
        assert(p.at > at && p.at <= value.len && param.name.len > 0);
        mox__buf_clear(&text);
        mox__param_text(&text, &param);
        assert(text.len <= param.value.len);
        assert(mox__param_is_escaped(&param) || mox__slice_eq(buf_bytes(&text), param.value));
        char name[64] = "";
        if (param.name.len >= sizeof name || at != all.at)
            continue;
        memcpy(name, param.name.data, param.name.len); /* the first is the first of its name */
        assert(mox__param_find(all, name, &found) && found.name.data == param.name.data);
    }
    mox__buf_free(&text);
}

static void plain_text_is_unfolded(struct mox_slice value)
{
    struct mox_env env;
    struct buf line, got;
    if (value.len > 0 && memmem(value.data, value.len, "=?", 2) != NULL)
        return;
    mox_env_system(&env);
    mox__buf_init(&line, &env, SIZE_MAX / 2);
    mox__buf_init(&got, &env, SIZE_MAX / 2);
    mox__header_unfold(&line, value);
    mox__encoded_words(&got, NULL, value);
    assert_same(buf_bytes(&got), buf_bytes(&line));
    mox__buf_free(&line);
    mox__buf_free(&got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct buf text;
    struct input in = {{data, len}};
    size_t step = input_below(&in, 60) + 1u;
    mox_env_system(&env);
    mox__buf_init(&text, &env, SIZE_MAX / 2);
    check_params(in.rest);
    struct charset_pool charsets = {.count = 0};
    mox__charset_to_utf8(&text, &charsets, slice_of("utf-8"), in.rest);
    words_come_back(buf_bytes(&text), step);
    a_parameter_comes_back(buf_bytes(&text), step);
    plain_text_is_unfolded(buf_bytes(&text));
    mox__buf_clear(&text);
    mox__encoded_words(&text, NULL, in.rest);
    assert(!text.failed && mox__slice_is_utf8(buf_bytes(&text)));
    mox__buf_free(&text);
    return 0;
}
