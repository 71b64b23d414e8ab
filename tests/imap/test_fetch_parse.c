/* SPDX-License-Identifier: MIT */
#include "support/cm.h"

#include "base/buf.h"
#include "imap/cmd_fetch.h"
#include "support/testenv.h"

/* What FETCH asks for, read from the text behind the set of messages. */

struct fixture {
    struct test_env t;
    struct arena arena;
    struct lexer l;
    struct fetch_program p;
    int rc;
};

static void parse(struct fixture *f, const char *text)
{
    test_env_init(&f->t);
    mox__arena_init(&f->arena, &f->t.env, 1 << 22);
    mox__lex_init(&f->l, slice_of(text), &f->arena);
    f->rc = mox__fetch_parse(&f->p, &f->l);
}

static void done(struct fixture *f)
{
    mox__arena_reset(&f->arena);
    test_env_done(&f->t);
}

/* The labels that the response will have, one behind the other. */
static void assert_labels(struct fixture *f, const char *labels)
{
    struct buf out;
    mox__buf_init(&out, &f->t.env, 10000);
    for (size_t i = 0; i < f->p.count; i++) {
        mox__buf_text(&out, i > 0 ? " " : "");
        mox__buf_slice(&out, f->p.items[i].label);
    }
    mox__buf_byte(&out, '\0');
    assert_string_equal((const char *)out.data, labels);
    mox__buf_free(&out);
}

static void items_have_the_labels_of_their_responses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *labels;
    } cases[] = {
        {"ALL", "INTERNALDATE RFC822.SIZE ENVELOPE"},
        {"fast", "INTERNALDATE RFC822.SIZE"},
        {"Full", "INTERNALDATE RFC822.SIZE ENVELOPE BODY"},
        {"UID", ""},
        {"FLAGS", ""},
        {"(FLAGS UID)", ""},
        {"body", "BODY"},
        {"BODYSTRUCTURE", "BODYSTRUCTURE"},
        {"(envelope rfc822)", "ENVELOPE RFC822"},
        {"(RFC822.HEADER RFC822.TEXT)", "RFC822.HEADER RFC822.TEXT"},
        {"BODY[]", "BODY[]"},
        {"BODY.PEEK[]", "BODY[]"},
        {"body.peek[header]", "BODY[HEADER]"},
        {"BODY[TEXT]<0.100>", "BODY[TEXT]<0>"},
        {"BODY[]<18446744073.1>", "BODY[]<18446744073>"},
        {"BODY[1]", "BODY[1]"},
        {"BODY[1.2.3.MIME]", "BODY[1.2.3.MIME]"},
        {"BODY[4294967295.HEADER]", "BODY[4294967295.HEADER]"},
        {"BODY[HEADER.FIELDS (From)]", "BODY[HEADER.FIELDS (From)]"},
        {"BODY[2.HEADER.FIELDS (from \"to\" {2}\r\ncc)]<1.2>",
         "BODY[2.HEADER.FIELDS (from to cc)]<1>"},
        {"BODY[HEADER.FIELDS.NOT (\"a(b\" \"q\\\"\\\\\")]",
         "BODY[HEADER.FIELDS.NOT (\"a(b\" \"q\\\"\\\\\")]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        parse(&f, cases[i].text);
        if (f.rc != MOX_OK)
            fail_msg("%s: %s", cases[i].text, f.l.expected);
        assert_labels(&f, cases[i].labels);
        done(&f);
    }
}

static void what_breaks_the_grammar_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "(",
        "()",
        "(FLAGS",
        "FLAGS)",
        "FLAGS UID",
        "(FLAGS  UID)",
        "(FLAGS UID )",
        "( FLAGS)",
        "(ALL)",
        "(FLAGS FAST)",
        "ALL FLAGS",
        "UNKNOWN",
        "BODY.PEEK",
        "RFC822[]",
        "ENVELOPE[]",
        "BODY[",
        "BODY[ ]",
        "BODY[0]",
        "BODY[1.0]",
        "BODY[01x]",
        "BODY[4294967296]",
        "BODY[1.]",
        "BODY[.1]",
        "BODY[1..2]",
        "BODY[1",
        "BODY[HEADER",
        "BODY[MIME]",
        "BODY[1.HEADER.]",
        "BODY[HEADERS]",
        "BODY[TEXT.1]",
        "BODY[HEADER.FIELDS]",
        "BODY[HEADER.FIELDS ()]",
        "BODY[HEADER.FIELDS(From)]",
        "BODY[HEADER.FIELDS (From]",
        "BODY[HEADER.FIELDS (From )]",
        "BODY[HEADER.FIELDS (\"\")]",
        "BODY[HEADER.FIELDS (\"a b\")]",
        "BODY[HEADER.FIELDS (\"a:b\")]",
        "BODY[HEADER (From)]",
        "BODY[]<",
        "BODY[]<1>",
        "BODY[]<1.0>",
        "BODY[]<1.2",
        "BODY[]<-1.2>",
        "BODY[]<9223372036854775808.1>",
        "BODY[]1",
        "FLAGS ",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        parse(&f, cases[i]);
        if (f.rc != MOX_ESYNTAX || f.l.expected[0] == '\0')
            fail_msg("%s: %d, expected \"%s\"", cases[i], f.rc, f.l.expected);
        done(&f);
    }
}

