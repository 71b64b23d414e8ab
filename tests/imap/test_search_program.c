/* SPDX-License-Identifier: MIT */
#include "support/cm.h"

#include <stdio.h>
#include <stdlib.h>

#include "imap/cmd_search.h"
#include "support/testenv.h"

/* Search programs against one message: what each key means, and how little of the message it takes.
 */

static const char content[] = "Date: Wed, 4 Mar 2026 23:30:00 -0800\r\n"
                              "From: Alice <alice@example.org>\r\n"
                              "To: bob@example.org,\r\n"
                              " carol@example.org\r\n"
                              "Subject: =?utf-8?q?Caf=C3=A9_cr=C3=A8me?= plan\r\n"
                              "X-Empty:\r\n"
                              "Content-Type: multipart/mixed; boundary=x\r\n"
                              "\r\n"
                              "--x\r\n"
                              "Content-Type: text/plain; charset=iso-8859-1\r\n"
                              "Content-Transfer-Encoding: quoted-printable\r\n"
                              "\r\n"
                              "Le caf=E9 est pr=EAt=\r\n"
                              "e.\r\n"
                              "--x\r\n"
                              "Content-Type: message/rfc822\r\n"
                              "\r\n"
                              "Subject: inner subject\r\n"
                              "\r\n"
                              "inner words\r\n"
                              "--x\r\n"
                              "Content-Type: application/octet-stream\r\n"
                              "\r\n"
                              "binary words\r\n"
                              "--x--\r\n";

/* The view: five messages with UIDs 10, 20 … 50; the message above is number 3, UID 30. */
struct fixture {
    struct test_env t;
    struct arena arena;
    struct lexer l;
    struct mox_view *view;
    struct search_program p;
    struct mox_message_data data;
    struct search_context x;
    int rc;
};

static void open_view(struct fixture *f)
{
    static const char *const keywords[] = {"blue", "red"};
    struct mox_view_row rows[5] = {{0}};
    for (uint32_t i = 0; i < 5; i++)
        rows[i] = (struct mox_view_row){.uid = (i + 1) * 10, .bytes = 1000};
    rows[2].flags = MOX_FLAG_ANSWERED | MOX_FLAG_DRAFT | MOX_FLAG_JUNK;
    rows[2].keywords = 2;
    const struct mox_view_info info = {
        .size = sizeof info, .mailbox = 1, .uidnext = 51, .keywords = keywords, .keyword_count = 2};
    assert_int_equal(mox_view_new(&f->view, &f->t.env, &info, rows, 5), MOX_OK);
}

static void parse(struct fixture *f, const char *text)
{
    static const struct mox_uid_range recent = {30, 50};
    *f = (struct fixture){0};
    test_env_init(&f->t);
    open_view(f);
    mox__arena_init(&f->arena, &f->t.env, 1 << 24);
    mox__lex_init(&f->l, slice_of(text), &f->arena);
    const struct search_session session = {.view = f->view, .recent = &recent, .recent_count = 1};
    f->rc = mox__search_parse(&f->p, &f->l, &session);
    if (f->rc == MOX_OK)
        mox__search_find_keywords(&f->p, f->view);
    f->data =
        (struct mox_message_data){.uid = 30,
                                  .bytes = 1000,
                                  .received_us = INT64_C(1772668800) * 1000000, /* 5 Mar 2026 */
                                  .prefix = slice_of("X-Prefix: added\r\n"),
                                  .content = slice_of(content)};
    f->x = (struct search_context){.env = &f->t.env,
                                   .program = &f->p,
                                   .index = 2,
                                   .row = mox_view_row(f->view, 2),
                                   .data = &f->data};
}

static void done(struct fixture *f)
{
    mox__arena_reset(&f->arena);
    mox_view_unref(f->view);
    test_env_done(&f->t);
}

struct judged {
    const char *text;
    bool found;
    enum search_level level; /* at which the answer is known */
};

/* Each has no answer below its level, and the right one from there on. */
static void judge_all(const struct judged *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fixture f;
        parse(&f, cases[i].text);
        if (f.rc != MOX_OK)
            fail_msg("%s: expected %s", cases[i].text, f.l.expected);
        for (int level = SEARCH_VIEW; level <= SEARCH_TEXT; level++) {
            f.x.level = (enum search_level)level;
            f.x.texts_done = false;
            const enum search_verdict v = mox__search_eval(f.p.root, &f.x);
            const enum search_verdict right = f.x.level < cases[i].level ? SEARCH_UNKNOWN
                                              : cases[i].found           ? SEARCH_YES
                                                                         : SEARCH_NO;
            if (v != right)
                fail_msg("%s at level %d: %d, not %d", cases[i].text, level, (int)v, (int)right);
        }
        done(&f);
    }
}

