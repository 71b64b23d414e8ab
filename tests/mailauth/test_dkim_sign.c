/* SPDX-License-Identifier: MIT */

/* What we sign, we verify; and what we do not sign. */

#include <mox/dkim.h>
#include <mox/dns_zone.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

#define NOW_US     (INT64_C(1700000000) * 1000000)
#define TEXT_MAX   16384

static const char mail[] = "From: Joe <joe@example.com>\r\n"
                           "To: a@example.org\r\n"
                           "to: b@example.org\r\n"
                           "Subject: Is dinner  ready?\r\n"
                           "\t folded \r\n"
                           "Date: Fri, 11 Jul 2003 21:00:37 -0700\r\n"
                           "X-Other: not signed\r\n"
                           "\r\n"
                           "Hi.  \r\n\r\nJoe \t.\r\n\r\n\r\n";

struct fixture {
    struct test_env t;
    struct mox_dkim_key *key;
    struct mox_dkim_signer signer;
};

static void begin(struct fixture *f, enum mox_dkim_key_type type)
{
    test_env_init(&f->t);
    assert_int_equal(mox_dkim_key_generate(&f->key, &f->t.env, type, 1024), MOX_OK);
    mox_dkim_signer_init(&f->signer);
    f->signer.key = f->key;
    f->signer.domain = "Example.com";
    f->signer.selector = "sel.one";
    f->signer.now_us = NOW_US;
}

static void end(struct fixture *f)
{
    mox_dkim_key_free(f->key);
    test_env_done(&f->t);
}

static int sign(struct fixture *f, const char *text, char **out, struct mox_error *err)
{
    struct mox_signed_message *m;
    assert_int_equal(mox_signed_message_new(&m, &f->t.env, slice_of(text)), MOX_OK);
    int rc = mox_dkim_sign(out, &f->t.env, m, &f->signer, err);
    mox_signed_message_free(m);
    return rc;
}

/* The status of the only signature of `front` and `text`, with the key published. */
static enum mox_dkim_status verify(struct fixture *f, const char *front, const char *text,
                                   unsigned *flags)
{
    char whole[TEXT_MAX], record[MOX_DKIM_KEY_RECORD_MAX], zone_text[TEXT_MAX];
    struct mox_signed_message *m;
    struct mox_dkim_verify *v;
    struct mox_dns_answers *answers;
    struct mox_dns_zone *zone;
    struct mox_dkim_config config;
    mox_dkim_config_init(&config);
    config.now_us = NOW_US;
    (void)snprintf(whole, sizeof whole, "%s%s", front, text);
    assert_int_equal(mox_dkim_key_record(f->key, record, sizeof record), MOX_OK);
    (void)snprintf(zone_text, sizeof zone_text, "sel.one._domainkey.example.com\tTXT\t%s\n",
                   record);
    assert_int_equal(mox_dns_zone_parse(&zone, &f->t.env, slice_of(zone_text), "zone", NULL),
                     MOX_OK);
    assert_int_equal(mox_signed_message_new(&m, &f->t.env, slice_of(whole)), MOX_OK);
    assert_int_equal(mox_dkim_verify_new(&v, &f->t.env, m, &config), MOX_OK);
    assert_int_equal(mox_dns_answers_new(&answers, &f->t.env), MOX_OK);
    if (mox_dkim_verify_run(v, answers) == MOX_NEED_DNS) {
        assert_int_equal(mox_dns_zone_answer(zone, answers), MOX_OK);
        assert_int_equal(mox_dkim_verify_run(v, answers), MOX_OK);
    }
    assert_int_equal(mox_dkim_result_count(v), 1);
    const struct mox_dkim_result *r = mox_dkim_result_at(v, 0);
    enum mox_dkim_status status = r->status;
    if (status == MOX_DKIM_PERMERROR)
        print_message("%s\n", r->reason);
    *flags = r->flags;
    mox_dkim_verify_free(v);
    mox_signed_message_free(m);
    mox_dns_answers_free(answers);
    mox_dns_zone_free(zone);
    return status;
}

static void each_key_and_canonicalization_verifies(void **state)
{
    (void)state;
    struct fixture f;
    for (unsigned form = 0; form < 16; form++) {
        unsigned flags;
        char *field;
        begin(&f, (form & 1) != 0 ? MOX_DKIM_RSA : MOX_DKIM_ED25519);
        f.signer.relaxed_header = (form & 2) != 0;
        f.signer.relaxed_body = (form & 4) != 0;
        f.signer.seal = (form & 8) != 0;
        f.signer.identity = "j;o=e@mail.example.com";
        f.signer.expires_us = NOW_US + 1000000;
        assert_int_equal(sign(&f, mail, &field, NULL), MOX_OK);
        assert_int_equal(verify(&f, field, mail, &flags), MOX_DKIM_PASS);
        assert_int_equal(flags, 0);
        for (const char *line = field; *line != '\0'; line += strcspn(line, "\n") + 1)
            assert_true(strcspn(line, "\r") <= 76);
        assert_non_null(strstr(field, "i=j=3Bo=3De@mail.example.com;"));
        mox_text_free(&f.t.env, field);
        end(&f);
    }
}

