/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/ip.h"
#include "base/text.h"
#include "config/domain.h"
#include "config/tables.h"

#define PACKAGE_NAME_MAX 31 /* what the logger keeps */

void mox__check_hostname(struct bind *b, const struct sconf_node *node, void *value)
{
    const char *name = *(const char *const *)value;
    char normal[DOMAIN_NAME_MAX + 1];
    const char *problem = *name == '\0' ? NULL : mox__config_domain(slice_of(name), normal);
    if (problem != NULL)
        mox__bind_wrong(b, node->line, "host name \"%s\" %s", name, problem);
    else if (*name != '\0' && strcmp(name, normal) != 0)
        mox__bind_wrong(b, node->line, "host name \"%s\" is not in its normal form; write \"%s\"",
                        name, normal);
}

void mox__check_forward(struct bind *b, const struct sconf_node *node, void *value)
{
    const char *text = *(const char *const *)value;
    struct ip ip;
    uint16_t port;
    if (*text != '\0' && !mox__ip_port_parse(slice_of(text), &ip, &port))
        mox__bind_wrong(b, node->line,
                        "\"%s\" is no address; write it as 192.0.2.53, 192.0.2.53:5353 or "
                        "[2001:db8::53]:5353", text);
}

void mox__check_ips(struct bind *b, const struct sconf_node *node, void *value)
{
    const struct mox_config_strings *ips = value;
    struct ip ip;
    for (size_t i = 0; i < ips->count; i++)
        if (!mox__ip_parse(slice_of(ips->items[i]), &ip))
            mox__bind_wrong(b, mox__bind_item_line(node, i),
                            "invalid IP address \"%s\"; write it as "
                            "192.0.2.1 or 2001:db8::1, or 0.0.0.0 or :: for all",
                            ips->items[i]);
}

/* Such as others can send to. */
void mox__check_nat_ips(struct bind *b, const struct sconf_node *node, void *value)
{
    const struct mox_config_strings *ips = value;
    struct ip ip;
    for (size_t i = 0; i < ips->count; i++)
        if (!mox__ip_parse(slice_of(ips->items[i]), &ip) || !mox__ip_is_public(&ip))
            mox__bind_wrong(b, mox__bind_item_line(node, i),
                            "\"%s\" is no public IP address; write it as 192.0.2.1 or 2001:db8::1",
                            ips->items[i]);
}

/* Names are looked up below it, so it is kept as it goes over the wire. */
void mox__check_zones(struct bind *b, const struct sconf_node *node, void *value)
{
    struct mox_config_strings *zones = value;
    struct mox_domain zone;
    for (size_t i = 0; i < zones->count; i++) {
        if (mox_domain_parse(&zone, slice_of(zones->items[i]), MOX_DOMAIN_UNDERSCORES) < 0) {
            mox__bind_wrong(b, mox__bind_item_line(node, i),
                            "zone \"%s\" is not a domain name; write "
                            "it as bl.example.org",
                            zones->items[i]);
            continue;
        }
        const char *copy = mox__arena_strndup(b->arena, zone.ascii, strlen(zone.ascii));
        b->no_memory = b->no_memory || copy == NULL;
        if (copy != NULL)
            zones->items[i] = copy;
    }
}

void mox__check_package(struct bind *b, const struct sconf_node *node, void *value)
{
    (void)value;
    for (const struct sconf_node *n = node->first; n != NULL; n = n->next)
        if (n->key.len > PACKAGE_NAME_MAX)
            mox__bind_wrong(b, n->line, "the name of the package is longer than %d bytes",
                            PACKAGE_NAME_MAX);
}

void mox__check_message_size(struct bind *b, const struct sconf_node *node, void *value)
{
    if (*(const int64_t *)value < 0)
        mox__bind_wrong(b, node->line, "SMTPMaxMessageSize must not be negative");
}

void mox__check_quota(struct bind *b, const struct sconf_node *node, void *value)
{
    if (*(const int64_t *)value < 0)
        mox__bind_wrong(b, node->line,
                        "QuotaMessageSize must not be negative; write 0 for no limit");
}