static void flags_numbers_and_sizes_are_judged_by_the_view(void **state)
{
    (void)state;
    static const struct judged cases[] = {
        {"ALL", true, SEARCH_VIEW},
        {"ANSWERED", true, SEARCH_VIEW},
        {"unanswered", false, SEARCH_VIEW},
        {"SEEN", false, SEARCH_VIEW},
        {"UNSEEN", true, SEARCH_VIEW},
        {"DELETED", false, SEARCH_VIEW},
        {"UNDELETED", true, SEARCH_VIEW},
        {"FLAGGED", false, SEARCH_VIEW},
        {"UNFLAGGED", true, SEARCH_VIEW},
        {"DRAFT", true, SEARCH_VIEW},
        {"UNDRAFT", false, SEARCH_VIEW},
        {"RECENT", true, SEARCH_VIEW},
        {"OLD", false, SEARCH_VIEW},
        {"NEW", true, SEARCH_VIEW},
        {"KEYWORD RED", true, SEARCH_VIEW},
        {"KEYWORD blue", false, SEARCH_VIEW},
        {"UNKEYWORD red", false, SEARCH_VIEW},
        {"KEYWORD unheard", false, SEARCH_VIEW},
        {"UNKEYWORD unheard", true, SEARCH_VIEW},
        {"KEYWORD $junk", true, SEARCH_VIEW},
        {"UNKEYWORD $Junk", false, SEARCH_VIEW},
        {"UNKEYWORD $NotJunk", true, SEARCH_VIEW},
        {"3", true, SEARCH_VIEW},
        {"4:*", false, SEARCH_VIEW},
        {"1,3,9", true, SEARCH_VIEW},
        {"UID 30", true, SEARCH_VIEW},
        {"UID 31:40", false, SEARCH_VIEW},
        {"NOT 3", false, SEARCH_VIEW},
        {"LARGER 999", true, SEARCH_VIEW},
        {"LARGER 1000", false, SEARCH_VIEW},
        {"SMALLER 1001", true, SEARCH_VIEW},
        {"SMALLER 1000", false, SEARCH_VIEW},
        {"OR LARGER 1 SMALLER 2", true, SEARCH_VIEW},
    };
    judge_all(cases, sizeof cases / sizeof cases[0]);
}

static void dates_and_fields_are_judged_without_the_text(void **state)
{
    (void)state;
    static const struct judged cases[] = {
        {"ON 5-Mar-2026", true, SEARCH_ROW},
        {"BEFORE 5-Mar-2026", false, SEARCH_ROW},
        {"BEFORE \"6-Mar-2026\"", true, SEARCH_ROW},
        {"SINCE 5-Mar-2026", true, SEARCH_ROW},
        {"SINCE 6-Mar-2026", false, SEARCH_ROW},
        {"SENTON 4-Mar-2026", true, SEARCH_HEADER}, /* in UTC it is the 5th already */
        {"SENTBEFORE 4-Mar-2026", false, SEARCH_HEADER},
        {"SENTBEFORE 5-Mar-2026", true, SEARCH_HEADER},
        {"SENTSINCE 4-Mar-2026", true, SEARCH_HEADER},
        {"SENTSINCE 5-Mar-2026", false, SEARCH_HEADER},
        {"FROM ALICE", true, SEARCH_HEADER},
        {"FROM bob", false, SEARCH_HEADER},
        {"TO carol", true, SEARCH_HEADER},
        {"TO \"org, carol\"", true, SEARCH_HEADER}, /* across the fold */
        {"CC \"\"", false, SEARCH_HEADER},
        {"BCC x", false, SEARCH_HEADER},
        {"SUBJECT {12}\r\nCAF\xc3\xa9 cr\xc3\xa8me", true, SEARCH_HEADER},
        {"SUBJECT \"=?utf-8\"", true, SEARCH_HEADER},
        {"SUBJECT inner", false, SEARCH_HEADER},
        {"HEADER X-Empty \"\"", true, SEARCH_HEADER},
        {"HEADER X-Absent \"\"", false, SEARCH_HEADER},
        {"HEADER x-prefix ADDED", true, SEARCH_HEADER},
    };
    judge_all(cases, sizeof cases / sizeof cases[0]);
}

