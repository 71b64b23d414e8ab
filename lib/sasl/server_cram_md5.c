/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "sasl/server.h"

/* CRAM-MD5 (RFC 2195): the challenge is a text that never comes again; the response is the user
 * name, a space, and HMAC-MD5 of the challenge with the password in 32 hexadecimal digits. */

#define DIGITS 32

static void start(struct mox_sasl_server *s, const char *hostname)
{
    uint64_t number;
    s->env.random(s->env.user, (uint8_t *)&number, sizeof number);
    int64_t now_us = s->env.wall_us(s->env.user);
    (void)snprintf(s->unique, sizeof s->unique, "<%020" PRIu64 ".%" PRId64 "000@%.*s>", number,
                   now_us, 255, hostname); /* nanoseconds */
}

static bool take_digest(struct mox_sasl_server *s, struct mox_slice hex)
{
    for (size_t i = 0; i < sizeof s->digest; i++) {
        int high = hex_value(hex.data[2 * i]), low = hex_value(hex.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        s->digest[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static enum mox_sasl_step step(struct mox_sasl_server *s, struct mox_slice response)
{
    if (s->phase++ == 0)
        return response.data != NULL
                   ? mox__sasl_fail(s, MOX_SASL_FAILED_SYNTAX, "a response before the challenge")
                   : mox__sasl_challenge(s, slice_of(s->unique));
    if (response.len <= DIGITS || response.data[response.len - DIGITS - 1] != ' ' ||
        !take_digest(s, slice_from(response, response.len - DIGITS)))
        return mox__sasl_fail(s, MOX_SASL_FAILED_SYNTAX, "not a user name and a digest");
    if (!mox__sasl_take_username(s, slice(response.data, response.len - DIGITS - 1)))
        return MOX_SASL_FAILURE;
    s->question.record = "cram-md5";
    return mox__sasl_ask(s, MOX_SASL_ASK_RECORD);
}

/* The digest is compared in any case, with a record that nobody has if the user has none. */
static enum mox_sasl_step verify(struct mox_sasl_server *s, const char *record)
{
    static const char nobodys[] =
        "00000000000000000000000000000000:00000000000000000000000000000000";
    bool right =
        mox__cram_md5_verify(s->has_record ? record : nobodys, slice_of(s->unique), s->digest);
    if (!right || !s->has_record)
        return mox__sasl_fail(s, MOX_SASL_FAILED_CREDENTIALS, "");
    return mox__sasl_ask(s, MOX_SASL_ASK_ADMIT);
}

static enum mox_sasl_step answer(struct mox_sasl_server *s, int status,
                                 const struct mox_sasl_answer *given)
{
    if (s->question.ask == MOX_SASL_ASK_ADMIT)
        return mox__sasl_conclude(s, status, given);
    if (status != MOX_OK && status != MOX_ENOTFOUND && status != MOX_EDENIED &&
        status != MOX_EREFUSED)
        return mox__sasl_conclude(s, status, given);
    s->has_record = status == MOX_OK && mox__cram_md5_is_record(given->record);
    if (status == MOX_ENOTFOUND || (status == MOX_OK && !s->has_record))
        mox__sasl_lacks_record(s, status == MOX_OK ? "damaged" : "no");
    return verify(s, given->record);
}

const struct server_mechanism mox__sasl_server_cram_md5 = {
    .ids = MOX_SASL_CRAM_MD5, .start = start, .step = step, .answer = answer};
