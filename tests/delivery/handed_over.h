/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_HANDED_OVER_H
#define DELIVERY_HANDED_OVER_H

#include <mox/smtp_server.h>

#include "delivery/world.h"

/* A message on its way into the account of a world, as a server hands it over. */
struct handed_over {
    const struct mox_checks_verdict *checks;
    const char *remote_ip, *ehlo_domain;
    struct mox_smtp_path mail_from;
    struct mox_spool *spool;
};

/* Stores it where the judgement says, by the library's own delivery: which facts are kept of it is not the
 * world's affair. Its UID, or 0 when it was left out. */
uint32_t hand_over(struct world *w, const struct handed_over *h, const struct mox_judgement *v);
/* Where that is. */
const char *handed_over_to(const struct mox_judgement *v);

#endif
