/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/sconf.h"
#include "support/cm.h"
#include "support/testenv.h"

static void a_tree_has_keys_values_items_and_lines(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    static const char text[] = "# first\n"
                               "Key: a # b: c \r\n"
                               "\n"
                               "\t  \n"
                               "Struct:\n"
                               "\t\t# comment at any depth\n"
                               "\tEmpty:\n"
                               "\tList:\n"
                               "\t\t- one\n"
                               "\t\t-\n"
                               "\t\t\tDeep: x\n"
                               "\t\t-\n"
                               "\t\t\t- nested: no key\n"
                               "\t-dash: is a key\n"
                               "Last: 1";
    struct sconf tree;
    struct mox_error err = {0};
    assert_int_equal(mox__sconf_read(&tree, &t.env, "f", slice_of(text), &err), MOX_OK);
    struct sconf_node *key = mox__sconf_find(&tree.root, "Key");
    assert_int_equal(key->line, 2);
    assert_true(mox__slice_is(key->value, "a # b: c ")); /* all but the CR */
    struct sconf_node *s = mox__sconf_find(&tree.root, "Struct");
    struct sconf_node *list = mox__sconf_find(s, "List");
    assert_true(list->is_list);
    assert_true(mox__slice_is(list->first->value, "one"));
    assert_true(mox__slice_is(mox__sconf_find(list->first->next, "Deep")->value, "x"));
    assert_true(mox__slice_is(list->last->first->value, "nested: no key"));
    assert_int_equal(mox__sconf_find(s, "Empty")->after, 8);
    assert_true(mox__slice_is(mox__sconf_find(s, "-dash")->value, "is a key"));
    assert_int_equal(mox__sconf_last_line(&tree, s), 14);
    assert_int_equal(mox__sconf_last_line(&tree, &tree.root), 15);
    mox__sconf_free(&tree);
    test_env_done(&t);
}

static void what_is_read_is_written_byte_by_byte(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "\n", "# only a comment", "A: 1", "A: 1\r\n\r\n  # odd\r\n\t \nB:\n\t- x\n\t\t# in\n\t- \n# end\n",
        "A: \nB:\n\tC: d\n\n\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct test_env t;
        test_env_init(&t);
        struct sconf tree;
        struct buf out;
        mox__buf_init(&out, &t.env, 10000);
        assert_int_equal(mox__sconf_read(&tree, &t.env, "f", slice_of(texts[i]), NULL), MOX_OK);
        mox__sconf_write(&tree, &out);
        assert_true(mox__slice_is(slice(out.data, out.len), texts[i]));
        mox__buf_free(&out);
        mox__sconf_free(&tree);
        test_env_done(&t);
    }
}

static void each_mistake_is_reported_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *line, *mention;
    } cases[] = {
        {"A: 1\nb\n", "f:2: ", "no colon in \"b\""},
        {"A: 1\n# c\n\n: x\n", "f:4: ", "empty key"},
        {"A:\n\t: x\n", "f:2: ", "empty key"},
        {"A: 1\n B: 2\n", "f:2: ", "indent with tabs"},
        {"A:\n\t B: 2\n", "f:2: ", "indent with tabs"},
        {"A:1\n", "f:1: ", "no space behind the colon of \"A:1\""},
        {"A:\n\tB:1\n", "f:2: ", "no space behind the colon"},
        {"\tA: 1\n", "f:1: ", "too much indentation"},
        {"A:\n\t\tB: 1\n", "f:2: ", "too much indentation"},
        {"A: 1\n\tB: 1\n", "f:2: ", "unexpected indentation"},
        {"A:\n\tB: 1\n\t\tC: 1\n", "f:3: ", "unexpected indentation"},
        {"A:\n\t- 1\n\tB: 1\n", "f:3: ", "starts with \"-\", found \"B: 1\""},
        {"A:\n\t- 1\n\t-b\n", "f:3: ", "no space behind the \"-\""},
        {"A:\n\t-b\n", "f:2: ", "no space behind the \"-\""},
        {"A:\n\tB: 1\n\t- c\n", "f:3: ", "found the list item"},
        {"- c\n", "f:1: ", "found the list item"},
        {"A: 1\nB: 2\nA: 3\nC: 1\n", "f:3: ", "duplicate key \"A\", already on line 1"},
        {"M:\n\tx: 1\n\ty: 2\n\tx: 3\nN: 1\n", "f:4: ", "duplicate key \"x\""},
        {"A: 1\r\nB: 2\r\r\n", "f:2: ", "a carriage return in \"B: 2?\""},
        {"A: \001\002\nb\001\n", "f:2: ", "no colon in \"b?\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct test_env t;
        test_env_init(&t);
        struct sconf tree;
        struct mox_error err = {0};
        assert_int_equal(mox__sconf_read(&tree, &t.env, "f", slice_of(cases[i].text), &err),
                         MOX_ESYNTAX);
        if (strncmp(err.text, cases[i].line, 5) != 0 || strstr(err.text, cases[i].mention) == NULL)
            fail_msg("%s: got %s", cases[i].mention, err.text);
        mox__sconf_free(&tree);
        test_env_done(&t);
    }
}

