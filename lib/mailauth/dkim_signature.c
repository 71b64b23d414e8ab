/* SPDX-License-Identifier: MIT */
#include "mailauth/dkim_signature.h"

#include <mox/dns.h>

#include "base/base64.h"
#include "base/text.h"
#include "dns/question.h"
#include "mailauth/tags.h"

/* The longest field: more than any signature needs, and what makes it long is hashed once for each. */
#define FIELD_MAX 65536
/* RFC 6376 §3.5 t=: "at least 12 digits"; more is no time of this age. */
#define TIME_MAX UINT64_C(999999999999)

enum {
    DKIM = 1 << SIGNATURE_DKIM,
    MESSAGE = 1 << SIGNATURE_ARC_MESSAGE,
    SEAL = 1 << SIGNATURE_ARC_SEAL
};

struct reader {
    struct dkim_signature *out;
    struct arena *arena;
    const char *problem;
    bool nomem;
};

static bool wrong(struct reader *r, const char *problem)
{
    r->problem = problem;
    return false;
}

static bool nomem(struct reader *r)
{
    r->nomem = true;
    return false;
}

static bool keep(struct reader *r, const char **out, struct mox_slice text)
{
    char *copy = mox__arena_strndup(r->arena, text.data, text.len);
    if (copy == NULL)
        return nomem(r);
    *out = copy;
    return true;
}

static bool is_printable(struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] <= ' ' || s.data[i] >= 0x7f)
            return false;
    return s.len > 0;
}

/* Base64 with white space anywhere (RFC 6376 §3.2). */
static bool base64(struct reader *r, struct mox_slice *out, struct mox_slice value, size_t max)
{
    uint8_t *room = arena_new(r->arena, uint8_t, value.len + 1);
    if (room == NULL)
        return nomem(r);
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++)
        if (strchr(" \t\r\n", value.data[i]) == NULL || value.data[i] == '\0')
            room[len++] = value.data[i];
    uint8_t *bytes = arena_new(r->arena, uint8_t, len + 1);
    if (bytes == NULL)
        return nomem(r);
    struct buf decoded = buf_over(bytes, len);
    if (len == 0 || mox__base64_decode(&decoded, slice(room, len)) < 0 || decoded.len > max)
        return false;
    *out = slice(decoded.data, decoded.len);
    return true;
}

/* ---- tags ---- */

static bool tag_v(struct reader *r, struct mox_slice value)
{
    return mox__slice_is(value, "1") || wrong(r, "v= is not 1");
}

static bool tag_a(struct reader *r, struct mox_slice value)
{
    static const struct {
        const char *name;
        bool is_rsa;
        enum hash hash;
    } algorithms[] = {{"rsa-sha256", true, HASH_SHA256},
                      {"ed25519-sha256", false, HASH_SHA256},
                      {"rsa-sha1", true, HASH_SHA1}};
    if (is_printable(value) && !keep(r, &r->out->algorithm, value))
        return false;
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
        if (mox__slice_is(value, algorithms[i].name)) {
            r->out->is_rsa = algorithms[i].is_rsa;
            r->out->hash = algorithms[i].hash;
            return true;
        }
    return wrong(r, "a= is no algorithm that is known");
}

static bool tag_b(struct reader *r, struct mox_slice value)
{
    size_t n = 0;
    for (size_t i = 0; i < value.len && n + 1 < sizeof r->out->begin; i++)
        if (mox__base64_value(value.data[i]) >= 0 || value.data[i] == '=')
            r->out->begin[n++] = (char)value.data[i];
    return base64(r, &r->out->signature, value, SIGNATURE_MAX) ||
           wrong(r, "b= is no base64 of a signature");
}

static bool tag_bh(struct reader *r, struct mox_slice value)
{
    return base64(r, &r->out->body_hash, value, HASH_MAX) || wrong(r, "bh= is no base64 of a hash");
}

static bool canon_named(struct mox_slice name, enum canon *out)
{
    *out = mox__slice_is(name, "relaxed") ? CANON_RELAXED : CANON_SIMPLE;
    return *out == CANON_RELAXED || mox__slice_is(name, "simple");
}

static bool tag_c(struct reader *r, struct mox_slice value)
{
    const uint8_t *stroke = memchr(value.data, '/', value.len);
    struct mox_slice header = value, body = slice_of("simple");
    if (stroke != NULL) {
        header.len = (size_t)(stroke - value.data);
        body = slice_from(value, header.len + 1);
    }
    return (canon_named(header, &r->out->header) && canon_named(body, &r->out->body)) ||
           wrong(r, "c= is no canonicalization that is known");
}

/* A name in ASCII, lower case (RFC 6376 §3.5: A-labels). */
static bool domain(struct reader *r, const char **out, struct mox_slice value)
{
    struct mox_domain d;
    return mox__slice_is_ascii(value) &&
           mox_domain_parse(&d, value, MOX_DOMAIN_UNDERSCORES) == MOX_OK &&
           keep(r, out, slice_of(d.ascii));
}

static bool tag_d(struct reader *r, struct mox_slice value)
{
    return domain(r, &r->out->domain, value) || wrong(r, "d= is no domain in ASCII");
}

