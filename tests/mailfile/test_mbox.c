/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/view.h>

#include "base/buf.h"
#include "base/text.h"
#include "mailfile/mailfile.h"
#include "support/cm.h"
#include "support/corpora.h"
#include "support/testenv.h"

/* Gives a text in steps of a size. */
struct steps {
    struct mox_slice text;
    size_t step;
};

static int read_step(void *user, uint8_t *to, size_t room, size_t *len)
{
    struct steps *s = user;
    *len = s->step < room ? s->step : room;
    if (*len > s->text.len)
        *len = s->text.len;
    if (*len > 0)
        memcpy(to, s->text.data, *len);
    s->text = slice_from(s->text, *len);
    return MOX_OK;
}

static void warn(void *user, const char *text)
{
    mox__buf_printf(user, "! %s\n", text);
}

static void tell(struct buf *out, const struct mox_mailfile_item *item, struct mox_spool *spool)
{
    struct mox_slice content;
    assert_int_equal(mox_spool_bytes(spool, &content), MOX_OK);
    mox__buf_printf(out, "%s %lld %x", item->where, (long long)(item->received_us / 1000000),
                    item->flags);
    for (size_t i = 0; i < item->keyword_count; i++)
        mox__buf_printf(out, " %s", item->keywords[i]);
    mox__buf_text(out, "\n");
    mox__buf_slice(out, content);
    mox__buf_text(out, "---\n");
}

/* All messages of a text, as a text; the caller frees it. */
static char *all_of(struct mox_slice text, size_t step, uint64_t max_bytes)
{
    struct test_env t;
    struct buf out;
    struct mbox *m;
    static struct item item;
    static struct crlf crlf;
    struct steps steps = {text, step};
    test_env_init(&t);
    mox__buf_init(&out, &t.env, (size_t)64 << 20);
    const struct mox_mailfile_config config = {.size = sizeof config, .warn = warn, .user = &out};
    assert_int_equal(mox__mbox_new(&m, &t.env, "box", (struct source){read_step, &steps}), MOX_OK);
    for (bool found = true; found;) {
        struct mox_spool *spool;
        struct mox_error err = {0};
        assert_int_equal(mox_spool_new(&spool, &t.env, NULL, max_bytes), MOX_OK);
        mox__crlf_begin(&crlf, spool);
        if (mox__mbox_next(m, &crlf, &item, &found, &config, &err) < 0)
            mox__buf_printf(&out, "error %s\n", err.text);
        else if (found)
            tell(&out, &item.pub, spool);
        mox_spool_free(spool);
        if (err.text[0] != '\0')
            break;
    }
    mox__mbox_free(m);
    assert_false(out.failed);
    mox__buf_byte(&out, '\0');
    char *copy = malloc(out.len);
    assert_non_null(copy);
    memcpy(copy, out.data, out.len);
    mox__buf_free(&out);
    test_env_done(&t);
    return copy;
}

/* However it is cut. */
static void reads_as(const char *text, const char *wanted)
{
    for (size_t step = strlen(text) + 1; step > 0; step--) {
        char *got = all_of(slice_of(text), step, 1 << 20);
        assert_string_equal(got, wanted);
        free(got);
    }
}

/* The warning for a line "From ". */
#define NO_TIME                                                                                    \
    ": a message begins here, though its line \"From \" has no time; if it is text of the one "    \
    "before, put \">\" in front of it and import again\n"

static void messages_begin_behind_an_empty_line_that_is_not_theirs(void **state)
{
    (void)state;
    reads_as("From a@example.org Sun Jan 23 20:41:55 2022\nSubject: a\n\none\nFrom here on\n\n\n"
             "From b@example.org Sun Jan 23 20:41:56 2022\nSubject: b\n\ntwo\n\n",
             "box:1 1642970515 0\nSubject: a\r\n\r\none\r\nFrom here on\r\n\r\n---\n"
             "box:8 1642970516 0\nSubject: b\r\n\r\ntwo\r\n---\n");
}

