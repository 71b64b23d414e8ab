/* SPDX-License-Identifier: MIT */
#include <mox/spf.h>

#include "base/text.h"
#include "message/fold.h"

/* header-field    = "Received-SPF:" [CFWS] result FWS [comment FWS] [ key-value-list ] CRLF
 * key-value-list  = key-value-pair *( ";" [CFWS] key-value-pair ) [";"]
 * key-value-pair  = key [CFWS] "=" ( dot-atom / quoted-string )            (RFC 7208 §9.1) */

/* The longest line has an address, all of it escaped; the rest is short. */
#define FIELD_MAX 8192
#define PAIR_MAX  2048
/* What is told of an error's text. */
#define PROBLEM_MAX 67

/* RFC 5322 §3.2.3. */
static bool is_atext(uint8_t c)
{
    return is_alpha(c) || is_digit(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool is_dot_atom(struct mox_slice s)
{
    bool after_dot = true;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '.' ? after_dot : !is_atext(s.data[i]))
            return false;
        after_dot = s.data[i] == '.';
    }
    return !after_dot;
}

/* All but printable ASCII becomes `?`; so does white space that could be folded away. */
static void put_clean(struct buf *out, struct mox_slice text, const char *escaped)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c < ' ' || c >= 0x7f)
            c = '?';
        if (strchr(escaped, c) != NULL)
            mox__buf_byte(out, '\\');
        mox__buf_byte(out, c);
    }
}

/* `end` is what stands behind it: ";" but for the last. */
static void put_pair(struct fold *f, const char *key, struct mox_slice value, const char *end)
{
    uint8_t memory[PAIR_MAX];
    struct buf pair = buf_over(memory, sizeof memory);
    mox__buf_printf(&pair, "%s=", key);
    if (is_dot_atom(value)) {
        mox__buf_slice(&pair, value);
    } else {
        mox__buf_byte(&pair, '"');
        put_clean(&pair, value, "\"\\");
        mox__buf_byte(&pair, '"');
    }
    mox__buf_text(&pair, end);
    f->out->failed |= pair.failed;
    mox__fold_token(f, slice(pair.data, pair.len));
}

static void put_text(struct fold *f, const char *key, const char *value)
{
    put_pair(f, key, slice_of(value), ";");
}

/* What was checked, for who reads headers. */
static void put_comment(struct fold *f, const struct mox_spf_verdict *v)
{
    char name[2 * MOX_DOMAIN_MAX + 4];
    struct buf text = buf_over(name, sizeof name);
    bool is_helo = v->identity == MOX_SPF_IDENTITY_HELO;
    if (v->identity == MOX_SPF_IDENTITY_NONE)
        return;
    mox__fold_text(f, "(domain");
    put_clean(&text, slice_of(v->domain), "()\\");
    mox__buf_text(&text, is_helo ? "," : ")");
    f->out->failed |= text.failed;
    mox__fold_token(f, slice(text.data, text.len));
    if (is_helo) {
        static const char *const words[] = {"from", "EHLO:", "MAIL", "FROM", "is", "empty)"};
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            mox__fold_text(f, words[i]);
    }
}

static void put_field(struct buf *out, const struct mox_spf_query *q,
                      const struct mox_spf_verdict *v)
{
    struct mox_slice problem = slice_of(v->problem);
    const char *receiver = q->receiver != NULL ? q->receiver : "unknown";
    bool checked = v->identity != MOX_SPF_IDENTITY_NONE;
    struct fold f;
    mox__fold_begin(&f, out, "Received-SPF");
    mox__fold_text(&f, mox_spf_result_name(v->result));
    put_comment(&f, v);
    put_text(&f, "client-ip", q->ip);
    if (checked)
        put_text(&f, "envelope-from", v->sender);
    if (q->helo[0] != '\0')
        put_text(&f, "helo", q->helo);
    if (problem.len > PROBLEM_MAX)
        problem.len = PROBLEM_MAX;
    if (problem.len > 0)
        put_pair(&f, "problem", problem, ";");
    if (v->mechanism[0] != '\0')
        put_text(&f, "mechanism", v->mechanism);
    put_pair(&f, "receiver", slice_of(receiver), checked ? ";" : "");
    if (checked)
        put_pair(&f, "identity",
                 slice_of(v->identity == MOX_SPF_IDENTITY_HELO ? "helo" : "mailfrom"), "");
    mox__fold_end(&f);
}

int mox_spf_received(char **out, const struct mox_env *env, const struct mox_spf_query *query,
                     const struct mox_spf_verdict *verdict)
{
    struct buf field;
    mox__buf_init(&field, env, FIELD_MAX);
    put_field(&field, query, verdict);
    mox__buf_byte(&field, '\0');
    if (field.failed) {
        mox__buf_free(&field);
        *out = NULL;
        return MOX_ENOMEM;
    }
    *out = (char *)field.data;
    return MOX_OK;
}