static bool tag_s(struct reader *r, struct mox_slice value)
{
    return domain(r, &r->out->selector, value) || wrong(r, "s= is no selector in ASCII");
}

static bool tag_h(struct reader *r, struct mox_slice value)
{
    struct mox_slice rest = value, name;
    while (mox__colon_next(&rest, &name))
        if (!is_printable(name) || memchr(name.data, ';', name.len) != NULL)
            return wrong(r, "h= is no list of header fields");
    r->out->headers = value;
    return true;
}

/* DKIM-quoted-printable (RFC 6376 §2.11): white space is not part of it. */
static bool unquote(struct reader *r, struct mox_slice value, struct mox_slice *out)
{
    uint8_t *text = arena_new(r->arena, uint8_t, value.len + 1);
    size_t len = 0;
    if (text == NULL)
        return nomem(r);
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.data[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            continue;
        if (c == '=') {
            static const char digits[] = "0123456789ABCDEF";
            const char *high = i + 2 < value.len && value.data[i + 1] != 0
                                   ? strchr(digits, value.data[i + 1])
                                   : NULL;
            const char *low =
                high != NULL && value.data[i + 2] != 0 ? strchr(digits, value.data[i + 2]) : NULL;
            if (low == NULL)
                return false;
            c = (uint8_t)((high - digits) << 4 | (low - digits));
            i += 2;
        }
        text[len++] = c;
    }
    *out = slice(text, len);
    return true;
}

/* [localpart] "@" domain */
static bool tag_i(struct reader *r, struct mox_slice value)
{
    struct mox_slice text = slice(NULL, 0);
    if (!unquote(r, value, &text))
        return wrong(r, "i= is not quoted-printable");
    const uint8_t *at = text.len == 0 ? NULL : memrchr(text.data, '@', text.len);
    if (at == NULL || memchr(text.data, '\0', text.len) != NULL)
        return wrong(r, "i= is no address");
    if (!domain(r, &r->out->identity_domain, slice_from(text, (size_t)(at - text.data) + 1)))
        return wrong(r, "i= has no domain in ASCII");
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < ' ' || text.data[i] == 0x7f)
            return wrong(r, "i= has control characters");
    return mox__slice_is_utf8(text) ? keep(r, &r->out->identity, text)
                                    : wrong(r, "i= is not UTF-8");
}

static bool tag_instance(struct reader *r, struct mox_slice value)
{
    uint64_t n;
    if (!mox__slice_uint(value, 50, &n) || n == 0) /* RFC 8617 §4.2.1 */
        return wrong(r, "i= is no instance from 1 to 50");
    r->out->instance = (unsigned)n;
    return true;
}

static bool tag_l(struct reader *r, struct mox_slice value)
{
    return mox__slice_uint(value, UINT64_MAX - 1, &r->out->limit) || wrong(r, "l= is no length");
}

/* A list of which only dns/txt is known (RFC 6376 §3.5). */
static bool tag_q(struct reader *r, struct mox_slice value)
{
    struct mox_slice rest = value, method;
    while (mox__colon_next(&rest, &method))
        if (mox__slice_is(method, "dns/txt"))
            return true;
    return wrong(r, "q= has no method that is known");
}

static bool tag_t(struct reader *r, struct mox_slice value)
{
    return mox__slice_uint(value, TIME_MAX, &r->out->signed_s) || wrong(r, "t= is no time");
}

static bool tag_x(struct reader *r, struct mox_slice value)
{
    return mox__slice_uint(value, TIME_MAX, &r->out->expires_s) || wrong(r, "x= is no time");
}

static bool tag_cv(struct reader *r, struct mox_slice value)
{
    return (is_printable(value) && keep(r, &r->out->chain, value)) ||
           wrong(r, "cv= is no state of a chain");
}

static bool refused(struct reader *r, struct mox_slice value)
{
    (void)value;
    return wrong(r, "a tag that ARC-Seal may not have");
}

static const struct tag_rule {
    const char *name;
    unsigned forms, required; /* sets of forms */
    bool (*read)(struct reader *r, struct mox_slice value);
    const char *missing;
} rules[] = {
    {"v", DKIM, DKIM, tag_v, "v= is missing"},
    {"a", DKIM | MESSAGE | SEAL, DKIM | MESSAGE | SEAL, tag_a, "a= is missing"},
    {"b", DKIM | MESSAGE | SEAL, DKIM | MESSAGE | SEAL, tag_b, "b= is missing"},
    {"bh", DKIM | MESSAGE, DKIM | MESSAGE, tag_bh, "bh= is missing"},
    {"c", DKIM | MESSAGE, 0, tag_c, ""},
    {"cv", SEAL, SEAL, tag_cv, "cv= is missing"},
    {"d", DKIM | MESSAGE | SEAL, DKIM | MESSAGE | SEAL, tag_d, "d= is missing"},
    {"h", DKIM | MESSAGE, DKIM | MESSAGE, tag_h, "h= is missing"},
    {"i", DKIM, 0, tag_i, ""},
    {"i", MESSAGE | SEAL, MESSAGE | SEAL, tag_instance, "i= is missing"},
    {"l", DKIM | MESSAGE, 0, tag_l, ""},
    {"q", DKIM | MESSAGE, 0, tag_q, ""},
    {"s", DKIM | MESSAGE | SEAL, DKIM | MESSAGE | SEAL, tag_s, "s= is missing"},
    {"t", DKIM | MESSAGE | SEAL, 0, tag_t, ""},
    {"x", DKIM | MESSAGE, 0, tag_x, ""},
    /* RFC 8617 §4.1.3: a seal covers neither the message nor its body. */
    {"h", SEAL, 0, refused, ""},
    {"bh", SEAL, 0, refused, ""},
};

