/* SPDX-License-Identifier: MIT */
#include "delivery/pasts.h"

#include <stdlib.h>
#include <string.h>

#include "base/ip.h"
#include "base/text.h"

#define DAY_US (INT64_C(86400) * 1000000)

static const char *domain_of(const char *address)
{
    return strchr(address, '@') + 1;
}

const char *past_org_domain(const char *domain)
{
    const char *org = domain, *end = domain + strlen(domain);
    for (int dots = 0; end > domain; end--)
        if (end[-1] == '.' && ++dots == 2)
            break;
    org = end;
    return org;
}

static bool is_address(const char *address, const char *localpart, const char *domain)
{
    size_t len = strlen(localpart);
    return strncmp(address, localpart, len) == 0 && address[len] == '@' &&
           strcmp(address + len + 1, domain) == 0;
}

static bool is_text(const char *a, const char *b)
{
    return a != NULL && strcmp(a, b) == 0;
}

static bool is_network(const char *text, unsigned width, const char *name)
{
    struct ip ip, mask;
    char out[IP_TEXT_MAX];
    if (text == NULL || !mox__ip_parse(slice_of(text), &ip))
        return false;
    mox__ip_mask(&ip, width, &mask);
    mox__ip_format(&mask, out);
    return strcmp(out, name) == 0;
}

static bool is_from(const struct past_message *m, enum mox_sender sender, const char *localpart,
                    const char *name)
{
    switch (sender) {
    case MOX_SENDER_FROM:
    case MOX_SENDER_FROM_UNPROVED:
        return m->proved == (sender == MOX_SENDER_FROM) && is_address(m->from, localpart, name);
    case MOX_SENDER_FROM_DOMAIN:
    case MOX_SENDER_FROM_DOMAIN_UNPROVED:
        return m->proved == (sender == MOX_SENDER_FROM_DOMAIN) && is_text(domain_of(m->from), name);
    case MOX_SENDER_FROM_ORG_DOMAIN:
    case MOX_SENDER_FROM_ORG_DOMAIN_UNPROVED:
        return m->proved == (sender == MOX_SENDER_FROM_ORG_DOMAIN) &&
               is_text(past_org_domain(domain_of(m->from)), name);
    case MOX_SENDER_MAIL_FROM:
        return m->mail_from != NULL && is_address(m->mail_from, localpart, name);
    case MOX_SENDER_MAIL_FROM_DOMAIN:
        return m->mail_from != NULL && is_text(domain_of(m->mail_from), name);
    case MOX_SENDER_EHLO:
        return is_text(m->ehlo, name);
    case MOX_SENDER_DKIM:
        return is_text(m->dkim, name);
    default:
        return is_network(m->ip, (unsigned)(sender - MOX_SENDER_IP1) + 1, name);
    }
}

static int compare(const void *a, const void *b)
{
    const struct mox_judged *x = a, *y = b;
    return (x->received_us < y->received_us) - (x->received_us > y->received_us);
}

static uint64_t hash_of(const char *address)
{
    uint64_t h = 0;
    for (; *address != '@'; address++)
        h = h * 31 + (uint8_t)*address;
    return h;
}

static int judged(void *user, enum mox_sender sender, const char *localpart, const char *name,
                  uint64_t origin, int64_t since_us, struct mox_judged *out, size_t max,
                  size_t *count, struct mox_error *err)
{
    struct pasts *p = user;
    struct mox_judged all[PAST_MAX];
    size_t n = 0;
    (void)err;
    p->asked++;
    for (const struct past_message *m = p->messages; m->from != NULL; m++) {
        int64_t received = p->now_us - m->days_ago * DAY_US;
        if (received < since_us || origin != (m->elsewhere ? PAST_MAILBOX + 1 : PAST_MAILBOX) ||
            !is_from(m, sender, localpart, name))
            continue;
        all[n] = (struct mox_judged){received, n, hash_of(m->from), m->junk};
        n++;
    }
    qsort(all, n, sizeof all[0], compare);
    *count = n < max ? n : max;
    memcpy(out, all, *count * sizeof all[0]);
    return p->fail;
}

static int wrote_to(void *user, enum mox_addressee addressee, const char *localpart,
                    const char *domain, int64_t *last_us, struct mox_error *err)
{
    struct pasts *p = user;
    (void)err;
    p->asked++;
    *last_us = 0;
    for (const struct past_letter *l = p->letters; l->to != NULL; l++) {
        bool is = addressee == MOX_ADDRESSEE_FULL ? is_address(l->to, localpart, domain)
                  : addressee == MOX_ADDRESSEE_DOMAIN
                      ? is_text(domain_of(l->to), domain)
                      : is_text(past_org_domain(domain_of(l->to)), domain);
        int64_t sent = p->now_us - l->days_ago * DAY_US;
        if (is && sent > *last_us)
            *last_us = sent;
    }
    return p->fail;
}

struct mox_history pasts_history(struct pasts *p)
{
    return (struct mox_history){.user = p, .judged = judged, .wrote_to = wrote_to};
}
