/* SPDX-License-Identifier: MIT */

/* The published suite for ARC: chains to be judged, and messages to be sealed with a key that is known,
 * so that every byte of the result is; and a message of a large provider. */

#include <mox/arc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/auth_results.h>
#include <mox/header.h>

#include "base/buf.h"
#include "base/text.h"
#include "support/cm.h"
#include "support/corpora.h"
#include "support/testenv.h"
#include "support/yaml.h"

/* Where the suite, made for a draft, expects something else than RFC 8617. */
static const struct {
    const char *test;
    enum mox_arc_status ours;
    const char *reason;
} differences[] = {
    {"cv_fail_i1_as_cv_fail", MOX_ARC_FAIL,
     "no result in the suite; §5.2 step 2: the chain failed"},
    {"cv_fail_i2_as2_fail", MOX_ARC_FAIL, "no result in the suite; §5.2 step 2: the chain failed"},
    {"cv_fail_i2_as1_fail", MOX_ARC_FAIL,
     "no result in the suite; §5.2 step 3: no seal may say fail"},
};

struct counts {
    size_t passed, differ;
};

/* A message that is looked at, and the names that it leads to. */
struct subject {
    struct test_env t;
    struct mox_slice content;
    struct mox_signed_message *message;
    struct mox_dns_answers *answers;
    struct mox_arc_verify *verify;
    unsigned rounds; /* of questions */
};

static void subject_init(struct subject *s, const char *text)
{
    test_env_init(&s->t);
    s->content = with_crlf(slice_of(text));
    s->verify = NULL;
    s->rounds = 0;
    assert_int_equal(mox_signed_message_new(&s->message, &s->t.env, s->content), MOX_OK);
    assert_int_equal(mox_dns_answers_new(&s->answers, &s->t.env), MOX_OK);
}

static void subject_done(struct subject *s)
{
    mox_arc_verify_free(s->verify);
    mox_dns_answers_free(s->answers);
    mox_signed_message_free(s->message);
    free((void *)(uintptr_t)s->content.data);
    test_env_done(&s->t);
}

/* Answers all that is wanted from an object `name: text`. */
static void answer(struct mox_dns_answers *answers, const json_t *records)
{
    const struct mox_dns_question *wanted;
    while (mox_dns_wanted(answers, &wanted) > 0) {
        const char *text = yaml_text(records, wanted->name);
        struct mox_dns_record record = {.data.txt = mox__slice_trim(slice_of(text))};
        struct mox_dns_answer a = {.question = *wanted,
                                   .status = *text != '\0' ? MOX_DNS_FOUND : MOX_DNS_NXDOMAIN,
                                   .records = &record,
                                   .count = *text != '\0' ? 1 : 0};
        assert_int_equal(wanted->type, MOX_DNS_TXT);
        assert_int_equal(mox_dns_put(answers, &a), MOX_OK);
    }
}

static const struct mox_arc_verdict *judge(struct subject *s, const json_t *records, int64_t now_us)
{
    struct mox_dkim_config config;
    mox_dkim_config_init(&config);
    config.now_us = now_us;
    assert_int_equal(mox_arc_verify_new(&s->verify, &s->t.env, s->message, &config), MOX_OK);
    int rc;
    while ((rc = mox_arc_verify_run(s->verify, s->answers)) == MOX_NEED_DNS) {
        answer(s->answers, records);
        s->rounds++;
    }
    assert_int_equal(rc, MOX_OK);
    assert_true(s->rounds <= 1);
    return mox_arc_verdict(s->verify);
}

static bool is_known_difference(const char *test, enum mox_arc_status status)
{
    for (size_t i = 0; i < sizeof differences / sizeof differences[0]; i++)
        if (strcmp(differences[i].test, test) == 0)
            return differences[i].ours == status;
    return false;
}

static void check_validation(const char *name, const json_t *test, const json_t *records,
                             struct counts *counts)
{
    struct subject s;
    subject_init(&s, yaml_text(test, "message"));
    const struct mox_arc_verdict *v = judge(&s, records, s.t.wall_us);
    const char *got = mox_arc_status_name(v->status);
    assert_int_equal(v->reason[0] == '\0', v->status == MOX_ARC_PASS || v->status == MOX_ARC_NONE);
    if (mox__slice_is_nocase(slice_of(got), yaml_text(test, "cv")))
        counts->passed++;
    else if (is_known_difference(name, v->status))
        counts->differ++;
    else
        fail_msg("%s: %s (%s), expected %s", name, got, v->reason, yaml_text(test, "cv"));
    subject_done(&s);
}

static void chains_are_judged(void **state)
{
    (void)state;
    const char *path = corpus_path("arc/arc_test_suite/arc-draft-validation-tests.yml");
    struct counts counts = {0, 0};
    size_t i;
    json_t *document, *test;
    const char *name;
    if (path == NULL)
        skip();
    json_t *suite = yaml_load(path);
    json_array_foreach(suite, i, document)
    {
        json_object_foreach(json_object_get(document, "tests"), name, test)
            check_validation(name, test, json_object_get(document, "txt-records"), &counts);
    }
    print_message("%zu chains as expected, %zu known differences\n", counts.passed, counts.differ);
    assert_int_equal(counts.differ, sizeof differences / sizeof differences[0]);
    assert_true(counts.passed > 80);
    json_decref(suite);
}

/* Lines `name record` up to a blank one, then the message; the time is that of its newest seal. */
static void a_message_of_a_large_provider_passes(void **state)
{
    (void)state;
    const char *path = corpus_path("arc/mail-auth/001.txt");
    struct subject s;
    if (path == NULL)
        skip();
    struct mox_slice file = read_file(path);
    char *text = (char *)(uintptr_t)file.data, *blank = strstr(text, "\n\n"), *save = NULL;
    json_t *records = json_object();
    assert_non_null(blank);
    *blank = '\0';
    for (char *line = strtok_r(text, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        char *space = strchr(line, ' ');
        assert_non_null(space);
        *space = '\0';
        assert_int_equal(json_object_set_new(records, line, json_string(space + 1)), 0);
    }
    subject_init(&s, blank + 2);
    const struct mox_arc_verdict *v = judge(&s, records, INT64_C(1667893878) * 1000000);
    if (v->status != MOX_ARC_PASS)
        fail_msg("%s: %s", mox_arc_status_name(v->status), v->reason);
    assert_int_equal(v->count, 1);
    assert_string_equal(v->instances[0].seal_domain, "google.com");
    subject_done(&s);
    json_decref(records);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_are_judged),
        cmocka_unit_test(a_message_of_a_large_provider_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