static void nul_bytes_and_deep_nesting_are_refused(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct sconf tree;
    struct mox_error err = {0};
    assert_int_equal(mox__sconf_read(&tree, &t.env, "f", slice("A: \0b\n", 6), &err), MOX_ESYNTAX);
    assert_non_null(strstr(err.text, "f:1: a NUL byte"));
    mox__sconf_free(&tree);
    struct buf text;
    mox__buf_init(&text, &t.env, 100000);
    for (int depth = 0; depth < 40; depth++) {
        for (int i = 0; i < depth; i++)
            mox__buf_byte(&text, '\t');
        mox__buf_text(&text, "K:\n");
    }
    assert_int_equal(mox__sconf_read(&tree, &t.env, "f", slice(text.data, text.len), &err),
                     MOX_ELIMIT);
    assert_non_null(strstr(err.text, "f:34: nested deeper"));
    mox__sconf_free(&tree);
    mox__buf_free(&text);
    test_env_done(&t);
}

static void merged(const char *old, const char *before, const char *after, const char *expected,
                   long fail_at)
{
    struct test_env t;
    test_env_init(&t);
    t.fail_at = fail_at;
    struct sconf a, b, c;
    struct buf out;
    mox__buf_init(&out, &t.env, 10000);
    int rc = mox__sconf_read(&a, &t.env, "f", slice_of(old), NULL);
    int rc2 = mox__sconf_read(&b, &t.env, "f", slice_of(before), NULL);
    int rc3 = mox__sconf_read(&c, &t.env, "f", slice_of(after), NULL);
    if (rc == MOX_OK && rc2 == MOX_OK && rc3 == MOX_OK)
        rc = mox__sconf_merge(&a, &b, &c);
    mox__sconf_write(&a, &out);
    mox__buf_byte(&out, '\0');
    if (fail_at == 0 || (rc == MOX_OK && rc2 == MOX_OK && rc3 == MOX_OK && !out.failed))
        assert_string_equal((char *)out.data, expected);
    mox__buf_free(&out);
    mox__sconf_free(&a);
    mox__sconf_free(&b);
    mox__sconf_free(&c);
    test_env_done(&t);
}

