/* SPDX-License-Identifier: MIT */
#include <mox/dnsbl.h>

#include <stdio.h>

#include "base/text.h"
#include "mailauth/printable.h"
#include "mailauth/reverse.h"

/* 32 nibbles with their dots, and the zone. What is too long for a name does not exist. */
#define NAME_MAX_BYTES (64 + MOX_DOMAIN_MAX)

const char *mox_dnsbl_status_name(enum mox_dnsbl_status status)
{
    static const char *const names[] = {"pass", "fail", "temperror"};
    return names[status];
}

static int failed(struct mox_dnsbl_verdict *v, const char *what, const char *why)
{
    v->status = MOX_DNSBL_TEMPERROR;
    (void)snprintf(v->explanation, sizeof v->explanation, "%s%s", what, why);
    return MOX_OK;
}

static bool is_listing(const uint8_t a[4])
{
    return a[0] == 127 && !(a[1] == 255 && a[2] == 255);
}

static bool is_complaint(const uint8_t a[4])
{
    return a[0] == 127 && a[1] == 255 && a[2] == 255;
}

/* All texts; one that does not fit any more is cut. */
static void explain(struct mox_dnsbl_verdict *v, const struct mox_dns_answer *texts)
{
    size_t used = 0;
    for (size_t i = 0; i < texts->count && used + 3 < sizeof v->explanation; i++) {
        if (used > 0) {
            memcpy(v->explanation + used, "; ", 2);
            used += 2;
        }
        mox__printable(v->explanation + used, sizeof v->explanation - used,
                       texts->records[i].data.txt);
        used += strlen(v->explanation + used);
    }
}

static void read_addresses(struct mox_dnsbl_verdict *v, const struct mox_dns_answer *addresses)
{
    for (size_t i = 0; i < addresses->count; i++) {
        const uint8_t *a = addresses->records[i].data.a;
        if (is_listing(a)) {
            v->status = MOX_DNSBL_FAIL;
            memcpy(v->code, a, sizeof v->code);
            return;
        }
        if (is_complaint(a))
            (void)failed(v, "the list answers that it was asked wrongly or too often", "");
    }
}

int mox_dnsbl_check(const char *zone, const char *text, struct mox_dns_answers *answers,
                    struct mox_dnsbl_verdict *verdict)
{
    const struct mox_dns_answer *addresses, *texts;
    char name[NAME_MAX_BYTES + 1];
    struct buf b = buf_over(name, sizeof name);
    struct ip ip;
    *verdict = (struct mox_dnsbl_verdict){.status = MOX_DNSBL_PASS};
    if (!mox__ip_parse(slice_of(text), &ip))
        return MOX_EINVAL;
    mox__reverse_labels(&b, &ip);
    mox__buf_text(&b, zone);
    if (b.failed)
        return failed(verdict, "the name of the list is too long", "");
    /* Both at once: the texts of most addresses are never needed, but then nobody waits for them. */
    int rc = mox_dns_ask(answers, slice(b.data, b.len), MOX_DNS_A, &addresses);
    int texts_rc = mox_dns_ask(answers, slice(b.data, b.len), MOX_DNS_TXT, &texts);
    if (rc == MOX_ELIMIT)
        return failed(verdict, "too many names are looked up for this message", "");
    if (rc == MOX_ENOMEM || texts_rc == MOX_ENOMEM)
        return MOX_ENOMEM;
    if (rc != MOX_OK)
        return rc;
    verdict->secure = addresses->secure;
    if (mox_dns_is_temporary(addresses->status))
        return failed(verdict,
                      "the list does not answer: ", mox_dns_status_name(addresses->status));
    read_addresses(verdict, addresses);
    if (verdict->status != MOX_DNSBL_FAIL)
        return MOX_OK;
    if (texts_rc == MOX_NEED_DNS)
        return texts_rc;
    verdict->explanation[0] = '\0'; /* of a complaint beside the listing */
    if (texts_rc == MOX_OK)
        explain(verdict, texts);
    return MOX_OK;
}

static int is_sick(struct mox_dnsbl_health *h, const char *reason)
{
    h->healthy = false;
    (void)snprintf(h->reason, sizeof h->reason, "%s", reason);
    return MOX_OK;
}

int mox_dnsbl_check_health(const char *zone, struct mox_dns_answers *answers,
                           struct mox_dnsbl_health *health)
{
    struct mox_dnsbl_verdict absent, present;
    *health = (struct mox_dnsbl_health){.healthy = true};
    int absent_rc = mox_dnsbl_check(zone, "127.0.0.1", answers, &absent);
    int present_rc = mox_dnsbl_check(zone, "127.0.0.2", answers, &present);
    if (absent_rc < 0 || present_rc < 0)
        return absent_rc < 0 ? absent_rc : present_rc;
    if (absent_rc != MOX_OK || present_rc != MOX_OK)
        return MOX_NEED_DNS;
    if (absent.status == MOX_DNSBL_FAIL)
        return is_sick(health, "127.0.0.1 is listed: it lists everybody");
    if (present.status == MOX_DNSBL_PASS)
        return is_sick(health, "127.0.0.2 is not listed: it lists nobody");
    if (absent.status == MOX_DNSBL_TEMPERROR || present.status == MOX_DNSBL_TEMPERROR) {
        health->temporary = true;
        (void)snprintf(health->reason, sizeof health->reason, "%.255s",
                       absent.status == MOX_DNSBL_TEMPERROR ? absent.explanation
                                                            : present.explanation);
    }
    return MOX_OK;
}