static void a_program_says_what_it_needs(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool flags, seen, from_view;
        unsigned wants;
    } cases[] = {
        {"(UID FLAGS)", true, false, true, 0},
        {"UID", false, false, true, 0},
        {"FAST", true, false, false, 0},
        {"ALL", true, false, false, MOX_FETCH_ENVELOPE},
        {"FULL", true, false, false, MOX_FETCH_ENVELOPE | MOX_FETCH_BODY},
        {"BODY[]", false, true, false, MOX_FETCH_CONTENT},
        {"BODY.PEEK[]", false, false, false, MOX_FETCH_CONTENT},
        {"BODY.PEEK[1]", false, false, false, MOX_FETCH_CONTENT | MOX_FETCH_STRUCTURE},
        {"RFC822", false, true, false, MOX_FETCH_CONTENT},
        {"RFC822.TEXT", false, true, false, MOX_FETCH_CONTENT},
        {"RFC822.HEADER", false, false, false, MOX_FETCH_HEADER},
        {"BODY.PEEK[HEADER]", false, false, false, MOX_FETCH_HEADER},
        {"BODY[HEADER.FIELDS (A)]", false, true, false, MOX_FETCH_HEADER},
        {"BODY.PEEK[1.HEADER]", false, false, false, MOX_FETCH_CONTENT | MOX_FETCH_STRUCTURE},
        {"(BODY.PEEK[TEXT] BODY.PEEK[HEADER])", false, false, false,
         MOX_FETCH_CONTENT | MOX_FETCH_HEADER},
        {"(BODYSTRUCTURE RFC822.SIZE)", false, false, false, MOX_FETCH_BODYSTRUCTURE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        parse(&f, cases[i].text);
        assert_int_equal(f.rc, MOX_OK);
        assert_int_equal(f.p.flags, cases[i].flags);
        assert_int_equal(f.p.seen, cases[i].seen);
        assert_int_equal(f.p.from_view, cases[i].from_view);
        assert_int_equal(f.p.wants, cases[i].wants);
        done(&f);
    }
}

static void too_many_items_are_refused(void **state)
{
    (void)state;
    char text[(FETCH_ITEMS_MAX + 1) * 4 + 8] = "(";
    for (size_t i = 0; i <= FETCH_ITEMS_MAX; i++)
        strcat(text, i == 0 ? "UID" : " UID");
    strcat(text, ")");
    struct fixture f;
    parse(&f, text); /* they cost nothing */
    assert_int_equal(f.rc, MOX_OK);
    done(&f);

    char bodies[(FETCH_ITEMS_MAX + 1) * 7 + 8] = "(";
    for (size_t i = 0; i <= FETCH_ITEMS_MAX; i++)
        strcat(bodies, i == 0 ? "RFC822" : " RFC822");
    strcat(bodies, ")");
    parse(&f, bodies);
    assert_int_equal(f.rc, MOX_ESYNTAX);
    done(&f);
}

static void running_out_of_memory_is_not_the_clients_mistake(void **state)
{
    (void)state;
    for (long fail_at = 1; fail_at < 20; fail_at++) {
        struct fixture f;
        test_env_init(&f.t);
        f.t.fail_at = fail_at;
        mox__arena_init(&f.arena, &f.t.env, 1 << 22);
        mox__lex_init(&f.l, slice_of("(BODY[1.HEADER.FIELDS (From To)] ALL)"), &f.arena);
        f.rc = mox__fetch_parse(&f.p, &f.l);
        assert_true(f.rc == MOX_ENOMEM || f.rc == MOX_ESYNTAX);
        if (f.t.allocations >= fail_at)
            assert_int_equal(f.rc, MOX_ENOMEM);
        done(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_have_the_labels_of_their_responses),
        cmocka_unit_test(what_breaks_the_grammar_is_refused),
        cmocka_unit_test(a_program_says_what_it_needs),
        cmocka_unit_test(too_many_items_are_refused),
        cmocka_unit_test(running_out_of_memory_is_not_the_clients_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