static void words_are_looked_for_in_the_text(void **state)
{
    (void)state;
    static const struct judged cases[] = {
        {"BODY {5}\r\ncaf\xc3\xa9", true, SEARCH_TEXT},
        {"BODY {6}\r\npr\xc3\xaate", true, SEARCH_TEXT},
        {"BODY \"inner words\"", true, SEARCH_TEXT},
        {"BODY \"inner subject\"", true, SEARCH_TEXT},
        {"BODY \"binary words\"", false, SEARCH_TEXT},
        {"BODY alice", false, SEARCH_TEXT},
        {"BODY \"\"", true, SEARCH_TEXT},
        {"TEXT alice", true, SEARCH_TEXT},
        {"TEXT \"From: Alice\"", true, SEARCH_TEXT},
        {"TEXT \"x-prefix\"", true, SEARCH_TEXT},
        {"TEXT iso-8859-1", true, SEARCH_TEXT},
        {"TEXT {11}\r\ncaf\xc3\xa9 cr\xc3\xa8m", true, SEARCH_TEXT},
        {"BODY caf", true, SEARCH_TEXT},
        {"NOT BODY absent", true, SEARCH_TEXT},
        {"BODY words TEXT alice NOT TEXT absent", true, SEARCH_TEXT},
    };
    judge_all(cases, sizeof cases / sizeof cases[0]);
}

static void several_keys_are_judged_by_as_little_as_decides(void **state)
{
    (void)state;
    static const struct judged cases[] = {
        {"BODY alice SEEN", false, SEARCH_VIEW},
        {"OR TEXT absent ANSWERED", true, SEARCH_VIEW},
        {"FROM bob SMALLER 10", false, SEARCH_VIEW},
        {"(FROM alice (UNSEEN)) NOT (DELETED)", true, SEARCH_HEADER},
        {"OR (SEEN BODY words) (OR DELETED FROM alice)", true, SEARCH_HEADER},
        {"CHARSET utf-8 ALL", true, SEARCH_VIEW},
        {"CHARSET \"US-ASCII\" FROM alice", true, SEARCH_HEADER},
    };
    judge_all(cases, sizeof cases / sizeof cases[0]);
}

/* Searches a body with the needle at an offset; the passes pause as often as they may. */
static bool found_with_pauses(size_t len, size_t offset, unsigned *pauses)
{
    static const char needle[] = "\xc3\xa9t\xc3\xa9";
    struct fixture f;
    char *text = malloc(len + 3);
    assert_non_null(text);
    memset(text, 'x', len + 2);
    memcpy(text, "\r\n", 2);
    memcpy(text + 2 + offset, needle, 5);
    parse(&f, "OR BODY nothing BODY {5}\r\n\xc3\xa9t\xc3\xa9");
    assert_int_equal(f.rc, MOX_OK);
    f.data.content = slice(text, len + 2);
    f.x.level = SEARCH_TEXT;
    f.x.pause.end_us = 1;
    *pauses = 0;
    enum search_verdict v = mox__search_eval(f.p.root, &f.x);
    for (; f.x.pause.paused; v = mox__search_eval(f.p.root, &f.x)) {
        f.x.pause.paused = false;
        ++*pauses;
    }
    assert_true(f.x.texts_done);
    free(text);
    done(&f);
    return v == SEARCH_YES;
}

static void a_pass_that_pauses_finds_the_same(void **state)
{
    (void)state;
    unsigned pauses = 0;
    for (size_t offset = (1 << 20) - 8; offset < (1 << 20) + 8; offset++) {
        assert_true(found_with_pauses(3 << 20, offset, &pauses));
        assert_in_range(pauses, 2, 3); /* the other needle is looked for to the end */
    }
    assert_true(found_with_pauses(3 << 20, (3 << 20) - 5, &pauses));
}

