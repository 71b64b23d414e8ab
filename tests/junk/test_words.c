/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/junk.h>

#include "base/text.h"
#include "junk/words.h"
#include "support/cm.h"
#include "support/testenv.h"

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The words of a message, sorted, with commas between; freed with free(). */
static char *words_of(const struct mox_junk_params *params, struct mox_slice content)
{
    struct test_env t;
    struct mox_junk_words *words;
    test_env_init(&t);
    assert_int_equal(mox_junk_words_new(&words, &t.env, params, content), MOX_OK);
    const size_t count = mox_junk_words_count(words);
    char **texts = calloc(count + 1, sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        const struct mox_slice text = mox__wordset_text(&words->set, &words->set.words[i]);
        texts[i] = strndup((const char *)text.data, text.len);
    }
    qsort(texts, count, sizeof *texts, by_text);
    char *all = calloc(1, count * (MOX_JUNK_WORD_MAX + 2) + 1);
    for (size_t i = 0; i < count; i++) {
        strcat(strcat(all, i == 0 ? "" : ","), texts[i]);
        free(texts[i]);
    }
    free(texts);
    mox_junk_words_free(words);
    test_env_done(&t);
    return all;
}

static void assert_words(const char *content, const char *expected)
{
    struct mox_junk_params params;
    mox_junk_params_init(&params);
    char *words = words_of(&params, slice_of(content));
    assert_string_equal(words, expected);
    free(words);
}

static void words_are_letters_and_digits_in_small_letters(void **state)
{
    (void)state;
    assert_words("\r\nHello, World! v1agra no-one e.mail\r\n", "hello,mail,one,v1agra,world");
    assert_words("\r\nÄpfel КНИГА ΔΕΛΤΑ Ž\xc5\xa1n\r\n", "äpfel,žšn,δελτα,книга");
}

static void an_apostrophe_separates(void **state)
{
    (void)state;
    assert_words("\r\ndon't 'quoted' won't\r\n", "don,quoted,won");
}

static void short_random_and_numeric_words_do_not_count(void **state)
{
    (void)state;
    assert_words("\r\nab abc 123 xkcdqz xkcdq strengths 20\r\n", "abc,strengths,xkcdq");
    assert_words("\r\nmp3 a123b 0xabc z123z z1234z 0x12z34\r\n", "0x12z34,0xabc,mp3,z123z");
    assert_words("\r\nbcdfghé bcdfgh\r\n", "bcdfghé");
}

static void a_word_over_the_limit_is_dropped(void **state)
{
    (void)state;
    char text[200] = "\r\n";
    memset(text + 2, 'a', 64);
    memcpy(text + 66, " ok fine ", 10);
    memset(text + 75, 'b', 65);
    char *words;
    struct mox_junk_params params;
    mox_junk_params_init(&params);
    words = words_of(&params, slice_of(text));
    assert_int_equal(strlen(words), 64 + 1 + 4);
    free(words);
}

static void invisible_characters_do_not_cut_words(void **state)
{
    (void)state;
    assert_words("\r\nvi\xc2\xad"
                 "ag\xe2\x80\x8bra\xe2\x80\xa8x1a\xc2\xa0y1b\r\n",
                 "viagra,x1a,y1b");
}

static void headers_give_words_with_their_name(void **state)
{
    (void)state;
    assert_words("subject: the Offer\r\nFROM: a@example.org\r\nX-Other: hidden\r\n\r\n",
                 "From:example,Subject:offer");
}

static void header_words_are_decoded_first(void **state)
{
    (void)state;
    assert_words("Subject: =?utf-8?B?Z8O8bnN0aWc=?= =?iso-8859-1?Q?=FCber?=\r\n\r\n",
                 "Subject:günstigüber");
}

static void groups_go_over_words_that_do_not_count(void **state)
{
    (void)state;
    struct mox_junk_params params;
    mox_junk_params_init(&params);
    params.twograms = params.threegrams = true;
    char *words = words_of(&params, slice_of("\r\none 1 two of three four\r\n"));
    assert_string_equal(words, "four,one,one two,one two three,three,three four,two,two three,"
                               "two three four");
    free(words);
    params.onegrams = params.threegrams = false;
    words = words_of(&params, slice_of("Subject: of it the me\r\n\r\none two\r\n"));
    assert_string_equal(words, "one two");
    free(words);
}

static void a_part_without_a_type_is_text(void **state)
{
    (void)state;
    assert_words("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nplain\r\n"
                 "--b\r\nContent-Type: image/png\r\n\r\npicture\r\n--b--\r\n",
                 "plain");
}

static void messages_within_are_followed(void **state)
{
    (void)state;
    assert_words("Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n"
                 "Content-Transfer-Encoding: base64\r\n\r\naGVsbG8gd29ybGQ=\r\n",
                 "hello,world");
}

static void charsets_are_converted(void **state)
{
    (void)state;
    assert_words("Content-Type: text/plain; charset=koi8-r\r\n"
                 "Content-Transfer-Encoding: quoted-printable\r\n\r\n=CB=CE=C9=C7=C1\r\n",
                 "книга");
}

