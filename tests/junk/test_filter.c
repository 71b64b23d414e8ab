/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <mox/junk.h>

#include "base/text.h"
#include "junk/words.h"
#include "support/cm.h"
#include "support/testenv.h"

struct rig {
    struct test_env t;
    struct mox_junk_params params;
    struct mox_junk_memory *memory;
    struct mox_junk_db db;
};

static void rig_init(struct rig *r)
{
    test_env_init(&r->t);
    mox_junk_params_init(&r->params);
    assert_int_equal(mox_junk_memory_new(&r->memory, &r->t.env, 8 << 20), MOX_OK);
    r->db = mox_junk_memory_db(r->memory);
}

static void rig_done(struct rig *r)
{
    mox_junk_memory_free(r->memory);
    test_env_done(&r->t);
}

static struct mox_junk_words *words_of(struct rig *r, const char *content)
{
    struct mox_junk_words *words;
    assert_int_equal(mox_junk_words_new(&words, &r->t.env, &r->params, slice_of(content)), MOX_OK);
    return words;
}

static int64_t learn(struct rig *r, const char *content, bool junk)
{
    int64_t trace;
    struct mox_junk_words *words = words_of(r, content);
    assert_int_equal(mox_junk_learn(&r->db, &r->params, words, junk, &trace, NULL), MOX_OK);
    mox_junk_words_free(words);
    return trace;
}

static void unlearn(struct rig *r, const char *content, bool junk, int64_t trace)
{
    struct mox_junk_words *words = words_of(r, content);
    assert_int_equal(mox_junk_unlearn(&r->db, words, junk, trace, NULL), MOX_OK);
    mox_junk_words_free(words);
}

static struct mox_junk_verdict classify(struct rig *r, const char *content)
{
    struct mox_junk_verdict verdict;
    struct mox_junk_words *words = words_of(r, content);
    assert_int_equal(mox_junk_classify(&r->db, &r->params, words, &verdict, NULL), MOX_OK);
    mox_junk_words_free(words);
    return verdict;
}

static const char ham[] = "Subject: lunch\r\n\r\nshall we have lunch tomorrow with the others\r\n";
static const char spam[] =
    "Subject: winner\r\n\r\nclaim your prize money today without any risk\r\n";

/* Both 0 when nothing is known. */
static void a_verdict_says_how_much_of_it_the_words_are(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    const struct mox_junk_verdict none = classify(&r, ham);
    assert_true(fabs(none.from_words) + fabs(none.from_rest) <= 0);
    for (size_t i = 0; i < 4; i++) {
        (void)learn(&r, ham, false);
        (void)learn(&r, spam, true);
    }
    const struct mox_junk_verdict h = classify(&r, ham), s = classify(&r, spam);
    assert_true(h.from_words < 0 && s.from_words > 0);
    assert_true(s.from_words < s.from_rest);
    const struct mox_junk_verdict *const both[] = {&h, &s};
    for (size_t i = 0; i < 2; i++) {
        const double p = both[i]->probability, sum = both[i]->from_words + both[i]->from_rest;
        assert_true(fabs(log(p / (1 - p)) - sum) < 1e-6 * (1 + fabs(sum)));
    }
    rig_done(&r);
}

static void what_was_learned_twice_is_known(void **state)
{
    (void)state;
    struct rig r;
    int64_t traces[4];
    rig_init(&r);
    assert_true(classify(&r, ham).probability == 0.5);
    for (size_t i = 0; i < 2; i++) {
        traces[i] = learn(&r, ham, false);
        traces[2 + i] = learn(&r, spam, true);
    }
    assert_true(classify(&r, ham).probability <= 0.1);
    assert_true(classify(&r, spam).probability >= 0.9);
    assert_true(classify(&r, "\r\n\r\n").probability == 0.5);
    for (size_t i = 0; i < 2; i++) { /* not in the order of learning */
        unlearn(&r, ham, false, traces[i]);
        unlearn(&r, spam, true, traces[2 + i]);
    }
    assert_true(classify(&r, ham).probability == 0.5);
    assert_true(classify(&r, spam).probability == 0.5);
    rig_done(&r);
}

