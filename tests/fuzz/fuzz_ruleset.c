/* SPDX-License-Identifier: MIT */

/* Whatever people configure and strangers send, a match takes no more than its steps; quoted text is
 * found where a plain search finds it; the case of headers does not count. Input: what to try, and its
 * texts, each up to a form feed. */

#include <mox/ruleset.h>

#include "delivery/regexp.h"
#include "fuzz/input.h"

#define PATTERN_MAX 400
#define STEPS       250000u

/* The next text as a C string. */
static const char *next_text(struct input *in, char out[PATTERN_MAX + 1])
{
    struct mox_slice s = input_until(in, '\f');
    size_t len = s.len < PATTERN_MAX ? s.len : PATTERN_MAX;
    if (len > 0)
        memcpy(out, s.data, len);
    out[len] = '\0';
    return out;
}

static struct regexp *compile(const struct mox_env *env, const char *pattern, enum regexp_case how)
{
    struct regexp *r = NULL;
    struct mox_error err = {.text = ""};
    int rc = mox__regexp_new(&r, env, pattern, how, &err);
    assert((rc == MOX_OK) == (r != NULL));
    assert(rc == MOX_OK || rc == MOX_ESYNTAX || rc == MOX_EUNSUPPORTED);
    assert(rc == MOX_OK || err.text[0] != '\0');
    return r;
}

/* One match, with the bounds that it keeps. */
static int match(const struct mox_env *env, const struct regexp *r, struct mox_slice text)
{
    struct regexp_run *run = NULL;
    assert(mox__regexp_run_new(&run, env, STEPS) == MOX_OK);
    int rc = mox__regexp_match(r, run, text);
    uint32_t left = mox__regexp_run_left(run);
    assert(left <= STEPS && STEPS - left <= REGEXP_CALL_STEPS + REGEXP_MATCH_STEPS);
    assert(rc == MOX_OK || rc == MOX_ENOTFOUND || rc == MOX_ELIMIT);
    assert(mox__regexp_match(r, run, text) == rc || mox__regexp_run_left(run) == 0);
    mox__regexp_run_free(run);
    return rc;
}

static void check_pattern(const struct mox_env *env, struct input *in)
{
    char pattern[PATTERN_MAX + 1];
    (void)next_text(in, pattern);
    struct regexp *lower = compile(env, pattern, REGEXP_LOWER_CASE);
    struct regexp *any = compile(env, pattern, REGEXP_ANY_CASE);
    assert(lower == NULL || any != NULL);
    if (any != NULL)
        (void)match(env, any, in->rest);
    mox__regexp_free(lower);
    mox__regexp_free(any);
}

static void check_quoted(const struct mox_env *env, struct input *in)
{
    char words[PATTERN_MAX + 1], pattern[PATTERN_MAX + 5] = "\\Q";
    const struct mox_slice text = slice_of(strcat(pattern, next_text(in, words)));
    struct regexp *r = strstr(words, "\\E") != NULL ? NULL : compile(env, pattern, REGEXP_ANY_CASE);
    if (r != NULL && mox__slice_is_utf8(text) && mox__slice_is_utf8(in->rest)) {
        bool found = words[0] == '\0' || (in->rest.len > 0 && memmem(in->rest.data, in->rest.len,
                                                                     words, strlen(words)) != NULL);
        int rc = match(env, r, in->rest);
        assert(rc == (found ? MOX_OK : MOX_ENOTFOUND) || rc == MOX_ELIMIT);
    }
    mox__regexp_free(r);
}

static int find(const struct mox_rulesets *rs, struct mox_slice headers, size_t *index)
{
    const struct mox_ruleset_query q = {.mail_from = "a@x.example",
                                        .msg_from = "b@x.example",
                                        .verified_ehlo = "x.example",
                                        .verified_mail_from = "",
                                        .headers = headers};
    *index = 0;
    int rc = mox_rulesets_match(rs, &q, index);
    assert(rc == MOX_OK || rc == MOX_ENOTFOUND);
    return rc;
}

/* Two rulesets, the second of which matches all headers that are headers. */
static void check_headers(const struct mox_env *env, struct input *in)
{
    char name[PATTERN_MAX + 1], value[PATTERN_MAX + 1], upper[8192];
    struct mox_ruleset_header pair = {next_text(in, name), next_text(in, value)};
    struct mox_ruleset rules[2] = {{.headers = {&pair, 1}}, {.verified_domain = "example"}};
    struct mox_rulesets *rs = NULL;
    size_t bad = 0, index = 0, again = 0;
    for (size_t i = 0; i < 2; i++) {
        rules[i].smtp_mail_from_regexp = rules[i].msg_from_regexp = "";
        if (i == 0)
            rules[i].verified_domain = "";
    }
    struct mox_slice headers =
        slice(in->rest.data, in->rest.len < sizeof upper ? in->rest.len : sizeof upper);
    if (mox_rulesets_new(&rs, env, rules, 2, &bad, NULL) != MOX_OK)
        return;
    for (size_t i = 0; i < headers.len; i++)
        upper[i] = (char)to_upper(headers.data[i]);
    int rc = find(rs, headers, &index);
    assert(rc == MOX_ENOTFOUND || index < 2);
    assert(find(rs, slice(upper, headers.len), &again) == rc);
    assert(rc == MOX_ENOTFOUND || again == index);
    mox_rulesets_free(rs);
}

static void check_junk_flags(const struct mox_env *env, struct input *in)
{
    char junk[PATTERN_MAX + 1], neutral[PATTERN_MAX + 1], other[PATTERN_MAX + 1],
        name[PATTERN_MAX + 1];
    const struct mox_junk_flags_config config = {true, next_text(in, junk), next_text(in, neutral),
                                                 next_text(in, other)};
    struct mox_junk_flags *flags = NULL;
    if (mox_junk_flags_new(&flags, env, &config, NULL) != MOX_OK)
        return;
    int meaning = mox_junk_flags_meaning(flags, next_text(in, name));
    assert(meaning >= MOX_JUNK_UNCHANGED && meaning <= MOX_JUNK_NEUTRAL);
    assert(meaning == mox_junk_flags_meaning(flags, name));
    mox_junk_flags_free(flags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static void (*const checks[])(const struct mox_env *env, struct input *in) = {
        check_pattern, check_quoted, check_headers, check_junk_flags};
    struct mox_env env;
    struct input in = {{data, len}};
    mox_env_system(&env);
    checks[input_below(&in, 4)](&env, &in);
    return 0;
}