static void what_breaks_the_grammar_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        " ALL",
        "ALL ",
        "ALL  SEEN",
        "()",
        "(ALL",
        "ALL)",
        "( ALL)",
        "NOT",
        "NOT NOT",
        "OR ALL",
        "OR",
        "OR (ALL ALL)",
        "UNKNOWN",
        "FROM",
        "FROM ",
        "HEADER From",
        "LARGER",
        "LARGER x",
        "LARGER -1",
        "LARGER 9223372036854775808",
        "BEFORE 32-Jan-2026",
        "BEFORE 1-Foo-2026",
        "BEFORE 1-Jan",
        "ON \"1-Jan-2026",
        "UID",
        "UID x",
        "UID 0",
        "0",
        "1:",
        "KEYWORD",
        "KEYWORD (",
        "CHARSET",
        "CHARSET UTF-8",
        "CHARSET UTF-8 ",
        "BODY {1}\r\n\xff",
        "SUBJECT \"abc",
        "RETURN (ALL) ALL",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        parse(&f, cases[i]);
        if (f.rc != MOX_ESYNTAX)
            fail_msg("%s: %d", cases[i], f.rc);
        done(&f);
    }
}

static void other_charsets_are_refused_before_the_keys_are_read(void **state)
{
    (void)state;
    struct fixture f;
    parse(&f, "CHARSET KOI8-R SUBJECT {2}\r\n\xf0\xf1");
    assert_int_equal(f.rc, MOX_EUNSUPPORTED);
    done(&f);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    char text[(SEARCH_DEPTH_MAX + 2) * 4];
    for (size_t depth = SEARCH_DEPTH_MAX - 1; depth <= SEARCH_DEPTH_MAX; depth++) {
        struct fixture f;
        text[0] = '\0';
        for (size_t i = 0; i < depth; i++)
            strcat(text, "NOT ");
        strcat(text, "ALL");
        parse(&f, text);
        assert_int_equal(f.rc, depth < SEARCH_DEPTH_MAX ? MOX_OK : MOX_ESYNTAX);
        done(&f);
    }
}

static void costly_keys_are_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        size_t most;
    } cases[] = {{"TEXT x", SEARCH_TEXTS_MAX}, {"TO x", SEARCH_FIELDS_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t more = 0; more <= 1; more++) {
            static char text[SEARCH_FIELDS_MAX * 8];
            struct fixture f;
            size_t len = 0;
            for (size_t n = 0; n < cases[i].most + more; n++)
                len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", n > 0 ? " " : "",
                                        cases[i].key);
            parse(&f, text);
            assert_int_equal(f.rc, more == 0 ? MOX_OK : MOX_ESYNTAX);
            done(&f);
        }
    }
}

static void running_out_of_memory_is_not_the_clients_mistake(void **state)
{
    (void)state;
    for (long extra = 1; extra < 12; extra++) {
        struct fixture f = {0};
        test_env_init(&f.t);
        open_view(&f);
        mox__arena_init(&f.arena, &f.t.env, 1 << 24);
        mox__lex_init(&f.l, slice_of("OR (TO x TEXT y) NOT (NEW 1:3 HEADER a \"b\\\\\")"),
                      &f.arena);
        const struct search_session session = {.view = f.view};
        f.t.fail_at = f.t.allocations + extra;
        const long fail_at = f.t.fail_at;
        f.rc = mox__search_parse(&f.p, &f.l, &session);
        assert_int_equal(f.rc, f.t.allocations >= fail_at ? MOX_ENOMEM : MOX_OK);
        done(&f);
    }
}

static void a_date_may_stand_in_front_of_the_message(void **state)
{
    (void)state;
    struct fixture f;
    parse(&f, "SENTON 4-Mar-2026");
    f.data.content = slice_of("Subject: no date\r\n\r\n");
    f.x.level = SEARCH_TEXT;
    assert_int_equal(mox__search_eval(f.p.root, &f.x), SEARCH_NO);
    f.data.prefix = slice_of("Date: Wed, 4 Mar 2026 01:02:03 +0000\r\n");
    assert_int_equal(mox__search_eval(f.p.root, &f.x), SEARCH_YES);
    done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_numbers_and_sizes_are_judged_by_the_view),
        cmocka_unit_test(dates_and_fields_are_judged_without_the_text),
        cmocka_unit_test(words_are_looked_for_in_the_text),
        cmocka_unit_test(several_keys_are_judged_by_as_little_as_decides),
        cmocka_unit_test(a_date_may_stand_in_front_of_the_message),
        cmocka_unit_test(a_pass_that_pauses_finds_the_same),
        cmocka_unit_test(what_breaks_the_grammar_is_refused),
        cmocka_unit_test(other_charsets_are_refused_before_the_keys_are_read),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(costly_keys_are_bounded),
        cmocka_unit_test(running_out_of_memory_is_not_the_clients_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