/* RFC 5321 §4.5.3.2: clients wait for five minutes at least. */
#define DELAY_MAX_US (INT64_C(120) * 1000000)

void mox__check_delay(struct bind *b, const struct sconf_node *node, void *value)
{
    int64_t us = *(const int64_t *)value;
    if (us < 0 || us > DELAY_MAX_US)
        mox__bind_wrong(b, node->line, "a delay is from 0s to 2m, so that no client gives up");
}

void mox__check_tls(struct bind *b, const struct sconf_node *node, void *value)
{
    const struct mox_config_tls *tls = value;
    if (tls->key_certs.count == 0)
        mox__bind_wrong(b, node->line, "TLS has no certificate; add KeyCerts");
}

struct service {
    const char *name;
    bool enabled, needs_tls;
    uint16_t port;
};

#define SERVICES 5

static void list_services(const struct mox_config_listener *l, struct service out[SERVICES])
{
    out[0] = (struct service){"SMTP (or set its NoSTARTTLS)", l->smtp.enabled,
                              !l->smtp.no_starttls, l->smtp.port};
    out[1] = (struct service){"Submission (or set its NoRequireSTARTTLS)", l->submission.enabled,
                              !l->submission.no_require_starttls, l->submission.port};
    out[2] = (struct service){"Submissions", l->submissions.enabled, true, l->submissions.port};
    out[3] = (struct service){"IMAP (or set its NoRequireSTARTTLS)", l->imap.enabled,
                              !l->imap.no_require_starttls, l->imap.port};
    out[4] = (struct service){"IMAPS", l->imaps.enabled, true, l->imaps.port};
}

static void check_tls_needed(struct bind *b, const struct sconf_node *node,
                             const struct service services[SERVICES])
{
    char names[256] = "";
    size_t len = 0;
    for (size_t i = 0; i < SERVICES; i++)
        if (services[i].enabled && services[i].needs_tls)
            len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", len > 0 ? ", " : "",
                                    services[i].name);
    if (len > 0)
        mox__bind_wrong(b, node->line, "no TLS, but it is needed for %s; add TLS with KeyCerts",
                        names);
}

static void check_ports(struct bind *b, const struct sconf_node *node,
                        const struct service services[SERVICES])
{
    for (size_t i = 1; i < SERVICES; i++)
        for (size_t k = 0; k < i; k++)
            if (services[i].enabled && services[k].enabled && services[i].port == services[k].port)
                mox__bind_wrong(b, node->line, "two services on port %u; give each its own Port",
                                services[i].port);
}

void mox__check_listener(struct bind *b, const struct sconf_node *node, void *value)
{
    struct mox_config_listener *l = value;
    struct service services[SERVICES];
    list_services(l, services);
    if (l->tls == NULL)
        check_tls_needed(b, node, services);
    check_ports(b, node, services);
    if (l->smtp.no_starttls && l->smtp.require_starttls)
        mox__bind_wrong(b, mox__bind_line(node, "SMTP"),
                        "NoSTARTTLS and RequireSTARTTLS exclude each other; remove one");
    if (mox__sconf_find(node, "IPs") != NULL && l->ips.count == 0)
        mox__bind_wrong(b, node->line, "no IPs; add at least one");
}

void mox__check_static(struct bind *b, const struct sconf_node *node, void *value)
{
    const struct mox_config_static *mox = value;
    if (mox->initial_mailboxes != NULL && mox->default_mailboxes.count > 0)
        mox__bind_wrong(b, mox__bind_line(node, "InitialMailboxes"),
                        "InitialMailboxes and DefaultMailboxes exclude each other; remove one");
    if (*mox->data_dir == '\0' && mox__sconf_find(node, "DataDir") != NULL)
        mox__bind_wrong(b, mox__bind_line(node, "DataDir"), "DataDir is empty; name a folder");
    if (*mox->hostname == '\0' && mox__sconf_find(node, "Hostname") != NULL)
        mox__bind_wrong(b, mox__bind_line(node, "Hostname"),
                        "Hostname is empty; write the full name of this machine");
}
