/* SPDX-License-Identifier: MIT */
#include <mox/arc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/auth_results.h>
#include <mox/header.h>

#include "base/text.h"
#include "mailauth/arc_chain.h"
#include "mailauth/signed_message.h"
#include "support/cm.h"
#include "support/testenv.h"

static const char message[] = "From: a@example.org\r\n"
                              "To: list@example.org\r\n"
                              "Subject: hello\r\n"
                              "\r\n"
                              "A message.\r\n";
static const char results[] = "spf=pass smtp.mailfrom=example.org;\r\n\tdkim=none";

struct fixture {
    struct test_env t;
    struct chain chain;
    char *text; /* the message, with the sets so far */
};

static void fixture_init(struct fixture *f, unsigned sets)
{
    test_env_init(&f->t);
    assert_int_equal(chain_init(&f->chain, &f->t.env), MOX_OK);
    f->text = malloc(sizeof message);
    assert_non_null(f->text);
    memcpy(f->text, message, sizeof message);
    for (; sets > 0; sets--) {
        char *sealed;
        assert_int_equal(chain_seal(&f->chain, f->text, results, &sealed), MOX_OK);
        free(f->text);
        f->text = strdup(sealed);
        mox_text_free(&f->t.env, sealed);
    }
}

static void fixture_done(struct fixture *f)
{
    free(f->text);
    chain_free(&f->chain);
    test_env_done(&f->t);
}

/* The text with the first `find` behind `after` replaced. */
static void edit(struct fixture *f, const char *after, const char *find, const char *replacement)
{
    char *at = strstr(f->text, after);
    assert_non_null(at);
    at = strstr(at, find);
    assert_non_null(at);
    size_t len = strlen(f->text) + strlen(replacement) + 1;
    char *text = malloc(len);
    assert_non_null(text);
    (void)snprintf(text, len, "%.*s%s%s", (int)(at - f->text), f->text, replacement,
                   at + strlen(find));
    free(f->text);
    f->text = text;
}

static void assert_judged(struct fixture *f, enum mox_arc_status status, const char *reason)
{
    struct chain_check check;
    assert_int_equal(chain_check(&f->chain, slice_of(f->text), &check), MOX_OK);
    const struct mox_arc_verdict *v = mox_arc_verdict(check.verify);
    assert_string_equal(v->reason, reason);
    assert_int_equal(v->status, status);
    chain_done(&check);
}

static void no_fields_are_no_chain(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 0);
    assert_judged(&f, MOX_ARC_NONE, "");
    assert_int_equal(f.chain.rounds, 0);
    fixture_done(&f);
}

static void a_set_says_what_was_found_out(void **state)
{
    (void)state;
    struct fixture f;
    struct chain_check check;
    struct mox_auth_results *r;
    fixture_init(&f, 1);
    assert_ptr_equal(f.text, strstr(f.text, "ARC-Seal: a=ed25519-sha256;\r\n\tb="));
    assert_int_equal(chain_check(&f.chain, slice_of(f.text), &check), MOX_OK);
    const struct mox_arc_verdict *v = mox_arc_verdict(check.verify);
    assert_int_equal(v->status, MOX_ARC_PASS);
    assert_int_equal(v->count, 1);
    assert_true(v->secure);
    const struct mox_arc_instance *i = &v->instances[0];
    assert_int_equal(i->instance, 1);
    assert_string_equal(i->domain, "example.org");
    assert_string_equal(i->seal_selector, "s1");
    assert_true(i->message_checked && i->message_valid);
    assert_int_equal(mox_auth_results_parse(&r, &f.t.env, i->results, NULL), MOX_OK);
    assert_string_equal(r->authserv_id, "mx.example.org");
    assert_int_equal(r->method_count, 2);
    assert_string_equal(r->methods[0].properties[0].value, "example.org");
    mox_auth_results_free(&f.t.env, r);
    chain_done(&check);
    fixture_done(&f);
}

/* RFC 8617 §4.2.1. All keys are asked for at once. */
static void fifty_sets_are_a_chain_and_no_more(void **state)
{
    (void)state;
    struct fixture f;
    char *more;
    fixture_init(&f, MOX_ARC_INSTANCES_MAX);
    assert_judged(&f, MOX_ARC_PASS, "");
    assert_int_equal(f.chain.rounds, 1);
    assert_int_equal(chain_seal(&f.chain, f.text, results, &more), MOX_EREFUSED);
    fixture_done(&f);
}

