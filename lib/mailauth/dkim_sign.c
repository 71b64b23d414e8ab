/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/text.h"
#include "dns/question.h"
#include "mailauth/dkim_key.h"
#include "mailauth/dkim_signature.h"
#include "mailauth/tags.h"
#include "message/fold.h"

#define US_PER_S INT64_C(1000000)
/* A field of ours: each field of the header named twice, and a signature. */
#define FIELD_TEXT_MAX (1024 * 1024)
/* Names in the list of a caller; no field of real mail needs to be named that often. */
#define NAMES_MAX 200
/* A local part (RFC 5321 §4.5.3.1.1), `@` and a domain; more has room for names that break the rule. */
#define IDENTITY_MAX 512

/* What people and their programs see of a message (RFC 6376 §5.4.1). */
static const char *const usual_headers[] = {
    "From",        "To",      "Cc",   "Bcc",        "Reply-To",     "References",
    "In-Reply-To", "Subject", "Date", "Message-Id", "Content-Type", NULL,
};

/* A signature that is being made. */
struct signing {
    const struct mox_dkim_signer *signer;
    const char *const *headers;
    struct mox_signed_message *message;
    struct mox_domain domain, selector;
    struct buf names; /* the value of h= */
    struct buf field; /* the field itself, up to its `b=` and then whole */
};

void mox_dkim_signer_init(struct mox_dkim_signer *signer)
{
    *signer = (struct mox_dkim_signer){
        .size = sizeof *signer, .relaxed_header = true, .relaxed_body = true, .seal = true};
}

/* ---- what makes sense ---- */

static bool is_name_of(struct mox_domain *out, const char *text)
{
    return text != NULL && mox__slice_is_ascii(slice_of(text)) &&
           mox_domain_parse(out, slice_of(text), MOX_DOMAIN_UNDERSCORES) == MOX_OK;
}

/* RFC 6376 §3.5 i=: the domain is d= or below it. */
static bool is_identity_of(const char *identity, const struct mox_domain *domain)
{
    struct mox_domain own;
    const char *at = strrchr(identity, '@');
    if (at == NULL || strlen(identity) > IDENTITY_MAX || !is_name_of(&own, at + 1))
        return false;
    return mox__dns_is_within(own.ascii, domain->ascii);
}

static int check_signer(struct signing *s, struct mox_error *err)
{
    const struct mox_dkim_signer *signer = s->signer;
    if (signer->key == NULL)
        return mox__fail(err, MOX_EINVAL, "sign a message: no key");
    if (!is_name_of(&s->domain, signer->domain) || !is_name_of(&s->selector, signer->selector))
        return mox__fail(err, MOX_EINVAL,
                         "sign a message: domain and selector must be names in ASCII");
    if (signer->identity != NULL && !is_identity_of(signer->identity, &s->domain))
        return mox__fail(err, MOX_EINVAL,
                         "sign a message: the identity must be an address of %s or below it",
                         s->domain.ascii);
    if (signer->now_us < 0 ||
        (signer->expires_us != 0 && signer->expires_us / US_PER_S <= signer->now_us / US_PER_S))
        return mox__fail(err, MOX_EINVAL, "sign a message: it would expire before it is signed");
    return MOX_OK;
}

static size_t count_fields(const struct mox_signed_message *m, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < m->field_count; i++)
        n += mox__slice_is_nocase(m->fields[i].name, name);
    return n;
}

static int check_message(const struct mox_signed_message *m, struct mox_error *err)
{
    if (m->problem != NULL)
        return mox__fail(err, MOX_EINVAL, "sign a message: %s", m->problem);
    if (m->field_count == MOX_SIGNED_MESSAGE_FIELDS_MAX)
        return mox__fail(err, MOX_EINVAL, "sign a message: %d header fields or more",
                         MOX_SIGNED_MESSAGE_FIELDS_MAX);
    size_t from = count_fields(m, "From");
    if (from != 1)
        return mox__fail(err, MOX_EINVAL, "sign a message: it has %s From field, and must have one",
                         from == 0 ? "no" : "more than one");
    return MOX_OK;
}

/* ---- h= ---- */

/* RFC 6376 §3.5 h=: a name of RFC 5322 §2.2 without `;`, which would end the tag. */
static bool is_field_name(const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        if (*c <= ' ' || *c >= 0x7f || *c == ':' || *c == ';')
            return false;
    return name[0] != '\0';
}