static void what_is_changed_fails(void **state)
{
    (void)state;
    struct fixture f;
    char *field, text[TEXT_MAX];
    unsigned flags;
    begin(&f, MOX_DKIM_ED25519);
    assert_int_equal(sign(&f, mail, &field, NULL), MOX_OK);
    for (size_t i = 0; i < sizeof mail - 1; i++) {
        if (strchr(" \t\r\n:", mail[i]) != NULL || strstr(mail, "X-Other") == mail + i)
            continue;
        (void)memcpy(text, mail, sizeof mail);
        text[i] = text[i] == 'q' ? 'k' : 'q';
        const char *other = strstr(mail, "X-Other");
        bool is_unsigned = mail + i >= other && mail + i < strstr(other, "\r\n");
        assert_int_equal(verify(&f, field, text, &flags),
                         is_unsigned ? MOX_DKIM_PASS : MOX_DKIM_FAIL);
    }
    mox_text_free(&f.t.env, field);
    end(&f);
}

static void nothing_can_be_added_to_what_is_sealed(void **state)
{
    (void)state;
    struct fixture f;
    unsigned flags;
    static const char *const added[] = {"Subject: other\r\n", "To: c@example.org\r\n",
                                        "Cc: c@example.org\r\n"};
    for (unsigned seal = 0; seal < 2; seal++) {
        char *field, front[TEXT_MAX];
        begin(&f, MOX_DKIM_ED25519);
        f.signer.seal = seal != 0;
        assert_int_equal(sign(&f, mail, &field, NULL), MOX_OK);
        for (size_t i = 0; i < sizeof added / sizeof added[0]; i++) {
            (void)snprintf(front, sizeof front, "%s%s", field, added[i]);
            bool is_missing = i == 2; /* named although it is not there, sealed or not */
            assert_int_equal(verify(&f, front, mail, &flags),
                             seal != 0 || is_missing ? MOX_DKIM_FAIL : MOX_DKIM_PASS);
        }
        mox_text_free(&f.t.env, field);
        end(&f);
    }
}

static void tags_have_one_order(void **state)
{
    (void)state;
    static const char *const headers[] = {"from", "TO", NULL};
    struct fixture f;
    char *field;
    begin(&f, MOX_DKIM_ED25519);
    f.signer.relaxed_body = false;
    f.signer.headers = headers;
    f.signer.expires_us = NOW_US + INT64_C(5000000);
    assert_int_equal(sign(&f, mail, &field, NULL), MOX_OK);
    static const char expected[] =
        "DKIM-Signature: v=1; d=example.com; s=sel.one; a=ed25519-sha256;\r\n"
        "\tc=relaxed/simple; t=1700000000; x=1700000005; h=from:TO:from:TO:TO;\r\n"
        "\tbh=";
    assert_memory_equal(field, expected, sizeof expected - 1);
    mox_text_free(&f.t.env, field);
    end(&f);
}

static void signers_that_make_no_sense_are_told_so(void **state)
{
    (void)state;
    static const char *const no_from[] = {"To", NULL};
    static const char *const no_name[] = {"From", "A;b", NULL};
    struct fixture f;
    struct mox_error err;
    char *field;
    begin(&f, MOX_DKIM_ED25519);
    const struct mox_dkim_signer good = f.signer;
    assert_int_equal(sign(&f, "To: a\r\n\r\n", &field, &err), MOX_EINVAL);
    assert_string_equal(err.text, "sign a message: it has no From field, and must have one");
    assert_int_equal(sign(&f, "From: a\r\nFROM: b\r\n\r\n", &field, &err), MOX_EINVAL);
    assert_int_equal(sign(&f, "From: a\r\nno field\r\n\r\n", &field, &err), MOX_EINVAL);
    f.signer.headers = no_from;
    assert_int_equal(sign(&f, mail, &field, &err), MOX_EINVAL);
    f.signer.headers = no_name;
    assert_int_equal(sign(&f, mail, &field, &err), MOX_EINVAL);
    f.signer = good;
    f.signer.identity = "joe@notexample.com";
    assert_int_equal(sign(&f, mail, &field, &err), MOX_EINVAL);
    f.signer = good;
    f.signer.domain = "ex\xc3\xa4mple.com";
    assert_int_equal(sign(&f, mail, &field, &err), MOX_EINVAL);
    f.signer = good;
    f.signer.selector = "a;b";
    assert_int_equal(sign(&f, mail, &field, &err), MOX_EINVAL);
    f.signer = good;
    f.signer.expires_us = NOW_US;
    assert_int_equal(sign(&f, mail, &field, &err), MOX_EINVAL);
    assert_null(field);
    end(&f);
}

