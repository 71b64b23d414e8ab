/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "delivery/judged.h"
#include "support/cm.h"
#include "support/testenv.h"

/* One case: what is different from a stranger of whom nothing is known, and what comes out. */
struct row {
    const char *says;
    /* Facts. */
    bool over_limit, unproved_ok, forward, no_tls, not_addressed, lenient, unchecked;
    const char *list, *spf_passes, *dkim, *auth, *rejects_to;
    enum mox_validation from, mail_from;
    enum mox_iprev_status iprev;
    enum mox_dmarc_status dmarc;
    enum mox_dmarc_policy asks;
    bool sampled_out;
    enum mox_fact_state reputation, report, token, junk, listed;
    enum mox_reputation_method method;
    enum mox_leaning leaning;
    bool conclusive, tokens, block_lists, no_filter, untrained, cannot_open;
    double probability, jitter;
    /* The outcome. */
    const char *asked, *word;
    int code; /* 0: accepted */
    const char *enhanced;
};

#define REPUTATION(how, what, is_conclusive)                                                       \
    .method = MOX_REPUTATION_##how, .leaning = MOX_LEANING_##what, .conclusive = is_conclusive,    \
    .reputation = MOX_FACT_FOUND
#define BAD_ADDRESS .iprev = MOX_IPREV_PERMERROR

