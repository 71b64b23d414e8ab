/* SPDX-License-Identifier: MIT */
#ifndef SERVER_LOCALSERVE_H
#define SERVER_LOCALSERVE_H

#include <mox/server.h>

/* The account of a throw-away server, its address and its password: for everybody to know. */
#define LOCALSERVE_ACCOUNT   "mox"
#define LOCALSERVE_ADDRESS   "mox@localhost"
#define LOCALSERVE_PASSWORD  "moxmoxmox"
#define LOCALSERVE_PORT_BASE 1000

/* localserve_zone.c: the names that exist for it, as mox/dns_zone.h wants them. */
extern const char mox__localserve_zone[];

/* Dialogues as a developer wants to read them, one line each:
 *
 *     smtp 4a1f C: EHLO client.example
 *     smtp 4a1f S: 250-localhost
 *
 * The digits are the last of the connection's cid in the log. Threads: any. */
struct transcript;

/* @param fd   borrowed
 * @param env  what logs to it goes on logging there; this one is changed to pass the dialogues here
 */
MOX_MUST_USE int mox__transcript_new(struct transcript **out, struct mox_env *env, int fd);
/* Nothing uses the changed env any more. NULL is fine. */
void mox__transcript_free(struct transcript *t);

#endif
