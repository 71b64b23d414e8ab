/* SPDX-License-Identifier: MIT */
#ifndef STORE_GATE_H
#define STORE_GATE_H

#include <pthread.h>

#include "base/priv.h"

/* Lets so many threads at a time through, and has the others wait. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t left; /* somebody has */
    unsigned max;
    /* for tests, under the lock: who is where now, and how many were inside together at most */
    unsigned inside, waiting, most;
};

void mox__gate_init(struct gate *g, unsigned max);
void mox__gate_destroy(struct gate *g);
void mox__gate_enter(struct gate *g);
void mox__gate_leave(struct gate *g);

#endif
