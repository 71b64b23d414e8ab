/* SPDX-License-Identifier: MIT */
#ifndef SERVER_SMTP_DNSBL_H
#define SERVER_SMTP_DNSBL_H

#include <mox/analysis.h>
#include <mox/dns_answers.h>
#include <mox/dnsbl.h>

struct mox_server;
struct service_endpoint;

/* Whether a list of blocked addresses works, as last found out. */
struct dnsbl_health {
    const char *zone;
    int64_t until_us; /* it is known so long */
    bool healthy;
    bool monitored; /* our own addresses are looked up in it: dnsbl_monitor.c */
};

/* What the lists of a listener say of one client. Start with zeros. */
struct smtp_dnsbl {
    const char *zone;                                /* the first that has it; NULL: none */
    char explanation[MOX_DNSBL_EXPLANATION_MAX + 1]; /* that it gives; "" */
    bool answered;                                   /* one of those that work did */
    int64_t begun_us;
};

/* Remembers the lists of all listeners, and those that are only monitored. MOX_OK, MOX_ENOMEM. */
MOX_MUST_USE int mox__dnsbl_init(struct mox_server *s);
void mox__dnsbl_free(struct mox_server *s);
/* Asks one list, and whether it works, at the same time; not one that is known not to work. MOX_OK, MOX_NEED_DNS,
 * MOX_ENOMEM. */
MOX_MUST_USE int mox__dnsbl_ask(const struct mox_server *s, struct dnsbl_health *list,
                                const char *ip, struct mox_dns_answers *answers,
                                struct mox_dnsbl_verdict *verdict);

bool mox__dnsbl_is_configured(const struct service_endpoint *e);
/* Asks all lists of the listener at once; of those that have the client the first counts. Lists that do not
 * work are passed over. MOX_OK, MOX_NEED_DNS, MOX_ENOMEM. On the loop's thread. */
MOX_MUST_USE int mox__dnsbl_run(struct smtp_dnsbl *d, const struct service_endpoint *e,
                                const char *ip, struct mox_dns_answers *answers);
/* For the analysis, once all have been asked. */
enum mox_fact_state mox__dnsbl_state(const struct smtp_dnsbl *d);

#endif
