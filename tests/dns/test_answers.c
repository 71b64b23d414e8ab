/* SPDX-License-Identifier: MIT */
#include <mox/dns_answers.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "dns/question.h"
#include "support/cm.h"
#include "support/testenv.h"

#define LABEL_63 "a23456789012345678901234567890123456789012345678901234567890123"

/* A set and its environment. */
struct fixture {
    struct test_env t;
    struct mox_dns_answers *set;
};

static void begin(struct fixture *f)
{
    test_env_init(&f->t);
    assert_int_equal(mox_dns_answers_new(&f->set, &f->t.env), MOX_OK);
}

static void end(struct fixture *f)
{
    mox_dns_answers_free(f->set);
    test_env_done(&f->t);
}

static int ask(struct fixture *f, const char *name, enum mox_dns_type type,
               const struct mox_dns_answer **out)
{
    return mox_dns_ask(f->set, slice_of(name), type, out);
}

static int put(struct fixture *f, const char *name, enum mox_dns_type type,
               enum mox_dns_status status)
{
    struct mox_dns_answer a = {.question = {name, type}, .status = status};
    return mox_dns_put(f->set, &a);
}

/* Answers with one text. */
static int put_txt(struct fixture *f, const char *name, struct mox_slice text)
{
    struct mox_dns_record r = {.data.txt = text};
    struct mox_dns_answer a = {.question = {name, MOX_DNS_TXT},
                               .status = MOX_DNS_FOUND,
                               .records = &r,
                               .count = 1,
                               .problem = LABEL_63 LABEL_63 LABEL_63};
    return mox_dns_put(f->set, &a);
}

