/* SPDX-License-Identifier: MIT */
#include <mox/dmarc_report.h>
#include <mox/tls_report.h>

#include <string.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

static void a_build_without_reports_says_so(void **state)
{
    (void)state;
    struct test_env t;
    struct mox_dmarc_report *dmarc;
    struct mox_tls_report *tls;
    struct mox_error err = {0};
    struct mox_slice any = slice_of("<feedback/>");
    test_env_init(&t);
    assert_int_equal(mox_dmarc_report_parse(&dmarc, &t.env, any, &err), MOX_EUNSUPPORTED);
    assert_non_null(strstr(err.text, "enable the feature reports"));
    assert_int_equal(mox_dmarc_report_parse_message(&dmarc, &t.env, any, &err), MOX_EUNSUPPORTED);
    assert_int_equal(mox_tls_report_parse(&tls, &t.env, any, &err), MOX_EUNSUPPORTED);
    assert_int_equal(mox_tls_report_parse_message(&tls, &t.env, any, NULL), MOX_EUNSUPPORTED);
    assert_true(dmarc == NULL && tls == NULL);
    mox_dmarc_report_free(dmarc);
    mox_tls_report_free(tls);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_build_without_reports_says_so)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
