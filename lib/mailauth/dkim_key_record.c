/* SPDX-License-Identifier: MIT */
#include "mailauth/dkim_key_record.h"

#include "base/base64.h"
#include "base/text.h"
#include "mailauth/tags.h"

static bool wrong(const char **problem, const char *text)
{
    *problem = text;
    return false;
}

static bool tag_k(struct dkim_key_record *r, struct mox_slice value, const char **problem)
{
    r->is_rsa = mox__slice_is(value, "rsa");
    return r->is_rsa || mox__slice_is(value, "ed25519") ||
           wrong(problem, "the key record has a k= that is not known");
}

static bool tag_h(struct dkim_key_record *r, struct mox_slice value, const char **problem)
{
    struct mox_slice rest = value, name;
    (void)problem;
    r->any_hash = false;
    while (mox__colon_next(&rest, &name)) {
        r->sha1 = r->sha1 || mox__slice_is(name, "sha1");
        r->sha256 = r->sha256 || mox__slice_is(name, "sha256");
    }
    return true;
}

static bool tag_s(struct dkim_key_record *r, struct mox_slice value, const char **problem)
{
    struct mox_slice rest = value, name;
    (void)problem;
    r->for_email = r->for_tlsrpt = false;
    while (mox__colon_next(&rest, &name)) {
        bool any = mox__slice_is(name, "*");
        r->for_email = r->for_email || any || mox__slice_is(name, "email");
        r->for_tlsrpt = r->for_tlsrpt || any || mox__slice_is(name, "tlsrpt");
    }
    return true;
}

static bool tag_t(struct dkim_key_record *r, struct mox_slice value, const char **problem)
{
    struct mox_slice rest = value, name;
    (void)problem;
    while (mox__colon_next(&rest, &name)) {
        r->testing = r->testing || mox__slice_is(name, "y");
        r->strict = r->strict || mox__slice_is(name, "s");
    }
    return true;
}

static bool tag_p(struct dkim_key_record *r, struct mox_slice value, const char **problem)
{
    uint8_t text[2 * PUBLIC_DER_MAX];
    size_t len = 0;
    struct buf key = buf_over(r->key, sizeof r->key);
    r->revoked = value.len == 0;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.data[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            continue;
        if (len == sizeof text)
            return wrong(problem, "the key record has a p= that is too long");
        text[len++] = c;
    }
    if (len > 0 && mox__base64_decode(&key, slice(text, len)) < 0)
        return wrong(problem, "the key record has a p= that is no base64");
    r->key_len = key.len;
    return true;
}

static const struct {
    const char *name;
    bool (*read)(struct dkim_key_record *r, struct mox_slice value, const char **problem);
} tags[] = {{"h", tag_h}, {"k", tag_k}, {"p", tag_p}, {"s", tag_s}, {"t", tag_t}};

/* *is_dkim: it says v=DKIM1, or has a key and says nothing else. */
static bool read_tags(struct dkim_key_record *out, struct mox_slice text, bool *is_dkim,
                      bool *has_key, const char **problem)
{
    struct tag_names names = {.count = 0};
    struct tag tag;
    enum tag_result found;
    while ((found = mox__tag_next(&text, &tag)) == TAG_FOUND) {
        if (!mox__tag_note(&names, tag.name))
            return wrong(problem, "the key record has a tag twice, or too many");
        if (mox__slice_is(tag.name, "v")) {
            *is_dkim = mox__slice_is(tag.value, "DKIM1");
            if (!*is_dkim || names.count > 1) /* RFC 6376 §3.6.1: the first, if it is there */
                return wrong(problem,
                             "the key record has a v= that is not DKIM1, or not at its begin");
        }
        *has_key = *has_key || mox__slice_is(tag.name, "p");
        for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
            if (mox__slice_is(tag.name, tags[i].name) && !tags[i].read(out, tag.value, problem))
                return false;
    }
    return found == TAG_END || wrong(problem, "the key record is no list of tags");
}

int mox__dkim_key_record_parse(struct dkim_key_record *out, struct mox_slice text,
                               const char **problem)
{
    bool is_dkim = false, has_key = false;
    *out = (struct dkim_key_record){
        .is_rsa = true, .any_hash = true, .for_email = true, .for_tlsrpt = true};
    bool ok = read_tags(out, text, &is_dkim, &has_key, problem);
    if (!is_dkim && !has_key)
        return MOX_ENOTFOUND;
    if (ok && !has_key)
        ok = wrong(problem, "the key record has no p=");
    if (ok && !out->is_rsa && !out->revoked && out->key_len != ED25519_KEY_BYTES)
        ok = wrong(problem, "the key record has an Ed25519 key that is not 32 bytes long");
    return ok ? MOX_OK : MOX_ESYNTAX;
}

enum dkim_key_found mox__dkim_key_find(struct dkim_key_record *out,
                                       const struct mox_dns_answer *answer, const char **problem)
{
    struct dkim_key_record other;
    bool found = false;
    if (mox_dns_is_temporary(answer->status)) {
        *problem = "the key cannot be looked up now";
        return DKIM_KEY_TEMPORARY;
    }
    *problem = "no key record";
    for (size_t i = 0; i < answer->count; i++) {
        const char *wrong_with_it = NULL;
        int rc = mox__dkim_key_record_parse(found ? &other : out, answer->records[i].data.txt,
                                            &wrong_with_it);
        if (rc == MOX_ENOTFOUND)
            continue; /* somebody else's: what is wrong with it as a key says nothing */
        if (found) { /* RFC 6376 §3.6.2.2: there is to be one; which is meant may be clear later */
            *problem = "several key records";
            return DKIM_KEY_TEMPORARY;
        }
        if (rc < 0) {
            *problem = wrong_with_it;
            return DKIM_KEY_NONE;
        }
        found = true;
    }
    return found ? DKIM_KEY_FOUND : DKIM_KEY_NONE;
}