static int check_names(const char *const *headers, struct mox_error *err)
{
    bool has_from = false;
    for (size_t i = 0; headers[i] != NULL; i++) {
        if (i == NAMES_MAX)
            return mox__fail(err, MOX_EINVAL, "sign a message: more than %d names to sign",
                             NAMES_MAX);
        if (!is_field_name(headers[i]))
            return mox__fail(err, MOX_EINVAL, "sign a message: a name to sign is no field's");
        has_from = has_from || mox__slice_is_nocase(slice_of(headers[i]), "From");
    }
    return has_from ? MOX_OK
                    : mox__fail(err, MOX_EINVAL,
                                "sign a message: From must be signed "
                                "(RFC 6376 §5.4)");
}

static void add_name(struct signing *s, const char *name)
{
    if (s->names.len > 0)
        mox__buf_byte(&s->names, ':');
    mox__buf_text(&s->names, name);
}

/* How often the list has the name up to `end`. */
static size_t count_names(const char *const *headers, size_t end, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < end; i++)
        n += mox__slice_is_nocase(slice_of(headers[i]), name);
    return n;
}

/* The list as it is, then each name as often again as is needed to cover all fields that have it; sealed,
 * once more, which says that there is no further one (RFC 6376 §5.4, §8.15). Another DKIM-Signature may
 * come: the one that is made here is such. */
static void list_names(struct signing *s)
{
    size_t count = 0;
    for (; s->headers[count] != NULL; count++)
        add_name(s, s->headers[count]);
    for (size_t i = 0; i < count; i++) {
        const char *name = s->headers[i];
        if (count_names(s->headers, i, name) > 0)
            continue;
        bool seal = s->signer->seal && !mox__slice_is_nocase(slice_of(name), "DKIM-Signature");
        size_t given = count_names(s->headers, count, name);
        for (size_t n = count_fields(s->message, name) + seal; n > given; n--)
            add_name(s, name);
    }
}

/* ---- the field ---- */

static void put_tag(struct fold *f, const char *name, const char *value)
{
    char text[3 * IDENTITY_MAX + 16];
    struct buf b = buf_over(text, sizeof text);
    mox__buf_printf(&b, "%s=%s;", name, value);
    mox__fold_token(f, slice(b.data, b.len));
}

static void put_time(struct fold *f, const char *name, int64_t us)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRId64, us / US_PER_S);
    put_tag(f, name, text);
}

/* dkim-quoted-printable (RFC 6376 §2.11). */
static void put_identity(struct fold *f, const char *identity)
{
    char text[3 * IDENTITY_MAX + 1];
    struct buf b = buf_over(text, sizeof text);
    for (const char *c = identity; *c != '\0'; c++) {
        uint8_t byte = (uint8_t)*c;
        if (byte > ' ' && byte < 0x7f && byte != ';' && byte != '=')
            mox__buf_byte(&b, byte);
        else
            mox__buf_printf(&b, "=%02X", byte);
    }
    mox__buf_byte(&b, '\0');
    put_tag(f, "i", text);
}

static void put_names(struct fold *f, const struct buf *names)
{
    struct mox_slice rest = slice(names->data, names->len), name;
    mox__fold_text(f, "h=");
    while (mox__colon_next(&rest, &name)) {
        bool is_last = rest.data == NULL;
        mox__fold_more(f, slice(name.data, name.len + !is_last)); /* with its colon */
    }
    mox__fold_more(f, slice_of(";"));
}

/* The field up to and with `b=`. Nothing follows the signature: what is signed of the field ends there. */
static void compose(struct signing *s, struct fold *f, const struct body_hash *body)
{
    const struct mox_dkim_signer *signer = s->signer;
    const char *const canon[] = {"simple", "relaxed"};
    char text[64];
    mox__fold_begin(f, &s->field, "DKIM-Signature");
    put_tag(f, "v", "1");
    put_tag(f, "d", s->domain.ascii);
    put_tag(f, "s", s->selector.ascii);
    if (signer->identity != NULL)
        put_identity(f, signer->identity);
    put_tag(f, "a", mox__dkim_key_algorithm(signer->key));
    (void)snprintf(text, sizeof text, "%s/%s", canon[signer->relaxed_header],
                   canon[signer->relaxed_body]);
    if (signer->relaxed_header || signer->relaxed_body)
        put_tag(f, "c", text);
    put_time(f, "t", signer->now_us);
    if (signer->expires_us != 0)
        put_time(f, "x", signer->expires_us);
    put_names(f, &s->names);
    mox__base64_text(text, sizeof text, slice(body->digest, mox__hash_len(body->hash)));
    put_tag(f, "bh", text);
    mox__fold_text(f, "b=");
}

