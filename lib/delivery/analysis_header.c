/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "delivery/analysis.h"
#include "message/fold.h"

/* Of the field's text; folding adds a few. */
#define TEXT_MAX  800
#define FIELD_MAX 900

/* "; name: text", or "; text" for the rule that decided, whose name stands in front. */
static void put_rule(struct fold *f, const struct mox_analysis_rule *rule, const char *word)
{
    mox__buf_byte(f->out, ';');
    f->column++;
    if (strcmp(rule->name, word) != 0) {
        char name[64];
        struct buf b = buf_over(name, sizeof name);
        mox__buf_printf(&b, "%s:", rule->name);
        mox__fold_token(f, slice(b.data, b.len));
    }
    mox__fold_words(f, slice_of(rule->text));
}

/* From the rule that decided back to the first: what is nearest to the decision matters most. That there is no
 * past mail of a stranger goes without saying. */
static void put_rules(struct fold *f, const struct mox_analysis *a)
{
    size_t used = strlen(a->word);
    for (size_t i = a->rule_count; i > 0; i--) {
        const struct mox_analysis_rule *rule = &a->rules[i - 1];
        if (rule->found_nothing && !rule->decided)
            continue;
        used += strlen(rule->name) + strlen(rule->text) + sizeof "; : " - 1;
        if (used > TEXT_MAX)
            return;
        put_rule(f, rule, a->word);
    }
}

int mox_analysis_header(const struct mox_analysis *analysis, const struct mox_env *env, char **out)
{
    struct buf b;
    struct fold f;
    *out = NULL;
    mox__buf_init(&b, env, FIELD_MAX + 1);
    mox__fold_begin(&f, &b, "X-Mox-Reason");
    mox__fold_text(&f, analysis->word);
    if (analysis->accepted_reject) {
        mox__buf_byte(&b, ';');
        f.column++;
        mox__fold_words(&f, slice_of("accepted all the same, as a rule says"));
    }
    put_rules(&f, analysis);
    mox__fold_end(&f);
    mox__buf_byte(&b, '\0');
    if (b.failed) {
        mox__buf_free(&b);
        return MOX_ENOMEM;
    }
    *out = (char *)b.data;
    return MOX_OK;
}