static void expect_wanted(struct fixture *f, const char *const *names, size_t count)
{
    const struct mox_dns_question *q;
    assert_int_equal(mox_dns_wanted(f->set, &q), count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(q[i].name, names[i]);
}

static void what_is_missing_is_wanted_once_in_the_order_of_asking(void **state)
{
    (void)state;
    struct fixture f;
    const struct mox_dns_answer *a;
    begin(&f);
    expect_wanted(&f, NULL, 0);
    assert_int_equal(ask(&f, "B.Example.", MOX_DNS_TXT, &a), MOX_NEED_DNS);
    assert_int_equal(ask(&f, "a.example", MOX_DNS_TXT, &a), MOX_NEED_DNS);
    assert_int_equal(ask(&f, "b.example", MOX_DNS_TXT, &a), MOX_NEED_DNS);
    assert_int_equal(ask(&f, "b.example", MOX_DNS_MX, &a), MOX_NEED_DNS);
    expect_wanted(&f, (const char *const[]){"b.example", "a.example", "b.example"}, 3);
    const struct mox_dns_question *q;
    (void)mox_dns_wanted(f.set, &q);
    assert_int_equal(q[0].type, MOX_DNS_TXT);
    assert_int_equal(q[2].type, MOX_DNS_MX);

    assert_int_equal(put(&f, "A.EXAMPLE", MOX_DNS_TXT, MOX_DNS_NXDOMAIN), MOX_OK);
    expect_wanted(&f, (const char *const[]){"b.example", "b.example"}, 2);
    assert_int_equal(ask(&f, "a.example.", MOX_DNS_TXT, &a), MOX_OK);
    assert_int_equal(a->status, MOX_DNS_NXDOMAIN);
    assert_int_equal(mox_dns_answer_count(f.set), 1);
    end(&f);
}

static void answers_are_listed_in_the_order_of_asking(void **state)
{
    (void)state;
    struct fixture f;
    const struct mox_dns_answer *a;
    begin(&f);
    (void)!ask(&f, "1.example", MOX_DNS_A, &a);
    (void)!ask(&f, "2.example", MOX_DNS_A, &a);
    assert_int_equal(put(&f, "3.example", MOX_DNS_A, MOX_DNS_NODATA), MOX_OK); /* not asked */
    assert_int_equal(put(&f, "2.example", MOX_DNS_A, MOX_DNS_TIMEOUT), MOX_OK);
    assert_int_equal(put(&f, "1.example", MOX_DNS_A, MOX_DNS_NODATA), MOX_OK);
    static const char *const names[] = {"1.example", "2.example", "3.example"};
    assert_int_equal(mox_dns_answer_count(f.set), 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(mox_dns_answer_at(f.set, i)->question.name, names[i]);
    assert_int_equal(ask(&f, "3.example", MOX_DNS_A, &a), MOX_OK);
    end(&f);
}

static void a_second_answer_replaces_the_first(void **state)
{
    (void)state;
    struct fixture f;
    const struct mox_dns_answer *a;
    begin(&f);
    assert_int_equal(put_txt(&f, "a.example", slice_of("one")), MOX_OK);
    assert_int_equal(put_txt(&f, "A.example", slice_of("two")), MOX_OK);
    assert_int_equal(ask(&f, "a.example", MOX_DNS_TXT, &a), MOX_OK);
    assert_int_equal(a->count, 1);
    assert_true(mox__slice_is(a->records[0].data.txt, "two"));
    assert_int_equal(put(&f, "a.example", MOX_DNS_TXT, MOX_DNS_BOGUS), MOX_OK);
    assert_int_equal(a->status, MOX_DNS_BOGUS);
    assert_int_equal(a->count, 0);
    assert_null(a->records);
    assert_int_equal(mox_dns_answer_count(f.set), 1);
    end(&f);
}

static void answers_stay_where_they_are(void **state)
{
    (void)state;
    struct fixture f;
    const struct mox_dns_answer *first, *again;
    begin(&f);
    assert_int_equal(put_txt(&f, "a.example", slice_of("one")), MOX_OK);
    assert_int_equal(ask(&f, "a.example", MOX_DNS_TXT, &first), MOX_OK);
    const struct mox_dns_record *records = first->records;
    for (int i = 0; i < 300; i++) {
        char name[40];
        (void)snprintf(name, sizeof name, "h%d.example", i);
        assert_int_equal(put_txt(&f, name, slice_of(name)), MOX_OK);
    }
    assert_int_equal(ask(&f, "a.example", MOX_DNS_TXT, &again), MOX_OK);
    assert_ptr_equal(again, first);
    assert_ptr_equal(again->records, records);
    assert_true(mox__slice_is(records[0].data.txt, "one"));
    end(&f);
}

/* Copies the answer through the set, from memory that is overwritten afterwards. */
static void all_is_copied(void **state)
{
    (void)state;
    struct fixture f;
    const struct mox_dns_answer *a;
    char host[] = "Mx.Example.", name[] = "a.example", problem[] = "why\r\n\xff\"not\"";
    begin(&f);
    struct mox_dns_record r[] = {{.ttl = 7, .data.mx = {10, host}},
                                 {.data.mx = {20, "a..example"}}, /* no name: left out */
                                 {.data.mx = {0, "."}}};
    struct mox_dns_answer given = {.question = {name, MOX_DNS_MX},
                                   .status = MOX_DNS_FOUND,
                                   .secure = true,
                                   .records = r,
                                   .count = 3,
                                   .problem = problem};
    assert_int_equal(mox_dns_put(f.set, &given), MOX_OK);
    memset(host, 'x', sizeof host - 1);
    memset(name, 'x', sizeof name - 1);
    memset(problem, 'x', sizeof problem - 1);
    memset(r, 0xff, sizeof r);
    assert_int_equal(ask(&f, "a.example", MOX_DNS_MX, &a), MOX_OK);
    assert_true(a->secure);
    assert_int_equal(a->count, 2);
    assert_int_equal(a->records[0].ttl, 7);
    assert_int_equal(a->records[0].data.mx.preference, 10);
    assert_string_equal(a->records[0].data.mx.host, "mx.example");
    assert_string_equal(a->records[1].data.mx.host, "");
    assert_string_equal(a->problem, "why???\"not\"");
    end(&f);
}

static void each_type_is_copied(void **state)
{
    (void)state;
    struct fixture f;
    const struct mox_dns_answer *a;
    begin(&f);
    char text[] = "Target.example", data[] = "\1\2\3";
    struct mox_dns_record records[] = {
        {.data.name = text},
        {.data.srv = {1, 2, 3, text}},
        {.data.tlsa = {3, 1, 1, {(const uint8_t *)data, 3}}},
        {.data.txt = {(const uint8_t *)data, 3}},
        {.data.aaaa = {1, [15] = 2}},
    };
    static const enum mox_dns_type types[] = {MOX_DNS_PTR, MOX_DNS_SRV, MOX_DNS_TLSA, MOX_DNS_TXT,
                                              MOX_DNS_AAAA};
    for (size_t i = 0; i < 5; i++) {
        struct mox_dns_answer given = {.question = {"a.example", types[i]},
                                       .status = MOX_DNS_FOUND,
                                       .records = &records[i],
                                       .count = 1};
        assert_int_equal(mox_dns_put(f.set, &given), MOX_OK);
    }
    memset(text, 'x', sizeof text - 1);
    memset(data, 'x', sizeof data - 1);
    assert_int_equal(ask(&f, "a.example", MOX_DNS_PTR, &a), MOX_OK);
    assert_string_equal(a->records[0].data.name, "target.example");
    assert_int_equal(ask(&f, "a.example", MOX_DNS_SRV, &a), MOX_OK);
    assert_string_equal(a->records[0].data.srv.target, "target.example");
    assert_int_equal(a->records[0].data.srv.port, 3);
    assert_int_equal(ask(&f, "a.example", MOX_DNS_TLSA, &a), MOX_OK);
    assert_true(mox__slice_is(a->records[0].data.tlsa.data, "\1\2\3"));
    assert_int_equal(ask(&f, "a.example", MOX_DNS_TXT, &a), MOX_OK);
    assert_true(mox__slice_is(a->records[0].data.txt, "\1\2\3"));
    assert_int_equal(ask(&f, "a.example", MOX_DNS_AAAA, &a), MOX_OK);
    assert_int_equal(a->records[0].data.aaaa[15], 2);
    end(&f);
}

static void found_without_a_record_is_nodata(void **state)
{
    (void)state;
    struct fixture f;
    const struct mox_dns_answer *a;
    begin(&f);
    assert_int_equal(put(&f, "a.example", MOX_DNS_TXT, MOX_DNS_FOUND), MOX_OK);
    assert_int_equal(ask(&f, "a.example", MOX_DNS_TXT, &a), MOX_OK);
    assert_int_equal(a->status, MOX_DNS_NODATA);
    /* And the records of what failed are none. */
    struct mox_dns_record r = {.data.txt = slice_of("x")};
    struct mox_dns_answer given = {
        .question = {"b.example", MOX_DNS_TXT}, .status = MOX_DNS_BOGUS, .records = &r, .count = 1};
    assert_int_equal(mox_dns_put(f.set, &given), MOX_OK);
    assert_int_equal(ask(&f, "b.example", MOX_DNS_TXT, &a), MOX_OK);
    assert_int_equal(a->status, MOX_DNS_BOGUS);
    assert_int_equal(a->count, 0);
    end(&f);
}

static void what_can_be_no_name_does_not_exist(void **state)
{
    (void)state;
    static const char *const bad[] = {"a..example", ".example", "a.example..", "..",
                                      LABEL_63 "4.b"};
    struct fixture f;
    const struct mox_dns_answer *a;
    begin(&f);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(ask(&f, bad[i], MOX_DNS_A, &a), MOX_OK);
        assert_int_equal(a->status, MOX_DNS_NXDOMAIN);
        assert_int_equal(put(&f, bad[i], MOX_DNS_A, MOX_DNS_NODATA), MOX_EINVAL);
    }
    assert_int_equal(mox_dns_ask(f.set, slice("a\0b", 3), MOX_DNS_A, &a), MOX_OK);
    expect_wanted(&f, NULL, 0);
    assert_int_equal(mox_dns_answer_count(f.set), 0);
    static const char *const good[] = {"", "_dmarc.a.example", LABEL_63 ".b", "a b.example"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(ask(&f, good[i], MOX_DNS_A, &a), MOX_NEED_DNS);
    expect_wanted(&f, good, sizeof good / sizeof good[0]);
    end(&f);
}

static void names_have_at_most_253_bytes(void **state)
{
    (void)state;
    char text[260], name[MOX_DOMAIN_MAX + 1];
    memset(text, 'a', sizeof text);
    for (size_t i = 50; i < sizeof text; i += 50)
        text[i] = '.';
    assert_true(mox__dns_name(slice(text, 253), name));
    assert_int_equal(strlen(name), 253);
    assert_false(mox__dns_name(slice(text, 254), name));
    text[253] = '.';
    assert_true(mox__dns_name(slice(text, 254), name));
    assert_int_equal(strlen(name), 253);
}

static void questions_have_a_bound(void **state)
{
    (void)state;
    struct fixture f;
    const struct mox_dns_answer *a;
    begin(&f);
    for (int i = 0; i <= MOX_DNS_ANSWERS_MAX; i++) {
        char name[40];
        (void)snprintf(name, sizeof name, "h%d.example", i);
        int rc = ask(&f, name, MOX_DNS_A, &a);
        assert_int_equal(rc, i < MOX_DNS_ANSWERS_MAX ? MOX_NEED_DNS : MOX_ELIMIT);
        if (i == MOX_DNS_ANSWERS_MAX)
            assert_int_equal(put(&f, name, MOX_DNS_A, MOX_DNS_NODATA), MOX_ELIMIT);
    }
    /* Those that are in it can be answered still, however often others were put in. */
    static char text[60000];
    for (size_t len = sizeof text; len > 0; len /= 2)
        for (int i = 0; i < 100; i++)
            assert_int_equal(put_txt(&f, "new.example", slice(text, len)), MOX_ELIMIT);
    static const struct mox_dns_record records[100];
    struct mox_dns_answer given = {.question = {"h999.example", MOX_DNS_A},
                                   .status = MOX_DNS_FOUND,
                                   .records = records,
                                   .count = 100};
    assert_int_equal(mox_dns_put(f.set, &given), MOX_OK);
    assert_int_equal(ask(&f, "h999.example", MOX_DNS_A, &a), MOX_OK);
    assert_int_equal(a->count, 100);
    end(&f);
}

static void records_have_a_bound(void **state)
{
    (void)state;
    static struct mox_dns_record records[MOX_DNS_RECORDS_MAX + 1];
    struct fixture f;
    const struct mox_dns_answer *a;
    begin(&f);
    struct mox_dns_answer given = {.question = {"a.example", MOX_DNS_A},
                                   .status = MOX_DNS_FOUND,
                                   .records = records,
                                   .count = MOX_DNS_RECORDS_MAX + 1};
    assert_int_equal(mox_dns_put(f.set, &given), MOX_OK);
    assert_int_equal(ask(&f, "a.example", MOX_DNS_A, &a), MOX_OK);
    assert_int_equal(a->count, MOX_DNS_RECORDS_MAX);
    end(&f);
}

/* A full set says that it is full, whether it is answered or asked. */
static void bytes_have_a_bound(void **state)
{
    (void)state;
    static char text[65000];
    struct fixture f;
    const struct mox_dns_answer *a;
    begin(&f);
    memset(text, 'x', sizeof text);
    int rc = MOX_OK;
    size_t puts = 0;
    for (size_t len = sizeof text; len > 0; len /= 2)
        for (rc = MOX_OK; rc == MOX_OK; puts += rc == MOX_OK)
            rc = put_txt(&f, "a.example", slice(text, len));
    assert_int_equal(rc, MOX_ELIMIT);
    assert_true(puts >= MOX_DNS_BYTES_MAX / (sizeof text + 1000));
    assert_true(f.t.live_bytes <= MOX_DNS_BYTES_MAX + 256 * 1024);
    for (int i = 0; i < 10 && rc != MOX_NEED_DNS; i++) {
        char name[40];
        (void)snprintf(name, sizeof name, "h%d.example", i);
        rc = ask(&f, name, MOX_DNS_A, &a);
        assert_true(rc == MOX_NEED_DNS || rc == MOX_ELIMIT);
    }
    for (int i = 0; i < 100 && rc == MOX_NEED_DNS; i++) {
        char name[40];
        (void)snprintf(name, sizeof name, "i%d.example", i);
        rc = ask(&f, name, MOX_DNS_A, &a);
    }
    assert_int_equal(rc, MOX_ELIMIT);
    assert_int_equal(ask(&f, "a.example", MOX_DNS_TXT, &a), MOX_OK);
    assert_int_equal(a->count, 1);
    end(&f);
}

/* Whoever wants to know is told something: a check of a message with keys that are too large together comes
 * to its end. */
static void what_is_wanted_is_answered_without_room(void **state)
{
    (void)state;
    static char text[65000];
    struct fixture f;
    const struct mox_dns_answer *a = NULL;
    char name[40];
    size_t found = 0, failed = 0;
    begin(&f);
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "h%d.example", i);
        assert_int_equal(ask(&f, name, MOX_DNS_TXT, &a), MOX_NEED_DNS);
    }
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "h%d.example", i);
        assert_int_equal(put_txt(&f, name, slice(text, sizeof text)), MOX_OK);
        assert_int_equal(ask(&f, name, MOX_DNS_TXT, &a), MOX_OK);
        found += a->status == MOX_DNS_FOUND;
        failed += a->status == MOX_DNS_SERVFAIL && a->count == 0 && a->problem != NULL;
    }
    assert_true(found > 50 && failed > 20);
    assert_int_equal(found + failed, 100);
    assert_true(f.t.live_bytes <= MOX_DNS_BYTES_MAX + 256 * 1024);
    end(&f);
}