static void crlf_and_a_missing_line_end_lose_nothing(void **state)
{
    (void)state;
    reads_as("From a Sun Jan 23 20:41:55 2022\r\nSubject: a\r\n\r\nc\rr\r\n\r\nFrom b\r\nX: "
             "y\r\n\r\nend",
             "box:1 1642970515 0\nSubject: a\r\n\r\nc\rr\r\n---\n! box:6" NO_TIME
             "box:6 0 0\nX: y\r\n\r\nend\r\n---\n");
    reads_as("From a\nX: y\n\nend\r", "box:1 0 0\nX: y\r\n\r\nend\r\n---\n");
    reads_as("From a", "box:1 0 0\n---\n");
    reads_as("", "");
    reads_as("\n\n", "");
}

static void quoted_lines_lose_one_mark(void **state)
{
    (void)state;
    reads_as("From a\n\n>From x\n>>From y\n> From z\n>Fromage\n>\n",
             "box:1 0 0\n\r\nFrom x\r\n>From y\r\n> From z\r\n>Fromage\r\n>\r\n---\n");
}

static void dates_have_many_forms(void **state)
{
    (void)state;
    reads_as("From a  Sun Jan 23 20:41:55 2022\nX: 1\n\n\nFrom a Sun Jan  2 20:41:55 CET 2022\nX: "
             "2\n\n\n"
             "From a Sun Jan 23 20:41:55 +0100 2022\nX: 3\n\n\n"
             "From a whenever\nDate: Sun, 23 Jan 2022 20:41:55 +0000\n\n\nFrom a\n",
             "box:1 1642970515 0\nX: 1\r\n\r\n---\nbox:5 1641152515 0\nX: 2\r\n\r\n---\n"
             "box:9 1642966915 0\nX: 3\r\n\r\n---\n! box:13" NO_TIME
             "box:13 1642970515 0\nDate: Sun, 23 Jan 2022 20:41:55 "
             "+0000\r\n\r\n---\n! box:17" NO_TIME "box:17 0 0\n---\n");
}

static void text_that_looks_like_a_begin_is_told(void **state)
{
    (void)state;
    reads_as("From a Sun Jan 23 20:41:55 2022\n\nHello.\n\nFrom here on,\nit is text.\n",
             "box:1 1642970515 0\n\r\nHello.\r\n---\n! box:5" NO_TIME
             "box:5 0 0\nit is text.\r\n---\n");
}

static void headers_have_flags(void **state)
{
    (void)state;
    reads_as(
        "From a\nStatus: RO\nX-Status: AFTD\nX-Keywords: $Junk,nonjunk Todo\n X-y forwarded "
        "todo\n\nStatus: x\n",
        "box:1 0 ff todo x-y\nStatus: RO\r\nX-Status: AFTD\r\nX-Keywords: $Junk,nonjunk Todo\r\n"
        " X-y forwarded todo\r\n\r\nStatus: x\r\n---\n");
    reads_as("From a\nX-Keywords: a(b\n\n",
             "! box:1: \"a(b\" is no keyword, or one too many; left out\n"
             "box:1 0 0\nX-Keywords: a(b\r\n---\n");
}

/* Whatever somebody has put there. */
static void words_are_bounded(void **state)
{
    (void)state;
    char text[2000];
    size_t len = (size_t)snprintf(text, sizeof text, "From a\nX-Keywords: one");
    for (int i = 0; i < 198; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, ",,same");
    len += (size_t)snprintf(text + len, sizeof text - len, " ((");
    (void)snprintf(text + len, sizeof text - len, " two ((\nX-Keywords: three\n\n");
    char *got = all_of(slice_of(text), sizeof text, 1 << 20);
    static const char wanted[] = "! box:1: more than 199 keywords; the others are left out\n"
                                 "box:1 0 0 one same\n";
    assert_int_equal(strncmp(got, wanted, sizeof wanted - 1), 0);
    free(got);
}