static void assert_html(const char *html, const char *expected)
{
    char content[2048];
    (void)snprintf(content, sizeof content, "Content-Type: text/html\r\n\r\n%s", html);
    assert_words(content, expected);
}

static void cells_of_html_are_separate(void **state)
{
    (void)state;
    assert_html("<td>one</td><td>two</td><br>three<p>four", "four,one,three,two");
}

static void tags_within_a_line_do_not_cut_words(void **state)
{
    (void)state;
    assert_html("V<b>ia</b>g<!-- x -->r<font color=red>a</font>", "viagra");
}

static void what_html_hides_is_left_out(void **state)
{
    (void)state;
    assert_html("<script>if (a<b) hidden('</scrip');</script>seen", "seen");
    assert_html("<STYLE type=a>.hidden {}</Style ><p title='hidden'>seen", "seen");
    assert_html("<svg>hidden<g/></svg>seen", "seen");
    assert_html("<!-- hidden > - -- hidden -->seen<!DOCTYPE hidden><?hidden?>", "seen");
    assert_html("<style>hidden", "");
}

static void entities_are_decoded(void **state)
{
    (void)state;
    assert_html("caf&eacute; x&#65;&#x42;c a1&nbsp;&amp;b1c &copyleft &#x9999999; &unknown; &",
                "b1c,café,copyleft,unknown,xabc");
}

static void the_text_of_an_image_counts(void **state)
{
    (void)state;
    assert_html("<img ismap src=hidden alt=\"caf&eacute; größe\"><img alt=pic>x1y<a alt=hidden>",
                "café,größe,pic,x1y");
}

static void broken_html_ends(void **state)
{
    (void)state;
    assert_html("a < b1c <", "b1c");
    assert_html("one</b1></p></p><", "one");
    assert_html("one<a href=\"two", "one");
    assert_html("one&ampx1y", "ampx1y,one");
}

/* ---- much of it ---- */

static size_t count_words(struct mox_slice content)
{
    struct mox_junk_params params;
    struct test_env t;
    struct mox_junk_words *words;
    mox_junk_params_init(&params);
    test_env_init(&t);
    assert_int_equal(mox_junk_words_new(&words, &t.env, &params, content), MOX_OK);
    assert_true(t.live_bytes < 4 << 20);
    const size_t count = mox_junk_words_count(words);
    mox_junk_words_free(words);
    test_env_done(&t);
    return count;
}

#define HUGE_BYTES ((size_t)10 << 20)

/* The message, `len` times `piece` behind `head`. */
static size_t count_words_of(const char *head, const char *piece, size_t piece_len)
{
    const size_t head_len = strlen(head), times = HUGE_BYTES / piece_len;
    uint8_t *content = malloc(head_len + times * piece_len);
    memcpy(content, head, head_len);
    for (size_t i = 0; i < times; i++)
        memcpy(content + head_len + i * piece_len, piece, piece_len);
    const size_t count = count_words(slice(content, head_len + times * piece_len));
    free(content);
    return count;
}

static void ten_megabytes_of_anything_are_bounded(void **state)
{
    static const char html[] = "Content-Type: text/html\r\n\r\n";
    (void)state;
    assert_int_equal(count_words_of("\r\nfirst ", "x", 1), 1);
    assert_int_equal(count_words_of("\r\nfirst ", "\0", 1), 1);
    assert_int_equal(count_words_of("\r\nfirst ", "\xff", 1), 1);
    assert_int_equal(count_words_of(html, "<", 1), 0);
    assert_int_equal(count_words_of(html, "<b>", 3), 0);
    assert_int_equal(count_words_of(html, "<svg>", 5), 0);
    assert_int_equal(count_words_of(html, "&#x", 3), 0);
    assert_int_equal(count_words_of(html, "<script></scrip", 15), 0);
    assert_int_equal(count_words_of(html, "<script></script\0\0\0\0\0\0\0\0\0", 25), 0);
    assert_int_equal(count_words_of("Subject: =?utf-8?q?a?=", "=?utf-8?q?a?=", 13), 0);
    assert_int_equal(
        count_words_of("Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--b\r\n\r\n", 7), 0);
}

static void a_message_has_a_bounded_number_of_words(void **state)
{
    (void)state;
    char *content = malloc(HUGE_BYTES), *at = content;
    at += sprintf(at, "\r\n");
    for (unsigned i = 0; i < 100000; i++) /* three letters each */
        at += sprintf(at, "a%c%ca%c%c ", 'a' + i % 26, 'a' + i / 26 % 26, 'a' + i / 676 % 26,
                      'a' + i / 17576 % 26);
    assert_true(count_words(slice(content, (size_t)(at - content))) <= MOX_JUNK_WORDS_MAX);
    assert_true(count_words(slice(content, (size_t)(at - content))) > 19000);
    free(content);
}

