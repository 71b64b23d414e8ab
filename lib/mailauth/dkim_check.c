/* SPDX-License-Identifier: MIT */
#include "mailauth/dkim_check.h"

#include "base/text.h"

#define US_PER_S INT64_C(1000000)

void mox__check_end(struct signature_check *c, enum mox_dkim_status status, const char *reason)
{
    c->state = CHECK_DONE;
    c->result.status = status;
    c->result.reason = reason;
    /* RFC 6376 §3.6.1 t=y: a signature that fails is treated as if it was not there. */
    if (status != MOX_DKIM_PASS && status != MOX_DKIM_POLICY &&
        (c->result.flags & MOX_DKIM_TESTING) != 0)
        c->result.status = MOX_DKIM_NONE;
}

/* ---- without the key ---- */

/* Whether names below this one are organizational domains: nobody can speak for such a name. */
static bool is_above_organizations(const char *domain, const struct mox_dkim_config *config)
{
    char below[MOX_DOMAIN_MAX + 3], found[MOX_DOMAIN_MAX + 1];
    size_t len = strlen(domain);
    if (config->localhost_signs && strcmp(domain, "localhost") == 0)
        return false;
    if (len + 2 > MOX_DOMAIN_MAX)
        return false; /* so long that it has many labels */
    memcpy(below, "x.", 2);
    memcpy(below + 2, domain, len + 1);
    (config->org_domain != NULL ? config->org_domain : mox_org_domain)(config->org_domain_user,
                                                                       below, found);
    return strcmp(found, below) == 0;
}

void mox__check_rules(struct signature_check *c, const struct mox_dkim_config *config)
{
    const struct dkim_signature *s = &c->signature;
    if (s->headers.data != NULL && !mox__dkim_names(s, "from")) /* a seal of ARC has no h= */
        mox__check_end(c, MOX_DKIM_PERMERROR, "From is not signed");
    else if (s->expires_s != 0 && (int64_t)s->expires_s < config->now_us / US_PER_S)
        mox__check_end(c, MOX_DKIM_PERMERROR, "the signature has expired");
    else if (is_above_organizations(s->domain, config))
        mox__check_end(c, MOX_DKIM_PERMERROR, "d= is above the domains of organizations");
    else if (config->pedantic && strchr(s->selector, '_') != NULL)
        mox__check_end(c, MOX_DKIM_PERMERROR, "s= has an underscore");
}

/* ---- with it ---- */

/* Whether the key may be used for this signature (RFC 6376 §6.1.2); NULL, or why not. */
static const char *unfit(const struct signature_check *c, const struct dkim_key_record *key)
{
    const struct dkim_signature *s = &c->signature;
    if (!key->any_hash && !(s->hash == HASH_SHA1 ? key->sha1 : key->sha256))
        return "the key is not for this hash";
    if (key->is_rsa != s->is_rsa)
        return "the key is of another type than the signature";
    if (key->revoked)
        return "the key was revoked";
    if (!key->for_email)
        return "the key is not for mail";
    if (key->strict && strcmp(s->identity_domain, s->domain) != 0)
        return "the key is for its domain only, and i= is below it";
    return NULL;
}

static int verify_rsa(struct signature_check *c, const struct mox_signed_message *m,
                      const struct dkim_key_record *record, const uint8_t *digest, bool *holds)
{
    struct rsa_key *key = NULL;
    int rc =
        mox__rsa_parse(&key, &m->env, slice(record->key, record->key_len), &c->result.key_bits);
    if (rc == MOX_ESYNTAX)
        mox__check_end(c, MOX_DKIM_PERMERROR, "the key record has no RSA key in p=");
    else if (rc == MOX_ELIMIT)
        mox__check_end(c, MOX_DKIM_PERMERROR,
                       "the RSA key has more than 4096 bits, or a long exponent");
    else if (rc == MOX_OK && c->result.key_bits < MOX_DKIM_RSA_BITS_MIN)
        mox__check_end(c, MOX_DKIM_PERMERROR, "the RSA key has fewer than 1024 bits");
    else if (rc == MOX_OK)
        *holds = mox__rsa_verify(key, c->signature.hash, digest, c->signature.signature);
    mox__rsa_free(key);
    return rc == MOX_ENOMEM ? rc : MOX_OK;
}

