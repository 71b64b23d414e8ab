/* SPDX-License-Identifier: MIT */
#ifndef NET_UNBOUND_EVENTS_H
#define NET_UNBOUND_EVENTS_H

#include <ev.h>
#include <unbound-event.h>

#include <mox/env.h>

/* What libunbound asks of an event library, given by libev. The tables of functions are in the base, since
 * libunbound does not take them as constant. */
struct unbound_events {
    struct ub_event_base base; /* first: libunbound knows only this */
    struct ub_event_base_vmt base_vmt;
    struct ub_event_vmt event_vmt;
    const struct mox_env *env;
    struct ev_loop *loop;
};

/* Both are borrowed for its life. */
void mox__unbound_events_init(struct unbound_events *e, const struct mox_env *env,
                              struct ev_loop *loop);

#endif
