/* SPDX-License-Identifier: MIT */
#include "delivery/checks.h"

#include "base/buf.h"
#include "base/text.h"
#include "message/address.h"

/* Longer than any address that mail could be answered to: RFC 5321 §4.5.3.1.1 has 64 bytes. */
#define LOCALPART_MAX 512

/* "" for what nobody has: it is no reason to leave its domain unasked, which people are shown beside it. */
static struct mox_slice usable_localpart(struct mox_slice l)
{
    if (l.len == 0 || l.len > LOCALPART_MAX || memchr(l.data, '\0', l.len) != NULL)
        return slice("", 0);
    return l;
}

static int take_address(struct mox_checks *c, struct mox_slice localpart_as_written,
                        struct mox_slice host)
{
    const struct mox_slice local = usable_localpart(localpart_as_written);
    struct mox_domain domain;
    struct mox_checks_verdict *v = &c->verdict;
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

/* A From that is there twice shows one sender to DMARC and another to people (RFC 7489 §6.6.1), so there is none. */
int mox__checks_from(struct mox_checks *c, struct mox_slice content)
{
    struct buf localpart, host;
    int rc = MOX_OK;
    c->verdict.from_localpart = c->verdict.from_domain = c->verdict.from_org_domain = "";
    mox__buf_init(&localpart, &c->env, content.len);
    mox__buf_init(&host, &c->env, content.len);
    enum from_status status = mox__address_from(&c->env, content, &localpart, &host);
    if (status == FROM_NOMEM)
        rc = MOX_ENOMEM;
    else if (status == FROM_ONE || (status == FROM_MALFORMED && host.len > 0))
        rc = take_address(c, slice(localpart.data, localpart.len), slice(host.data, host.len));
    mox__buf_free(&host);
    mox__buf_free(&localpart);
    return rc;
}
