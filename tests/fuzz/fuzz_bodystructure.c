/* SPDX-License-Identifier: MIT */

/* What IMAP sends of any message is well-formed: balanced lists of strings that are quoted rightly,
 * literals without NUL, and the members that RFC 9051 §9 asks for. */

#include <mox/message.h>

#include <assert.h>

#include "base/buf.h"
#include "base/text.h"
#include "message/wire.h"
#include "support/sexp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool is_nstring(const struct sexp *s)
{
    return s->kind == SEXP_STRING || s->kind == SEXP_NIL;
}

/* NIL, or a list of pairs of strings. */
static void check_params(const struct sexp *s)
{
    assert(s->kind == SEXP_NIL || (s->kind == SEXP_LIST && s->count % 2 == 0));
    for (size_t i = 0; i < s->count; i++)
        assert(s->items[i].kind == SEXP_STRING);
}

static void check_addresses(const struct sexp *s)
{
    bool in_group = false;
    assert(s->kind == SEXP_NIL || s->kind == SEXP_LIST);
    for (size_t i = 0; i < s->count; i++) {
        const struct sexp *a = &s->items[i];
        assert(a->kind == SEXP_LIST && a->count == 4);
        for (size_t k = 0; k < 4; k++)
            assert(is_nstring(&a->items[k]));
        if (a->items[3].kind != SEXP_NIL)
            continue;
        bool begins = a->items[2].kind != SEXP_NIL;
        assert(begins != in_group);
        in_group = begins;
    }
    assert(!in_group);
}

static void check_envelope(const struct sexp *s)
{
    assert(s->kind == SEXP_LIST && s->count == 10);
    for (size_t i = 0; i < 10; i++)
        if (i >= 2 && i <= 7)
            check_addresses(&s->items[i]);
        else
            assert(is_nstring(&s->items[i]));
}

/* What ends every body: disposition, language, location. */
static void check_end(const struct sexp *s)
{
    assert(s[0].kind == SEXP_NIL || (s[0].kind == SEXP_LIST && s[0].count == 2));
    if (s[0].kind == SEXP_LIST)
        check_params(&s[0].items[1]);
    assert(s[1].kind == SEXP_NIL || s[1].kind == SEXP_LIST);
    assert(is_nstring(&s[2]));
}

static void check_body(const struct sexp *s, bool extended)
{
    size_t n = 0;
    assert(s->kind == SEXP_LIST);
    while (n < s->count && s->items[n].kind == SEXP_LIST)
        check_body(&s->items[n++], extended);
    if (n > 0) {
        assert(s->count == n + (extended ? 5 : 1) && s->items[n].kind == SEXP_STRING);
        if (extended) {
            check_params(&s->items[n + 1]);
            check_end(&s->items[n + 2]);
        }
        return;
    }
    assert(s->count >= 7 && s->items[0].text.len > 0 && s->items[1].text.len > 0);
    check_params(&s->items[2]);
    assert(is_nstring(&s->items[3]) && is_nstring(&s->items[4]));
    assert(s->items[5].kind == SEXP_STRING && s->items[6].kind == SEXP_NUMBER);
    bool text = mox__slice_is(s->items[0].text, "TEXT");
    bool message =
        mox__slice_is(s->items[0].text, "MESSAGE") &&
        (mox__slice_is(s->items[1].text, "RFC822") || mox__slice_is(s->items[1].text, "GLOBAL"));
    size_t at = 7;
    if (message) {
        check_envelope(&s->items[at]);
        check_body(&s->items[at + 1], extended);
        at += 2;
    }
    if (message || text)
        assert(s->items[at++].kind == SEXP_NUMBER);
    assert(s->count == at + (extended ? 4 : 0));
    if (extended) {
        assert(is_nstring(&s->items[at]));
        check_end(&s->items[at + 1]);
    }
}

static struct sexp written(const struct mox_env *env, const struct mox_message *m,
                           void (*put)(const struct mox_message *m, struct buf *out))
{
    struct buf b;
    struct sexp s;
    size_t at = 0;
    mox__buf_init(&b, env, SIZE_MAX / 2);
    put(m, &b);
    assert(!b.failed);
    bool ok = sexp_read(slice(b.data, b.len), &at, &s);
    assert(ok && at == b.len);
    mox__buf_free(&b);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct mox_message *m = NULL;
    mox_env_system(&env);
    if (mox_message_parse(&m, &env, slice(data, len)) < 0)
        return 0;
    struct sexp envelope = written(&env, m, mox__message_envelope);
    struct sexp body = written(&env, m, mox__message_body);
    struct sexp structure = written(&env, m, mox__message_bodystructure);
    check_envelope(&envelope);
    check_body(&body, false);
    check_body(&structure, true);
    sexp_free(&envelope);
    sexp_free(&body);
    sexp_free(&structure);
    mox_message_free(m);
    return 0;
}
