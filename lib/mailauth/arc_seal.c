/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <mox/dns.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/text.h"
#include "mailauth/arc_compose.h"
#include "mailauth/arc_verify.h"
#include "mailauth/dkim_key.h"
#include "mailauth/tags.h"

/* Adds a set to a chain (RFC 8617 §5.1): what it says, and its two signatures. */

/* ---- What the set says ---- */

/* Whether the newest seal says that the chain had been broken, whatever else is wrong with the set. */
static bool says_fail(const struct arc_sets *sets)
{
    struct tag tag;
    const struct signed_field *f =
        sets->count == 0 ? NULL : sets->sets[sets->count - 1].fields[ARC_SEAL];
    struct mox_slice rest = f == NULL ? slice(NULL, 0) : f->value;
    while (mox__tag_next(&rest, &tag) == TAG_FOUND)
        if (mox__slice_is(tag.name, "cv"))
            return mox__slice_is(tag.value, "fail");
    return false;
}

/* RFC 8617 §5.1: instance and cv= follow from what was found out about the chain. */
static int continue_chain(struct arc_seal *s, const struct mox_arc_verify *verify,
                          struct mox_error *err)
{
    if (!verify->is_judged)
        return mox__fail(err, MOX_EINVAL, "seal: the chain so far was not checked");
    if (verify->sets.count == MOX_ARC_INSTANCES_MAX)
        return mox__fail(err, MOX_EREFUSED,
                         "seal: the message has 50 sets, which is all it may have");
    if (says_fail(&verify->sets))
        return mox__fail(err, MOX_EREFUSED,
                         "seal: the chain is broken, and its newest seal says so");
    s->instance = verify->sets.count + 1;
    if (verify->verdict.status == MOX_ARC_NONE)
        s->chain = "none";
    else /* RFC 8617 §5.4: keys that cannot be had are no better than wrong ones */
        s->chain = verify->verdict.status == MOX_ARC_PASS ? "pass" : "fail";
    (void)snprintf(s->number, sizeof s->number, "%u", s->instance);
    (void)snprintf(s->time, sizeof s->time, "%lld", (long long)(s->sealer->now_us / 1000000));
    return MOX_OK;
}

static bool is_domain(const char *text, unsigned flags)
{
    struct mox_domain d;
    return text != NULL && mox__slice_is_ascii(slice_of(text)) &&
           mox_domain_parse(&d, slice_of(text), flags) == MOX_OK;
}

static int check_sealer(const struct mox_arc_sealer *sealer, struct mox_error *err)
{
    if (sealer->key == NULL || sealer->authserv_id == NULL || sealer->authserv_id[0] == '\0')
        return mox__fail(err, MOX_EINVAL, "seal: a key and an authserv-id are needed");
    if (!is_domain(sealer->domain, MOX_DOMAIN_UNDERSCORES) ||
        !is_domain(sealer->selector, MOX_DOMAIN_UNDERSCORES))
        return mox__fail(err, MOX_EINVAL, "seal: domain and selector must be names in ASCII");
    if (sealer->now_us < 0)
        return mox__fail(err, MOX_EINVAL, "seal: the time is before 1970");
    return MOX_OK;
}

/* A field of ours in front of what is no field would become part of it. */
static int check_message(const struct mox_signed_message *m, struct mox_error *err)
{
    if (m->problem != NULL)
        return mox__fail(err, MOX_EINVAL, "seal: %s", m->problem);
    if (m->field_count == MOX_SIGNED_MESSAGE_FIELDS_MAX)
        return mox__fail(err, MOX_EINVAL, "seal: the message has %d header fields or more",
                         MOX_SIGNED_MESSAGE_FIELDS_MAX);
    return MOX_OK;
}

/* ---- The signatures ---- */

/* The signature of the digest in base64, into `out`. */
static int sign(struct arc_seal *s, const uint8_t digest[HASH_MAX], struct buf *out)
{
    uint8_t signature[SIGNATURE_MAX];
    size_t len;
    int rc =
        mox__private_sign(mox__dkim_private(s->sealer->key), HASH_SHA256, digest, signature, &len);
    if (rc == MOX_OK)
        mox__base64_encode(out, slice(signature, len));
    return rc;
}

static int hash_body(struct arc_seal *s, struct mox_signed_message *m)
{
    size_t index;
    int rc = mox__body_hash_want(m, HASH_SHA256, CANON_RELAXED, UINT64_MAX, &index);
    if (rc < 0)
        return rc;
    mox__body_hash_run(m);
    mox__base64_text(s->body_hash, sizeof s->body_hash,
                     slice(m->hashes[index].digest, mox__hash_len(HASH_SHA256)));
    return MOX_OK;
}