/* clang-format off */
static const struct row rows[] = {
    {.says = "nothing speaks against a stranger",
     .asked = "reputation junk", .word = "no-bad-signals"},

    {.says = "limits come before all else", .over_limit = true, .list = "list.example",
     .spf_passes = "list.example", .rejects_to = "Junk",
     .asked = "", .word = "high-rate", .code = 452, .enhanced = "4.2.2"},

    {.says = "a mailing list by SPF, whatever DMARC says", .list = "list.example",
     .spf_passes = "list.example", .dmarc = MOX_DMARC_FAIL, .asks = MOX_DMARC_POLICY_REJECT,
     .asked = "", .word = "list-allow"},
#ifdef MOX_HAVE_IDN
    {.says = "a mailing list by DKIM, with a name in its other form", .list = "b\xc3\xbc" "cher.example",
     .dkim = "xn--bcher-kva.example", .asked = "", .word = "list-allow"},
#endif
    {.says = "a subdomain is not the list", .list = "list.example", .dkim = "a.list.example",
     .asked = "reputation junk", .word = "no-bad-signals"},
    {.says = "an EHLO that SPF passes is not the list's MAIL FROM", .list = "list.example",
     .spf_passes = "list.example", .mail_from = MOX_VALIDATION_UNKNOWN, .unproved_ok = true,
     .asked = "reputation junk", .word = "no-bad-signals"},

    {.says = "DMARC reject", .dmarc = MOX_DMARC_FAIL, .asks = MOX_DMARC_POLICY_REJECT,
     .asked = "", .word = "dmarc-policy", .code = 550, .enhanced = "5.7.26"},
    {.says = "DMARC quarantine", .dmarc = MOX_DMARC_FAIL, .asks = MOX_DMARC_POLICY_QUARANTINE,
     .asked = "", .word = "dmarc-policy", .code = 550, .enhanced = "5.7.26"},
    {.says = "DMARC spared by the draw", .dmarc = MOX_DMARC_FAIL, .sampled_out = true,
     .asked = "reputation junk", .word = "no-bad-signals"},
    {.says = "DMARC does not hold for what is forwarded", .dmarc = MOX_DMARC_FAIL,
     .asks = MOX_DMARC_POLICY_REJECT, .forward = true,
     .asked = "reputation junk", .word = "no-bad-signals"},

    {.says = "proof is required", .auth = "Please sign", .asked = "",
     .word = "msg-auth-required", .code = 550, .enhanced = "5.7.26"},
    {.says = "proof is required, and may be found later", .auth = "Please sign",
     .dmarc = MOX_DMARC_TEMPERROR, .asked = "",
     .word = "msg-auth-required", .code = 451, .enhanced = "4.7.26"},
    {.says = "proof is required and there", .auth = "Please sign", .from = MOX_VALIDATION_RELAXED,
     .asked = "reputation junk", .word = "no-bad-signals"},
    {.says = "nobody looked for the proof that is required", .auth = "Please sign",
     .unchecked = true, .asked = "", .word = "msg-auth-required", .code = 550,
     .enhanced = "5.7.26"},

    {.says = "no history can be read", .reputation = MOX_FACT_FAILED, .asked = "reputation",
     .word = "reputation-error", .code = 451, .enhanced = "4.3.0"},
    {.says = "a good address, whatever its network", REPUTATION(MSGFROMFULL, NOTJUNK, true),
     BAD_ADDRESS, .mail_from = MOX_VALIDATION_FAIL, .asked = "reputation", .word = "msgfromfull"},
    {.says = "a bad domain, even of a report", REPUTATION(MSGFROMDOMAIN, JUNK, true),
     .report = MOX_FACT_FOUND, .asked = "reputation", .word = "msgfromdomain", .code = 451,
     .enhanced = "4.3.0"},
    {.says = "a report of an unknown sender", .report = MOX_FACT_FOUND,
     .mail_from = MOX_VALIDATION_FAIL, .asked = "reputation", .word = "reporting"},
    {.says = "no report at an address for reports", .report = MOX_FACT_FAILED,
     .asked = "reputation junk", .word = "no-bad-signals"},

    {.says = "SPF fail of a stranger", .mail_from = MOX_VALIDATION_FAIL, .asked = "reputation",
     .word = "spf-policy", .code = 451, .enhanced = "4.3.0"},
    {.says = "SPF softfail of a lukewarm network", .mail_from = MOX_VALIDATION_SOFTFAIL,
     REPUTATION(IP2, UNKNOWN, false), .asked = "reputation",
     .word = "spf-policy", .code = 451, .enhanced = "4.3.0"},
    {.says = "SPF fail of a domain with mixed history", .mail_from = MOX_VALIDATION_FAIL,
     REPUTATION(MSGFROMDOMAIN, UNKNOWN, false), .asked = "reputation junk",
     .word = "no-bad-signals"},
    {.says = "SPF fail of a forwarder", .mail_from = MOX_VALIDATION_FAIL, .forward = true,
     .asked = "reputation junk", .word = "no-bad-signals"},

    {.says = "no reverse name, and a bad network", BAD_ADDRESS, REPUTATION(IP1, JUNK, false),
     .asked = "reputation", .word = "iprev", .code = 451, .enhanced = "4.3.0"},
    {.says = "the same on a server for tests", BAD_ADDRESS, REPUTATION(IP1, JUNK, false),
     .lenient = true, .asked = "reputation junk", .word = "no-bad-signals"},
    {.says = "a bad network with a name", REPUTATION(IP1, JUNK, false),
     .asked = "reputation junk", .word = "no-bad-signals"},
    {.says = "an address that lies is not a stranger's", BAD_ADDRESS,
     REPUTATION(MSGFROMFULL, JUNK, false), .asked = "reputation junk", .word = "no-bad-signals"},
    {.says = "nobody looked for a name", .unchecked = true, REPUTATION(DKIMSPF, JUNK, false),
     .asked = "reputation", .word = "iprev", .code = 451, .enhanced = "4.3.0"},

    {.says = "a good token", .tokens = true, .token = MOX_FACT_FOUND, .probability = 0.99,
     .asked = "reputation subjectpass", .word = "subjectpass"},
    {.says = "no key for tokens", .tokens = true, .token = MOX_FACT_FAILED,
     .asked = "reputation subjectpass", .word = "subjectpass-error", .code = 451,
     .enhanced = "4.3.0"},
    {.says = "no token", .tokens = true, .asked = "reputation subjectpass junk",
     .word = "no-bad-signals"},

    {.says = "junk", .probability = 0.96, .block_lists = true, .asked = "reputation junk",
     .word = "junk-content", .code = 451, .enhanced = "4.3.0"},
    {.says = "exactly the threshold is not over it", .probability = 0.95,
     .asked = "reputation junk", .word = "no-bad-signals"},
    {.says = "what is no number is not over it", .probability = NAN,
     .asked = "reputation junk", .word = "no-bad-signals"},
    {.says = "jitter upwards", .probability = 0.96, .jitter = 0.02, .asked = "reputation junk",
     .word = "no-bad-signals"},
    {.says = "jitter downwards", .probability = 0.94, .jitter = -0.02, .asked = "reputation junk",
     .word = "junk-content", .code = 451, .enhanced = "4.3.0"},
    {.says = "strict for no reverse name", .probability = 0.3, BAD_ADDRESS,
     .asked = "reputation junk", .word = "junk-content-strict", .code = 451, .enhanced = "4.3.0"},
    {.says = "strict for no TLS", .probability = 0.3, .no_tls = true,
     .asked = "reputation junk", .word = "junk-content-strict", .code = 451, .enhanced = "4.3.0"},
    {.says = "strict for nobody in To", .probability = 0.3, .not_addressed = true,
     .asked = "reputation junk", .word = "junk-content-strict", .code = 451, .enhanced = "4.3.0"},
    {.says = "who forwards cannot help To", .probability = 0.3, .not_addressed = true,
     .forward = true, .asked = "reputation junk", .word = "no-bad-signals"},
    {.says = "a server for tests is not strict with clients", .probability = 0.3, .no_tls = true,
     BAD_ADDRESS, .lenient = true, .asked = "reputation junk", .word = "no-bad-signals"},
    {.says = "strict is 0.25", .probability = 0.25, .no_tls = true,
     .asked = "reputation junk", .word = "no-bad-signals"},
    {.says = "a known domain without reverse name is not suspicious", .probability = 0.3,
     BAD_ADDRESS, REPUTATION(MSGFROMDOMAIN, UNKNOWN, false), .asked = "reputation junk",
     .word = "no-bad-signals"},
    {.says = "a filter that knows little does not count", .probability = 0.99, .untrained = true,
     .no_tls = true, .asked = "reputation junk", .word = "no-bad-signals"},
    {.says = "but for who has no reverse name", .probability = 0.99, .untrained = true, BAD_ADDRESS,
     .asked = "reputation junk", .word = "junk-content-strict", .code = 451, .enhanced = "4.3.0"},
    {.says = "the filter cannot classify", .junk = MOX_FACT_FAILED, .asked = "reputation junk",
     .word = "junk-classify-error", .code = 451, .enhanced = "4.3.0"},
    {.says = "the filter cannot be opened", .junk = MOX_FACT_FAILED, .cannot_open = true,
     .asked = "reputation junk", .word = "junk-filter-error", .code = 451, .enhanced = "4.3.0"},
    {.says = "no filter", .no_filter = true, .asked = "reputation", .word = "no-bad-signals"},

    {.says = "listed", .block_lists = true, .listed = MOX_FACT_FOUND,
     .asked = "reputation junk dnsbl", .word = "dns-blocklisted", .code = 451,
     .enhanced = "4.3.0"},
    {.says = "listed, without a filter", .block_lists = true, .listed = MOX_FACT_FOUND,
     .no_filter = true, .asked = "reputation dnsbl", .word = "dns-blocklisted", .code = 451,
     .enhanced = "4.3.0"},
    {.says = "not listed", .block_lists = true, .asked = "reputation junk dnsbl",
     .word = "no-bad-signals"},
    {.says = "lists do not answer", .block_lists = true, .listed = MOX_FACT_FAILED,
     .asked = "reputation junk dnsbl", .word = "no-bad-signals"},

    {.says = "a token for who is listed", .block_lists = true, .listed = MOX_FACT_FOUND,
     .tokens = true, .dmarc = MOX_DMARC_PASS, .asked = "reputation subjectpass junk dnsbl",
     .word = "give-subjectpass", .code = 550, .enhanced = "5.7.1"},
    {.says = "a token for what only the strict threshold stops", .probability = 0.7,
     .no_tls = true, .tokens = true, .dmarc = MOX_DMARC_PASS,
     .asked = "reputation subjectpass junk", .word = "give-subjectpass", .code = 550,
     .enhanced = "5.7.1"},
    {.says = "no token for what is near the threshold", .probability = 0.8, .no_tls = true,
     .tokens = true, .dmarc = MOX_DMARC_PASS, .asked = "reputation subjectpass junk",
     .word = "junk-content-strict", .code = 451, .enhanced = "4.3.0"},
    {.says = "no token for junk", .probability = 0.99, .tokens = true, .dmarc = MOX_DMARC_PASS,
     .asked = "reputation subjectpass junk", .word = "junk-content", .code = 451,
     .enhanced = "4.3.0"},
    {.says = "no token without DMARC", .block_lists = true, .listed = MOX_FACT_FOUND,
     .tokens = true, .asked = "reputation subjectpass junk dnsbl",
     .word = "dns-blocklisted", .code = 451, .enhanced = "4.3.0"},
    {.says = "no token for a network that is known", .block_lists = true,
     .listed = MOX_FACT_FOUND, .tokens = true, .dmarc = MOX_DMARC_PASS,
     REPUTATION(IP3, UNKNOWN, false), .asked = "reputation subjectpass junk dnsbl",
     .word = "dns-blocklisted", .code = 451, .enhanced = "4.3.0"},
};