static int verify(struct signature_check *c, struct mox_signed_message *m,
                  const struct dkim_key_record *record, const uint8_t *digest)
{
    uint8_t own[HASH_MAX];
    bool holds = false;
    int rc = MOX_OK;
    if (digest == NULL && m->header_hashed >= HEADER_HASHED_MAX) {
        mox__check_end(c, MOX_DKIM_POLICY, "the header is too large for so many signatures");
        return MOX_OK;
    }
    if (digest == NULL) {
        rc = mox__dkim_header_digest(m, &c->signature, own);
        digest = own;
    }
    if (rc == MOX_OK && record->is_rsa)
        rc = verify_rsa(c, m, record, digest, &holds);
    else if (rc == MOX_OK)
        holds = mox__ed25519_verify(record->key, slice(digest, mox__hash_len(c->signature.hash)),
                                    c->signature.signature);
    if (rc == MOX_OK && c->state != CHECK_DONE && !holds)
        mox__check_end(c, MOX_DKIM_FAIL, "the header was changed, or another key signed it");
    return rc;
}

static int ask_key(struct signature_check *c, struct mox_dns_answers *answers,
                   const struct mox_dns_answer **out)
{
    char name[2 * MOX_DOMAIN_MAX + 16];
    struct buf b = buf_over(name, sizeof name);
    mox__buf_text(&b, c->signature.selector);
    mox__buf_text(&b, "._domainkey.");
    mox__buf_text(&b, c->signature.domain);
    return mox_dns_ask(answers, slice(b.data, b.len), MOX_DNS_TXT, out);
}

/* The body is hashed only for what holds so far: otherwise a message of 100 MB with 20 signatures that
 * anybody can write down would have its body hashed 20 times. */
static void want_body(struct signature_check *c, struct mox_signed_message *m)
{
    const struct dkim_signature *s = &c->signature;
    c->state = CHECK_BODY;
    if (s->body_hash.len == 0) /* a seal of ARC has no bh= */
        return;
    if (mox__body_hash_want(m, s->hash, s->body, s->limit, &c->body_hash) < 0)
        mox__check_end(c, MOX_DKIM_POLICY, "other signatures above have other lengths in l=");
}

int mox__check_key(struct signature_check *c, struct mox_signed_message *m,
                   struct mox_dns_answers *answers, const uint8_t *digest)
{
    const struct mox_dns_answer *answer;
    struct dkim_key_record record;
    const char *problem;
    int rc = ask_key(c, answers, &answer);
    if (rc == MOX_ELIMIT) {
        mox__check_end(c, MOX_DKIM_PERMERROR, "too many names were looked up for this message");
        return MOX_OK;
    }
    if (rc != MOX_OK)
        return rc;
    c->result.secure = answer->secure;
    switch (mox__dkim_key_find(&record, answer, &problem)) {
    case DKIM_KEY_TEMPORARY:
        mox__check_end(c, MOX_DKIM_TEMPERROR, problem);
        return MOX_OK;
    case DKIM_KEY_NONE:
        mox__check_end(c, MOX_DKIM_PERMERROR, problem);
        return MOX_OK;
    case DKIM_KEY_FOUND:
        break;
    }
    c->result.for_tlsrpt = record.for_tlsrpt;
    c->result.flags |= record.testing ? MOX_DKIM_TESTING : 0;
    problem = unfit(c, &record);
    if (problem != NULL) {
        mox__check_end(c, MOX_DKIM_PERMERROR, problem);
        return MOX_OK;
    }
    rc = verify(c, m, &record, digest);
    if (rc == MOX_OK && c->state != CHECK_DONE)
        want_body(c, m);
    return rc;
}

void mox__check_body(struct signature_check *c, const struct mox_signed_message *m)
{
    const struct body_hash *h = &m->hashes[c->body_hash];
    if (h->is_short)
        mox__check_end(c, MOX_DKIM_PERMERROR, "l= is longer than the body");
    else if (memcmp(h->digest, c->signature.body_hash.data, mox__hash_len(h->hash)) != 0)
        mox__check_end(c, MOX_DKIM_FAIL, "the body was changed");
    else
        mox__check_end(c, MOX_DKIM_PASS, "");
}
