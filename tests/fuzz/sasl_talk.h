/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_SASL_TALK_H
#define FUZZ_SASL_TALK_H

#include "fuzz/input.h"
#include "sasl/exchange.h"

/* A server of SASL hears what no client says. Input: a byte of flags, and then either responses with LFs
 * between, or what is changed of the messages of an honest log-in, each by three bytes: how, where, with
 * what.
 *
 * It holds always: a server ends after few responses and then stays as it is; it asks only what its
 * mechanism asks, in texts; nobody is let in whom the host did not admit; the reason is told, without
 * the password. Who changes a message of SCRAM never gets in. */

enum {
    TALK_TLS = 1 << 0,
    TALK_NO_EXPORTER = 1 << 1,
    TALK_NO_CERTIFICATE = 1 << 2,
    TALK_NO_RECORDS = 1 << 3,
    TALK_DISABLED = 1 << 4,
    TALK_NO_MEMORY = 1 << 5, /* one more byte says which allocation fails */
    TALK_CHANGES = 1 << 6,   /* an honest client's messages, changed */
    TALK_WAITS = 1 << 7      /* no initial response */
};

#define TALK_RESPONSES 6

struct talk {
    struct exchange x;
    enum mox_sasl_mechanism m;
    unsigned flags;
    struct input in;
    /* what was said, until the server ended; data NULL for none */
    struct mox_slice said[TALK_RESPONSES];
    size_t count;
    /* the last question */
    enum mox_sasl_ask ask;
    char username[MOX_SASL_USERNAME_MAX], secret[MOX_SASL_RESPONSE_MAX + 1];
    struct buf changed; /* the message that was put in place of another */
    bool any_changed;
};

/* What the mechanism's own target knows about responses that ended so; not called when memory was short. */
typedef void talk_oracle(const struct talk *talk);

int sasl_talk(enum mox_sasl_mechanism m, talk_oracle *oracle, const uint8_t *data, size_t len);

/* UTF-8 without NUL. */
bool talk_is_text(struct mox_slice s);

#endif
