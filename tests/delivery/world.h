/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_WORLD_H
#define DELIVERY_WORLD_H

#include <mox/judge.h>

#include "store/storefix.h"

/* An account of the real store, those who send to it, and what its user does with that. Days pass when the
 * clock is moved. */

#define WORLD_SENDERS_MAX 16
#define WORLD_LAST_MAX    256

/* Addresses may have a '*': it becomes another number in each message. */
struct world_sender {
    char name[32], from[100], mail_from[100], ehlo[100], dkim[100], ip[64];
    enum mox_spf_result spf; /* of MAIL FROM, or EHLO without one */
    enum mox_dmarc_status dmarc;
    enum mox_dmarc_policy policy; /* asked for when DMARC fails */
    bool no_reverse_name, no_tls, not_addressed, listed, is_list;
};

enum world_text { WORLD_HAM, WORLD_JUNK };

/* What became of a message. */
struct world_result {
    bool accepted;
    int code;
    bool waits;                 /* for a while, as the first message of a stranger */
    char word[32], mailbox[64]; /* where it was stored */
    char header[1000];          /* X-Mox-Reason */
    char reply[500];
};

struct world {
    struct storefix f;
    struct mox_judge_recipient recipient;
    struct mox_ruleset rule; /* the only one; used when `rules` is set */
    struct mox_rulesets *rules;
    struct mox_junk_params junk;
    struct world_sender senders[WORLD_SENDERS_MAX];
    size_t sender_count;
    unsigned messages; /* made so far */
    unsigned number;   /* of the last one that was sent */
    int64_t begin_us;
    /* Where the messages of the last line are. */
    char mailbox[64];
    uint32_t uids[WORLD_LAST_MAX];
    size_t uid_count;
    bool is_list;      /* what is written now is of a mailing list */
    char subject[100]; /* of the last message sent */
    char token[40];    /* that its sender was told; "" */
};

void world_begin(struct world *w);
void world_end(struct world *w);
void world_day(struct world *w, int day);

struct world_result world_send(struct world *w, const struct world_sender *sender,
                               enum world_text text);
/* The last message once more; with_token: as its sender was asked to. */
struct world_result world_send_again(struct world *w, const struct world_sender *sender,
                                     enum world_text text, bool with_token);
/* Messages that were there before, which did not come over SMTP. */
void world_import(struct world *w, const char *mailbox, enum world_text text, unsigned count);
void world_write_to(struct world *w, const char *address);
/* Of the messages that world_send() stored since world_forget(). */
void world_move(struct world *w, const char *mailbox);
void world_mark(struct world *w, uint32_t flags);
void world_remove(struct world *w);
void world_forget(struct world *w);
unsigned world_count(struct world *w, const char *mailbox);

#endif
