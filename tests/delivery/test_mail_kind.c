/* SPDX-License-Identifier: MIT */
#include "delivery/mail_kind.h"

#include <mox/error.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

/* Whom the header of a message names. */

static bool is_addressed(const char *headers, const char *localpart, const char *domain)
{
    struct test_env t;
    bool found = false;
    test_env_init(&t);
    assert_int_equal(mox__is_addressed_to(&t.env, slice_of(headers), localpart, domain, &found),
                     MOX_OK);
    test_env_done(&t);
    return found;
}

static void to_and_cc_name_recipients(void **state)
{
    (void)state;
    assert_true(is_addressed("To: Jane <JANE@Ours.example>\r\n\r\n", "jane", "ours.example"));
    assert_true(
        is_addressed("To: a@b.example\r\nCc: jane@ours.example\r\n\r\n", "jane", "ours.example"));
    assert_false(is_addressed("Bcc: jane@ours.example\r\n\r\n", "jane", "ours.example"));
    assert_false(is_addressed("To: jane@other.example\r\n\r\n", "jane", "ours.example"));
    assert_false(is_addressed("To: jane\r\n\r\n", "jane", "ours.example"));
}

/* RFC 5321 §4.5.1 */
static void a_postmaster_needs_no_domain(void **state)
{
    (void)state;
    assert_true(is_addressed("To: postmaster@mx.example\r\n\r\n", "postmaster", "mx.example"));
    assert_true(is_addressed("To: <Postmaster>\r\n\r\n", "postmaster", "mx.example"));
    assert_false(is_addressed("To: postmaster@other.example\r\n\r\n", "postmaster", "mx.example"));
    assert_false(is_addressed("To: <postmaster>\r\n\r\n", "jane", "mx.example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(to_and_cc_name_recipients),
        cmocka_unit_test(a_postmaster_needs_no_domain),
    };
    return cmocka_run_group_tests_name("delivery-mail-kind", tests, NULL, NULL);
}
