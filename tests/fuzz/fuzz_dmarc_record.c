/* SPDX-License-Identifier: MIT */

/* A DMARC record that was read, written in a plain form, is read as the same. Whatever the record is, its
 * addresses are printable, and what it asks for has an end. */

#include <mox/dmarc.h>

#include "fuzz/input.h"

static void assert_is_printable(const char *text)
{
    assert(*text != '\0');
    for (; *text != '\0'; text++)
        assert(*text > ' ' && *text < 0x7f);
}

static void write_uris(struct buf *out, const char *tag, const struct mox_dmarc_uri *uris, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_is_printable(uris[i].uri);
        assert(strlen(uris[i].uri) <= MOX_DMARC_URI_MAX);
        mox__buf_text(out, i == 0 ? tag : ",");
        mox__buf_text(out, uris[i].uri);
        mox__buf_byte(out, '!');
        mox__buf_uint(out, uris[i].max_bytes);
    }
}

static void write_record(struct buf *out, const struct mox_dmarc_record *r)
{
    mox__buf_printf(out, "v=DMARC1;p=%s;pct=%u;ri=%u;adkim=%s;aspf=%s",
                    mox_dmarc_policy_name(r->policy), r->percent, (unsigned)r->interval_seconds,
                    r->strict_dkim ? "s" : "r", r->strict_spf ? "s" : "r");
    if (r->has_subdomain_policy)
        mox__buf_printf(out, ";sp=%s", mox_dmarc_policy_name(r->subdomain_policy));
    mox__buf_printf(out, ";fo=x%s%s%s%s", r->failure_0 ? ":0" : "", r->failure_1 ? ":1" : "",
                    r->failure_d ? ":d" : "", r->failure_s ? ":s" : "");
    write_uris(out, ";rua=", r->aggregate, r->aggregate_count);
    write_uris(out, ";ruf=", r->failure, r->failure_count);
}

static void assert_same_uris(const struct mox_dmarc_uri *a, const struct mox_dmarc_uri *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert(strcmp(a[i].uri, b[i].uri) == 0 && a[i].max_bytes == b[i].max_bytes);
}

static void assert_same_record(const struct mox_dmarc_record *a, const struct mox_dmarc_record *b)
{
    assert(a->policy == b->policy && a->subdomain_policy == b->subdomain_policy);
    assert(a->has_subdomain_policy == b->has_subdomain_policy);
    assert(a->strict_dkim == b->strict_dkim && a->strict_spf == b->strict_spf);
    assert(a->percent == b->percent && a->interval_seconds == b->interval_seconds);
    assert(a->failure_0 == b->failure_0 && a->failure_1 == b->failure_1);
    assert(a->failure_d == b->failure_d && a->failure_s == b->failure_s);
    assert(a->aggregate_count == b->aggregate_count && a->failure_count == b->failure_count);
    assert_same_uris(a->aggregate, b->aggregate, a->aggregate_count);
    assert_same_uris(a->failure, b->failure, a->failure_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_dmarc_record r, again;
    struct mox_error err = {0};
    static char memory[2 * MOX_DMARC_URIS_MAX * (MOX_DMARC_URI_MAX + 24) + 256];
    struct buf text = buf_over(memory, sizeof memory);
    int rc = mox_dmarc_record_parse(&r, slice(data, len), &err);
    assert(rc == MOX_OK || rc == MOX_ENOTFOUND || rc == MOX_ESYNTAX);
    assert((rc == MOX_OK) == (err.text[0] == '\0'));
    if (rc != MOX_OK)
        return 0;
    assert(r.percent <= 100);
    assert(r.aggregate_count <= MOX_DMARC_URIS_MAX && r.failure_count <= MOX_DMARC_URIS_MAX);
    write_record(&text, &r);
    assert(!text.failed);
    assert(mox_dmarc_record_parse(&again, buf_bytes(&text), &err) == MOX_OK);
    assert_same_record(&r, &again);
    return 0;
}
