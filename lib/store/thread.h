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

/* Texts that are too long, or for which there is no memory, are left out. */
void mox__thread_read(struct arena *arena, struct mox_slice headers, struct thread_facts *out);
/* Inside a transaction. `dsn`: subjects need not agree. */
void mox__thread_place(struct mox_account *a, const struct thread_facts *facts, bool dsn,
                       uint64_t id, struct thread_place *out);
/* The hash of a message in `key` for its thread. */
uint64_t mox__thread_key(uint64_t thread);

#endif
