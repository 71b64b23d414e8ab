/* SPDX-License-Identifier: MIT */
#include "message/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "message/wire.h"
#include "support/cm.h"
#include "support/corpora.h"
#include "support/testenv.h"

struct row {
    const char *value, *want; /* want: name|mailbox|host, or [group|, or ], with spaces between */
};

/* The elements as text, in a static buffer. */
static const char *elements(const struct mox_env *env, struct mox_slice value)
{
    static char text[65536];
    size_t used = 0;
    struct mox_address_list *list = NULL;
    assert_int_equal(mox_address_list_parse(&list, env, value), MOX_OK);
    text[0] = '\0';
    for (size_t i = 0; i < mox_address_list_count(list); i++) {
        const struct mox_address *a = mox_address_list_at(list, i);
        const char *form = a->kind == MOX_ADDRESS_GROUP       ? "%s[%.*s|"
                           : a->kind == MOX_ADDRESS_GROUP_END ? "%s]"
                                                              : "%s%.*s|%.*s|%.*s";
        int n = snprintf(text + used, sizeof text - used, form, i > 0 ? " " : "", (int)a->name.len,
                         a->name.data, (int)a->mailbox.len, a->mailbox.data, (int)a->host.len,
                         a->host.data);
        used += (size_t)n;
        assert_true(used < sizeof text);
    }
    mox_address_list_free(list);
    return text;
}

static void all_read(const struct row *rows, size_t count)
{
    struct test_env t;
    test_env_init(&t);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(elements(&t.env, slice_of(rows[i].value)), rows[i].want);
    test_env_done(&t);
}

#define ALL(rows) all_read((rows), sizeof(rows) / sizeof((rows)[0]))

static void addresses_of_rfc_5322(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", ""},
        {"John Doe <jdoe@machine.example>", "John Doe|jdoe|machine.example"},
        {" \"Joe Q. Public\" <john.q.public@example.com>\r\n",
         "Joe Q. Public|john.q.public|example.com"},
        {"Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
         "Mary Smith|mary|x.test |jdoe|example.org Who?|one|y.test"},
        {"<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
         "|boss|nil.test Giant; \"Big\" Box|sysservices|example.net"},
        {"A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
         "[A Group| Ed Jones|c|a.test |joe|where.test John|jdoe|one.test ]"},
        {"Undisclosed recipients:;", "[Undisclosed recipients| ]"},
        {"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", "Pete|pete|silly.test"},
        {"A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n"
         "         joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); (the end)",
         "[A Group| Chris Jones|c|public.example |joe|example.org John|jdoe|one.test ]"},
        {"(Empty list)(start)Undisclosed recipients  :(nobody(that I know))  ;",
         "[Undisclosed recipients| ]"},
        {"Joe Q. Public <john.q.public@example.com>", "Joe Q. Public|john.q.public|example.com"},
        {"Mary Smith <@machine.tld:mary@example.net>, , jdoe@test   . example",
         "Mary Smith|mary|example.net |jdoe|test.example"},
        {"John Doe <jdoe@machine(comment).  example>", "John Doe|jdoe|machine.example"},
        {"1234   @   local(blah)  .machine .example", "blah|1234|local.machine.example"},
        {"jdoe@[192.0.2.1], <x@[IPv6: 2001:db8::1]>", "|jdoe|[192.0.2.1] |x|[IPv6:2001:db8::1]"},
        {"jdoe@x.example (John (Jack) Doe)", "John (Jack) Doe|jdoe|x.example"},
        {"\" \"@example.com, <\"a\\\"b@c\"@d.example>", "| |example.com |a\"b@c|d.example"},
        {"\"a\".b.\"c d\"@e.example, a . b@c.example", "|a.b.c d|e.example |a.b|c.example"},
        {"=?utf-8?q?J=C3=B6rg?= <j@x.example>, J\xc3\xb6rg <j\xc3\xb6@x.example>",
         "=?utf-8?q?J=C3=B6rg?=|j|x.example J\xc3\xb6rg|j\xc3\xb6|x.example"},
    };
    ALL(rows);
}

