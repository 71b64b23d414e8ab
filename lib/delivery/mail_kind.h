/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_MAIL_KIND_H
#define DELIVERY_MAIL_KIND_H

#include <mox/env.h>
#include <mox/header.h>

/* Whether headers say that a message came through a mailing list (RFC 2919, RFC 2369). */
bool mox__is_mailing_list(struct mox_slice headers);
/* Whether a message says that it tells what became of another (RFC 3464): it comes without a sender, and has
 * the type for that. */
bool mox__is_dsn(struct mox_slice headers, const char *mail_from);
/* Whether To or Cc has the address; `domain` in ASCII form. An empty localpart is always there. MOX_OK with
 * *found, or MOX_ENOMEM. */
MOX_MUST_USE int mox__is_addressed_to(const struct mox_env *env, struct mox_slice headers,
                                      const char *localpart, const char *domain, bool *found);

#endif