/* clang-format on */

#define OR(value, other) ((value) != 0 ? (value) : (other))

static void prepare(struct judged *j, const struct row *r)
{
    struct mox_analysis_facts *f = &j->facts;
    judged_stranger(j);
    j->iprev.status = r->iprev;
    j->checks.from = OR(r->from, MOX_VALIDATION_NONE);
    j->checks.mail_from = OR(r->mail_from, MOX_VALIDATION_NONE);
    if (r->spf_passes != NULL) {
        j->spf.result = MOX_SPF_PASS;
        (void)snprintf(j->spf.domain, sizeof j->spf.domain, "%s", r->spf_passes);
        j->checks.mail_from = r->unproved_ok ? MOX_VALIDATION_UNKNOWN : MOX_VALIDATION_PASS;
    }
    if (r->dkim != NULL)
        j->dkim_domains[j->checks.dkim_domain_count++] = r->dkim;
    j->dmarc.status = r->dmarc;
    j->dmarc.policy = j->dmarc.disposition = r->asks;
    j->dmarc.sampled_out = r->sampled_out;
    f->checks = r->unchecked ? NULL : &j->checks;
    f->tls = !r->no_tls;
    f->recipient_in_header = !r->not_addressed;
    f->over_limit = r->over_limit;
    f->list_allow_domain = OR(r->list, "");
    f->is_forward = r->forward;
    f->accept_rejects_to = OR(r->rejects_to, "");
    f->auth_required = OR(r->auth, "");
    f->lenient = r->lenient;
    f->report = OR(r->report, MOX_FACT_ABSENT);
    f->has_junk_filter = !r->no_filter;
    f->jitter = r->jitter;
    f->subjectpass_us = r->tokens ? 1 : 0;
    f->has_dnsbl = r->block_lists;
    f->reputation_state = OR(r->reputation, MOX_FACT_FOUND);
    f->reputation.method = r->reputation == MOX_FACT_FOUND ? r->method : MOX_REPUTATION_NONE;
    f->reputation.leaning = r->leaning;
    f->reputation.conclusive = r->conclusive;
    f->reputation.steps[0].method = f->reputation.method;
    (void)strcpy(f->reputation.steps[0].text, "what the step found");
    f->reputation.step_count = 1;
    f->subjectpass = OR(r->token, MOX_FACT_ABSENT);
    f->junk_state = OR(r->junk, MOX_FACT_FOUND);
    f->junk_open_failed = r->cannot_open;
    f->junk.probability = r->probability;
    f->junk.hams = r->untrained ? 49 : 50;
    f->dnsbl = OR(r->listed, MOX_FACT_ABSENT);
    f->dnsbl_zone = "bl.example";
}

