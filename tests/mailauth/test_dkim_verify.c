/* SPDX-License-Identifier: MIT */

/* What each rule of RFC 6376 §6.1 says of a signature that breaks it, and of a key. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/dkim.h>
#include <mox/dns_zone.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/text.h"
#include "mailauth/dkim_key.h"
#include "mailauth/dkim_signature.h"
#include "mailauth/signed_message.h"
#include "support/cm.h"
#include "support/testenv.h"

#define NOW_US (INT64_C(1700000000) * 1000000)

#define BH  "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;"
#define TOP "v=1; a=ed25519-sha256; d=example.com; s=s;"
#define KEY "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define ED  "v=DKIM1; k=ed25519; " KEY

/* The text of RFC 8032's first key; nothing here was signed by it. */
static const char good[] = TOP "h=from:subject;" BH "b=AAAA";

struct row {
    const char *tags, *record; /* of the zone file: several with \n between */
    enum mox_dkim_status status;
    const char *reason;
};

static const struct row rows[] = {
    {good, ED, MOX_DKIM_FAIL, "the header was changed"},
    /* the field */
    {"a=ed25519-sha256; d=example.com; s=s; h=from;" BH "b=AAAA", ED, MOX_DKIM_PERMERROR, "v="},
    {TOP "h=from;" BH, ED, MOX_DKIM_PERMERROR, "b="},
    {TOP "h=from; b=AAAA", ED, MOX_DKIM_PERMERROR, "bh="},
    {TOP "s=t; h=from;" BH "b=AAAA", ED, MOX_DKIM_PERMERROR, "twice"},
    {TOP "h=from; bh=AAAA; b=AAAA", ED, MOX_DKIM_PERMERROR, "bh= has not the length"},
    {TOP "h=from; t=5; x=5;" BH "b=AAAA", ED, MOX_DKIM_PERMERROR, "x= is not behind t="},
    {TOP "h=from; i=@other.com;" BH "b=AAAA", ED, MOX_DKIM_PERMERROR, "i= is not within d="},
    {TOP "h=from; i=@notexample.com;" BH "b=AAAA", ED, MOX_DKIM_PERMERROR, "i= is not within"},
    {TOP "h=from; c=other;" BH "b=AAAA", ED, MOX_DKIM_PERMERROR, "c="},
    {TOP "h=from; q=http;" BH "b=AAAA", ED, MOX_DKIM_PERMERROR, "q="},
    {TOP "h=from; x=1234567890123;" BH "b=AAAA", ED, MOX_DKIM_PERMERROR, "x="},
    {"v=1; a=rsa-md5; d=example.com; s=s; h=from;" BH "b=AAAA", ED, MOX_DKIM_PERMERROR, "a="},
    /* rules without a key */
    {TOP "h=to:subject;" BH "b=AAAA", ED, MOX_DKIM_PERMERROR, "From is not signed"},
    {TOP "h=from; x=1699999999;" BH "b=AAAA", ED, MOX_DKIM_PERMERROR, "the signature has expired"},
    {"v=1; a=ed25519-sha256; d=com; s=s; h=from;" BH "b=AAAA", ED, MOX_DKIM_PERMERROR,
     "above the domains of organizations"},
    /* the key */
    {good, "!NXDOMAIN", MOX_DKIM_PERMERROR, "no key record"},
    {good, "v=spf1 -all", MOX_DKIM_PERMERROR, "no key record"},
    {good, "!TIMEOUT", MOX_DKIM_TEMPERROR, "cannot be looked up now"},
    {good, "!SERVFAIL", MOX_DKIM_TEMPERROR, "cannot be looked up now"},
    {good, ED "\n" ED, MOX_DKIM_TEMPERROR, "several key records"},
    {good, "v=spf1 -all\n" ED, MOX_DKIM_FAIL, "the header was changed"},
    {good, "v=DKIM1; k=ed25519; p=", MOX_DKIM_PERMERROR, "revoked"},
    {good, "v=DKIM1; k=ed25519", MOX_DKIM_PERMERROR, "no p="},
    {good, "v=DKIM1; k=ed25519; p=AAAA", MOX_DKIM_PERMERROR, "32 bytes"},
    {good, "v=DKIM1; k=other; p=AAAA", MOX_DKIM_PERMERROR, "k="},
    {good, "k=ed25519; v=DKIM1; " KEY, MOX_DKIM_PERMERROR, "not at its begin"},
    {good, "v=DKIM1; k=ed25519; h=sha1; " KEY, MOX_DKIM_PERMERROR, "not for this hash"},
    {good, "v=DKIM1; k=rsa; p=AAAA", MOX_DKIM_PERMERROR, "another type"},
    {good, "v=DKIM1; k=ed25519; s=tlsrpt; " KEY, MOX_DKIM_PERMERROR, "not for mail"},
    {good, "v=DKIM1; k=ed25519; t=y; " KEY, MOX_DKIM_NONE, "the header was changed"},
    {TOP "h=from; i=a@b.example.com;" BH "b=AAAA", "v=DKIM1; k=ed25519; t=s; " KEY,
     MOX_DKIM_PERMERROR, "for its domain only"},
};