static void what_is_no_mbox_is_refused(void **state)
{
    (void)state;
    reads_as("Subject: a\n\nb\n",
             "error box:1: this is no mbox, for its first line does not begin with \"From \"\n");
}

static void a_message_over_the_limit_is_named(void **state)
{
    (void)state;
    const char text[] = "From a\nX: y\n\nFrom b\nX: 0123456789\n\n0123456789\n";
    char *got = all_of(slice_of(text), 5, 20);
    assert_string_equal(got, "box:1 0 0\nX: y\r\n---\n"
                             "error box:4: the message is larger than messages may be\n");
    free(got);
}

/* Longer than what is looked at of a line, cut between CR and LF. */
static void long_lines_stay_whole(void **state)
{
    (void)state;
    enum { LONG = 3 * 64 * 1024 };
    struct test_env t;
    struct buf text, wanted;
    test_env_init(&t);
    mox__buf_init(&text, &t.env, 2 * LONG);
    mox__buf_init(&wanted, &t.env, 2 * LONG);
    for (size_t len = LONG - 3; len <= LONG + 3; len++) {
        mox__buf_clear(&text);
        mox__buf_clear(&wanted);
        mox__buf_text(&text, "From a\r\n\r\n");
        mox__buf_text(&wanted, "box:1 0 0\n\r\n");
        for (size_t i = 0; i < len; i++) {
            mox__buf_byte(&text, (uint8_t)('a' + i % 26));
            mox__buf_byte(&wanted, (uint8_t)('a' + i % 26));
        }
        mox__buf_text(&text, "\r\nFrom b\r\n\r\nFrom c\r\nx");
        mox__buf_text(&wanted, "\r\nFrom b\r\n---\nbox:6 0 0\nx\r\n---\n");
        mox__buf_byte(&wanted, '\0');
        char *got = all_of(slice(text.data, text.len), 1000, 2 * LONG);
        assert_string_equal(got, (const char *)wanted.data);
        free(got);
    }
    mox__buf_free(&text);
    mox__buf_free(&wanted);
    test_env_done(&t);
}

static void count_is(const char *file, size_t wanted)
{
    char relative[200];
    (void)snprintf(relative, sizeof relative, "mailbox/mbox/%s", file);
    const char *path = corpus_path(relative);
    if (path == NULL) {
        print_message("%s is absent\n", relative);
        skip();
        return;
    }
    struct mox_slice text = read_file(path);
    char *whole = all_of(text, 65536, 1 << 24), *odd = all_of(text, 7, 1 << 24);
    size_t count = 0;
    for (const char *at = whole; (at = strstr(at, "\nbox:")) != NULL; at++)
        count++;
    assert_string_equal(whole, odd);
    assert_int_equal(count + (strncmp(whole, "box:", 4) == 0), wanted);
    free(whole);
    free(odd);
    free((void *)(uintptr_t)text.data);
}

static void archives_have_the_messages_that_they_have(void **state)
{
    (void)state;
    count_is("bogofilter/good.mbx", 48);
    count_is("korylprince/0.mbox", 2);
    count_is("korylprince/2.mbox", 0);
    count_is("mime4j/mbox.rlug", 5);
    count_is("mox/importtest.mbox", 2);
    count_is("spamassassin/nice.mbox", 3);
    count_is("messageparser/mailseparators.txt", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_begin_behind_an_empty_line_that_is_not_theirs),
        cmocka_unit_test(crlf_and_a_missing_line_end_lose_nothing),
        cmocka_unit_test(quoted_lines_lose_one_mark),
        cmocka_unit_test(dates_have_many_forms),
        cmocka_unit_test(text_that_looks_like_a_begin_is_told),
        cmocka_unit_test(headers_have_flags),
        cmocka_unit_test(words_are_bounded),
        cmocka_unit_test(what_is_no_mbox_is_refused),
        cmocka_unit_test(a_message_over_the_limit_is_named),
        cmocka_unit_test(long_lines_stay_whole),
        cmocka_unit_test(archives_have_the_messages_that_they_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
