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

/* What the message's Authentication-Results of this server say, joined by `;` (RFC 8617 §4.1.1). */
static void join_results(struct buf *out, struct mox_slice content, const char *authserv_id)
{
    struct mox_header_field f;
    for (size_t at = 0; mox_header_next(content, &at, &f);) {
        struct mox_slice value = mox__slice_trim(f.value);
        size_t len = strlen(authserv_id);
        if (!mox__slice_is_nocase(f.name, "Authentication-Results") || value.len <= len ||
            memcmp(value.data, authserv_id, len) != 0 || value.data[len] != ';')
            continue;
        if (out->len > 0)
            mox__buf_text(out, "; ");
        mox__buf_slice(out, mox__slice_trim(slice_from(value, len + 1)));
    }
}

/* Names with `:` between, into `memory` and a list that ends in NULL. */
static void split_names(const char *text, char *memory, size_t size, const char **list, size_t room)
{
    char *save = NULL;
    assert_true(strlen(text) < size);
    (void)snprintf(memory, size, "%s", text);
    size_t count = 0;
    for (char *name = strtok_r(memory, ":", &save); name != NULL;
         name = strtok_r(NULL, ":", &save)) {
        assert_true(count + 1 < room);
        list[count++] = name;
    }
    list[count] = NULL;
}

/* The text without its white space, of which the suite's files have more than was signed. What was is shown
 * by the signatures. */
static void squeeze(char *out, size_t size, struct mox_slice s)
{
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++) {
        assert_true(len + 1 < size);
        if (strchr(" \t\r\n", s.data[i]) == NULL)
            out[len++] = (char)s.data[i];
    }
    out[len] = '\0';
}

static void assert_field(const char *set, const char *name, const char *want, const char *test)
{
    char got[4000], expected[4000];
    struct mox_slice value;
    assert_true(mox_header_find(slice_of(set), name, &value));
    squeeze(got, sizeof got, value);
    squeeze(expected, sizeof expected, slice_of(want));
    if (strcmp(got, expected) != 0)
        fail_msg("%s: %s\n%s\nexpected\n%s", test, name, got, expected);
}

static void check_sealing(const char *name, const json_t *test, const json_t *document)
{
    struct subject s;
    struct mox_arc_sealer sealer;
    struct mox_error err;
    struct buf results;
    char *set, names[500];
    const char *headers[50];
    subject_init(&s, yaml_text(test, "message"));
    (void)judge(&s, json_object_get(document, "txt-records"), s.t.wall_us);
    mox__buf_init(&results, &s.t.env, 10000);
    join_results(&results, s.content, yaml_text(test, "srv-id"));
    split_names(yaml_text(test, "sig-headers"), names, sizeof names, headers, 50);

    mox_arc_sealer_init(&sealer);
    assert_int_equal(mox_dkim_key_parse(&sealer.key, &s.t.env,
                                        slice_of(yaml_text(document, "privatekey")), &err),
                     MOX_OK);
    sealer.domain = yaml_text(document, "domain");
    sealer.selector = yaml_text(document, "sel");
    sealer.authserv_id = yaml_text(test, "srv-id");
    sealer.results = slice(results.data, results.len);
    sealer.headers = headers;
    sealer.unfolded = true; /* as in the suite's own program */
    sealer.now_us = atoll(yaml_text(test, "t")) * 1000000;
    int rc = mox_arc_seal(&set, &s.t.env, s.message, s.verify, &sealer, &err);
    if (*yaml_text(test, "AS") == '\0') {
        assert_int_equal(rc, MOX_EREFUSED);
    } else {
        if (rc != MOX_OK)
            fail_msg("%s: %s", name, err.text);
        assert_field(set, "ARC-Authentication-Results", yaml_text(test, "AAR"), name);
        assert_field(set, "ARC-Message-Signature", yaml_text(test, "AMS"), name);
        assert_field(set, "ARC-Seal", yaml_text(test, "AS"), name);
        mox_text_free(&s.t.env, set);
    }
    mox_dkim_key_free(sealer.key);
    mox__buf_free(&results);
    subject_done(&s);
}

static void sets_are_made_to_the_byte(void **state)
{
    (void)state;
    const char *path = corpus_path("arc/arc_test_suite/arc-draft-sign-tests.yml");
    size_t i, count = 0;
    json_t *document, *test;
    const char *name;
    if (path == NULL)
        skip();
    json_t *suite = yaml_load(path);
    json_array_foreach(suite, i, document)
    {
        json_object_foreach(json_object_get(document, "tests"), name, test)
        {
            check_sealing(name, test, document);
            count++;
        }
    }
    print_message("%zu messages sealed as expected\n", count);
    assert_int_equal(count, 8);
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
        cmocka_unit_test(sets_are_made_to_the_byte),
        cmocka_unit_test(a_message_of_a_large_provider_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