/* Of names in com: the last two labels. */
static void org_domain(void *user, const char *domain, char out[MOX_DOMAIN_MAX + 1])
{
    (void)user;
    const char *last = strrchr(domain, '.'), *at = last;
    while (at != NULL && at > domain && at[-1] != '.')
        at--;
    (void)snprintf(out, MOX_DOMAIN_MAX + 1, "%s", at != NULL ? at : domain);
}

struct subject {
    struct test_env t;
    struct mox_signed_message *m;
    struct mox_dkim_verify *v;
    struct mox_dns_answers *answers;
    struct mox_dns_zone *zone;
};

static void judge(struct subject *s, struct mox_slice message, const char *zone)
{
    struct mox_dkim_config config;
    mox_dkim_config_init(&config);
    config.now_us = NOW_US;
    config.org_domain = org_domain;
    assert_int_equal(mox_dns_zone_parse(&s->zone, &s->t.env, slice_of(zone), "zone", NULL), MOX_OK);
    assert_int_equal(mox_signed_message_new(&s->m, &s->t.env, message), MOX_OK);
    assert_int_equal(mox_dkim_verify_new(&s->v, &s->t.env, s->m, &config), MOX_OK);
    assert_int_equal(mox_dns_answers_new(&s->answers, &s->t.env), MOX_OK);
    int rc = mox_dkim_verify_run(s->v, s->answers);
    if (rc == MOX_NEED_DNS) {
        assert_int_equal(mox_dns_zone_answer(s->zone, s->answers), MOX_OK);
        rc = mox_dkim_verify_run(s->v, s->answers);
    }
    assert_int_equal(rc, MOX_OK);
}

static void done(struct subject *s)
{
    mox_dkim_verify_free(s->v);
    mox_signed_message_free(s->m);
    mox_dns_answers_free(s->answers);
    mox_dns_zone_free(s->zone);
    test_env_done(&s->t);
}

/* The records of a row as lines of a zone file. */
static void zone_of(const char *records, char *out, size_t size)
{
    struct buf b = buf_over(out, size - 1);
    for (const char *at = records; *at != '\0';) {
        size_t len = strcspn(at, "\n");
        mox__buf_printf(&b, "s._domainkey.example.com\tTXT\t%.*s\n", (int)len, at);
        at += len + (at[len] == '\n');
    }
    out[b.len] = '\0';
}

static void each_rule_has_its_result(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char message[2048], zone[2048];
        struct subject s = {.m = NULL};
        test_env_init(&s.t);
        (void)snprintf(message, sizeof message,
                       "DKIM-Signature: %s\r\nFrom: a@example.com\r\nSubject: x\r\n\r\n",
                       rows[i].tags);
        zone_of(rows[i].record, zone, sizeof zone);
        judge(&s, slice_of(message), zone);
        assert_int_equal(mox_dkim_result_count(s.v), 1);
        const struct mox_dkim_result *r = mox_dkim_result_at(s.v, 0);
        if (r->status != rows[i].status || strstr(r->reason, rows[i].reason) == NULL) {
            print_message("%s\n%s\n  is %s: %s\n", rows[i].tags, rows[i].record,
                          mox_dkim_status_name(r->status), r->reason);
            wrong++;
        }
        done(&s);
    }
    assert_int_equal(wrong, 0);
}

static void flags_say_what_is_true_beside_the_result(void **state)
{
    (void)state;
    static const struct {
        const char *tags;
        unsigned flags;
    } cases[] = {{TOP "h=from:Subject;" BH "b=AAAA", 0},
                 {TOP "h=from;" BH "b=AAAA", MOX_DKIM_SUBJECT_UNSIGNED},
                 {TOP "h=from:subject; l=0;" BH "b=AAAA", MOX_DKIM_BODY_LIMITED}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char message[2048];
        struct subject s = {.m = NULL};
        test_env_init(&s.t);
        (void)snprintf(message, sizeof message, "DKIM-Signature: %s\r\nFrom: a@example.com\r\n\r\n",
                       cases[i].tags);
        judge(&s, slice_of(message), "s._domainkey.example.com\tTXT\t" ED "\n");
        assert_int_equal(mox_dkim_result_at(s.v, 0)->flags, cases[i].flags);
        done(&s);
    }
}

