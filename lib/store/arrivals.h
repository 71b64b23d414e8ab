/* SPDX-License-Identifier: MIT */
#ifndef STORE_ARRIVALS_H
#define STORE_ARRIVALS_H

#include <pthread.h>

#include <mox/store.h>

#include "ratelimit/table.h"

/* What came into an account over SMTP in the last day, by network: for limits that slide. It is kept
 * in memory and costs a delivery no byte on the disk: when the account is opened, the messages of the
 * day are read once. Where they begin says the account's row, which every transaction writes anyway. */

#define ARRIVALS_MARKS 26

struct arrival {
    int64_t received_us;
    uint64_t bytes;
    uint32_t nodes[MOX_NETWORK_CLASSES];
};

struct arrivals {
    bool counted;         /* the account's opener wants it */
    pthread_mutex_t lock; /* guards what follows, down to `end` */
    struct table networks;
    bool has_networks;
    struct arrival *ring;
    size_t cap;                      /* of the ring, a power of two */
    size_t first, minute_first, end; /* counted through: of the day, of the minute */
    /* The committer's: the lowest id of each hour that may still be of the last day, oldest first. */
    struct arrival_mark {
        int64_t hour;
        uint64_t id;
    } marks[ARRIVALS_MARKS];
    size_t mark_count;
};

struct mox_account;
struct append_job;

/* Reads the messages of the last day, those from the id `from` on. When the account is opened; a
 * failure sticks to its writer. */
void mox__arrivals_open(struct mox_account *a, bool counted, uint64_t from);
void mox__arrivals_close(struct mox_account *a);
/* A message enters the transaction … */
void mox__arrivals_mark(struct mox_account *a, uint64_t id, int64_t received_us);
/* … and is durable. */
void mox__arrivals_note(struct mox_account *a, const char *remote_ip, int64_t received_us,
                        uint64_t bytes);
/* The id from which on the messages of the last day are; `next` when there are none. */
uint64_t mox__arrivals_from(struct mox_account *a, uint64_t next);

#endif
