/* SPDX-License-Identifier: MIT */
#include <mox/mailstore.h>

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

static void check_mailbox_name(struct bind *b, unsigned line, const char *name)
{
    char normal[MOX_MAILBOX_NAME_MAX + 1];
    struct mox_error err;
    if (mox_mailbox_name_check(name, normal, &err) < 0)
        mox__bind_wrong(b, line, "\"%s\" cannot be a mailbox: %s", name, err.text);
}

void mox__check_mailbox(struct bind *b, const struct sconf_node *node, void *value)
{
    const char *name = *(const char *const *)value;
    if (*name != '\0')
        check_mailbox_name(b, node->line, name);
}

static unsigned item_line(const struct sconf_node *list, size_t index)
{
    const struct sconf_node *n = list->first;
    while (index-- > 0 && n != NULL)
        n = n->next;
    return n == NULL ? list->line : n->line;
}

/* Whether one of the first `count` names is `name`. A list of a few. */
static bool has_name(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

void mox__check_mailbox_names(struct bind *b, const struct sconf_node *node, void *value)
{
    const struct mox_config_strings *names = value;
    for (size_t i = 0; i < names->count; i++) {
        if (has_name(names->items, i, names->items[i]))
            mox__bind_wrong(b, item_line(node, i), "mailbox \"%s\" is there twice; remove one",
                            names->items[i]);
        check_mailbox_name(b, item_line(node, i), names->items[i]);
        if (mox__slice_is_nocase(slice_of(names->items[i]), "inbox"))
            mox__bind_wrong(b, item_line(node, i), "Inbox is always there; remove it");
    }
}

void mox__check_ips(struct bind *b, const struct sconf_node *node, void *value)
{
    const struct mox_config_strings *ips = value;
    struct ip ip;
    for (size_t i = 0; i < ips->count; i++)
        if (!mox__ip_parse(slice_of(ips->items[i]), &ip))
            mox__bind_wrong(b, item_line(node, i), "invalid IP address \"%s\"; write it as "
                            "192.0.2.1 or 2001:db8::1, or 0.0.0.0 or :: for all", ips->items[i]);
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

static const struct sconf_node *special_use_node(const struct sconf_node *node, size_t i)
{
    static const char *const keys[] = {"Sent", "Archive", "Trash", "Draft", "Junk"};
    const struct sconf_node *n = mox__sconf_find(mox__sconf_find(node, "SpecialUse"), keys[i]);
    return n == NULL ? node : n;
}

static void check_initial_name(struct bind *b, unsigned line, const char *name)
{
    if (strchr(name, '/') != NULL)
        mox__bind_wrong(b, line, "InitialMailboxes cannot have \"%s\" below another mailbox; remove "
                        "the '/'", name);
}

void mox__check_initial_mailboxes(struct bind *b, const struct sconf_node *node, void *value)
{
    const struct mox_config_initial_mailboxes *m = value;
    const struct mox_config_special_use *use = &m->special_use;
    const char *const names[] = {use->sent, use->archive, use->trash, use->drafts, use->junk};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unsigned line = special_use_node(node, i)->line;
        check_initial_name(b, line, names[i]);
        if (mox__slice_is_nocase(slice_of(names[i]), "inbox"))
            mox__bind_wrong(b, line, "Inbox is always there and has no such role; use another name");
        if (*names[i] != '\0' && has_name(names, i, names[i]))
            mox__bind_wrong(b, line, "mailbox \"%s\" has two roles; use two mailboxes", names[i]);
    }
    const struct sconf_node *regular = mox__sconf_find(node, "Regular");
    for (size_t i = 0; i < m->regular.count; i++) {
        const char *name = m->regular.items[i];
        check_initial_name(b, item_line(regular, i), name);
        if (has_name(names, sizeof names / sizeof names[0], name))
            mox__bind_wrong(b, item_line(regular, i), "mailbox \"%s\" is also in SpecialUse; remove "
                            "it here", name);
    }
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
