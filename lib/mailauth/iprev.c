/* SPDX-License-Identifier: MIT */
#include <mox/iprev.h>

#include <stdio.h>

#include "base/buf.h"
#include "base/ip.h"
#include "base/text.h"
#include "mailauth/reverse.h"

const char *mox_iprev_status_name(enum mox_iprev_status status)
{
    static const char *const names[] = {"pass", "fail", "temperror", "permerror"};
    return names[status];
}

void mox__reverse_labels(struct buf *out, const struct ip *ip)
{
    static const char digits[] = "0123456789abcdef";
    size_t len = ip->v6 ? 16 : 4;
    for (size_t i = len; i-- > 0;) {
        if (ip->v6)
            mox__buf_printf(out, "%c.%c.", digits[ip->bytes[i] & 15], digits[ip->bytes[i] >> 4]);
        else
            mox__buf_printf(out, "%u.", ip->bytes[i]);
    }
}

static int end(struct mox_iprev_verdict *v, enum mox_iprev_status status, const char *reason)
{
    v->status = status;
    (void)snprintf(v->reason, sizeof v->reason, "%s", reason);
    return MOX_OK;
}

static bool has_address(const struct mox_dns_answer *answer, const struct ip *ip)
{
    for (size_t i = 0; i < answer->count; i++)
        if (memcmp(ip->v6 ? answer->records[i].data.aaaa : answer->records[i].data.a, ip->bytes,
                   ip->v6 ? 16 : 4) == 0)
            return true;
    return false;
}

/* The names that the address claims; control bytes cannot stand in them any more. */
static void take_names(struct mox_iprev_verdict *v, const struct mox_dns_answer *answer)
{
    for (size_t i = 0; i < answer->count && v->name_count < MOX_IPREV_NAMES_MAX; i++) {
        struct mox_slice name = slice_of(answer->records[i].data.name);
        bool printable = name.len > 0 && name.len <= MOX_DOMAIN_MAX;
        for (size_t k = 0; k < name.len; k++)
            printable = printable && name.data[k] > ' ' && name.data[k] < 0x7f;
        if (printable)
            (void)snprintf(v->names[v->name_count++], MOX_DOMAIN_MAX + 1, "%s",
                           answer->records[i].data.name);
    }
}

/* All names at once. */
static int look_forward(struct mox_iprev_verdict *v, const struct ip *ip,
                        struct mox_dns_answers *answers)
{
    const struct mox_dns_answer *answer;
    bool missing = false, temporary = false;
    const char *found = NULL;
    for (size_t i = 0; i < v->name_count; i++) {
        int rc =
            mox_dns_ask(answers, slice_of(v->names[i]), ip->v6 ? MOX_DNS_AAAA : MOX_DNS_A, &answer);
        if (rc == MOX_ENOMEM)
            return rc;
        missing = missing || rc == MOX_NEED_DNS;
        if (rc != MOX_OK)
            continue;
        v->secure = v->secure && answer->secure;
        temporary = temporary || mox_dns_is_temporary(answer->status);
        if (found == NULL && has_address(answer, ip))
            found = v->names[i];
    }
    if (missing)
        return MOX_NEED_DNS;
    if (found != NULL) {
        (void)snprintf(v->name, sizeof v->name, "%s", found);
        return end(v, MOX_IPREV_PASS, "");
    }
    if (temporary)
        return end(v, MOX_IPREV_TEMPERROR, "a name of the address cannot be looked up");
    return end(v, MOX_IPREV_FAIL, "no name of the address leads back to it");
}

int mox_iprev_check(const char *text, struct mox_dns_answers *answers,
                    struct mox_iprev_verdict *verdict)
{
    char name[80];
    struct buf b = buf_over(name, sizeof name);
    const struct mox_dns_answer *answer;
    struct ip ip;
    *verdict = (struct mox_iprev_verdict){.status = MOX_IPREV_PERMERROR, .secure = true};
    if (!mox__ip_parse(slice_of(text), &ip))
        return MOX_EINVAL;
    mox__reverse_labels(&b, &ip);
    mox__buf_text(&b, ip.v6 ? "ip6.arpa" : "in-addr.arpa");
    int rc = mox_dns_ask(answers, slice(b.data, b.len), MOX_DNS_PTR, &answer);
    if (rc == MOX_ELIMIT)
        return end(verdict, MOX_IPREV_PERMERROR, "too many names are looked up for this message");
    if (rc != MOX_OK)
        return rc;
    verdict->secure = answer->secure;
    if (mox_dns_is_temporary(answer->status))
        return end(verdict, MOX_IPREV_TEMPERROR, "the address's names cannot be looked up");
    take_names(verdict, answer);
    if (verdict->name_count == 0)
        return end(verdict, MOX_IPREV_PERMERROR, "the address has no name");
    return look_forward(verdict, &ip, answers);
}
