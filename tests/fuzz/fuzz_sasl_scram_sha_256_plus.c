/* SPDX-License-Identifier: MIT */

/* SCRAM-SHA-256-PLUS keeps its order, and admits who knows the password: see sasl_talk.h. */

#include "sasl_talk.h"

/* What is said without a client cannot prove anything. */
static void scram_says(const struct talk *talk)
{
    assert(talk->ask != MOX_SASL_ASK_ADMIT);
    assert(mox_sasl_server_failure(talk->x.server) != 0);
    assert(talk->count <= 4); /* none, client-first, client-final, and one to "e=" */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    return sasl_talk(MOX_SASL_SCRAM_SHA_256_PLUS, scram_says, data, len);
}