static void a_header_that_is_none_has_a_problem_and_no_result(void **state)
{
    (void)state;
    struct subject s = {.m = NULL};
    test_env_init(&s.t);
    judge(&s, slice_of("DKIM-Signature: v=1\r\nno field\r\nFrom: a@example.com\r\n\r\n"),
          "# none\n");
    assert_int_equal(mox_dkim_result_count(s.v), 0);
    assert_non_null(mox_dkim_problem(s.v));
    done(&s);
}

/* 21 signatures that each name a thousand fields, in a header of two thousand: what is looked at grows
 * with their sum, and the last is not looked at. */
static void many_signatures_of_many_fields_end(void **state)
{
    (void)state;
    enum { SIGNATURES = MOX_DKIM_SIGNATURES_MAX + 1, NAMES = 1000, FIELDS = 1900 };
    struct subject s = {.m = NULL};
    struct buf text;
    test_env_init(&s.t);
    mox__buf_init(&text, &s.t.env, 4 * 1024 * 1024);
    for (int i = 0; i < SIGNATURES; i++) {
        mox__buf_text(&text, "DKIM-Signature: " TOP BH "b=AAAA; h=from:subject");
        for (int n = 0; n < NAMES; n++)
            mox__buf_printf(&text, ":X-%d", n % 500);
        mox__buf_text(&text, "\r\n");
    }
    for (int i = 0; i < FIELDS; i++)
        mox__buf_printf(&text, "X-%d: value\r\n", i % 700);
    mox__buf_text(&text, "From: a@example.com\r\n\r\n");
    assert_false(text.failed);
    judge(&s, slice(text.data, text.len), "s._domainkey.example.com\tTXT\t" ED "\n");
    assert_int_equal(mox_dkim_result_count(s.v), SIGNATURES);
    for (size_t i = 0; i < SIGNATURES; i++)
        assert_int_equal(mox_dkim_result_at(s.v, i)->status,
                         i < MOX_DKIM_SIGNATURES_MAX ? MOX_DKIM_FAIL : MOX_DKIM_POLICY);
    assert_int_equal(mox_dns_answer_count(s.answers), 1);
    mox__buf_free(&text);
    done(&s);
}

/* Anybody can write down a signature: none of these gets as far as the body. */
static void no_body_is_hashed_for_signatures_that_fail_before(void **state)
{
    (void)state;
    struct subject s = {.m = NULL};
    struct buf text;
    test_env_init(&s.t);
    mox__buf_init(&text, &s.t.env, 1024 * 1024);
    for (int i = 0; i < MOX_DKIM_SIGNATURES_MAX; i++)
        mox__buf_printf(&text,
                        "DKIM-Signature: v=1; a=ed25519-sha256; d=%s.com; s=s; h=from; l=%d;" BH
                        "b=AAAA\r\n",
                        i % 2 == 0 ? "made-up" : "example", i);
    mox__buf_text(&text, "From: a@example.com\r\n\r\nbody\r\n");
    judge(&s, slice(text.data, text.len), "s._domainkey.example.com\tTXT\t" ED "\n");
    assert_int_equal(mox_dkim_result_at(s.v, 0)->status, MOX_DKIM_PERMERROR);
    assert_int_equal(mox_dkim_result_at(s.v, 1)->status, MOX_DKIM_FAIL);
    assert_int_equal(s.m->hash_count, 0);
    mox__buf_free(&text);
    done(&s);
}

/* People would see the second Subject, though h= says that there is none. */
static void no_signature_holds_of_a_header_that_is_not_looked_at_whole(void **state)
{
    (void)state;
    for (int fields = MOX_SIGNED_MESSAGE_FIELDS_MAX - 1; fields <= MOX_SIGNED_MESSAGE_FIELDS_MAX;
         fields++) {
        struct subject s = {.m = NULL};
        struct buf text;
        test_env_init(&s.t);
        mox__buf_init(&text, &s.t.env, 1024 * 1024);
        mox__buf_text(&text, "DKIM-Signature: " TOP "h=from:subject:subject;" BH
                             "b=AAAA\r\nFrom: a@example.com\r\nSubject: x\r\n");
        for (int i = 3; i < fields; i++)
            mox__buf_text(&text, "X: y\r\n");
        if (fields == MOX_SIGNED_MESSAGE_FIELDS_MAX)
            mox__buf_text(&text, "Subject: another\r\n");
        mox__buf_text(&text, "\r\n");
        judge(&s, slice(text.data, text.len), "s._domainkey.example.com\tTXT\t" ED "\n");
        const struct mox_dkim_result *r = mox_dkim_result_at(s.v, 0);
        if (fields < MOX_SIGNED_MESSAGE_FIELDS_MAX) {
            assert_int_equal(r->status, MOX_DKIM_FAIL); /* for another reason */
        } else {
            assert_int_equal(r->status, MOX_DKIM_POLICY);
            assert_string_equal(r->reason, "the header has 2000 fields or more");
        }
        mox__buf_free(&text);
        done(&s);
    }
}