static void a_change_keeps_comments_and_every_other_line(void **state)
{
    (void)state;
    static const struct {
        const char *old, *before, *after, *expected;
    } cases[] = {
        /* a value; the default that somebody wrote out stays */
        {"# top\nA: 1\n\n# about b\nB: 2 \nPort: 25\n# end\n", "A: 1\nB: 2 \n", "A: 1\nB: 3\n",
         "# top\nA: 1\n\n# about b\nB: 3\nPort: 25\n# end\n"},
        /* an entry goes with the comment directly above it, and no other */
        {"# top\n\n# about a\nA: 1\n# about b\nB: 2\n", "A: 1\nB: 2\n", "B: 2\n",
         "# top\n\n# about b\nB: 2\n"},
        {"A: 1\n# last\n\n# about b\nB: 2", "A: 1\nB: 2\n", "A: 1\n", "A: 1\n# last\n\n"},
        /* a new one comes at the end of its block */
        {"M:\n\ta: 1\n\t# b\n\tb: 2\nN: 1\n# end", "M:\n\ta: 1\n\tb: 2\nN: 1\n",
         "M:\n\ta: 1\n\tab:\n\t\t- x\n\tb: 2\nN: 1\n",
         "M:\n\ta: 1\n\t# b\n\tb: 2\n\tab:\n\t\t- x\nN: 1\n# end"},
        /* lists: the middle is replaced */
        {"L:\n\t# one\n\t- 1\n\t- 2\n\t- 3\n\t# four\n\t- 4\n", "L:\n\t- 1\n\t- 2\n\t- 3\n\t- 4\n",
         "L:\n\t- 1\n\t- x\n\t- 4\n", "L:\n\t# one\n\t- 1\n\t- x\n\t# four\n\t- 4\n"},
        {"L:\n\t- 1\n\t- 1\n", "L:\n\t- 1\n\t- 1\n", "L:\n\t- 1\n", "L:\n\t- 1\n"},
        {"L:\n\t- 1\n", "L:\n\t- 1\n", "L:\n\t- 1\n\t- 1\n", "L:\n\t- 1\n\t- 1\n"},
        /* the last entry of a map goes, and the first comes back */
        {"M:\n\tx: 1\n", "M:\n\tx: 1\n", "M: nil\n", "M: nil\n"},
        {"# m\nM: nil\n", "M: nil\n", "M:\n\tx: 1\n", "# m\nM:\n\tx: 1\n"},
        /* a list that becomes a map */
        {"# l\nL:\n\t# one\n\t- 1\n", "L:\n\t- 1\n", "L:\n\tx: 1\n", "# l\nL:\n\tx: 1\n"},
        /* CRLF files stay that, and a last line gets its end */
        {"A: 1\r\nB: 2", "A: 1\nB: 2\n", "A: 2\nB: 2\nC: 3\n", "A: 2\r\nB: 2\nC: 3\r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (long fail_at = 0; fail_at < 30; fail_at++)
            merged(cases[i].old, cases[i].before, cases[i].after, cases[i].expected, fail_at);
}

static void a_map_of_a_hundred_thousand_is_read_and_merged_quickly(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct buf text;
    mox__buf_init(&text, &t.env, 100 << 20);
    for (unsigned i = 0; i < 100000; i++)
        mox__buf_printf(&text, "key%u: value\n", i * 7919 % 100000);
    struct sconf a, b, c;
    assert_int_equal(mox__sconf_read(&a, &t.env, "f", slice(text.data, text.len), NULL), MOX_OK);
    assert_int_equal(mox__sconf_read(&b, &t.env, "f", slice(text.data, text.len), NULL), MOX_OK);
    mox__buf_text(&text, "new: value\n");
    assert_int_equal(mox__sconf_read(&c, &t.env, "f", slice(text.data, text.len), NULL), MOX_OK);
    assert_int_equal(mox__sconf_merge(&a, &b, &c), MOX_OK);
    struct buf out;
    mox__buf_init(&out, &t.env, 100 << 20);
    mox__sconf_write(&a, &out);
    assert_true(mox__slice_eq(slice(out.data, out.len), slice(text.data, text.len)));
    mox__buf_free(&out);
    mox__buf_free(&text);
    mox__sconf_free(&a);
    mox__sconf_free(&b);
    mox__sconf_free(&c);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_has_keys_values_items_and_lines),
        cmocka_unit_test(what_is_read_is_written_byte_by_byte),
        cmocka_unit_test(each_mistake_is_reported_with_its_line),
        cmocka_unit_test(nul_bytes_and_deep_nesting_are_refused),
        cmocka_unit_test(a_change_keeps_comments_and_every_other_line),
        cmocka_unit_test(a_map_of_a_hundred_thousand_is_read_and_merged_quickly),
    };
    return cmocka_run_group_tests_name("config-sconf", tests, NULL, NULL);
}