static void who_has_seen_no_junk_calls_nothing_junk(void **state)
{
    (void)state;
    struct rig r;
    char mail[200];
    rig_init(&r);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(
            mail, sizeof mail,
            "From: a%d@x.example\r\nSubject: note %d\r\n\r\nthe report of day %d is here\r\n",
            i % 7, i, i);
        (void)learn(&r, mail, false);
    }
    assert_true(classify(&r, mail).probability < 0.5);
    assert_true(classify(&r, ham).probability < 0.5);
    assert_true(classify(&r, spam).probability < 0.5);
    rig_done(&r);
}

/* Messages that differ in how they are made, and in nothing that a reader sees. */
static void how_a_message_is_made_tells(void **state)
{
    (void)state;
    static const struct {
        const char *ham, *spam;
    } traits[] = {
        {"Date: Mon, 2 Sep 2024 10:00:00 +0200\r\n", "Date: Mon, 2 Sep 2024 10:00:00 -0700\r\n"},
        {"Message-ID: <a.b@x.example>\r\n", "Message-ID: <AB12@x.example>\r\n"},
        {"To: a <b@c.example>\r\n", "To: b@c.example, a\r\n"},
        {"X-Mailer: b\r\n", "x-mailer: b\r\n"},
        {"Content-Type: text/plain; format=flowed\r\n",
         "Content-Type: text/plain; format=\"flowed\"\r\n"},
        {"Content-Type: text/html\r\n", "Content-Type: text/plain\r\n"},
        {"Content-Transfer-Encoding: 8bit\r\n", "Content-Transfer-Encoding: 7bit\r\n"},
        {"Received: from a by b\r\n", "Received: from a by b\r\nReceived: from a by b\r\n"},
        {"Received: from a.one.example by b\r\n", "Received: from a.two.example by b\r\n"},
        {"Subject: Re: news\r\n", "Subject: news, re:\r\n"},
        {"Subject: (news)\r\n", "Subject: (news!)\r\n"},
        {"Subject: News\r\n", "Subject: NEWS\r\n"},
    };
    for (size_t i = 0; i < sizeof traits / sizeof traits[0]; i++) {
        struct rig r;
        char ham_mail[300], spam_mail[300];
        rig_init(&r);
        (void)snprintf(ham_mail, sizeof ham_mail, "%s\r\nhello to all the friends\r\n",
                       traits[i].ham);
        (void)snprintf(spam_mail, sizeof spam_mail, "%s\r\nhello to all the friends\r\n",
                       traits[i].spam);
        for (int n = 0; n < 20; n++) {
            (void)learn(&r, ham_mail, false);
            (void)learn(&r, spam_mail, true);
        }
        const double told =
            classify(&r, spam_mail).probability - classify(&r, ham_mail).probability;
        if (told < 0.001)
            fail_msg("%s is as likely junk as %s", traits[i].spam, traits[i].ham);
        rig_done(&r);
    }
}

static void a_verdict_says_which_words_decided(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    for (unsigned i = 0; i < 3; i++) {
        (void)learn(&r, "\r\ngood common\r\n", false);
        (void)learn(&r, "\r\nawful worse common\r\n", true);
    }
    const struct mox_junk_verdict v = classify(&r, "\r\nworse common awful good unknown\r\n");
    assert_int_equal(v.hams, 3);
    assert_int_equal(v.spams, 3);
    assert_int_equal(v.word_count, 5);
    assert_int_equal(v.shown, 3);
    assert_string_equal(v.words[0].text, "awful"); /* as long as "worse", and before it */
    assert_string_equal(v.words[1].text, "worse");
    assert_string_equal(v.words[2].text, "good");
    assert_true(v.words[0].score > 0.9 && v.words[0].hams == 0 && v.words[0].spams == 3);
    rig_done(&r);
}