static void one_broken_address_costs_only_itself(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {",,a@b.example;;c@d.example,", "|a|b.example |c|d.example"},
        {"root, a@b.example", "|root| |a|b.example"},
        {"John Doe, a@b.example", "John Doe|| |a|b.example"},
        {"\"John Doe\" j@x.example, a@b.example", "John Doe|j|x.example |a|b.example"},
        {"j@x.example <k@x.example>, a@b.example", "j@x.example|k|x.example |a|b.example"},
        {"<>, a@b.example", "|| |a|b.example"},
        {"John <j@x.example, a@b.example", "John|j|x.example |a|b.example"},
        {"John <>, a@b.example", "John|| |a|b.example"},
        {"<a b@x.example>>, <c@d@e>, f@g@h, i@", "|a b|x.example |c|d |f|g |i|"},
        {"@x.example, a@b.example", "||x.example |a|b.example"},
        {"\"open <a@b.example>, c@d.example", "open|a|b.example |c|d.example"},
        {"x (open <a@b.example>, c@d.example", "x open|a|b.example |c|d.example"},
        {"x) y ((a) <a@b.example>, (b) c@d.example", "x y a|a|b.example b|c|d.example"},
        {"a@b.example c@d.example", "|a|b.example |c|d.example"},
        {"g: a@b.example, h: c@d.example", "[g| |a|b.example |h| |c|d.example ]"},
        {"[x@[y, a@b.example", "|[x|[y,a@b.example"},
        {"<Undisclosed-Recipient:@x.example;>", "|Undisclosed-Recipient|"},
    };
    ALL(rows);
}

/* Both would be quadratic if each were looked for up to the end. */
static void many_opening_quotes_and_comments_are_read_in_one_pass(void **state)
{
    (void)state;
    static const char *const pieces[] = {"\"\\", "\\\"", "(", "(\\", "<", "@", ":", "a:;", "\"\" "};
    struct test_env t;
    test_env_init(&t);
    size_t len = 2000000;
    uint8_t *value = malloc(len);
    assert_non_null(value);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        for (size_t at = 0; at < len; at++)
            value[at] = (uint8_t)pieces[i][at % strlen(pieces[i])];
        value[0] = '"';
        struct mox_address_list *list = NULL;
        assert_int_equal(mox_address_list_parse(&list, &t.env, slice(value, len)), MOX_OK);
        assert_true(mox_address_list_count(list) <= MOX_ADDRESS_LIST_MAX + 1);
        mox_address_list_free(list);
    }
    free(value);
    test_env_done(&t);
}

static void the_list_ends_at_its_bound(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct buf value, out;
    mox__buf_init(&value, &t.env, 1 << 24);
    mox__buf_init(&out, &t.env, 1 << 24);
    mox__buf_text(&value, "To: a:");
    for (unsigned i = 0; i < 2 * MOX_ADDRESS_LIST_MAX; i++)
        mox__buf_text(&value, "b,");
    struct mox_address_list *list = NULL;
    assert_int_equal(mox_address_list_parse(&list, &t.env, slice(value.data + 3, value.len - 3)),
                     MOX_OK);
    size_t count = mox_address_list_count(list);
    assert_int_equal(count, MOX_ADDRESS_LIST_MAX + 1);
    assert_int_equal(mox_address_list_at(list, count - 1)->kind, MOX_ADDRESS_GROUP_END);
    mox_address_list_free(list);

    mox__headers_envelope(slice(NULL, 0), slice(value.data, value.len), &out);
    assert_false(out.failed);
    assert_in_range(out.len, 16 * MOX_ADDRESS_LIST_MAX, 17 * MOX_ADDRESS_LIST_MAX);
    mox__buf_free(&value);
    mox__buf_free(&out);
    test_env_done(&t);
}

static void from_has_exactly_one_address(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        enum from_status status;
        const char *mailbox, *host;
    } rows[] = {
        {"From: A <a@b.example>\r\n", FROM_ONE, "a", "b.example"},
        {"from : g: a@b.example;\r\n", FROM_ONE, "a", "b.example"},
        {"To: a@b.example\r\n\r\nFrom: a@b.example", FROM_MISSING, "", ""},
        {"From:\r\n", FROM_MISSING, "", ""},
        {"From: a@b.example\r\nFrom: a@b.example\r\n", FROM_SEVERAL, "", ""},
        {"From: a@b.example, c@d.example\r\n", FROM_SEVERAL, "", ""},
        {"From: Doe, Jane <a@b.example>\r\n", FROM_ONE, "a", "b.example"},
        {"From: Doe, Jane\r\n", FROM_MALFORMED, "", ""},
        {"From: <\"\"@b.example>\r\n", FROM_MALFORMED, "", ""},
        {"From: John Doe\r\n", FROM_MALFORMED, "", ""},
        {"From: a\r\n", FROM_MALFORMED, "", ""},
    };
    struct test_env t;
    test_env_init(&t);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf mailbox, host;
        mox__buf_init(&mailbox, &t.env, 1000);
        mox__buf_init(&host, &t.env, 1000);
        assert_int_equal(mox__address_from(&t.env, slice_of(rows[i].headers), &mailbox, &host),
                         rows[i].status);
        if (rows[i].status == FROM_ONE) {
            assert_true(mox__slice_is(slice(mailbox.data, mailbox.len), rows[i].mailbox));
            assert_true(mox__slice_is(slice(host.data, host.len), rows[i].host));
        }
        mox__buf_free(&mailbox);
        mox__buf_free(&host);
    }
    test_env_done(&t);
}

