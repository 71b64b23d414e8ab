/* SPDX-License-Identifier: MIT */

/* Clients of all mechanisms hear what no server says. They end, say nothing that is not asked of them,
 * and believe no server of SCRAM that does not know the password. Input: the mechanism, flags, which
 * allocation fails, and challenges with LFs between. */

#include "fuzz/input.h"
#include "sasl/client.h"
#include "sasl/exchange.h"

#define CHALLENGES 8

static bool is_scram(enum mox_sasl_mechanism m)
{
    return strncmp(mox_sasl_mechanism_name(m), "SCRAM", 5) == 0;
}

static void hear(struct mox_sasl_client *c, enum mox_sasl_mechanism m, struct input *in)
{
    struct mox_slice response, challenge = slice(NULL, 0);
    int rc = MOX_OK;
    bool spoke = false;
    for (unsigned i = 0; i < CHALLENGES && rc == MOX_OK; i++) {
        rc = mox_sasl_client_step(c, challenge, &response);
        assert(rc == MOX_OK || rc == MOX_ESYNTAX || rc == MOX_EDENIED || rc == MOX_ENOMEM);
        assert(rc == MOX_OK || response.data == NULL);
        assert(rc != MOX_OK || response.data != NULL || i == 0); /* only the start may wait */
        assert(response.len < 2 * MOX_SASL_RESPONSE_MAX);
        spoke = spoke || response.data != NULL;
        int believes = mox_sasl_client_finish(c);
        assert(believes == MOX_OK || believes == MOX_EDENIED);
        assert(believes != MOX_OK || (spoke && rc == MOX_OK && !is_scram(m)));
        challenge = input_until(in, '\n');
        if (challenge.data == NULL)
            challenge = slice("", 0);
    }
    assert(rc < 0);                                                 /* no exchange takes so many */
    assert(mox_sasl_client_step(c, slice("", 0), &response) == rc); /* it stays so */
    assert(mox_sasl_client_finish(c) == MOX_EDENIED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct exchange x;
    struct mox_sasl_client *c = NULL;
    struct input in = {{data, len}};
    enum mox_sasl_mechanism m = (enum mox_sasl_mechanism)(1u << input_below(&in, 9));
    unsigned flags = input_byte(&in), fails = input_byte(&in);
    exchange_init(&x);
    x.client.min_iterations = 1;
    x.client.max_iterations = 100;
    if ((flags & 1) != 0)
        exchange_use_tls(&x);
    if ((flags & 2) != 0)
        x.client.username = "e\xcc\x81,=";
    if ((flags & 4) != 0)
        x.client.authorize = "other=,";
    if ((flags & 8) != 0)
        x.client.password = "\x01 no password"; /* that a server of ours would take */
    x.t.fail_at = fails < 32 ? (long)fails : 0;
    if (mox_sasl_client_new(&c, &x.t.env, m, flags, &x.client) == MOX_OK) {
        mox__sasl_client_set_nonce(c, "12345678"); /* that inputs can continue */
        hear(c, m, &in);
    }
    mox_sasl_client_free(c);
    exchange_done(&x);
    return 0;
}
