/* SPDX-License-Identifier: MIT */
#ifndef MOX_DNSBL_H
#define MOX_DNSBL_H

#include <mox/dns.h>
#include <mox/dns_answers.h>

MOX_BEGIN_DECLS

/** What a list of addresses in the DNS (RFC 5782) says of one. */
enum mox_dnsbl_status {
    MOX_DNSBL_PASS,     /* not listed */
    MOX_DNSBL_FAIL,     /* listed */
    MOX_DNSBL_TEMPERROR /* no answer, or one of those that mean a mistake: to be taken for not listed */
};

/** "pass", "fail", "temperror". */
MOX_API const char *mox_dnsbl_status_name(enum mox_dnsbl_status status);

#define MOX_DNSBL_EXPLANATION_MAX 500

struct mox_dnsbl_verdict {
    enum mox_dnsbl_status status;
    uint8_t code[4]; /* with fail: the first address of 127.0.0.0/8 that was answered */
    /** With fail, what the list says about it, several texts with "; " between: printable ASCII, "" for
     *  nothing. With temperror, what went wrong. */
    char explanation[MOX_DNSBL_EXPLANATION_MAX + 1];
    bool secure;
};

/**
 * Whether a list has an address. Only answers in 127.0.0.0/8 list one (RFC 5782 §2.1): a zone that was
 * abandoned often answers with others, to every question. 127.255.255.0/24 tells who asks that he asked
 * wrongly, or too often.
 *
 * @param zone  of the list, ASCII: "bl.example.org"
 * @param ip    text form
 * @return MOX_OK, MOX_NEED_DNS, MOX_ENOMEM; MOX_EINVAL: no address
 */
MOX_API MOX_MUST_USE int mox_dnsbl_check(const char *zone, const char *ip,
                                         struct mox_dns_answers *answers,
                                         struct mox_dnsbl_verdict *verdict);

struct mox_dnsbl_health {
    bool healthy;     /* also when it could not be found out */
    bool temporary;   /* it could not */
    char reason[256]; /* why it is not healthy, or not known to be; else "" */
};

/** Whether a list works: 127.0.0.2 must be listed and 127.0.0.1 must not (RFC 5782 §5). To be asked before a
 *  list is used, from time to time. @return MOX_OK, MOX_NEED_DNS, MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_dnsbl_check_health(const char *zone, struct mox_dns_answers *answers,
                                                struct mox_dnsbl_health *health);

MOX_END_DECLS

#endif
