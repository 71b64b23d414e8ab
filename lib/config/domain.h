/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_DOMAIN_H
#define CONFIG_DOMAIN_H

#include <mox/config.h>
#include <mox/dns.h>

#define DOMAIN_NAME_MAX MOX_DOMAIN_UNICODE_MAX
#define LOCALPART_CANONICAL_MAX 512 /* 128 bytes decoded, which may grow in lower case */

/* The form in which names stand in the configuration: Unicode, if they have one. NULL, or what is wrong with `in`. */
const char *mox__config_domain(struct mox_slice in, char out[DOMAIN_NAME_MAX + 1]);

/* The local part by which an address is found: lower case, cut at the domain's separators. False
 * when it is too long or not UTF-8. */
bool mox__config_localpart(const struct mox_config_domain *domain, struct mox_slice in,
                           char out[LOCALPART_CANONICAL_MAX + 1]);

/* The same, but not cut. */
bool mox__config_localpart_whole(const struct mox_config_domain *domain, struct mox_slice in,
                                 char out[LOCALPART_CANONICAL_MAX + 1]);

/* Splits `local@domain` at its last '@', and takes the quotes off the local part. `out` receives the
 * decoded local part, if there were quotes. Without an @ the domain is empty. False for a
 * local part over 128 bytes. */
#define LOCALPART_MAX 128
bool mox__config_split(struct mox_slice address, char out[LOCALPART_MAX],
                       struct mox_slice *localpart, struct mox_slice *domain);

#endif