/* The digest over the named fields and ours, of which the text so far is all that is signed. */
static int header_digest(struct signing *s, uint8_t digest[HASH_MAX])
{
    const size_t name = strlen("DKIM-Signature");
    const struct signed_field own = {.name = slice(s->field.data, name),
                                     .value =
                                         slice(s->field.data + name + 1, s->field.len - name - 1),
                                     .raw = slice(s->field.data, s->field.len)};
    const struct dkim_signature what = {.field = &own,
                                        .hash = HASH_SHA256,
                                        .header = s->signer->relaxed_header ? CANON_RELAXED
                                                                            : CANON_SIMPLE,
                                        .headers = slice(s->names.data, s->names.len)};
    return mox__dkim_header_digest(s->message, &what, digest);
}

static int hash_body(const struct signing *s, const struct body_hash **out)
{
    size_t index;
    int rc = mox__body_hash_want(s->message, HASH_SHA256,
                                 s->signer->relaxed_body ? CANON_RELAXED : CANON_SIMPLE, UINT64_MAX,
                                 &index);
    if (rc < 0)
        return rc;
    mox__body_hash_run(s->message);
    *out = &s->message->hashes[index];
    return MOX_OK;
}

/* b=, folded wherever a line is full. */
static void put_signature(struct fold *f, struct mox_slice signature)
{
    char text[2 * SIGNATURE_MAX];
    mox__base64_text(text, sizeof text, signature);
    for (struct mox_slice rest = slice_of(text); rest.len > 0;) {
        size_t room = f->column < FOLD_COLUMN ? FOLD_COLUMN - f->column : FOLD_COLUMN - 1;
        size_t n = rest.len < room ? rest.len : room;
        mox__fold_more(f, slice(rest.data, n));
        rest = slice_from(rest, n);
    }
    mox__fold_end(f);
    mox__buf_byte(f->out, '\0');
}

static int make_field(struct signing *s)
{
    const struct body_hash *body;
    uint8_t digest[HASH_MAX], signature[SIGNATURE_MAX];
    size_t len;
    struct fold fold;
    list_names(s);
    int rc = hash_body(s, &body);
    if (rc < 0)
        return rc;
    compose(s, &fold, body);
    if (s->names.failed || s->field.failed)
        return MOX_ENOMEM;
    rc = header_digest(s, digest);
    if (rc == MOX_OK)
        rc = mox__private_sign(mox__dkim_private(s->signer->key), HASH_SHA256, digest, signature,
                               &len);
    if (rc < 0)
        return rc;
    put_signature(&fold, slice(signature, len));
    return s->field.failed ? MOX_ENOMEM : MOX_OK;
}

int mox_dkim_sign(char **out, const struct mox_env *env, struct mox_signed_message *message,
                  const struct mox_dkim_signer *signer, struct mox_error *err)
{
    struct mox_dkim_signer own;
    mox_dkim_signer_init(&own);
    memcpy(&own, signer, signer->size < sizeof own ? signer->size : sizeof own);
    struct signing s = {.signer = &own, .message = message};
    *out = NULL;
    s.headers = own.headers != NULL ? own.headers : usual_headers;
    int rc = check_signer(&s, err);
    if (rc == MOX_OK)
        rc = check_message(message, err);
    if (rc == MOX_OK)
        rc = check_names(s.headers, err);
    if (rc < 0)
        return rc;
    mox__buf_init(&s.names, env, FIELD_TEXT_MAX);
    mox__buf_init(&s.field, env, FIELD_TEXT_MAX);
    rc = make_field(&s);
    mox__buf_free(&s.names);
    if (rc == MOX_OK)
        *out = (char *)s.field.data;
    else
        mox__buf_free(&s.field);
    return rc < 0 ? mox__fail(err, rc, "sign a message: out of memory or an unusable key") : MOX_OK;
}