static void expect(const struct judged *j, const struct row *r)
{
    const struct mox_analysis *a = &j->analysis;
    if (strcmp(j->asked, r->asked) != 0)
        fail_msg("%s: asked for \"%s\"", r->says, j->asked);
    if (strcmp(a->word, r->word) != 0 || a->code != r->code || a->accept != (r->code == 0))
        fail_msg("%s: %s, %d", r->says, a->word, a->code);
    if (strcmp(a->enhanced, OR(r->enhanced, "")) != 0)
        fail_msg("%s: %s", r->says, a->enhanced);
    size_t decided = 0;
    for (size_t i = 0; i < a->rule_count; i++)
        decided += a->rules[i].decided;
    if (decided != 1 || !a->rules[a->rule_count - 1].decided)
        fail_msg("%s: %zu rules decided", r->says, decided);
}

static void each_rule_decides_in_its_turn(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct judged j;
        prepare(&j, &rows[i]);
        judged_run(&j);
        expect(&j, &rows[i]);
    }
}

static void all_that_was_not_asked_for_is_without_influence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct judged j;
        prepare(&j, &rows[i]);
        judged_run(&j);
        if (strstr(j.asked, "reputation") == NULL)
            j.facts.reputation_state = MOX_FACT_FAILED;
        if (strstr(j.asked, "subjectpass") == NULL)
            j.facts.subjectpass = MOX_FACT_FOUND;
        if (strstr(j.asked, "junk") == NULL)
            j.facts.junk_state = MOX_FACT_FAILED;
        if (strstr(j.asked, "dnsbl") == NULL)
            j.facts.dnsbl = MOX_FACT_FOUND;
        struct mox_analysis a;
        assert_int_equal(mox_analyze(&j.facts, &a), MOX_OK); /* all at once */
        assert_string_equal(a.word, j.analysis.word);
        assert_int_equal(a.code, j.analysis.code);
        assert_int_equal(a.rule_count, j.analysis.rule_count);
    }
}