/* What a configuration may say: rare words that count for nothing, and scores up to certainty. */
static void verdicts_are_probabilities_whatever_the_parameters(void **state)
{
    static const unsigned rare[] = {0, 2, 21, 1000, 1000000};
    static const double powers[] = {0, 0.01, 0.5};
    (void)state;
    for (size_t i = 0; i < 15; i++) {
        struct rig r;
        rig_init(&r);
        r.params.rare_words = rare[i / 3];
        r.params.max_power = powers[i % 3];
        r.params.ignore_words = 0;
        (void)learn(&r, "\r\nonce good common\r\n", false);
        (void)learn(&r, "\r\nonly awful common\r\n", true);
        const struct mox_junk_verdict v = classify(&r, "\r\nonce good only awful common\r\n");
        assert_true(v.probability >= 0 && v.probability <= 1);
        for (size_t w = 0; w < v.shown; w++)
            assert_true(v.words[w].score > 0 && v.words[w].score < 1);
        rig_done(&r);
    }
}

static void words_of_a_verdict_are_printable(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    for (unsigned i = 0; i < 3; i++)
        (void)learn(&r, "\r\ncafé\r\n", true);
    (void)learn(&r, "\r\nother\r\n", false);
    const struct mox_junk_verdict v = classify(&r, "\r\ncafé\r\n");
    assert_int_equal(v.shown, 1);
    assert_string_equal(v.words[0].text, "caf?");
    rig_done(&r);
}

static void counts_never_go_below_zero(void **state)
{
    (void)state;
    struct rig r;
    struct mox_junk_totals totals;
    rig_init(&r);
    unlearn(&r, ham, false, 0);
    assert_non_null(strstr(r.t.log, "more was forgotten than learned"));
    assert_int_equal(r.db.ops->totals(r.db.self, &totals, NULL), MOX_OK);
    assert_int_equal(totals.hams, 0);
    (void)learn(&r, spam, true);
    unlearn(&r, spam, false, 0);
    const struct mox_junk_verdict v = classify(&r, spam);
    assert_true(v.hams == 0 && v.spams == 1);
    rig_done(&r);
}

/* A free row has the key 0; were this word's key that, rows behind it would be lost once it is forgotten. */
static void no_word_is_taken_for_a_free_row(void **state)
{
    struct test_env t;
    struct wordset set;
    (void)state;
    test_env_init(&t);
    mox__wordset_init(&set, &t.env);
    mox__wordset_add(&set, slice(NULL, 0), slice_of("keyiszeragxisrxxuisbgxkw"));
    assert_true(set.count == 1 && set.words[0].key != 0);
    mox__wordset_free(&set);
    test_env_done(&t);
}

static void a_full_memory_refuses(void **state)
{
    (void)state;
    struct rig r;
    struct mox_error err = {0};
    rig_init(&r);
    uint64_t keys[1000];
    int rc = MOX_OK;
    for (uint64_t n = 0; rc == MOX_OK && n < 1000; n++) {
        for (size_t i = 0; i < 1000; i++)
            keys[i] = (n * 1000 + i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        rc = r.db.ops->add(r.db.self, keys, 1000, true, 1, &err);
    }
    assert_int_equal(rc, MOX_ELIMIT);
    assert_true(r.t.live_bytes < 8 << 20);
    assert_string_not_equal(err.text, "");
    rig_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verdict_says_how_much_of_it_the_words_are),
        cmocka_unit_test(what_was_learned_twice_is_known),
        cmocka_unit_test(who_has_seen_no_junk_calls_nothing_junk),
        cmocka_unit_test(how_a_message_is_made_tells),
        cmocka_unit_test(a_verdict_says_which_words_decided),
        cmocka_unit_test(verdicts_are_probabilities_whatever_the_parameters),
        cmocka_unit_test(words_of_a_verdict_are_printable),
        cmocka_unit_test(counts_never_go_below_zero),
        cmocka_unit_test(no_word_is_taken_for_a_free_row),
        cmocka_unit_test(a_full_memory_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
