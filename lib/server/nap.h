/* SPDX-License-Identifier: MIT */
#ifndef SERVER_NAP_H
#define SERVER_NAP_H

#include "net/loop.h"

struct mox_server;

/* A wait before an answer, on purpose: a timer and nothing else. It ends early when the server stops,
 * or when its session says that nobody waits any more. */
struct nap {
    struct timer timer;
    struct mox_server *server;
    struct nap *next, *prev; /* server->naps, while it lasts */
    bool cut_short;
    /* On the loop's thread. May free what the nap is in. */
    void (*over)(struct nap *nap, bool cut_short);
};

void mox__nap_init(struct nap *nap, struct mox_server *server);
/* One at a time. Not while the server stops. */
void mox__nap_begin(struct nap *nap, int64_t us, void (*over)(struct nap *nap, bool cut_short));
/* Ends it, and `over` is not called. Fine when it does not last. */
void mox__nap_cancel(struct nap *nap);
bool mox__nap_lasts(const struct nap *nap);
/* Cuts it short: at once, or from the loop soon. */
void mox__nap_end(struct nap *nap);
void mox__nap_end_soon(struct nap *nap);
/* The server stops: nobody sleeps on. */
void mox__naps_end(struct mox_server *server);

#endif
