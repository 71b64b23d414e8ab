/* SPDX-License-Identifier: MIT */
#include <mox/spf.h>

#include "base/error.h"
#include "base/text.h"
#include "mailauth/spf_term.h"

bool mox_spf_is_record(struct mox_slice text)
{
    return mox__spf_is_record(text);
}

/* Strangers' text in a message for people. */
static void printable(char out[64], struct mox_slice text)
{
    size_t len = text.len < 63 ? text.len : 63;
    for (size_t i = 0; i < len; i++)
        out[i] = text.data[i] > ' ' && text.data[i] < 0x7f ? (char)text.data[i] : '?';
    out[len] = '\0';
}

int mox_spf_term_next(struct mox_slice record, size_t *at, struct mox_spf_term *out,
                      struct mox_error *err)
{
    struct spf_term t;
    const char *problem = "";
    char term[64];
    if (*at == 0 && !mox__spf_is_record(record))
        return mox__fail(err, MOX_ESYNTAX, "it does not begin with v=spf1 and a space");
    struct mox_slice rest = *at == 0 ? mox__spf_terms(record) : slice_from(record, *at);
    enum spf_next next = mox__spf_next(&rest, &t, &problem);
    *at = record.len - rest.len;
    printable(term, t.text);
    if (next == SPF_BROKEN)
        return mox__fail(err, MOX_ESYNTAX, "wrong at byte %zu, %s: %s", *at - t.text.len, term,
                         problem);
    if (next == SPF_END)
        return mox__fail(err, MOX_ENOTFOUND, "the record has no more terms");
    *out = (struct mox_spf_term){.text = t.text,
                                 .name = mox__spf_kind_name(t.kind),
                                 .is_modifier = t.kind >= SPF_REDIRECT,
                                 .qualifier = t.qualifier,
                                 .domain = t.domain,
                                 .prefix4 = t.prefix4,
                                 .prefix6 = t.prefix6};
    if (t.kind == SPF_IP4 || t.kind == SPF_IP6)
        mox__ip_format(&t.network, out->network);
    return MOX_OK;
}