/* Adds words of which the last bits of the keys are the same, which anybody can look for. */
static void add_alike(struct wordset *set, unsigned count)
{
    for (unsigned n = 0; set->count < count; n++) {
        char text[16];
        struct wordset one;
        const struct mox_slice word = {(const uint8_t *)text,
                                       (size_t)snprintf(text, sizeof text, "w%u", n)};
        mox__wordset_init(&one, set->env);
        mox__wordset_add(&one, slice(NULL, 0), word);
        if ((one.words[0].key & 1023) == 77)
            mox__wordset_add(set, slice(NULL, 0), word);
        mox__wordset_free(&one);
    }
}

static void words_are_not_all_in_one_place_whoever_chooses_them(void **state)
{
    struct test_env t;
    struct wordset set;
    size_t run = 0, longest = 0;
    (void)state;
    test_env_init(&t);
    mox__wordset_init(&set, &t.env);
    add_alike(&set, 200);
    for (size_t i = 0; i < set.slot_count; i++) {
        run = set.slots[i] == 0 ? 0 : run + 1;
        longest = run > longest ? run : longest;
    }
    assert_in_range(longest, 1, 50); /* one after the other they are looked through */
    mox__wordset_free(&set);
    test_env_done(&t);
}

static void text_beyond_the_limit_is_not_read(void **state)
{
    (void)state;
    char *content = malloc(MOX_JUNK_TEXT_MAX + 100);
    memset(content, ' ', MOX_JUNK_TEXT_MAX + 100);
    memcpy(content, "\r\nnear", 6);
    memcpy(content + MOX_JUNK_TEXT_MAX + 50, "far", 3);
    assert_int_equal(count_words(slice(content, MOX_JUNK_TEXT_MAX + 100)), 1);
    free(content);
}

static void header_beyond_the_limit_is_not_read(void **state)
{
    static const char near[] = "Subject: near\r\n", other[] = "X-Other: 123\r\n";
    const size_t times = MOX_JUNK_HEADER_MAX / (sizeof other - 1);
    char *content = malloc(MOX_JUNK_HEADER_MAX + 100), *at = stpcpy(content, near);
    (void)state;
    for (size_t i = 0; i < times; i++)
        at = stpcpy(at, other);
    at = stpcpy(at, "Cc: far\r\n");
    assert_int_equal(count_words(slice(content, (size_t)(at - content))), 1);
    free(content);
}

/* In TSCII the byte 0x82 is four letters of twelve bytes. */
static void text_that_grows_beyond_its_room_is_no_failure(void **state)
{
    static const char head[] = "Subject: first =?tscii?B?", tail[] = "?=\r\n\r\nsecond\r\n";
    const size_t quads = 12000;
    char *content = calloc(1, sizeof head + 4 * quads + sizeof tail), *at = content;
    struct mox_junk_params params;
    (void)state;
    mox_junk_params_init(&params);
    at = stpcpy(at, head);
    for (size_t i = 0; i < quads; i++)
        at = stpcpy(at, "goKC");
    at = stpcpy(at, tail);
    char *words = words_of(&params, slice(content, (size_t)(at - content)));
    assert_string_equal(words, "Subject:first,second");
    free(words);
    free(content);
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    struct mox_junk_params params;
    mox_junk_params_init(&params);
    for (long n = 1;; n++) {
        struct test_env t;
        struct mox_junk_words *words;
        test_env_init(&t);
        t.fail_at = n;
        int rc = mox_junk_words_new(&words, &t.env, &params,
                                    slice_of("Subject: =?utf-8?q?some?= words\r\n"
                                             "X-Other: =?utf-8?q?some?=\r\n\r\nand others\r\n"));
        const bool all = t.allocations < n;
        assert_int_equal(rc, all ? MOX_OK : MOX_ENOMEM);
        mox_junk_words_free(words);
        test_env_done(&t);
        if (all)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_letters_and_digits_in_small_letters),
        cmocka_unit_test(an_apostrophe_separates),
        cmocka_unit_test(short_random_and_numeric_words_do_not_count),
        cmocka_unit_test(a_word_over_the_limit_is_dropped),
        cmocka_unit_test(invisible_characters_do_not_cut_words),
        cmocka_unit_test(headers_give_words_with_their_name),
        cmocka_unit_test(header_words_are_decoded_first),
        cmocka_unit_test(groups_go_over_words_that_do_not_count),
        cmocka_unit_test(a_part_without_a_type_is_text),
        cmocka_unit_test(messages_within_are_followed),
        cmocka_unit_test(charsets_are_converted),
        cmocka_unit_test(cells_of_html_are_separate),
        cmocka_unit_test(tags_within_a_line_do_not_cut_words),
        cmocka_unit_test(what_html_hides_is_left_out),
        cmocka_unit_test(entities_are_decoded),
        cmocka_unit_test(the_text_of_an_image_counts),
        cmocka_unit_test(broken_html_ends),
        cmocka_unit_test(ten_megabytes_of_anything_are_bounded),
        cmocka_unit_test(a_message_has_a_bounded_number_of_words),
        cmocka_unit_test(words_are_not_all_in_one_place_whoever_chooses_them),
        cmocka_unit_test(text_beyond_the_limit_is_not_read),
        cmocka_unit_test(header_beyond_the_limit_is_not_read),
        cmocka_unit_test(text_that_grows_beyond_its_room_is_no_failure),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
