/* SPDX-License-Identifier: MIT */

/* A record for TLS reports that was read, written in a plain form, is read as the same; its addresses are
 * printable. */

#include <mox/tlsrpt.h>

#include "fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_tlsrpt_record r, again;
    struct mox_error err = {0};
    static char memory[MOX_TLSRPT_URIS_MAX * (MOX_TLSRPT_URI_MAX + 2) + 64];
    struct buf text = buf_over(memory, sizeof memory);
    int rc = mox_tlsrpt_record_parse(&r, slice(data, len), &err);
    assert(rc == MOX_OK || rc == MOX_ENOTFOUND || rc == MOX_ESYNTAX);
    assert((rc == MOX_OK) == (err.text[0] == '\0'));
    if (rc != MOX_OK)
        return 0;
    assert(r.uri_count > 0 && r.uri_count <= MOX_TLSRPT_URIS_MAX);
    mox__buf_text(&text, "v=TLSRPTv1");
    for (size_t i = 0; i < r.uri_count; i++) {
        for (const char *c = r.uris[i]; *c != '\0'; c++)
            assert(*c > ' ' && *c < 0x7f && *c != ',' && *c != ';');
        mox__buf_text(&text, i == 0 ? ";rua=" : " , ");
        mox__buf_text(&text, r.uris[i]);
    }
    assert(!text.failed);
    assert(mox_tlsrpt_record_parse(&again, buf_bytes(&text), &err) == MOX_OK);
    assert(again.uri_count == r.uri_count);
    for (size_t i = 0; i < r.uri_count; i++)
        assert(strcmp(again.uris[i], r.uris[i]) == 0);
    return 0;
}
