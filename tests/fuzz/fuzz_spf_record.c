/* SPDX-License-Identifier: MIT */

/* Records of SPF: the terms that are read are all of the record but its spaces, what is wrong is said, and
 * macros expand within their bounds. Input: a record. */

#include <mox/spf.h>

#include "fuzz/input.h"
#include "mailauth/spf_macro.h"

static void expand(const struct mox_spf_term *t)
{
    struct ip ip = {.v6 = true, .bytes = {0x20, 0x01, [15] = 1}};
    struct spf_macros m = {.sender_localpart = "strong-bad",
                           .sender_domain = "email.example.com",
                           .domain = "a.b.c.example.com",
                           .ip = &ip,
                           .helo = "mx.example.org",
                           .receiver = "here",
                           .now_us = 1,
                           .validated = "unknown"};
    char name[MOX_DOMAIN_MAX + 1];
    if (!mox__spf_is_macro_string(t->domain, true))
        return;
    mox__spf_expand_domain(name, t->domain, &m);
    assert(strlen(name) <= MOX_DOMAIN_MAX);
    uint8_t room[64];
    struct buf out = buf_over(room, sizeof room);
    mox__spf_expand(&out, t->domain, &m);
    assert(out.len <= sizeof room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_slice record = slice(data, len), rest;
    struct mox_spf_term t;
    struct mox_error err = {0};
    size_t at = 0, before = 0;
    int rc;
    while ((rc = mox_spf_term_next(record, &at, &t, &err)) == MOX_OK) {
        rest = slice_from(record, before);
        assert(at > before && at <= len);
        assert(t.text.len > 0 && t.text.data + t.text.len == record.data + at);
        for (const uint8_t *p = before == 0 ? record.data + 6 : rest.data; p < t.text.data; p++)
            assert(*p == ' ');
        assert(memchr(t.text.data, ' ', t.text.len) == NULL);
        assert(t.is_modifier || t.prefix4 <= 32);
        assert(t.prefix6 <= 128);
        expand(&t);
        before = at;
    }
    assert(rc == MOX_ENOTFOUND || rc == MOX_ESYNTAX);
    assert(err.text[0] != '\0');
    assert(mox_spf_is_record(record) || rc == MOX_ESYNTAX);
    return 0;
}
