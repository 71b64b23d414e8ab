/* SPDX-License-Identifier: MIT */
#include <mox/mtasts.h>

#include "base/text.h"
#include "mailauth/policy_record.h"

/* id= is 1*32(ALPHA / DIGIT). */
static bool take_id(struct mox_mtasts_record *out, struct mox_slice value)
{
    if (value.len == 0 || value.len > MOX_MTASTS_ID_MAX)
        return false;
    for (size_t i = 0; i < value.len; i++)
        if (!is_alpha(value.data[i]) && !is_digit(value.data[i]))
            return false;
    memcpy(out->id, value.data, value.len);
    out->id[value.len] = '\0';
    return true;
}

int mox_mtasts_record_parse(struct mox_mtasts_record *out, struct mox_slice text,
                            struct mox_error *err)
{
    struct mox_slice rest;
    struct record_field field;
    int rc;
    *out = (struct mox_mtasts_record){.id = ""};
    if (!mox__record_begins(text, "v=STSv1", &rest))
        return mox__fail(err, MOX_ENOTFOUND, "it does not begin with v=STSv1;");
    while ((rc = mox__record_next(&rest, &field, err)) == MOX_OK) {
        if (!mox__slice_is(field.name, "id"))
            continue;
        if (out->id[0] != '\0')
            return mox__fail(err, MOX_ESYNTAX, "id= stands there twice");
        if (!take_id(out, field.value))
            return mox__fail(err, MOX_ESYNTAX, "id= has up to 32 letters and digits");
    }
    if (rc != MOX_ENOTFOUND)
        return rc;
    if (out->id[0] == '\0')
        return mox__fail(err, MOX_ESYNTAX, "id= is missing");
    return MOX_OK;
}

static int parse(void *out, struct mox_slice text, struct mox_error *err)
{
    return mox_mtasts_record_parse(out, text, err);
}

int mox_mtasts_lookup(struct mox_mtasts_found *out, const char *domain,
                      struct mox_dns_answers *answers)
{
    const struct record_search search = {"_mta-sts", "MTA-STS record", parse, &out->record};
    return mox__record_find(&search, domain, answers, &out->status, &out->secure, out->problem);
}
