/* SPDX-License-Identifier: MIT */
#include "delivery/judged.h"

#include <assert.h>
#include <string.h>

void judged_stranger(struct judged *j)
{
    memset(j, 0, sizeof *j);
    j->iprev.status = MOX_IPREV_PASS;
    j->checks = (struct mox_checks_verdict){.iprev = &j->iprev,
                                            .spf = &j->spf,
                                            .arc = &j->arc,
                                            .dmarc = &j->dmarc,
                                            .from_localpart = "jane",
                                            .from_domain = "sender.example",
                                            .from_org_domain = "sender.example",
                                            .from = MOX_VALIDATION_NONE,
                                            .mail_from = MOX_VALIDATION_NONE,
                                            .dkim_domains = j->dkim_domains};
    j->spf.identity = MOX_SPF_IDENTITY_MAILFROM;
    mox_analysis_facts_init(&j->facts);
    j->facts.checks = &j->checks;
    j->facts.tls = j->facts.recipient_in_header = true;
    j->facts.has_junk_filter = true;
    j->facts.threshold = 0.95;
    j->facts.reputation_state = MOX_FACT_FOUND;
    j->facts.reputation.method = MOX_REPUTATION_NONE;
    j->facts.subjectpass = MOX_FACT_ABSENT;
    j->facts.junk_state = MOX_FACT_FOUND;
    j->facts.junk.probability = 0.1;
    j->facts.junk.hams = j->facts.junk.spams = 1000;
    j->facts.dnsbl = MOX_FACT_ABSENT;
}

static void note(struct judged *j, const char *what)
{
    if (j->asked[0] != '\0')
        strcat(j->asked, " ");
    strcat(j->asked, what);
}

/* Exactly what is wanted goes over. */
static void answer(struct judged *j, struct mox_analysis_facts *known)
{
    const struct mox_analysis_facts *all = &j->facts;
    const unsigned wants = j->analysis.wants;
    assert(wants != 0);
    if (wants & MOX_ANALYSIS_REPUTATION) {
        assert(known->reputation_state == MOX_FACT_UNKNOWN);
        known->reputation_state = all->reputation_state;
        known->reputation = all->reputation;
        note(j, "reputation");
    }
    if (wants & MOX_ANALYSIS_SUBJECTPASS) {
        assert(known->subjectpass == MOX_FACT_UNKNOWN);
        known->subjectpass = all->subjectpass;
        note(j, "subjectpass");
    }
    if (wants & MOX_ANALYSIS_JUNK) {
        assert(known->junk_state == MOX_FACT_UNKNOWN);
        known->junk_state = all->junk_state;
        known->junk_open_failed = all->junk_open_failed;
        known->junk = all->junk;
        note(j, "junk");
    }
    if (wants & MOX_ANALYSIS_DNSBL) {
        assert(known->dnsbl == MOX_FACT_UNKNOWN);
        known->dnsbl = all->dnsbl;
        known->dnsbl_zone = all->dnsbl_zone;
        note(j, "dnsbl");
    }
}

void judged_run(struct judged *j)
{
    struct mox_analysis_facts known = j->facts;
    known.reputation_state = known.subjectpass = known.junk_state = known.dnsbl = MOX_FACT_UNKNOWN;
    memset(&known.reputation, 0, sizeof known.reputation);
    memset(&known.junk, 0, sizeof known.junk);
    known.junk_open_failed = false;
    known.dnsbl_zone = "";
    for (j->rounds = 1; mox_analyze(&known, &j->analysis) == MOX_NEED_FACTS; j->rounds++) {
        assert(j->rounds < MOX_ANALYSIS_ROUNDS_MAX);
        answer(j, &known);
    }
}