static void no_memory_is_said_and_harms_nothing(void **state)
{
    (void)state;
    for (long nth = 1;; nth++) {
        struct fixture f = {0};
        const struct mox_dns_answer *a;
        test_env_init(&f.t);
        f.t.fail_at = nth;
        int rc = mox_dns_answers_new(&f.set, &f.t.env);
        size_t wanted = 0, answered = 0;
        for (int i = 0; rc >= 0 && i < 40; i++) {
            char name[40];
            (void)snprintf(name, sizeof name, "h%d.example", i);
            rc = ask(&f, name, MOX_DNS_TXT, &a);
            wanted += rc == MOX_NEED_DNS;
            if (rc >= 0)
                rc = put_txt(&f, name, slice("0123456789", 10));
            answered += rc == MOX_OK;
        }
        const struct mox_dns_question *q;
        if (f.set != NULL) {
            assert_int_equal(mox_dns_answer_count(f.set), answered);
            assert_int_equal(mox_dns_wanted(f.set, &q), wanted - answered);
        }
        bool is_enough = f.t.allocations < nth;
        assert_int_equal(rc, is_enough ? MOX_OK : MOX_ENOMEM);
        end(&f);
        if (is_enough)
            return;
    }
}

static void types_and_outcomes_have_names(void **state)
{
    (void)state;
    static const enum mox_dns_type types[] = {MOX_DNS_A,    MOX_DNS_NS,  MOX_DNS_CNAME,
                                              MOX_DNS_PTR,  MOX_DNS_MX,  MOX_DNS_TXT,
                                              MOX_DNS_AAAA, MOX_DNS_SRV, MOX_DNS_TLSA};
    enum mox_dns_type type;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        assert_true(mox_dns_type_parse(slice_of(mox_dns_type_name(types[i])), &type));
        assert_int_equal(type, types[i]);
    }
    assert_true(mox_dns_type_parse(slice_of("aaaa"), &type));
    assert_int_equal(type, MOX_DNS_AAAA);
    assert_false(mox_dns_type_parse(slice_of("SOA"), &type));
    assert_false(mox_dns_type_parse(slice_of(""), &type));
    assert_null(mox_dns_type_name((enum mox_dns_type)6));
    static const char *const names[] = {"found",   "nodata",   "nxdomain",
                                        "timeout", "servfail", "bogus"};
    for (int i = 0; i < 6; i++) {
        assert_string_equal(mox_dns_status_name((enum mox_dns_status)i), names[i]);
        assert_int_equal(mox_dns_is_temporary((enum mox_dns_status)i), i >= 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_is_wanted_once_in_the_order_of_asking),
        cmocka_unit_test(answers_are_listed_in_the_order_of_asking),
        cmocka_unit_test(a_second_answer_replaces_the_first),
        cmocka_unit_test(answers_stay_where_they_are),
        cmocka_unit_test(all_is_copied),
        cmocka_unit_test(each_type_is_copied),
        cmocka_unit_test(found_without_a_record_is_nodata),
        cmocka_unit_test(what_can_be_no_name_does_not_exist),
        cmocka_unit_test(names_have_at_most_253_bytes),
        cmocka_unit_test(questions_have_a_bound),
        cmocka_unit_test(records_have_a_bound),
        cmocka_unit_test(bytes_have_a_bound),
        cmocka_unit_test(what_is_wanted_is_answered_without_room),
        cmocka_unit_test(no_memory_is_said_and_harms_nothing),
        cmocka_unit_test(types_and_outcomes_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
