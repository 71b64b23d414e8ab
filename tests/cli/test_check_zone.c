/* SPDX-License-Identifier: MIT */
#include "../../cli/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <mox/dns_answers.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

/* What `mox check` hands to a server of the names that it has found. */

enum exit_code cli_fail(const char *format, ...)
{
    fail_msg("%s", format);
    return EXIT_FAILED;
}

static void put_txt(struct mox_dns_answers *answers, const char *name, const char *const *texts,
                    size_t count)
{
    struct mox_dns_record records[4] = {0};
    const struct mox_dns_answer *asked;
    assert_int_equal(mox_dns_ask(answers, slice_of(name), MOX_DNS_TXT, &asked), MOX_NEED_DNS);
    for (size_t i = 0; i < count; i++)
        records[i].data.txt = slice_of(texts[i]);
    const struct mox_dns_answer a = {.question = {name, MOX_DNS_TXT},
                                     .status = MOX_DNS_FOUND,
                                     .records = records,
                                     .count = count};
    assert_int_equal(mox_dns_put(answers, &a), MOX_OK);
}

static void a_text_that_reads_like_an_outcome_is_none(void **state)
{
    static const char *const both[] = {"!NXDOMAIN", "v=spf1 -all"}, *const one[] = {"!TIMEOUT"},
                             *const more[] = {"!TIMEOUT here"};
    struct mox_dns_answers *answers;
    struct test_env t;
    char *text = NULL;
    size_t len = 0;
    (void)state;
    test_env_init(&t);
    assert_int_equal(mox_dns_answers_new(&answers, &t.env), MOX_OK);
    put_txt(answers, "a.example", both, 2);
    put_txt(answers, "b.example", one, 1);
    put_txt(answers, "c.example", more, 1);
    assert_int_equal(check_zone(answers, &text, &len), EXIT_OK);
    assert_string_equal(text, "a.example\tTXT\tv=spf1 -all\nb.example\tTXT\t!NODATA\n"
                              "c.example\tTXT\t!TIMEOUT here\n");
    free(text);
    mox_dns_answers_free(answers);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_text_that_reads_like_an_outcome_is_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
