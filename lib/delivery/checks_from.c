/* SPDX-License-Identifier: MIT */
#include "delivery/checks.h"

#include <mox/address.h>
#include <mox/header.h>

#include "base/text.h"

/* Longer than any address that mail could be answered to: RFC 5321 §4.5.3.1.1 has 64 bytes. */
#define LOCALPART_MAX 512

/* The one From field; one that is there twice shows one sender to DMARC and another to people (RFC 7489
 * §6.6.1), so there is none. */
static bool find_from(struct mox_slice content, struct mox_slice *value)
{
    struct mox_header_field field;
    size_t at = 0, count = 0;
    while (mox_header_next(content, &at, &field))
        if (mox__slice_is_nocase(field.name, "From")) {
            *value = field.value;
            count++;
        }
    return count == 1;
}

/* The one address of a list. What has no domain is none, as what stands before the comma of an unquoted
 * `Doe, Jane <jane@sender.example>`. */
static const struct mox_address *only_address(const struct mox_address_list *list)
{
    const struct mox_address *found = NULL;
    for (size_t i = 0; i < mox_address_list_count(list); i++) {
        const struct mox_address *a = mox_address_list_at(list, i);
        if (a->kind != MOX_ADDRESS_MAILBOX || a->host.len == 0)
            continue;
        if (found != NULL)
            return NULL;
        found = a;
    }
    return found;
}

/* "" for what nobody has: it is no reason to leave its domain unasked, which people are shown beside it. */
static struct mox_slice usable_localpart(const struct mox_address *a)
{
    const struct mox_slice l = a->mailbox;
    if (l.len == 0 || l.len > LOCALPART_MAX || memchr(l.data, '\0', l.len) != NULL)
        return slice("", 0);
    return l;
}

static int take_address(struct mox_checks *c, const struct mox_address *a)
{
    const struct mox_slice local = usable_localpart(a);
    struct mox_domain domain;
    struct mox_checks_verdict *v = &c->verdict;
    struct mox_slice host = a->host;
    char *org = arena_new(&c->arena, char, MOX_DOMAIN_MAX + 1);
    if (host.len > 0 && host.data[host.len - 1] == '.')
        host.len--; /* not a domain of RFC 5322, and the same name to who looks it up */
    int rc = mox_domain_parse(&domain, host, MOX_DOMAIN_UNDERSCORES);
    if (rc == MOX_ENOMEM || org == NULL)
        return MOX_ENOMEM;
    if (rc < 0)
        return MOX_OK; /* a literal, or no name at all */
    c->query.org_domain(c->query.org_domain_user, domain.ascii, org);
    const char *localpart = mox__arena_strndup(&c->arena, local.data, local.len);
    const char *ascii = mox__arena_strndup(&c->arena, domain.ascii, strlen(domain.ascii));
    if (localpart == NULL || ascii == NULL)
        return MOX_ENOMEM;
    v->from_localpart = localpart;
    v->from_domain = ascii;
    v->from_org_domain = org;
    return MOX_OK;
}

int mox__checks_from(struct mox_checks *c, struct mox_slice content)
{
    struct mox_slice value;
    struct mox_address_list *list;
    c->verdict.from_localpart = c->verdict.from_domain = c->verdict.from_org_domain = "";
    if (!find_from(content, &value))
        return MOX_OK;
    int rc = mox_address_list_parse(&list, &c->env, value);
    if (rc < 0)
        return rc;
    const struct mox_address *a = only_address(list);
    if (a != NULL)
        rc = take_address(c, a);
    mox_address_list_free(list);
    return rc;
}