static void who_sends_spam_is_told_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct judged j;
        prepare(&j, &rows[i]);
        judged_run(&j);
        if (j.analysis.code == 451 && rows[i].auth == NULL)
            assert_string_equal(j.analysis.reply, "error processing");
        assert_int_equal(j.analysis.give_token, strcmp(j.analysis.word, "give-subjectpass") == 0);
    }
}

static void a_rule_takes_all_rejects_but_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct judged j;
        prepare(&j, &rows[i]);
        j.facts.accept_rejects_to = "Rejected";
        judged_run(&j);
        bool limit = rows[i].code == 452;
        assert_int_equal(j.analysis.accept, !limit);
        assert_int_equal(j.analysis.accepted_reject, rows[i].code != 0 && !limit);
        assert_int_equal(j.analysis.code, rows[i].code);
        assert_string_equal(j.analysis.word, rows[i].word);
        assert_false(j.analysis.give_token);
    }
}

static void strictness_has_one_cause(void **state)
{
    (void)state;
    struct judged j;
    judged_stranger(&j);
    j.facts.tls = j.facts.recipient_in_header = false;
    j.iprev.status = MOX_IPREV_FAIL;
    judged_run(&j);
    assert_string_equal(j.analysis.strict, "iprev");
    j.iprev.status = MOX_IPREV_PASS;
    j.asked[0] = '\0';
    judged_run(&j);
    assert_string_equal(j.analysis.strict, "no TLS");
    j.facts.threshold = 0.2; /* stricter still */
    j.asked[0] = '\0';
    judged_run(&j);
    assert_string_equal(j.analysis.strict, "");
    assert_true(j.analysis.threshold > 0.19 && j.analysis.threshold < 0.21);
}

static void the_words_asked_for_are_the_reply(void **state)
{
    (void)state;
    struct judged j;
    judged_stranger(&j);
    j.facts.auth_required = "Sign it\r\nRCPT TO:<x>";
    judged_run(&j);
    assert_string_equal(j.analysis.reply, "Sign it??RCPT TO:<x>");
}

static char *header_of(const struct judged *j, struct test_env *t)
{
    char *out;
    assert_int_equal(mox_analysis_header(&j->analysis, &t->env, &out), MOX_OK);
    return out;
}

static void the_header_tells_the_reason_and_what_led_to_it(void **state)
{
    (void)state;
    struct test_env t;
    struct judged j;
    test_env_init(&t);
    judged_stranger(&j);
    j.facts.tls = false;
    j.facts.junk.probability = 0.7;
    j.facts.junk.shown = 1;
    (void)strcpy(j.facts.junk.words[0].text, "cheap\"pills");
    j.facts.junk.words[0].score = 0.99;
    judged_run(&j);
    char *header = header_of(&j, &t);
    assert_string_equal(
        header, "X-Mox-Reason: junk-content-strict; probability 0.700, threshold 0.250 (no\r\n"
                "\tTLS); learnt 1000 ham, 1000 junk; \"cheap?pills\" 0.99; iprev: iprev pass,\r\n"
                "\treputation unknown; spf-policy: spf none for MAIL FROM; none: nothing was\r\n"
                "\tlooked up; dmarc-policy: dmarc none, policy none\r\n");
    mox_text_free(&t.env, header);
    test_env_done(&t);
}

/* The text of the rule about content, of a filter with 1 ham. */
static const char *content_text(struct judged *j, enum mox_iprev_status reverse_name)
{
    judged_stranger(j);
    j->iprev.status = reverse_name;
    j->facts.junk.probability = 0.99;
    j->facts.junk.hams = 1;
    judged_run(j);
    for (size_t i = 0; i < j->analysis.rule_count; i++)
        if (strncmp(j->analysis.rules[i].name, "junk-content", 12) == 0)
            return j->analysis.rules[i].text;
    fail_msg("no rule about content");
    return "";
}

