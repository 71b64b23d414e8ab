/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "server/explain.h"

/* An address, a domain alone, or "" for neither. */
static void put_address(struct outline *o, const char *key, const char *localpart,
                        const char *domain)
{
    char text[1024];
    if (domain == NULL || *domain == '\0')
        (void)snprintf(text, sizeof text, "%s", localpart == NULL ? "" : localpart);
    else
        (void)snprintf(text, sizeof text, "%s@%s", localpart == NULL ? "" : localpart, domain);
    mox__outline_text(o, key, text);
}

static void put_kinds(struct outline *o, const struct mox_delivery_facts *f)
{
    const struct {
        bool is;
        const char *name;
    } kinds[] = {{f->is_reject, "reject"},
                 {f->is_intro, "first message"},
                 {f->is_forward, "forward"},
                 {f->is_mailing_list, "mailing list"},
                 {f->dsn, "delivery status notification"},
                 {f->requiretls, "requires TLS"}};
    mox__outline_list(o, "kinds");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].is)
            mox__outline_item(o, kinds[i].name);
    mox__outline_close(o);
}

static void put_sender(struct outline *o, const struct mox_delivery_facts *f)
{
    mox__outline_text(o, "remote_ip", f->remote_ip);
    mox__outline_text(o, "ehlo", f->ehlo_domain);
    mox__outline_text(o, "ehlo_validation", mox__validation_name(f->ehlo_validation));
    put_address(o, "mail_from", f->mail_from_localpart, f->mail_from_domain);
    mox__outline_text(o, "mail_from_validation", mox__validation_name(f->mail_from_validation));
    put_address(o, "from", f->msg_from_localpart, f->msg_from_domain);
    mox__outline_text(o, "from_org_domain", f->msg_from_org_domain);
    mox__outline_text(o, "from_validation", mox__validation_name(f->msg_from_validation));
    mox__outline_list(o, "dkim_domains");
    for (size_t i = 0; i < f->dkim_domain_count; i++)
        mox__outline_item(o, f->dkim_domains[i]);
    mox__outline_close(o);
    mox__outline_text(o, "tls", f->tls_version);
}

void mox__explain_arrival(struct outline *o, const struct mox_account_facts *facts)
{
    const struct mox_delivery_facts *f = &facts->arrival;
    mox__outline_group(o, "arrival");
    mox__outline_time(o, "received", facts->received_us);
    mox__outline_bool(o, "over_smtp", facts->over_smtp);
    mox__outline_text(o, "counts_for", facts->origin);
    if (facts->over_smtp) {
        put_sender(o, f);
        put_address(o, "recipient", f->rcpt_to_localpart, f->rcpt_to_domain);
        put_kinds(o, f);
        mox__outline_text(o, "destined", f->destined_mailbox);
    }
    mox__outline_close(o);
}