#define RULES (sizeof rules / sizeof rules[0])

/* The rule of a tag, RULES for one that is not known. */
static size_t rule_of(struct mox_slice name, enum signature_form form)
{
    size_t i = 0;
    while (i < RULES &&
           ((rules[i].forms & (1u << form)) == 0 || !mox__slice_is(name, rules[i].name)))
        i++;
    return i;
}

static bool read_tags(struct reader *r, struct mox_slice value, enum signature_form form,
                      unsigned *seen)
{
    struct tag_names names = {.count = 0};
    struct tag tag;
    enum tag_result found;
    while ((found = mox__tag_next(&value, &tag)) == TAG_FOUND) {
        if (!mox__tag_note(&names, tag.name))
            return wrong(r, "it has a tag twice, or too many");
        size_t rule = rule_of(tag.name, form);
        if (rule == RULES)
            continue; /* RFC 6376 §3.2: unknown tags are ignored */
        *seen |= 1u << rule;
        if (tag.name.len == 1 && tag.name.data[0] == 'b')
            r->out->cut = tag.whole;
        if (!rules[rule].read(r, tag.value))
            return false;
    }
    return found == TAG_END || wrong(r, "it is no list of tags");
}

static bool has_required(struct reader *r, enum signature_form form, unsigned seen)
{
    for (size_t i = 0; i < RULES; i++)
        if ((rules[i].required & (1u << form)) != 0 && (seen & (1u << i)) == 0)
            return wrong(r, rules[i].missing);
    return true;
}

/* What tags say together. */
static bool fits(struct reader *r, enum signature_form form)
{
    const struct dkim_signature *s = r->out;
    if (form != SIGNATURE_ARC_SEAL && s->body_hash.len != mox__hash_len(s->hash))
        return wrong(r, "bh= has not the length of its hash");
    if (s->expires_s != 0 && s->signed_s != 0 && s->expires_s <= s->signed_s)
        return wrong(r, "x= is not behind t=");
    if (form == SIGNATURE_DKIM && !mox__dns_is_within(s->identity_domain, s->domain))
        return wrong(r, "i= is not within d=");
    return true;
}

int mox__dkim_signature_parse(struct dkim_signature *out, struct arena *a,
                              const struct signed_field *field, enum signature_form form,
                              const char **problem)
{
    struct reader r = {.out = out, .arena = a};
    unsigned seen = 0;
    *out = (struct dkim_signature){.field = field,
                                   .domain = "",
                                   .selector = "",
                                   .algorithm = "",
                                   .identity = "",
                                   .identity_domain = "",
                                   .chain = "",
                                   .limit = UINT64_MAX};
    bool ok = field->value.len <= FIELD_MAX ? read_tags(&r, field->value, form, &seen)
                                            : wrong(&r, "it is too long");
    if (out->identity_domain[0] == '\0')
        out->identity_domain = out->domain;
    ok = ok && has_required(&r, form, seen) && fits(&r, form);
    *problem = r.problem;
    if (r.nomem)
        return MOX_ENOMEM;
    return ok ? MOX_OK : MOX_ESYNTAX;
}

bool mox__dkim_names(const struct dkim_signature *s, const char *name)
{
    struct mox_slice rest = s->headers, piece;
    while (mox__colon_next(&rest, &piece))
        if (mox__slice_is_nocase(piece, name))
            return true;
    return false;
}

int mox__dkim_header_digest(struct mox_signed_message *m, const struct dkim_signature *s,
                            uint8_t digest[HASH_MAX])
{
    struct mox_slice rest = s->headers, name;
    struct hash_state state;
    struct buf text;
    mox__hash_start(&state, s->hash);
    mox__buf_init(&text, &m->env, SIZE_MAX / 2);
    mox__signed_rewind(m);
    while (mox__colon_next(&rest, &name)) {
        const struct signed_field *field = mox__signed_take(m, name);
        if (field == NULL || field == s->field)
            continue; /* a field that is not there is signed as missing (RFC 6376 §5.4) */
        mox__buf_clear(&text);
        mox__canon_field(&text, s->header, field);
        mox__hash_update(&state, slice(text.data, text.len));
        m->header_hashed += text.len;
    }
    mox__buf_clear(&text);
    mox__canon_signature(&text, s->header, s->field, s->cut);
    mox__hash_update(&state, slice(text.data, text.len));
    bool failed = text.failed;
    mox__buf_free(&text);
    mox__hash_finish(&state, digest);
    return failed ? MOX_ENOMEM : MOX_OK;
}
