/* SPDX-License-Identifier: MIT */
#ifndef SERVER_FIRST_MAILBOXES_H
#define SERVER_FIRST_MAILBOXES_H

#include <mox/config.h>
#include <mox/mailstore.h>

/* The mailboxes that a new account has besides Inbox, as the configuration says: *out is an array of
 * `env`, to be freed; NULL when it leaves that to the store. Names are borrowed. MOX_ENOMEM. */
MOX_MUST_USE int mox__first_mailboxes(const struct mox_config_static *mox,
                                      const struct mox_env *env, struct mox_mailbox **out,
                                      size_t *count);

#endif
