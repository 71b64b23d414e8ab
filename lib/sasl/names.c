/* SPDX-License-Identifier: MIT */
#include <mox/sasl.h>

#include "base/text.h"

/* Best first: clients take the first that they know. A bound channel is worth less than the better
 * hash here, since the client's own choice of -PLUS comes before (RFC 5802 §6). */
static const struct {
    enum mox_sasl_mechanism id;
    const char *name;
} mechanisms[] = {
    {MOX_SASL_EXTERNAL, "EXTERNAL"},
    {MOX_SASL_SCRAM_SHA_256_PLUS, "SCRAM-SHA-256-PLUS"},
    {MOX_SASL_SCRAM_SHA_256, "SCRAM-SHA-256"},
    {MOX_SASL_SCRAM_SHA_1_PLUS, "SCRAM-SHA-1-PLUS"},
    {MOX_SASL_SCRAM_SHA_1, "SCRAM-SHA-1"},
    {MOX_SASL_CRAM_MD5, "CRAM-MD5"},
    {MOX_SASL_OAUTHBEARER, "OAUTHBEARER"},
    {MOX_SASL_PLAIN, "PLAIN"},
    {MOX_SASL_LOGIN, "LOGIN"},
};

#define MECHANISMS (sizeof mechanisms / sizeof mechanisms[0])

enum mox_sasl_mechanism mox_sasl_mechanism(struct mox_slice name)
{
    for (size_t i = 0; i < MECHANISMS; i++)
        if (mox__slice_is_nocase(name, mechanisms[i].name))
            return mechanisms[i].id;
    return (enum mox_sasl_mechanism)0;
}

const char *mox_sasl_mechanism_name(enum mox_sasl_mechanism m)
{
    for (size_t i = 0; i < MECHANISMS; i++)
        if (mechanisms[i].id == m)
            return mechanisms[i].name;
    return "";
}

unsigned mox_sasl_offered(unsigned have, const struct mox_tls_info *tls, bool clear_text_allowed)
{
    if (tls == NULL && !clear_text_allowed)
        have &= ~(unsigned)MOX_SASL_CLEAR_TEXT;
    if (tls == NULL || !tls->has_exporter)
        have &= ~(unsigned)(MOX_SASL_SCRAM_SHA_1_PLUS | MOX_SASL_SCRAM_SHA_256_PLUS);
    if (tls == NULL || !tls->has_client_key)
        have &= ~(unsigned)MOX_SASL_EXTERNAL;
    return have;
}

const char *mox_sasl_offered_name(unsigned set, size_t n)
{
    for (size_t i = 0; i < MECHANISMS; i++)
        if ((set & (unsigned)mechanisms[i].id) != 0 && n-- == 0)
            return mechanisms[i].name;
    return NULL;
}

const char *mox_sasl_failure_name(enum mox_sasl_failure failure)
{
    switch (failure) {
    case MOX_SASL_FAILED_SYNTAX:
    case MOX_SASL_FAILED_PROTOCOL:
    case MOX_SASL_FAILED_ENCODING:
        return "badprotocol";
    case MOX_SASL_FAILED_CREDENTIALS:
    case MOX_SASL_FAILED_AUTHORIZATION:
        return "badcreds";
    case MOX_SASL_FAILED_BINDING:
        return "badchanbind";
    case MOX_SASL_FAILED_DISABLED:
        return "logindisabled";
    case MOX_SASL_FAILED_ABORTED:
        return "aborted";
    case MOX_SASL_FAILED_TEMPORARY:
    case MOX_SASL_FAILED_MEMORY:
        return "error";
    }
    return failure == 0 ? "ok" : "error";
}
