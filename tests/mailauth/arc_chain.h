/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_ARC_CHAIN_H
#define MAILAUTH_ARC_CHAIN_H

#include <mox/arc.h>

/* Messages that pass through servers, each of which seals them with one key of Ed25519. */
struct chain {
    const struct mox_env *env;
    struct mox_dkim_key *key;
    char record[200];           /* what any name of a key answers */
    enum mox_dns_status status; /* MOX_DNS_FOUND, or why they do not */
    unsigned rounds;            /* of questions, of the last check */
};

/* MOX_ENOMEM. */
int chain_init(struct chain *c, const struct mox_env *env);
void chain_free(struct chain *c);

/* Checks a message. Both are to be freed by chain_done(), whatever comes back: MOX_OK, MOX_ENOMEM. */
struct chain_check {
    struct mox_signed_message *message;
    struct mox_dns_answers *answers;
    struct mox_arc_verify *verify;
};
int chain_check(struct chain *c, struct mox_slice content, struct chain_check *out);
void chain_done(struct chain_check *check);

/* Checks and seals: *out is a new set with the message behind it, for mox_text_free(). */
int chain_seal(struct chain *c, const char *content, const char *results, char **out);
/* The same of a message that was changed on its way through the server. */
int chain_seal_changed(struct chain *c, const char *came, const char *goes, const char *results,
                       char **out);

#endif
