/* SPDX-License-Identifier: MIT */
#ifndef SERVER_DNSBL_MONITOR_H
#define SERVER_DNSBL_MONITOR_H

#include "base/ip.h"
#include "server/server.h"

/* Whether lists of blocked addresses have our own: others refuse our mail then, and nobody tells us. From
 * time to time each public address of one listener is looked up in each list that is monitored, one after
 * the other. What is found is a log line and a metric. */

/* The listener whose addresses are those that others see, and whose lists are monitored. */
#define MONITORED_LISTENER "public"

/* More addresses than that are not looked up: a machine may have a network of them. */
#define MONITORED_IPS_MAX 64

struct dnsbl_monitor {
    struct mox_server *server;
    struct timer timer; /* until the next look-up */
    /* Of this round. */
    char ips[MONITORED_IPS_MAX][IP_TEXT_MAX];
    size_t ip_count, ip; /* how many, and which is next */
    size_t list;         /* in which it is looked up: of the server's dnsbls */
    /* Of the look-up that is under way. */
    struct mox_dns_answers *answers;
    struct mox_dns_round *round;
};

/* Begins, unless no list is monitored or this is a server for tests. MOX_OK, MOX_ENOMEM. */
MOX_MUST_USE int mox__dnsbl_monitor_init(struct mox_server *s);
void mox__dnsbl_monitor_start(struct mox_server *s);
/* No look-up is under way afterwards, and none follows. More than once is fine. */
void mox__dnsbl_monitor_stop(struct mox_server *s);
void mox__dnsbl_monitor_free(struct mox_server *s);

#endif
