/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/text.h"
#include "dns/question.h"
#include "mailauth/reverse.h"
#include "mailauth/spf_eval.h"

bool mox__spf_in_network(const struct ip *ip, const struct ip *network, unsigned bits)
{
    size_t whole = bits / 8;
    unsigned rest = bits % 8;
    if (ip->v6 != network->v6 || memcmp(ip->bytes, network->bytes, whole) != 0)
        return false;
    return rest == 0 || ((ip->bytes[whole] ^ network->bytes[whole]) >> (8 - rest)) == 0;
}

/* The addresses of a name, of the client's family (§5): SPF_MATCH if the client is in the network of one. */
static enum spf_outcome match_addresses(struct spf_eval *e, struct mox_slice name, unsigned prefix4,
                                        unsigned prefix6)
{
    const struct mox_dns_answer *answer;
    enum mox_dns_type type = e->ip.v6 ? MOX_DNS_AAAA : MOX_DNS_A;
    enum spf_outcome found = mox__spf_look_up(e, name, type, &answer);
    if (found != SPF_MATCH)
        return found;
    for (size_t i = 0; i < answer->count; i++) {
        struct ip ip = {.v6 = e->ip.v6};
        memcpy(ip.bytes, e->ip.v6 ? answer->records[i].data.aaaa : answer->records[i].data.a,
               e->ip.v6 ? 16 : 4);
        if (mox__spf_in_network(&e->ip, &ip, e->ip.v6 ? prefix6 : prefix4))
            return SPF_MATCH;
    }
    return SPF_NO_MATCH;
}

enum spf_outcome mox__spf_a(struct spf_eval *e, const struct spf_term *t, const char *target)
{
    return match_addresses(e, slice_of(target), t->prefix4, t->prefix6);
}

/* §5.4: the addresses of all hosts are asked for at once. */
enum spf_outcome mox__spf_mx(struct spf_eval *e, const struct spf_term *t, const char *target)
{
    const struct mox_dns_answer *answer;
    enum spf_outcome found = mox__spf_look_up(e, slice_of(target), MOX_DNS_MX, &answer);
    bool missing = false;
    if (found != SPF_MATCH)
        return found;
    for (size_t i = 0; i < answer->count; i++) {
        struct mox_slice host = slice_of(answer->records[i].data.mx.host);
        if (i == SPF_NAMES_MAX)
            return missing ? SPF_MISSING
                           : mox__spf_problem(e, SPF_PERMERROR, "more than %d MX records of %s",
                                              SPF_NAMES_MAX, target);
        if (host.len == 0)
            continue; /* "." says that there is no mail (RFC 7505) */
        found = match_addresses(e, host, t->prefix4, t->prefix6);
        missing = missing || found == SPF_MISSING;
        if (found != SPF_NO_MATCH && !missing)
            return found;
    }
    return missing ? SPF_MISSING : SPF_NO_MATCH;
}

enum spf_outcome mox__spf_exists(struct spf_eval *e, const char *target)
{
    const struct mox_dns_answer *answer;
    return mox__spf_look_up(e, slice_of(target), MOX_DNS_A, &answer); /* also for IPv6 (§5.7) */
}

/* ---- names of the client ---- */

static void reverse_name(const struct ip *ip, char out[80])
{
    struct buf b = buf_over(out, 80);
    mox__reverse_labels(&b, ip);
    mox__buf_text(&b, ip->v6 ? "ip6.arpa" : "in-addr.arpa");
    mox__buf_byte(&b, '\0');
}

/* §5.5: what cannot be looked up is no name, and no failure. */
static enum spf_outcome forgive(struct spf_eval *e, enum spf_outcome found)
{
    if (found != SPF_TEMPERROR)
        return found;
    e->verdict->problem[0] = '\0';
    return SPF_NO_MATCH;
}

/* The PTR records. */
static enum spf_outcome client_names(struct spf_eval *e, const struct mox_dns_answer **out)
{
    char name[80];
    reverse_name(&e->ip, name);
    return forgive(e, mox__spf_look_up(e, slice_of(name), MOX_DNS_PTR, out));
}

static size_t names_of(const struct mox_dns_answer *answer)
{
    return answer->count < SPF_NAMES_MAX ? answer->count : SPF_NAMES_MAX;
}

/* Whether the name leads back to the client. */
static enum spf_outcome leads_back(struct spf_eval *e, const char *name)
{
    return forgive(e, match_addresses(e, slice_of(name), 32, 128));
}

/* Names of other domains need no proof: they could not match. */
enum spf_outcome mox__spf_ptr(struct spf_eval *e, const char *target)
{
    const struct mox_dns_answer *answer;
    enum spf_outcome found = client_names(e, &answer);
    bool missing = false;
    if (found != SPF_MATCH)
        return found;
    for (size_t i = 0; i < names_of(answer); i++) {
        if (!mox__dns_is_within(answer->records[i].data.name, target))
            continue;
        found = leads_back(e, answer->records[i].data.name);
        missing = missing || found == SPF_MISSING;
        if (found != SPF_NO_MATCH && !missing)
            return found;
    }
    return missing ? SPF_MISSING : SPF_NO_MATCH;
}

/* How good a name is for p: lower is better. */
static unsigned rank(const char *name, const char *target)
{
    if (!mox__dns_is_within(name, target))
        return 2;
    return strlen(name) == strlen(target) ? 0 : 1;
}

enum spf_outcome mox__spf_validated(struct spf_eval *e, const char *target,
                                    char out[MOX_DOMAIN_MAX + 1])
{
    enum { NONE = 3 };
    const struct mox_dns_answer *answer;
    unsigned best = NONE;
    bool missing = false;
    (void)snprintf(out, MOX_DOMAIN_MAX + 1, "unknown");
    enum spf_outcome found = client_names(e, &answer);
    if (found != SPF_MATCH)
        return found;
    for (size_t i = 0; i < names_of(answer); i++) {
        const char *name = answer->records[i].data.name;
        found = leads_back(e, name);
        missing = missing || found == SPF_MISSING;
        if (found == SPF_PERMERROR)
            return found;
        if (found == SPF_MATCH && rank(name, target) < best) {
            best = rank(name, target);
            (void)snprintf(out, MOX_DOMAIN_MAX + 1, "%s", name);
        }
    }
    return missing ? SPF_MISSING : SPF_NO_MATCH;
}
