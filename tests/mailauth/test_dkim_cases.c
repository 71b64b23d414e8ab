/* SPDX-License-Identifier: MIT */

/* Signed messages of other projects, each signature as an independent verifier (dkimpy) judged it;
 * dkim-differences.tsv names those that we judge otherwise, and why. */

#include <mox/dkim.h>
#include <mox/dns_zone.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/corpora.h"
#include "support/testenv.h"

#define LINE_MAX_BYTES 4096
#define COLUMNS        11
/* Between the t= and x= of most of them. */
#define NOW_US (INT64_C(1700000000) * 1000000)

struct corpus {
    struct test_env t;
    struct mox_dns_zone *zone;
    char *differences;
    unsigned cases, differ, wrong;
};

/* What dkimpy says, in words of RFC 8601; without the differences of detail among errors. */
static const char *expected(const char *word)
{
    if (strcmp(word, "pass") == 0 || strcmp(word, "fail") == 0)
        return word;
    if (strstr(word, "body hash mismatch") != NULL)
        return "fail";
    return strcmp(word, "none") == 0 ? "none" : "permerror";
}

/* The differences' line for this signature: what we say; NULL. */
static const char *difference(const struct corpus *c, const char *file, const char *sig,
                              char out[static 32])
{
    char key[LINE_MAX_BYTES];
    (void)snprintf(key, sizeof key, "\n%s\t%s\t", file, sig);
    const char *at = strstr(c->differences, key);
    if (at == NULL)
        return NULL;
    at += strlen(key);
    (void)snprintf(out, 32, "%.*s", (int)strcspn(at, "\t\n"), at);
    return out;
}

static void judge(struct corpus *c, char *column[COLUMNS])
{
    char path[600], ours[32];
    (void)snprintf(path, sizeof path, "dkim/%s", column[0]);
    struct mox_slice raw = read_file(corpus_path(path)), text = with_crlf(raw);
    struct mox_signed_message *m = NULL;
    struct mox_dkim_verify *v = NULL;
    struct mox_dns_answers *answers = NULL;
    struct mox_dkim_config config;
    int rc;
    mox_dkim_config_init(&config);
    config.now_us = NOW_US;
    assert_int_equal(mox_signed_message_new(&m, &c->t.env, text), MOX_OK);
    assert_int_equal(mox_dkim_verify_new(&v, &c->t.env, m, &config), MOX_OK);
    assert_int_equal(mox_dns_answers_new(&answers, &c->t.env), MOX_OK);
    for (unsigned rounds = 0; (rc = mox_dkim_verify_run(v, answers)) == MOX_NEED_DNS; rounds++) {
        assert_int_equal(rounds, 0); /* all keys at once */
        assert_int_equal(mox_dns_zone_answer(c->zone, answers), MOX_OK);
    }
    assert_int_equal(rc, MOX_OK);
    size_t sig = (size_t)atoi(column[1]), count = mox_dkim_result_count(v);
    const struct mox_dkim_result *r =
        sig >= 1 && sig <= count ? mox_dkim_result_at(v, sig - 1) : NULL;
    const char *got = r == NULL ? "none" : mox_dkim_status_name(r->status);
    const char *want = difference(c, column[0], column[1], ours);
    c->cases++;
    c->differ += want != NULL;
    want = want != NULL ? want : expected(column[8]);
    if (strcmp(got, want) != 0) {
        c->wrong++;
        print_message("%s\t%s\t%s (%s), not %s\n", column[0], column[1], got,
                      r != NULL ? r->reason : "", want);
    }
    mox_dkim_verify_free(v);
    mox_signed_message_free(m);
    mox_dns_answers_free(answers);
    free((void *)(uintptr_t)raw.data);
    free((void *)(uintptr_t)text.data);
}

static void signatures_are_judged_as_another_verifier_does(void **state)
{
    (void)state;
    struct corpus c = {.cases = 0};
    struct mox_error err;
    char *column[COLUMNS];
    if (corpus_path("dkim/cases.tsv") == NULL) {
        print_message("no corpora\n");
        skip();
    }
    test_env_init(&c.t);
    struct mox_slice zone = read_file(corpus_path("dkim/dns.tsv"));
    assert_int_equal(mox_dns_zone_parse(&c.zone, &c.t.env, zone, "dns.tsv", &err), MOX_OK);
    struct mox_slice differences = read_file(tests_path("mailauth/dkim-differences.tsv"));
    struct mox_slice cases = read_file(corpus_path("dkim/cases.tsv"));
    c.differences = (char *)(uintptr_t)differences.data;
    for (char *save = NULL, *line = strtok_r((char *)(uintptr_t)cases.data, "\n", &save);
         line != NULL; line = strtok_r(NULL, "\n", &save)) {
        if (line[0] == '#')
            continue;
        for (size_t i = 0; i < COLUMNS; i++) {
            column[i] = line;
            line += strcspn(line, "\t");
            if (*line == '\t')
                *line++ = '\0';
        }
        judge(&c, column);
    }
    print_message("%u signatures, %u of them judged otherwise with a reason\n", c.cases, c.differ);
    assert_true(c.cases > 60);
    assert_int_equal(c.wrong, 0);
    mox_dns_zone_free(c.zone);
    free((void *)(uintptr_t)zone.data);
    free((void *)(uintptr_t)differences.data);
    free((void *)(uintptr_t)cases.data);
    test_env_done(&c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_judged_as_another_verifier_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
