/* SPDX-License-Identifier: MIT */
#include <mox/analysis.h>

#include "server/explain.h"

const char *mox__validation_name(enum mox_validation validation)
{
    static const char *const names[] = {"unknown", "strict",   "dmarc",     "relaxed",
                                        "pass",    "neutral",  "temperror", "permerror",
                                        "fail",    "softfail", "none"};
    return (unsigned)validation < sizeof names / sizeof names[0] ? names[validation] : "unknown";
}

void mox__explain_reputation(struct outline *o, const struct mox_reputation *r)
{
    mox__outline_group(o, "reputation");
    mox__outline_text(o, "method", mox_reputation_method_name(r->method));
    mox__outline_text(o, "leaning", mox_leaning_name(r->leaning));
    mox__outline_bool(o, "conclusive", r->conclusive);
    mox__outline_list(o, "steps");
    for (size_t i = 0; i < r->step_count; i++) {
        const struct mox_reputation_step *s = &r->steps[i];
        mox__outline_entry(o);
        mox__outline_text(o, "method", mox_reputation_method_name(s->method));
        mox__outline_uint(o, "junk", s->junk);
        mox__outline_uint(o, "notjunk", s->notjunk);
        mox__outline_bool(o, "decided", s->decided);
        mox__outline_words(o, s->text);
        mox__outline_close(o);
    }
    mox__outline_close(o);
    mox__outline_close(o);
}

void mox__explain_junk(struct outline *o, const struct mox_junk_verdict *v, double threshold,
                       const char *strict)
{
    mox__outline_group(o, "junk_filter");
    mox__outline_share(o, "probability", v->probability);
    mox__outline_share(o, "threshold", threshold);
    mox__outline_text(o, "strict", strict);
    mox__outline_signed(o, "from_words", v->from_words);
    mox__outline_signed(o, "from_rest", v->from_rest);
    mox__outline_uint(o, "trained_hams", v->hams);
    mox__outline_uint(o, "trained_spams", v->spams);
    mox__outline_bool(o, "learnt_enough", v->hams >= MOX_ANALYSIS_HAMS_MIN);
    mox__outline_uint(o, "words_of_message", v->word_count);
    mox__outline_list(o, "words");
    for (size_t i = 0; i < v->shown; i++) {
        const struct mox_junk_word *w = &v->words[i];
        mox__outline_entry(o);
        mox__outline_text(o, "word", w->text);
        mox__outline_share(o, "score", w->score);
        mox__outline_uint(o, "hams", w->hams);
        mox__outline_uint(o, "spams", w->spams);
        mox__outline_close(o);
    }
    mox__outline_close(o);
    mox__outline_close(o);
}

void mox__explain_ruleset(struct outline *o, const struct mox_ruleset *r)
{
    const struct {
        const char *key, *text;
    } texts[] = {
        {"comment", r->comment},
        {"smtp_mail_from_regexp", r->smtp_mail_from_regexp},
        {"msg_from_regexp", r->msg_from_regexp},
        {"verified_domain", r->verified_domain},
        {"list_allow_domain", r->list_allow_domain},
        {"accept_rejects_to_mailbox", r->accept_rejects_to_mailbox},
    };
    mox__outline_group(o, "ruleset");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].text != NULL && texts[i].text[0] != '\0')
            mox__outline_text(o, texts[i].key, texts[i].text);
    mox__outline_bool(o, "is_forward", r->is_forward);
    mox__outline_close(o);
}
