/* SPDX-License-Identifier: MIT */
#ifndef MOX_IPREV_H
#define MOX_IPREV_H

#include <mox/dns.h>
#include <mox/dns_answers.h>

MOX_BEGIN_DECLS

/** Results of RFC 8601 §2.7.3. */
enum mox_iprev_status { MOX_IPREV_PASS, MOX_IPREV_FAIL, MOX_IPREV_TEMPERROR, MOX_IPREV_PERMERROR };

/** "pass", "fail", "temperror", "permerror". */
MOX_API const char *mox_iprev_status_name(enum mox_iprev_status status);

/** How many names of an address are looked at. */
#define MOX_IPREV_NAMES_MAX 10

struct mox_iprev_verdict {
    enum mox_iprev_status status;
    char name[MOX_DOMAIN_MAX + 1]; /* with pass: the name that leads back to the address */
    char names[MOX_IPREV_NAMES_MAX][MOX_DOMAIN_MAX + 1]; /* all that the address claims */
    size_t name_count;
    char reason[256]; /* "" for pass */
    bool secure;
};

/** Whether a name of the address leads back to it. @param ip  text form
 *  @return MOX_OK, MOX_NEED_DNS, MOX_ENOMEM, MOX_EINVAL: no address */
MOX_API MOX_MUST_USE int mox_iprev_check(const char *ip, struct mox_dns_answers *answers,
                                         struct mox_iprev_verdict *verdict);

MOX_END_DECLS

#endif