/* A signature over From and the first `limit` bytes of the body. */
static void sign_limited(const struct test_env *t, struct mox_dkim_key *key, const char *body,
                         unsigned limit, struct buf *out)
{
    static const char from[] = "From: a@example.com\r\n\r\n";
    char raw[512], base64[128];
    uint8_t digest[HASH_MAX], signature[SIGNATURE_MAX];
    size_t len;
    struct mox_signed_message *m;
    mox__hash(HASH_SHA256, slice(body, limit), digest);
    mox__base64_text(base64, sizeof base64, slice(digest, 32));
    (void)snprintf(raw, sizeof raw, "DKIM-Signature: " TOP "h=from; l=%u; bh=%s; b=", limit,
                   base64);
    const struct signed_field field = {.name = slice_of("DKIM-Signature"),
                                       .value = slice_of(strchr(raw, ':') + 1),
                                       .raw = slice_of(raw)};
    const struct dkim_signature what = {
        .field = &field, .hash = HASH_SHA256, .header = CANON_SIMPLE, .headers = slice_of("from")};
    assert_int_equal(mox_signed_message_new(&m, &t->env, slice_of(from)), MOX_OK);
    assert_int_equal(mox__dkim_header_digest(m, &what, digest), MOX_OK);
    mox_signed_message_free(m);
    assert_int_equal(
        mox__private_sign(mox__dkim_private(key), HASH_SHA256, digest, signature, &len), MOX_OK);
    mox__base64_text(base64, sizeof base64, slice(signature, len));
    mox__buf_printf(out, "%s%s\r\n", raw, base64);
}

static void few_lengths_of_a_body_are_hashed(void **state)
{
    (void)state;
    static const char body[] = "0123456789\r\n";
    static const struct {
        unsigned limit;
        enum mox_dkim_status status;
    } signatures[] = {{1, MOX_DKIM_PASS},   {2, MOX_DKIM_PASS}, {3, MOX_DKIM_POLICY},
                      {4, MOX_DKIM_POLICY}, {1, MOX_DKIM_PASS}, {2, MOX_DKIM_PASS}};
    const size_t count = sizeof signatures / sizeof signatures[0];
    char record[256], zone[512];
    struct subject s = {.m = NULL};
    struct mox_dkim_key *key;
    struct buf text;
    test_env_init(&s.t);
    mox__buf_init(&text, &s.t.env, 1024 * 1024);
    assert_int_equal(mox_dkim_key_generate(&key, &s.t.env, MOX_DKIM_ED25519, 0), MOX_OK);
    assert_int_equal(mox_dkim_key_record(key, record, sizeof record), MOX_OK);
    for (size_t i = 0; i < count; i++)
        sign_limited(&s.t, key, body, signatures[i].limit, &text);
    mox__buf_printf(&text, "From: a@example.com\r\n\r\n%s", body);
    (void)snprintf(zone, sizeof zone, "s._domainkey.example.com\tTXT\t%s\n", record);
    judge(&s, slice(text.data, text.len), zone);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(mox_dkim_result_at(s.v, i)->status, signatures[i].status);
    assert_non_null(strstr(mox_dkim_result_at(s.v, 2)->reason, "l="));
    assert_int_equal(s.m->hash_count, 2);
    mox_dkim_key_free(key);
    mox__buf_free(&text);
    done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_has_its_result),
        cmocka_unit_test(flags_say_what_is_true_beside_the_result),
        cmocka_unit_test(a_header_that_is_none_has_a_problem_and_no_result),
        cmocka_unit_test(many_signatures_of_many_fields_end),
        cmocka_unit_test(no_body_is_hashed_for_signatures_that_fail_before),
        cmocka_unit_test(few_lengths_of_a_body_are_hashed),
        cmocka_unit_test(no_signature_holds_of_a_header_that_is_not_looked_at_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
