/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <mox/delivery.h>

#include "base/text.h"

#define TIMEOUT_US (INT64_C(3600) * 1000000)

static bool ends_in(struct mox_slice text, const char *suffix)
{
    size_t n = strlen(suffix);
    return text.len >= n && mox__slice_is_nocase(slice_from(text, text.len - n), suffix);
}

static bool is_looked_at(struct mox_slice localpart, enum mox_special_stage stage)
{
    switch (stage) {
    case MOX_SPECIAL_MAIL:
        return mox__slice_starts_nocase(localpart, "mailfrom");
    case MOX_SPECIAL_RCPT:
        return mox__slice_starts_nocase(localpart, "rcptto");
    case MOX_SPECIAL_SUBMISSION:
        return !mox__slice_starts_nocase(localpart, "queue");
    case MOX_SPECIAL_DELIVERY:
        break;
    }
    return true;
}

/* The last three bytes as a code of a failure. */
static int code_at_end(struct mox_slice text)
{
    uint64_t code;
    if (text.len < 3 || !mox__slice_uint(slice_from(text, text.len - 3), 599, &code) || code < 400)
        return 0;
    return (int)code;
}

bool mox_special_localpart(const char *localpart, enum mox_special_stage stage,
                           struct mox_special *out)
{
    struct mox_slice text = slice_of(localpart);
    bool timeout = false;
    int code = 0;
    if (!is_looked_at(text, stage))
        return false;
    if (ends_in(text, "temperror"))
        code = 451;
    else if (ends_in(text, "permerror"))
        code = 550;
    else if (ends_in(text, "timeout"))
        timeout = true;
    else
        code = code_at_end(text);
    if (code == 0 && !timeout)
        return false;
    *out = (struct mox_special){.code = timeout ? 451 : code, .delay_us = timeout ? TIMEOUT_US : 0};
    memcpy(out->enhanced, out->code < 500 ? "4.0.0" : "5.0.0", sizeof "4.0.0");
    if (timeout && stage != MOX_SPECIAL_DELIVERY)
        out->enhanced[2] = '3';
    return true;
}