static void failing_allocations_leave_nothing_behind(void **state)
{
    (void)state;
    int rc = MOX_ENOMEM;
    for (long n = 1; rc != MOX_OK; n++) {
        struct test_env t;
        test_env_init(&t);
        t.fail_at = n;
        struct mox_address_list *list = NULL;
        rc = mox_address_list_parse(&list, &t.env, slice_of("g: A B <@r:a@b> (c), a@b, c@d;"));
        assert_true(rc == MOX_OK || (rc == MOX_ENOMEM && list == NULL));
        mox_address_list_free(list);
        test_env_done(&t);
        assert_true(n < 100);
    }
}

static void each_line(void *user, const char *path, struct mox_slice data)
{
    struct test_env *t = user;
    if (strstr(path, ".in") == NULL)
        return;
    while (data.len > 0) {
        const uint8_t *lf = memchr(data.data, '\n', data.len);
        size_t len = lf == NULL ? data.len : (size_t)(lf - data.data) + 1;
        (void)elements(&t->env, slice(data.data, len));
        data = slice_from(data, len);
    }
}

static void tests_of_postfix_are_read_without_harm(void **state)
{
    (void)state;
    const char *folder = corpus_path("smtp/postfix");
    if (folder == NULL)
        skip();
    struct test_env t;
    test_env_init(&t);
    each_file(folder, each_line, &t);
    test_env_done(&t);
}

/* Reads the JSON string that follows `key` at or behind *at, and moves behind it. */
static bool json_string(const char **at, const char *key, char *out, size_t size)
{
    size_t len = 0;
    const char *from = strstr(*at, key);
    if (from == NULL)
        return false;
    for (from += strlen(key); *from != '"'; from++) {
        char c = *from == '\\' ? *++from : *from;
        if (from[-1] == '\\')
            c = (char)(c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c);
        assert_true(len + 1 < size);
        out[len++] = c;
    }
    out[len] = '\0';
    *at = from;
    return true;
}

/* Not addresses, or a comment in a place where that parser keeps it. */
static bool is_another_matter(const char *value)
{
    return strstr(value, "<mailto:") != NULL || strstr(value, "<http:") != NULL ||
           strstr(value, "machine(comment)") != NULL || strstr(value, "invalid@") != NULL;
}

/* Appends mailbox@host of each address, with a space behind it. */
static void put_addresses(const struct mox_env *env, const char *value, char *out, size_t size)
{
    struct mox_address_list *list = NULL;
    size_t used = 0;
    assert_int_equal(mox_address_list_parse(&list, env, slice_of(value)), MOX_OK);
    for (size_t i = 0; i < mox_address_list_count(list); i++) {
        const struct mox_address *a = mox_address_list_at(list, i);
        if (a->kind == MOX_ADDRESS_MAILBOX)
            used += (size_t)snprintf(out + used, size - used, "%.*s%s%.*s ", (int)a->mailbox.len,
                                     a->mailbox.data, a->host.len > 0 ? "@" : "", (int)a->host.len,
                                     a->host.data);
    }
    mox_address_list_free(list);
}

static void vectors_of_another_parser(void **state)
{
    (void)state;
    const char *path = corpus_path("mime/header-vectors/address.json");
    if (path == NULL)
        skip();
    struct test_env t;
    test_env_init(&t);
    struct mox_slice json = read_file(path);
    char value[2000], address[500], want[2000], got[2000];
    unsigned count = 0;
    const char *at = (const char *)json.data;
    while (json_string(&at, "\"header\": \"", value, sizeof value)) {
        const char *next = strstr(at, "\"header\": \""), *inner = at;
        want[0] = got[0] = '\0';
        while (json_string(&inner, "\"address\": \"", address, sizeof address) &&
               (next == NULL || inner < next)) {
            strcat(want, address);
            strcat(want, " ");
        }
        if (is_another_matter(value))
            continue;
        put_addresses(&t.env, value, got, sizeof got);
        assert_string_equal(got, want);
        count++;
    }
    assert_true(count > 20);
    free((void *)(uintptr_t)json.data);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_rfc_5322),
        cmocka_unit_test(one_broken_address_costs_only_itself),
        cmocka_unit_test(many_opening_quotes_and_comments_are_read_in_one_pass),
        cmocka_unit_test(the_list_ends_at_its_bound),
        cmocka_unit_test(from_has_exactly_one_address),
        cmocka_unit_test(failing_allocations_leave_nothing_behind),
        cmocka_unit_test(tests_of_postfix_are_read_without_harm),
        cmocka_unit_test(vectors_of_another_parser),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
