/* SPDX-License-Identifier: MIT */
#ifndef DNS_ANSWERS_H
#define DNS_ANSWERS_H

#include <mox/dns_answers.h>

/* The environment that the set was made with. Lives as long as the set. */
const struct mox_env *mox__dns_answers_env(const struct mox_dns_answers *a);

#endif