static void a_filter_that_is_not_believed_is_told_of(void **state)
{
    (void)state;
    struct judged j;
    assert_non_null(
        strstr(content_text(&j, MOX_IPREV_PASS), "1 ham, 1000 junk, which is too little"));
    assert_true(j.analysis.accept);
    assert_non_null(
        strstr(content_text(&j, MOX_IPREV_FAIL), "which is little, but the client has no"));
    assert_false(j.analysis.accept);
}

static void only_whole_words_are_named(void **state)
{
    (void)state;
    struct judged j;
    judged_stranger(&j);
    j.facts.junk.shown = 4;
    for (size_t i = 0; i < 4; i++)
        memset(j.facts.junk.words[i].text, 'w', 40);
    judged_run(&j);
    for (size_t i = 0; i < j.analysis.rule_count; i++) {
        const char *text = j.analysis.rules[i].text;
        if (strstr(text, "www") != NULL) {
            assert_string_equal(text + strlen(text) - 6, "\" 0.00");
            return;
        }
    }
    fail_msg("no word is named");
}

static void the_header_is_short_and_clean(void **state)
{
    (void)state;
    struct test_env t;
    struct judged j;
    test_env_init(&t);
    judged_stranger(&j);
    j.facts.reputation.step_count = MOX_REPUTATION_METHODS;
    for (size_t i = 0; i < MOX_REPUTATION_METHODS; i++) {
        j.facts.reputation.steps[i].method = (enum mox_reputation_method)i;
        j.facts.reputation.steps[i].notjunk = 1;
        memset(j.facts.reputation.steps[i].text, i % 2 ? '\n' : 'x', 159);
    }
    judged_run(&j);
    char *header = header_of(&j, &t);
    size_t len = strlen(header);
    assert_true(len > 500 && len <= 900);
    assert_string_equal(header + len - 2, "\r\n");
    for (size_t i = 0; i < len; i++)
        assert_true((header[i] >= ' ' && header[i] <= '~') || strchr("\r\n\t", header[i]) != NULL);
    for (size_t i = 0; i + 3 < len; i++) /* each line but the first goes on, and is not empty */
        assert_true(header[i] != '\n' || (header[i + 1] == '\t' && header[i + 2] != '\r'));
    mox_text_free(&t.env, header);
    test_env_done(&t);
}

static void the_header_leaves_out_that_nothing_is_known(void **state)
{
    (void)state;
    struct test_env t;
    struct judged j;
    test_env_init(&t);
    judged_stranger(&j);
    j.facts.reputation.step_count = 2;
    (void)strcpy(j.facts.reputation.steps[0].text, "nothing of a.example");
    (void)strcpy(j.facts.reputation.steps[1].text, "1 message of b.example");
    j.facts.reputation.steps[1].notjunk = 1;
    judged_run(&j);
    char *header = header_of(&j, &t);
    assert_null(strstr(header, "a.example"));
    assert_non_null(strstr(header, "b.example"));
    mox_text_free(&t.env, header);
    test_env_done(&t);
}

static void a_header_without_memory_is_none(void **state)
{
    (void)state;
    struct test_env t;
    struct judged j;
    char *header;
    test_env_init(&t);
    judged_stranger(&j);
    judged_run(&j);
    t.fail_at = 1;
    assert_int_equal(mox_analysis_header(&j.analysis, &t.env, &header), MOX_ENOMEM);
    assert_null(header);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_decides_in_its_turn),
        cmocka_unit_test(all_that_was_not_asked_for_is_without_influence),
        cmocka_unit_test(who_sends_spam_is_told_nothing),
        cmocka_unit_test(a_rule_takes_all_rejects_but_limits),
        cmocka_unit_test(strictness_has_one_cause),
        cmocka_unit_test(the_words_asked_for_are_the_reply),
        cmocka_unit_test(the_header_tells_the_reason_and_what_led_to_it),
        cmocka_unit_test(a_filter_that_is_not_believed_is_told_of),
        cmocka_unit_test(only_whole_words_are_named),
        cmocka_unit_test(the_header_is_short_and_clean),
        cmocka_unit_test(the_header_leaves_out_that_nothing_is_known),
        cmocka_unit_test(a_header_without_memory_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