static void keys_are_written_and_read(void **state)
{
    (void)state;
    struct fixture f;
    for (enum mox_dkim_key_type type = MOX_DKIM_RSA; type <= MOX_DKIM_ED25519; type++) {
        char pem[MOX_DKIM_KEY_PEM_MAX], again[MOX_DKIM_KEY_PEM_MAX];
        char record[MOX_DKIM_KEY_RECORD_MAX], record_again[MOX_DKIM_KEY_RECORD_MAX];
        struct mox_dkim_key *copy;
        begin(&f, type);
        assert_int_equal(mox_dkim_key_pem(f.key, pem, sizeof pem), MOX_OK);
        assert_int_equal(mox_dkim_key_parse(&copy, &f.t.env, slice_of(pem), NULL), MOX_OK);
        assert_int_equal(mox_dkim_key_type(copy), type);
        assert_int_equal(mox_dkim_key_pem(copy, again, sizeof again), MOX_OK);
        assert_string_equal(pem, again);
        assert_int_equal(mox_dkim_key_record(f.key, record, sizeof record), MOX_OK);
        assert_int_equal(mox_dkim_key_record(copy, record_again, sizeof record_again), MOX_OK);
        assert_string_equal(record, record_again);
        assert_int_equal(mox_dkim_key_record(copy, record, 20), MOX_ELIMIT);
        assert_int_equal(mox_dkim_key_pem(copy, again, 100), MOX_ELIMIT);
        mox_dkim_key_free(copy);
        end(&f);
    }
}

static void keys_of_unfit_sizes_are_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct mox_dkim_key *key;
    struct mox_error err;
    begin(&f, MOX_DKIM_ED25519);
    assert_int_equal(mox_dkim_key_generate(&key, &f.t.env, MOX_DKIM_RSA, 512), MOX_EREFUSED);
    assert_int_equal(mox_dkim_key_generate(&key, &f.t.env, MOX_DKIM_RSA, 8192), MOX_EREFUSED);
    assert_int_equal(mox_dkim_key_parse(&key, &f.t.env, slice_of("no key"), &err), MOX_ESYNTAX);
    end(&f);
}

/* RFC 8463 appendix A: the key of its Ed25519 signature, published as it says. */
static void the_key_of_rfc_8463_has_its_record(void **state)
{
    (void)state;
    static const char pem[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
                              "-----END PRIVATE KEY-----\n";
    struct test_env t;
    struct mox_dkim_key *key;
    char record[MOX_DKIM_KEY_RECORD_MAX];
    test_env_init(&t);
    assert_int_equal(mox_dkim_key_parse(&key, &t.env, slice_of(pem), NULL), MOX_OK);
    assert_int_equal(mox_dkim_key_record(key, record, sizeof record), MOX_OK);
    assert_string_equal(record, "v=DKIM1;k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    mox_dkim_key_free(key);
    test_env_done(&t);
}

static void memory_that_is_short_is_no_signature(void **state)
{
    (void)state;
    struct fixture f;
    char *field = NULL;
    begin(&f, MOX_DKIM_ED25519);
    int rc = MOX_ENOMEM;
    for (long n = 1; rc == MOX_ENOMEM; n++) {
        struct mox_signed_message *m;
        f.t.allocations = 0;
        f.t.fail_at = n;
        rc = mox_signed_message_new(&m, &f.t.env, slice_of(mail));
        if (rc == MOX_OK)
            rc = mox_dkim_sign(&field, &f.t.env, m, &f.signer, NULL);
        mox_signed_message_free(m);
        assert_true(n < 1000);
    }
    assert_int_equal(rc, MOX_OK);
    f.t.fail_at = 0;
    mox_text_free(&f.t.env, field);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_and_canonicalization_verifies),
        cmocka_unit_test(what_is_changed_fails),
        cmocka_unit_test(nothing_can_be_added_to_what_is_sealed),
        cmocka_unit_test(tags_have_one_order),
        cmocka_unit_test(signers_that_make_no_sense_are_told_so),
        cmocka_unit_test(keys_are_written_and_read),
        cmocka_unit_test(keys_of_unfit_sizes_are_refused),
        cmocka_unit_test(the_key_of_rfc_8463_has_its_record),
        cmocka_unit_test(memory_that_is_short_is_no_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
