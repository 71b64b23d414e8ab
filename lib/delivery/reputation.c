/* SPDX-License-Identifier: MIT */
#include "delivery/reputation.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include <mox/dns.h>

#include "base/text.h"

/* What is known best comes first: one message of the very address says more than fifty of its network. */
static const struct step steps[] = {
    {MOX_REPUTATION_MSGFROMFULL, MOX_ADDRESSEE_FULL, mox__look_from},
    {MOX_REPUTATION_MSGTOFULL, MOX_ADDRESSEE_FULL, mox__look_written_to},
    {MOX_REPUTATION_MSGFROMDOMAIN, MOX_ADDRESSEE_DOMAIN, mox__look_from},
    {MOX_REPUTATION_MSGTODOMAIN, MOX_ADDRESSEE_DOMAIN, mox__look_written_to},
    {MOX_REPUTATION_MSGFROMORGDOMAIN, MOX_ADDRESSEE_ORG_DOMAIN, mox__look_from},
    {MOX_REPUTATION_MSGTOORGDOMAIN, MOX_ADDRESSEE_ORG_DOMAIN, mox__look_written_to},
    {MOX_REPUTATION_DKIMSPF, 0, mox__look_vouched},
    {MOX_REPUTATION_IP1, 0, mox__look_network},
    {MOX_REPUTATION_IP2, 0, mox__look_network},
    {MOX_REPUTATION_IP3, 0, mox__look_network},
};

const char *mox_reputation_method_name(enum mox_reputation_method method)
{
    static const char *const names[] = {
        [MOX_REPUTATION_MSGFROMFULL] = "msgfromfull",
        [MOX_REPUTATION_MSGTOFULL] = "msgtofull",
        [MOX_REPUTATION_MSGFROMDOMAIN] = "msgfromdomain",
        [MOX_REPUTATION_MSGTODOMAIN] = "msgtodomain",
        [MOX_REPUTATION_MSGFROMORGDOMAIN] = "msgfromorgdomain",
        [MOX_REPUTATION_MSGTOORGDOMAIN] = "msgtoorgdomain",
        [MOX_REPUTATION_DKIMSPF] = "dkimspf",
        [MOX_REPUTATION_IP1] = "ip1",
        [MOX_REPUTATION_IP2] = "ip2",
        [MOX_REPUTATION_IP3] = "ip3",
        [MOX_REPUTATION_NONE] = "none",
    };
    return (unsigned)method < MOX_REPUTATION_METHODS ? names[method] : "none";
}

const char *mox_leaning_name(enum mox_leaning leaning)
{
    return leaning == MOX_LEANING_NOTJUNK ? "notjunk"
           : leaning == MOX_LEANING_JUNK  ? "junk"
                                          : "unknown";
}

struct shown mox__domain_shown(const char *domain)
{
    struct shown shown;
    struct mox_domain parsed;
    if (!mox__slice_is_ascii(slice_of(domain)) &&
        mox_domain_parse(&parsed, slice_of(domain), MOX_DOMAIN_UNDERSCORES) == MOX_OK)
        domain = parsed.ascii;
    (void)snprintf(shown.text, sizeof shown.text, "%.99s", domain);
    return shown;
}

int mox__past_find(struct lookup *l, enum mox_sender sender, const char *localpart,
                   const char *name, int64_t age_us, size_t max, struct past *past)
{
    const struct mox_history *h = l->history;
    past->count = past->junk = 0;
    assert(max <= JUDGED_MAX);
    if (l->query->mailbox == 0 || name[0] == '\0')
        return MOX_OK;
    int rc = h->judged(h->user, sender, localpart, name, l->query->mailbox,
                       l->query->now_us - age_us, past->messages, max, &past->count, l->err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < past->count; i++)
        past->junk += past->messages[i].junk;
    return MOX_OK;
}

int mox__step_note(struct lookup *l, const struct step *step, const struct past *past,
                   const char *format, ...)
{
    assert(l->out->step_count < MOX_REPUTATION_METHODS);
    struct mox_reputation_step *s = &l->out->steps[l->out->step_count++];
    va_list args;
    s->method = step->method;
    s->junk = (unsigned)past->junk;
    s->notjunk = (unsigned)(past->count - past->junk);
    va_start(args, format);
    (void)vsnprintf(s->text, sizeof s->text, format, args);
    va_end(args);
    for (char *p = s->text; *p != '\0'; p++)
        *p = *p >= ' ' && *p <= '~' ? *p : '?';
    return FOUND_NOTHING;
}

int mox__step_decide(struct lookup *l, enum mox_leaning leaning, bool conclusive)
{
    struct mox_reputation_step *s = &l->out->steps[l->out->step_count - 1];
    s->decided = true;
    l->out->method = s->method;
    l->out->leaning = leaning;
    l->out->conclusive = conclusive;
    return FOUND;
}

void mox_reputation_query_init(struct mox_reputation_query *query)
{
    *query = (struct mox_reputation_query){.size = sizeof *query,
                                           .from_localpart = "",
                                           .from_domain = "",
                                           .from_org_domain = "",
                                           .mail_from_localpart = "",
                                           .mail_from_domain = "",
                                           .ehlo_domain = "",
                                           .ip = ""};
}

static int look(struct mox_reputation *out, const struct mox_reputation_query *query,
                const struct mox_history *history, struct mox_error *err)
{
    struct lookup l = {query, history, out, err};
    int rc = FOUND_NOTHING;
    *out = (struct mox_reputation){.method = MOX_REPUTATION_NONE};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && rc == FOUND_NOTHING; i++)
        rc = steps[i].look(&l, &steps[i]);
    return rc < 0 ? rc : MOX_OK;
}

int mox_reputation_find(struct mox_reputation *out, const struct mox_reputation_query *query,
                        const struct mox_history *history, struct mox_error *err)
{
    int rc = look(out, query, history, err);
    if (rc == MOX_OK && history->moved != NULL && history->moved(history->user))
        rc = look(out, query, history, err);
    return rc;
}
