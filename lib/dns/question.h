/* SPDX-License-Identifier: MIT */
#ifndef DNS_QUESTION_H
#define DNS_QUESTION_H

#include <mox/dns.h>
#include <mox/dns_answers.h>

#include "base/priv.h"

/* The text form of names in questions and records: lower case, no final dot, "" for the root. `out` is
 * NUL-terminated. false: no name can be written so (RFC 1035 §3.1: labels of 1 to 63 bytes, 255 on the
 * wire), or it has a NUL. */
MOX_PRIV bool mox__dns_name(struct mox_slice text, char out[MOX_DOMAIN_MAX + 1]);

/* Whether the name is the domain or below it, whatever the case. Both without final dot. */
MOX_PRIV bool mox__dns_is_within(const char *name, const char *domain);

#endif
