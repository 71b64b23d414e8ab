/* SPDX-License-Identifier: MIT */
#include "server/nap.h"

#include "base/mem.h"
#include "server/server.h"

static void leave(struct nap *nap)
{
    mox__timer_stop(&nap->timer);
    if (nap->prev != NULL)
        nap->prev->next = nap->next;
    else
        nap->server->naps = nap->next;
    if (nap->next != NULL)
        nap->next->prev = nap->prev;
    nap->next = nap->prev = NULL;
}

static void due(struct timer *t)
{
    struct nap *nap = container_of(t, struct nap, timer);
    leave(nap);
    nap->over(nap, nap->cut_short);
}

void mox__nap_init(struct nap *nap, struct mox_server *server)
{
    *nap = (struct nap){.server = server};
    mox__timer_init(&nap->timer, server->net->loop, due);
}

void mox__nap_begin(struct nap *nap, int64_t us, void (*over)(struct nap *nap, bool cut_short))
{
    struct mox_server *s = nap->server;
    nap->over = over;
    nap->cut_short = false;
    nap->next = s->naps;
    if (nap->next != NULL)
        nap->next->prev = nap;
    s->naps = nap;
    mox__timer_at(&nap->timer, mox__loop_now(s->net->loop) + us);
}

void mox__nap_cancel(struct nap *nap)
{
    if (mox__nap_lasts(nap))
        leave(nap);
}

bool mox__nap_lasts(const struct nap *nap)
{
    return nap->timer.at_us != INT64_MAX;
}

void mox__nap_end(struct nap *nap)
{
    nap->cut_short = true;
    due(&nap->timer);
}

void mox__nap_end_soon(struct nap *nap)
{
    nap->cut_short = true;
    mox__timer_at(&nap->timer, mox__loop_now(nap->server->net->loop));
}

void mox__naps_end(struct mox_server *s)
{
    while (s->naps != NULL)
        mox__nap_end(s->naps);
}
