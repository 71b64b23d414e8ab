/* SPDX-License-Identifier: MIT */
#include <mox/spf.h>

#include <stdio.h>
#include <string.h>

#include "support/cm.h"
#include "support/testenv.h"

static struct mox_spf_query query(void)
{
    struct mox_spf_query q;
    mox_spf_query_init(&q);
    q.ip = "192.0.2.1";
    q.helo = "client.example";
    q.receiver = "mx.example";
    q.mail_from_localpart = "a";
    q.mail_from_domain = "sender.example";
    return q;
}

static struct mox_spf_verdict passed(void)
{
    return (struct mox_spf_verdict){.result = MOX_SPF_PASS,
                                    .identity = MOX_SPF_IDENTITY_MAILFROM,
                                    .domain = "sender.example",
                                    .sender = "a@sender.example",
                                    .mechanism = "mx"};
}

static void assert_field(const struct mox_spf_query *q, const struct mox_spf_verdict *v,
                         const char *want)
{
    struct test_env t;
    char *got;
    test_env_init(&t);
    assert_int_equal(mox_spf_received(&got, &t.env, q, v), MOX_OK);
    assert_string_equal(got, want);
    mox_text_free(&t.env, got);
    test_env_done(&t);
}

static void a_pass_of_mail_from(void **state)
{
    (void)state;
    struct mox_spf_query q = query();
    struct mox_spf_verdict v = passed();
    assert_field(&q, &v,
                 "Received-SPF: pass (domain sender.example) client-ip=192.0.2.1;\r\n"
                 "\tenvelope-from=\"a@sender.example\"; helo=client.example; mechanism=mx;\r\n"
                 "\treceiver=mx.example; identity=mailfrom\r\n");
}

static void helo_when_the_path_is_null(void **state)
{
    (void)state;
    struct mox_spf_query q = query();
    struct mox_spf_verdict v = passed();
    q.ip = "2001:db8::1";
    q.mail_from_localpart = q.mail_from_domain = "";
    v.identity = MOX_SPF_IDENTITY_HELO;
    v.result = MOX_SPF_SOFTFAIL;
    (void)snprintf(v.domain, sizeof v.domain, "client.example");
    (void)snprintf(v.sender, sizeof v.sender, "postmaster@client.example");
    (void)snprintf(v.mechanism, sizeof v.mechanism, "~all");
    assert_field(
        &q, &v,
        "Received-SPF: softfail (domain client.example, from EHLO: MAIL FROM is\r\n"
        "\tempty) client-ip=\"2001:db8::1\"; envelope-from=\"postmaster@client.example\";\r\n"
        "\thelo=client.example; mechanism=~all; receiver=mx.example; identity=helo\r\n");
}

/* Nothing of theirs ends a value, a comment or the field. */
static void strangers_text_stays_in_its_place(void **state)
{
    (void)state;
    struct mox_spf_query q = query();
    struct mox_spf_verdict v = passed();
    q.helo = "a\r\nX: \"\\b\xff";
    v.result = MOX_SPF_PERMERROR;
    (void)snprintf(v.domain, sizeof v.domain, "x) \r\n(\\");
    (void)snprintf(v.sender, sizeof v.sender, "\"a;b\"@sender.example");
    memset(v.problem, 'p', 100);
    v.problem[100] = '\0';
    v.mechanism[0] = '\0';
    assert_field(
        &q, &v,
        "Received-SPF: permerror (domain x\\) ?\?\\(\\\\) client-ip=192.0.2.1;\r\n"
        "\tenvelope-from=\"\\\"a;b\\\"@sender.example\"; helo=\"a?\?X: \\\"\\\\b?\";\r\n"
        "\tproblem=ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp;\r\n"
        "\treceiver=mx.example; identity=mailfrom\r\n");
}

static void nothing_was_checked(void **state)
{
    (void)state;
    struct mox_spf_query q = query();
    struct mox_spf_verdict v = {.result = MOX_SPF_NONE, .problem = "no name"};
    q.helo = "";
    q.receiver = NULL;
    assert_field(
        &q, &v,
        "Received-SPF: none client-ip=192.0.2.1; problem=\"no name\"; receiver=unknown\r\n");
}

static void no_memory(void **state)
{
    (void)state;
    struct test_env t;
    char *got;
    struct mox_spf_query q = query();
    struct mox_spf_verdict v = passed();
    test_env_init(&t);
    t.fail_at = 1;
    assert_int_equal(mox_spf_received(&got, &t.env, &q, &v), MOX_ENOMEM);
    assert_null(got);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pass_of_mail_from),
        cmocka_unit_test(helo_when_the_path_is_null),
        cmocka_unit_test(strangers_text_stays_in_its_place),
        cmocka_unit_test(nothing_was_checked),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
