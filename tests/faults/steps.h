/* SPDX-License-Identifier: MIT */
#ifndef FAULTS_STEPS_H
#define FAULTS_STEPS_H

#include "store/storefix.h"

/* Writes to an account, as a table. */
enum step_kind {
    STEP_APPEND,
    STEP_REJECT, /* an APPEND of what was refused, to its mailbox */
    STEP_ACCEPT, /* an APPEND of what was let through, maybe after it was refused */
    STEP_FLAGS,
    STEP_EXPUNGE,
    STEP_COPY,
    STEP_MOVE,
    STEP_CREATE,
    STEP_RENAME,
    STEP_DELETE,
    STEP_SUBSCRIBE,
    STEP_UNSUBSCRIBE,
    STEP_PASSWORD, /* of `box` */
    STEP_SEND,     /* counts a message to `box`, and to `to` if there is one */
    STEP_RETRAIN,  /* the filter is built anew */
    STEP_IMPORT,   /* `first` messages go into `box`, and as many into `to` */
    STEP_CREATE_ACCOUNT
};

/* What is done besides. */
enum step_way {
    WAY_ALONE = 0,
    WAY_WITH_NEXT = 1,     /* not waited for: enters one transaction with the next step */
    WAY_SYNC_FAILS = 2,    /* its first attempt meets a sync that fails, and it is made again */
    WAY_ERASED = 4,        /* goes on once removed messages are erased */
    WAY_LOOK = 8,          /* before it, a view of its mailbox is taken … */
    WAY_LOOK_AWAY = 16,    /* … and after it given back */
    WAY_CHECKPOINTED = 32, /* goes on once no checkpoint is under way */
    WAY_LEARNT = 128,      /* goes on once the filter has learnt what is marked */
    WAY_LATER_FAILS = 64   /* the next such sync fails, whoever asks for it; the step does not */
};

struct step {
    enum step_kind kind;
    const char *box;
    const char *to;       /* COPY, MOVE, RENAME, IMPORT */
    uint32_t first, last; /* UIDs; REJECT, ACCEPT: `first` is in the message-id */
    uint32_t flags;       /* APPEND; FLAGS adds them */
    const char *keyword;  /* the same */
    size_t size;          /* of a body: APPEND, IMPORT */
    unsigned way;         /* a set of enum step_way */
    const char
        *failing; /* WAY_SYNC_FAILS, _LATER_FAILS: of the file with such a name, see fnmatch(3) */
};

/* The account as a text: two accounts with the same text look the same to every client. Free it. */
char *account_text(struct storefix *f);

/* Does one step, with marks in the record that this makes so many. */
void step_alone(struct storefix *f, const struct step *step, size_t number);
/* Does the steps one by one; texts[n] becomes the account's after n of them. */
void steps_slowly(struct storefix *f, const struct step *steps, size_t count, char **texts);
/* Does them as they say, with marks in the record. */
void steps_recorded(struct storefix *f, const struct step *steps, size_t count);

#endif