/* Composed twice: signed without b=, and then with it. */
static int make_message_signature(struct arc_seal *s, struct mox_signed_message *m,
                                  struct buf *text)
{
    uint8_t digest[HASH_MAX];
    int rc = hash_body(s, m);
    if (rc < 0)
        return rc;
    mox__arc_compose_message_signature(s, slice(NULL, 0));
    if (s->fields[ARC_MESSAGE_SIGNATURE].failed)
        return MOX_ENOMEM;
    struct signed_field field = mox__arc_as_field(s, ARC_MESSAGE_SIGNATURE);
    const struct dkim_signature what = {.field = &field,
                                        .hash = HASH_SHA256,
                                        .header = CANON_RELAXED,
                                        .headers = slice(s->names.data, s->names.len)};
    rc = mox__dkim_header_digest(m, &what, digest);
    if (rc == MOX_OK)
        rc = sign(s, digest, text);
    if (rc == MOX_OK)
        mox__arc_compose_message_signature(s, slice(text->data, text->len));
    return rc;
}

/* RFC 8617 §5.1.1: all sets; of a broken chain only the new one (§5.1.2), since nobody can tell what belongs
 * to the others. */
static int digest_seal(const struct arc_seal *s, const struct arc_sets *sets,
                       uint8_t digest[HASH_MAX])
{
    struct buf text;
    const struct signed_field fields[ARC_KINDS] = {mox__arc_as_field(s, ARC_RESULTS),
                                                   mox__arc_as_field(s, ARC_MESSAGE_SIGNATURE),
                                                   mox__arc_as_field(s, ARC_SEAL)};
    const struct arc_set own = {.fields = {&fields[0], &fields[1], &fields[2]}};
    mox__buf_init(&text, s->env, SIZE_MAX / 2);
    if (strcmp(s->chain, "pass") == 0)
        for (unsigned i = 0; i < sets->count; i++)
            mox__arc_canon_set(&text, &sets->sets[i], ARC_KINDS);
    mox__arc_canon_set(&text, &own, ARC_SEAL);
    mox__canon_signature(&text, CANON_RELAXED, &fields[ARC_SEAL], slice(NULL, 0));
    bool failed = text.failed;
    mox__hash(HASH_SHA256, slice(text.data, text.len), digest);
    mox__buf_free(&text);
    return failed ? MOX_ENOMEM : MOX_OK;
}

static int make_seal(struct arc_seal *s, const struct arc_sets *sets, struct buf *text)
{
    uint8_t digest[HASH_MAX];
    mox__arc_compose_seal(s, slice(NULL, 0));
    for (unsigned kind = 0; kind < ARC_KINDS; kind++)
        if (s->fields[kind].failed)
            return MOX_ENOMEM;
    int rc = digest_seal(s, sets, digest);
    if (rc == MOX_OK)
        rc = sign(s, digest, text);
    if (rc == MOX_OK)
        mox__arc_compose_seal(s, slice(text->data, text->len));
    return rc;
}

static int make_set(struct arc_seal *s, struct mox_signed_message *m, const struct arc_sets *sets)
{
    char memory[SIGNATURE_MAX * 2];
    struct buf text = buf_over(memory, sizeof memory);
    mox__arc_compose_results(s);
    int rc = make_message_signature(s, m, &text);
    mox__buf_clear(&text);
    if (rc == MOX_OK)
        rc = make_seal(s, sets, &text);
    return rc;
}

/* The fields behind each other, the seal on top. */
static int join(struct arc_seal *s, char **out)
{
    struct buf all;
    mox__buf_init(&all, s->env, ARC_KINDS * (size_t)ARC_SET_MAX);
    for (unsigned kind = ARC_KINDS; kind-- > 0;) {
        all.failed |= s->fields[kind].failed;
        mox__buf_append(&all, s->fields[kind].data, s->fields[kind].len);
    }
    mox__buf_byte(&all, '\0');
    if (all.failed) {
        mox__buf_free(&all);
        return MOX_ENOMEM;
    }
    *out = (char *)all.data;
    return MOX_OK;
}

void mox_arc_sealer_init(struct mox_arc_sealer *sealer)
{
    *sealer = (struct mox_arc_sealer){.size = sizeof *sealer};
}

int mox_arc_seal(char **out, const struct mox_env *env, struct mox_signed_message *message,
                 const struct mox_arc_verify *verify, const struct mox_arc_sealer *sealer,
                 struct mox_error *err)
{
    struct arc_seal s = {.env = env, .sealer = sealer};
    *out = NULL;
    int rc = check_sealer(sealer, err);
    if (rc == MOX_OK)
        rc = check_message(message, err);
    if (rc == MOX_OK)
        rc = continue_chain(&s, verify, err);
    if (rc < 0)
        return rc;
    s.algorithm = mox__dkim_key_algorithm(sealer->key);
    mox__buf_init(&s.names, env, ARC_SET_MAX);
    for (unsigned kind = 0; kind < ARC_KINDS; kind++)
        mox__buf_init(&s.fields[kind], env, ARC_SET_MAX);
    if (sealer->headers != NULL)
        rc = mox__arc_take_names(&s, sealer->headers, err);
    else
        mox__arc_take_default_names(&s, message);
    if (rc == MOX_OK)
        rc = make_set(&s, message, &verify->sets);
    if (rc == MOX_OK)
        rc = join(&s, out);
    mox__buf_free(&s.names);
    for (unsigned kind = 0; kind < ARC_KINDS; kind++)
        mox__buf_free(&s.fields[kind]);
    if (rc == MOX_ENOMEM)
        return mox__fail(err, rc, "seal: out of memory");
    return rc;
}