static void sets_must_be_whole(void **state)
{
    (void)state;
    static const struct {
        const char *after, *find, *replacement, *reason;
    } rows[] = {
        {"", "ARC-Seal", "X-Seal", "ARC-Seal of set 2: missing"},
        {"", "ARC-Message-Signature", "X-AMS", "ARC-Message-Signature of set 2: missing"},
        {"", "ARC-Authentication-Results", "X-AAR", "ARC-Authentication-Results of set 2: missing"},
        {"", "i=2;", "i=1;", "ARC-Seal of set 1: there twice"},
        {"", "i=2;", "i=0;", "ARC-Seal: an instance that is not from 1 to 50"},
        {"", "i=2;", "i=51;", "ARC-Seal: an instance that is not from 1 to 50"},
        {"", "i=2;", "i=002;", "ARC-Seal: an instance that is not from 1 to 50"},
        {"", "i=2;", "i=;", "ARC-Seal: an instance that is not from 1 to 50"},
        {"", "i=2;", "I=2;", "ARC-Seal: no instance"},
        {"", "i=2;", "i=50;", "ARC-Authentication-Results of set 2: missing"},
        {"ARC-Auth", "i=2;", "i=2", "ARC-Authentication-Results: no instance"},
        {"ARC-Auth", "i=2;", "i=x;", "ARC-Authentication-Results: no instance"},
        {"ARC-Auth", "i=2;", "i=0;",
         "ARC-Authentication-Results: an instance that is not from 1 to 50"},
        {"", "cv=pass", "cv=none", "ARC-Seal of set 2: a cv= that cannot be there"},
        {"", "cv=none", "cv=pass", "ARC-Seal of set 1: a cv= that cannot be there"},
        {"", "cv=none", "cv=fail", "ARC-Seal of set 1: it says that the chain was broken"},
        {"", "cv=pass", "cv=fail", "ARC-Seal of set 2: it says that the chain was broken"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        fixture_init(&f, 2);
        edit(&f, rows[i].after, rows[i].find, rows[i].replacement);
        if (strcmp(rows[i].replacement, "i=50;") == 0) /* of all fields of the set: a gap */
            for (int k = 0; k < 2; k++)
                edit(&f, "", "i=2;", "i=50;");
        assert_judged(&f, MOX_ARC_FAIL, rows[i].reason);
        assert_int_equal(f.chain.rounds, 0);
        fixture_done(&f);
    }
}

static void what_is_sealed_cannot_be_changed(void **state)
{
    (void)state;
    static const struct {
        const char *after, *find, *replacement, *reason;
    } rows[] = {
        {"\r\n\r\n", "A message", "B message",
         "ARC-Message-Signature of set 2: the body was changed"},
        {"", "hello", "HELLO",
         "ARC-Message-Signature of set 2: the header was changed, or another key signed it"},
        {"ARC-Auth", "spf=pass", "spf=fail",
         "ARC-Seal of set 2: the header was changed, or another key signed it"},
        {"i=1;", "spf=pass", "spf=fail",
         "ARC-Seal of set 2: the header was changed, or another key signed it"},
        {"", "t=1800000000", "t=1800000001",
         "ARC-Seal of set 2: the header was changed, or another key signed it"},
        {"", "cv=pass;", "cv=pass; h=from;", "ARC-Seal of set 2: a tag that ARC-Seal may not have"},
        {"", "a=ed25519-sha256", "a=rsa-sha1", "ARC-Seal of set 2: a= is rsa-sha1"},
        {"ARC-Message",
         "h=from:", "h=from:arc-seal:", "ARC-Message-Signature of set 2: h= has ARC-Seal"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        fixture_init(&f, 2);
        edit(&f, rows[i].after, rows[i].find, rows[i].replacement);
        assert_judged(&f, MOX_ARC_FAIL, rows[i].reason);
        fixture_done(&f);
    }
}

/* People would see fields behind those that are looked at. */
static void a_header_that_is_not_looked_at_whole_has_no_chain(void **state)
{
    (void)state;
    for (int more = 1900; more <= MOX_SIGNED_MESSAGE_FIELDS_MAX; more += 100) {
        struct fixture f;
        char *fields = calloc((size_t)more + 10, 6);
        assert_non_null(fields);
        for (int i = 0; i < more; i++)
            memcpy(fields + (size_t)i * 6, "X: y\r\n", 6);
        memcpy(fields + (size_t)more * 6, "Subject: hello", 14);
        fixture_init(&f, 1);
        edit(&f, "", "Subject: hello", fields);
        if (more < MOX_SIGNED_MESSAGE_FIELDS_MAX)
            assert_judged(&f, MOX_ARC_PASS, "");
        else
            assert_judged(&f, MOX_ARC_FAIL, "ARC-Seal: the header has 2000 fields or more");
        fixture_done(&f);
        free(fields);
    }
}

/* A list seals the message with its own subject: the chain holds, and says since when the message does. */
static void a_change_on_the_way_is_told(void **state)
{
    (void)state;
    struct fixture f;
    struct chain_check check;
    char *sealed;
    fixture_init(&f, 1);
    char *came = strdup(f.text);
    assert_non_null(came);
    edit(&f, "", "Subject: hello", "Subject: [list] hello");
    assert_judged(
        &f, MOX_ARC_FAIL,
        "ARC-Message-Signature of set 1: the header was changed, or another key signed it");
    assert_int_equal(chain_seal_changed(&f.chain, came, f.text, results, &sealed), MOX_OK);
    assert_int_equal(chain_check(&f.chain, slice_of(sealed), &check), MOX_OK);
    const struct mox_arc_verdict *v = mox_arc_verdict(check.verify);
    assert_string_equal(v->reason, "");
    assert_int_equal(v->status, MOX_ARC_PASS);
    assert_int_equal(v->oldest_pass, 2);
    assert_false(v->instances[0].message_valid);
    assert_true(v->instances[1].message_valid);
    assert_string_equal(v->instances[0].reason, "the header was changed, or another key signed it");
    chain_done(&check);

    /* Unchanged, all of them hold. */
    mox_text_free(&f.t.env, sealed);
    assert_int_equal(chain_seal(&f.chain, came, results, &sealed), MOX_OK);
    assert_int_equal(chain_check(&f.chain, slice_of(sealed), &check), MOX_OK);
    assert_int_equal(mox_arc_verdict(check.verify)->oldest_pass, 0);
    chain_done(&check);
    mox_text_free(&f.t.env, sealed);
    free(came);
    fixture_done(&f);
}

static void keys_that_cannot_be_had_may_come(void **state)
{
    (void)state;
    struct fixture f;
    char *sealed;
    fixture_init(&f, 2);
    f.chain.status = MOX_DNS_TIMEOUT;
    assert_judged(&f, MOX_ARC_TEMPERROR,
                  "ARC-Message-Signature of set 2: the key cannot be looked up now");
    f.chain.status = MOX_DNS_NXDOMAIN;
    assert_judged(&f, MOX_ARC_FAIL, "ARC-Message-Signature of set 2: no key record");

    /* RFC 8617 §5.4: what is sealed now says fail, and is not sealed again. */
    f.chain.status = MOX_DNS_TIMEOUT;
    assert_int_equal(chain_seal(&f.chain, f.text, results, &sealed), MOX_OK);
    assert_non_null(strstr(sealed, "cv=fail; d=example.org; i=3;"));
    free(f.text);
    f.text = strdup(sealed);
    mox_text_free(&f.t.env, sealed);
    f.chain.status = MOX_DNS_FOUND;
    assert_judged(&f, MOX_ARC_FAIL, "ARC-Seal of set 3: it says that the chain was broken");
    assert_int_equal(chain_seal(&f.chain, f.text, results, &sealed), MOX_EREFUSED);
    fixture_done(&f);
}

static void results_cannot_leave_their_field(void **state)
{
    (void)state;
    struct fixture f;
    char *sealed;
    struct mox_header_field field;
    size_t count = 0;
    fixture_init(&f, 0);
    assert_int_equal(chain_seal(&f.chain, f.text, "spf=pass\r\nBcc: x\r\n\r\nbody\x01", &sealed),
                     MOX_OK);
    for (size_t at = 0; mox_header_next(slice_of(sealed), &at, &field); count++)
        assert_false(mox__slice_is_nocase(field.name, "Bcc"));
    assert_int_equal(count, 3 + 3);
    mox_text_free(&f.t.env, sealed);
    fixture_done(&f);
}

/* What 50 sets cover is hashed up to a bound: the oldest ones go without first. */
static void hashing_of_headers_has_a_bound(void **state)
{
    (void)state;
    struct fixture f;
    struct chain_check check;
    struct mox_arc_verify *v;
    struct mox_dkim_config config;
    fixture_init(&f, 3);
    assert_int_equal(chain_check(&f.chain, slice_of(f.text), &check), MOX_OK);
    uint64_t each = check.message->header_hashed / 3;
    assert_true(each > 20 && each < 1000);
    mox_dkim_config_init(&config);
    config.now_us = INT64_C(1800000000) * 1000000;
    for (unsigned room = 0; room < 3; room++) {
        check.message->header_hashed = HEADER_HASHED_MAX - room * each;
        assert_int_equal(mox_arc_verify_new(&v, &f.t.env, check.message, &config), MOX_OK);
        assert_int_equal(mox_arc_verify_run(v, check.answers), MOX_OK);
        const struct mox_arc_verdict *verdict = mox_arc_verdict(v);
        assert_int_equal(verdict->status, room == 0 ? MOX_ARC_FAIL : MOX_ARC_PASS);
        assert_int_equal(verdict->oldest_pass, 4 - room);
        assert_string_equal(verdict->instances[0].reason,
                            "the header is too large for so many signatures");
        mox_arc_verify_free(v);
    }
    chain_done(&check);
    fixture_done(&f);
}

/* h= takes several lines, which are the same before and after the signature is put in. */
static void a_long_list_of_names_is_folded(void **state)
{
    (void)state;
    for (size_t more = 0; more < 40; more++) {
        struct fixture f;
        char *sealed;
        fixture_init(&f, 0);
        for (size_t i = 0; i < more; i++)
            edit(&f, "", "From:", i % 2 == 0 ? "Date: x\r\nFrom:" : "References: y\r\nFrom:");
        assert_int_equal(chain_seal(&f.chain, f.text, results, &sealed), MOX_OK);
        for (const char *line = sealed, *end; (end = strstr(line, "\r\n")) != NULL; line = end + 2)
            assert_true(end - line <= 78);
        free(f.text);
        f.text = strdup(sealed);
        mox_text_free(&f.t.env, sealed);
        assert_judged(&f, MOX_ARC_PASS, "");
        fixture_done(&f);
    }
}

/* A field in front of a line that begins with white space would get that line. */
static void what_is_no_header_is_not_sealed(void **state)
{
    (void)state;
    struct fixture f;
    char *sealed;
    fixture_init(&f, 0);
    assert_int_equal(chain_seal(&f.chain, " From: a@example.org\r\n\r\n", results, &sealed),
                     MOX_EINVAL);
    fixture_done(&f);
}

static void a_sealer_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const char *const no_from[] = {"to", NULL};
    static const char *const with_seal[] = {"from", "ARC-Seal", NULL};
    static const char *const broken[] = {"from", "a b", NULL};
    struct fixture f;
    struct chain_check check;
    struct mox_error err;
    char *set;
    fixture_init(&f, 0);
    assert_int_equal(chain_check(&f.chain, slice_of(f.text), &check), MOX_OK);
    for (int i = 0; i < 8; i++) {
        struct mox_arc_sealer sealer;
        mox_arc_sealer_init(&sealer);
        sealer.key = i == 0 ? NULL : f.chain.key;
        sealer.domain = i == 1 ? NULL : i == 2 ? "b\xc3\xbc.example" : "example.org";
        sealer.selector = i == 3 ? "a b" : "s1";
        sealer.authserv_id = i == 4 ? "" : "mx.example.org";
        sealer.headers = i == 5 ? no_from : i == 6 ? with_seal : i == 7 ? broken : NULL;
        assert_int_equal(mox_arc_seal(&set, &f.t.env, check.message, check.verify, &sealer, &err),
                         MOX_EINVAL);
        assert_null(set);
    }
    chain_done(&check);
    fixture_done(&f);
}

static void failing_allocations_leave_nothing_behind(void **state)
{
    (void)state;
    struct fixture f;
    int rc = MOX_ENOMEM;
    fixture_init(&f, 2);
    for (long n = 1; rc == MOX_ENOMEM; n++) {
        struct test_env t;
        char *sealed;
        struct chain chain = f.chain;
        test_env_init(&t);
        chain.env = &t.env;
        t.fail_at = n;
        rc = chain_seal(&chain, f.text, results, &sealed);
        mox_text_free(&t.env, sealed);
        test_env_done(&t);
        assert_true(n < 1000);
    }
    assert_int_equal(rc, MOX_OK);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_fields_are_no_chain),
        cmocka_unit_test(a_set_says_what_was_found_out),
        cmocka_unit_test(fifty_sets_are_a_chain_and_no_more),
        cmocka_unit_test(sets_must_be_whole),
        cmocka_unit_test(what_is_sealed_cannot_be_changed),
        cmocka_unit_test(a_header_that_is_not_looked_at_whole_has_no_chain),
        cmocka_unit_test(a_change_on_the_way_is_told),
        cmocka_unit_test(keys_that_cannot_be_had_may_come),
        cmocka_unit_test(results_cannot_leave_their_field),
        cmocka_unit_test(hashing_of_headers_has_a_bound),
        cmocka_unit_test(a_long_list_of_names_is_folded),
        cmocka_unit_test(what_is_no_header_is_not_sealed),
        cmocka_unit_test(a_sealer_that_makes_no_sense_is_refused),
        cmocka_unit_test(failing_allocations_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
