/* SPDX-License-Identifier: MIT */
#include <mox/tlsrpt.h>

#include "base/text.h"
#include "mailauth/policy_record.h"

/* RFC 8460 §3: mailto: and https: are the transports there are. */
static bool is_uri(struct mox_slice s)
{
    size_t scheme = mox__slice_starts_nocase(s, "mailto:")  ? strlen("mailto:")
                    : mox__slice_starts_nocase(s, "https:") ? strlen("https:")
                                                            : 0;
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] <= ' ' || s.data[i] >= 0x7f || s.data[i] == '!') /* !: to be written %21 */
            return false;
    return scheme > 0 && s.len > scheme && s.len <= MOX_TLSRPT_URI_MAX;
}

/* rua= uri *( *WSP "," *WSP uri ) */
static int take_uris(struct mox_tlsrpt_record *out, struct mox_slice value, struct mox_error *err)
{
    for (bool more = true; more;) {
        const uint8_t *comma = value.len == 0 ? NULL : memchr(value.data, ',', value.len);
        size_t len = comma == NULL ? value.len : (size_t)(comma - value.data);
        struct mox_slice uri = mox__slice_trim(slice(value.data, len));
        if (!is_uri(uri))
            return mox__fail(err, MOX_ESYNTAX, "rua= has what is no mailto: or https: address");
        if (out->uri_count == MOX_TLSRPT_URIS_MAX)
            return MOX_OK; /* reports go to as many as we send */
        memcpy(out->uris[out->uri_count], uri.data, uri.len);
        out->uris[out->uri_count++][uri.len] = '\0';
        more = comma != NULL;
        value = slice_from(value, more ? len + 1 : len);
    }
    return MOX_OK;
}

int mox_tlsrpt_record_parse(struct mox_tlsrpt_record *out, struct mox_slice text,
                            struct mox_error *err)
{
    struct mox_slice rest;
    struct record_field field;
    int rc;
    *out = (struct mox_tlsrpt_record){.uri_count = 0};
    if (!mox__record_begins(text, "v=TLSRPTv1", &rest))
        return mox__fail(err, MOX_ENOTFOUND, "it does not begin with v=TLSRPTv1;");
    while ((rc = mox__record_next(&rest, &field, err)) == MOX_OK) {
        if (!mox__slice_is(field.name, "rua"))
            continue;
        if (out->uri_count > 0)
            return mox__fail(err, MOX_ESYNTAX, "rua= stands there twice");
        rc = take_uris(out, field.value, err);
        if (rc != MOX_OK)
            return rc;
    }
    if (rc != MOX_ENOTFOUND)
        return rc;
    if (out->uri_count == 0)
        return mox__fail(err, MOX_ESYNTAX, "rua= is missing");
    return MOX_OK;
}

static int parse(void *out, struct mox_slice text, struct mox_error *err)
{
    return mox_tlsrpt_record_parse(out, text, err);
}

int mox_tlsrpt_lookup(struct mox_tlsrpt_found *out, const char *domain,
                      struct mox_dns_answers *answers)
{
    const struct record_search search = {"_smtp._tls", "record for TLS reports", parse,
                                         &out->record};
    return mox__record_find(&search, domain, answers, &out->status, &out->secure, out->problem);
}
