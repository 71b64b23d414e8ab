/* SPDX-License-Identifier: MIT */
#ifndef STORE_THREAD_H
#define STORE_THREAD_H

#include "base/arena.h"
#include "store/store.h"

/* The last references of a message that are looked up. A thread of 10,000 messages names them all
 * in each, but its newest ones are here or the thread is not. */
#define THREAD_REFS_MAX 50

/* What places a message in a thread; owned by an arena. */
struct thread_facts {
    const char *message_id;            /* canonical, or NULL */
    const char *subject;               /* base subject (RFC 5256 §2.1) */
    bool response;                     /* the subject says that it answers or forwards */
    const char *refs[THREAD_REFS_MAX]; /* canonical, newest first */
    size_t ref_count;
};

/* The place that was found. */
struct thread_place {
    uint64_t thread, parent; /* parent 0: it begins a thread */
    bool missing;            /* some message that it refers to is not here */
};

/* The message that is placed. */
struct thread_arrival {
    uint64_t id, origin; /* origin: the mailbox that it is delivered to */
    int64_t received;    /* microseconds */
    bool dsn;            /* subjects need not agree */
};

/* Texts that are too long, or for which there is no memory, are left out. A message-id may be among
 * the lines that a server put in front of the message's own. */
void mox__thread_read(struct arena *arena, struct mox_slice prefix, struct mox_slice headers,
                      struct thread_facts *out);
/* Inside a transaction. */
void mox__thread_place(struct mox_account *a, const struct thread_facts *facts,
                       const struct thread_arrival *arrival, struct thread_place *out);
/* The hashes of a message in `key` for its thread, and for its base subject in a mailbox. */
uint64_t mox__thread_key(uint64_t thread);
uint64_t mox__subject_key(uint64_t origin, const char *subject);

#endif
