/* SPDX-License-Identifier: MIT */
#include "delivery/analysis.h"

#include "base/buf.h"

/* Rules about what is in a message whose sender is not known well enough. */

/* This far below the threshold a person may be asked to try again. */
#define TOKEN_DISTANCE 0.2
/* Words that are named in a rule's text: more would not fit. */
#define WORDS_NAMED 4

enum looked mox__look_at_token(struct judging *j)
{
    if (j->facts->subjectpass_us <= 0)
        return LOOKED_ON;
    switch (j->facts->subjectpass) {
    case MOX_FACT_UNKNOWN:
        return mox__analysis_need(j, MOX_ANALYSIS_SUBJECTPASS);
    case MOX_FACT_FOUND:
        mox__analysis_note(j, "subjectpass", "a good token in the subject");
        return mox__analysis_accept(j, MOX_REASON_SUBJECTPASS);
    case MOX_FACT_FAILED:
        mox__analysis_note(j, mox__analysis_word(MOX_REASON_SUBJECTPASS_ERROR),
                           "tokens could not be looked at");
        return mox__analysis_refuse(j, MOX_REASON_SUBJECTPASS_ERROR);
    default:
        return mox__analysis_note(j, "subjectpass", "no good token in the subject");
    }
}

/* The first thing that calls for the strict threshold; "": nothing. */
static const char *why_strict(const struct judging *j)
{
    const struct mox_analysis_facts *f = j->facts;
    if (j->suspicious)
        return "iprev";
    if (!f->tls && !f->lenient)
        return "no TLS";
    if (!f->is_forward && !f->recipient_in_header)
        return "not addressed";
    return "";
}

static void set_threshold(struct judging *j, double configured)
{
    struct mox_analysis *a = j->out;
    a->threshold = configured;
    if (!(configured > MOX_ANALYSIS_STRICT_THRESHOLD))
        return;
    a->strict = why_strict(j);
    if (a->strict[0] != '\0')
        a->threshold = MOX_ANALYSIS_STRICT_THRESHOLD;
}

/* A word as a sender chose it: between quotes, and without any. */
static void put_word(struct buf *out, const char *before, const struct mox_junk_word *word)
{
    mox__buf_printf(out, "%s \"", before);
    for (size_t i = 0; i < MOX_JUNK_WORD_MAX && word->text[i] != '\0'; i++)
        mox__buf_byte(out, word->text[i] == '"' ? '?' : (uint8_t)word->text[i]);
    mox__buf_printf(out, "\" %.2f", word->score);
}

/* Numbers, and as many whole words as fit. */
static void note_content(struct judging *j, const char *doubt)
{
    const struct mox_junk_verdict *v = &j->facts->junk;
    const struct mox_analysis *a = j->out;
    char memory[sizeof a->rules->text];
    struct buf text = buf_over(memory, sizeof memory - 1);
    const bool strict = a->strict[0] != '\0';
    mox__buf_printf(&text, "probability %.3f, threshold %.3f%s%s%s; learnt %u ham, %u junk%s",
                    v->probability, a->threshold, strict ? " (" : "", a->strict, strict ? ")" : "",
                    (unsigned)v->hams, (unsigned)v->spams, doubt);
    size_t kept = text.len;
    for (size_t i = 0; i < v->shown && i < WORDS_NAMED && !text.failed; i++) {
        put_word(&text, i == 0 ? ";" : "", &v->words[i]);
        kept = text.failed ? kept : text.len;
    }
    memory[kept] = '\0';
    mox__analysis_note(j, strict ? "junk-content-strict" : "junk-content", "%s", memory);
}

/* Whether the filter is believed, and what there is to say about that. */
static bool is_believed(const struct judging *j, const char **doubt)
{
    const bool few = j->facts->junk.hams < MOX_ANALYSIS_HAMS_MIN;
    *doubt = !few            ? ""
             : j->suspicious ? ", which is little, but the client has no reverse name"
                             : ", which is too little to be believed";
    return !few || j->suspicious;
}

static enum looked look_at_verdict(struct judging *j)
{
    const struct mox_junk_verdict *v = &j->facts->junk;
    const double configured = j->facts->threshold + j->facts->jitter;
    const char *doubt;
    const bool counts = is_believed(j, &doubt);
    set_threshold(j, configured);
    note_content(j, doubt);
    if (!(v->probability > j->out->threshold) || !counts) /* what is no number is not over it */
        return LOOKED_ON;
    j->unwanted = true;
    j->against =
        j->out->strict[0] != '\0' ? MOX_REASON_JUNK_CONTENT_STRICT : MOX_REASON_JUNK_CONTENT;
    /* Of the configured threshold: what is over the strict one alone may well be a person's. */
    j->token_helps = v->probability < configured - TOKEN_DISTANCE;
    return LOOKED_ON;
}

enum looked mox__look_at_content(struct judging *j)
{
    const struct mox_analysis_facts *f = j->facts;
    if (!f->has_junk_filter)
        return LOOKED_ON;
    switch (f->junk_state) {
    case MOX_FACT_UNKNOWN:
        return mox__analysis_need(j, MOX_ANALYSIS_JUNK);
    case MOX_FACT_FOUND:
        return look_at_verdict(j);
    case MOX_FACT_FAILED: {
        enum mox_analysis_reason reason =
            f->junk_open_failed ? MOX_REASON_JUNK_FILTER_ERROR : MOX_REASON_JUNK_CLASSIFY_ERROR;
        mox__analysis_note(j, mox__analysis_word(reason), "the junk filter does not work");
        return mox__analysis_refuse(j, reason);
    }
    default:
        return mox__analysis_note(j, "junk-content", "nothing to classify");
    }
}

/* Last, so that who runs the lists does not learn of those who are known here. */
enum looked mox__look_at_block_lists(struct judging *j)
{
    const struct mox_analysis_facts *f = j->facts;
    if (j->unwanted || !f->has_dnsbl)
        return LOOKED_ON;
    switch (f->dnsbl) {
    case MOX_FACT_UNKNOWN:
        return mox__analysis_need(j, MOX_ANALYSIS_DNSBL);
    case MOX_FACT_FOUND:
        j->unwanted = j->token_helps = true;
        j->against = MOX_REASON_DNS_BLOCKLISTED;
        return mox__analysis_note(j, "dns-blocklisted", "listed in %.150s", f->dnsbl_zone);
    case MOX_FACT_FAILED:
        return mox__analysis_note(j, "dns-blocklisted", "no list answered");
    default:
        return mox__analysis_note(j, "dns-blocklisted", "not listed");
    }
}

/* Whoever proves a domain that nothing is known of may be a person. */
static bool may_try_again(const struct judging *j)
{
    const struct mox_analysis_facts *f = j->facts;
    return f->subjectpass_us > 0 && j->token_helps && f->checks != NULL &&
           f->checks->dmarc->status == MOX_DMARC_PASS &&
           f->reputation.method == MOX_REPUTATION_NONE;
}

enum looked mox__look_at_the_rest(struct judging *j)
{
    if (!j->unwanted) {
        mox__analysis_note(j, "no-bad-signals", "nothing speaks against it");
        return mox__analysis_accept(j, MOX_REASON_NO_BAD_SIGNALS);
    }
    if (may_try_again(j)) {
        mox__analysis_note(j, "give-subjectpass", "a sender with DMARC that nothing is known of");
        return mox__analysis_refuse(j, MOX_REASON_GIVE_SUBJECTPASS);
    }
    return mox__analysis_refuse(j, j->against);
}
