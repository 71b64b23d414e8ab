/* SPDX-License-Identifier: MIT */
#include "smtp/data_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/corpora.h"

/* What came of some input. */
struct result {
    uint8_t content[4096];
    size_t len, used;
    struct data_reader r;
};

/* Reads in steps of `step` bytes, each into memory of exactly the promised size. */
static void read_in_steps(enum data_mode mode, struct mox_slice in, size_t step, struct result *out)
{
    *out = (struct result){.r = {.mode = mode}};
    while (out->used < in.len && !out->r.done) {
        size_t n = in.len - out->used < step ? in.len - out->used : step, written = 0;
        uint8_t *copy = malloc(n), *room = malloc(DATA_READER_ROOM(n));
        memcpy(copy, in.data + out->used, n);
        out->used += mox__data_read(&out->r, copy, n, room, &written);
        assert_true(out->len + written <= sizeof out->content);
        memcpy(out->content + out->len, room, written);
        out->len += written;
        free(copy);
        free(room);
    }
}

static struct mox_slice content(const struct result *r)
{
    return slice(r->content, r->len);
}

/* The same in every split into equal steps; *out is that of the whole. */
static void read_always(enum data_mode mode, struct mox_slice in, struct result *out)
{
    struct result other;
    read_in_steps(mode, in, in.len + 1, out);
    for (size_t step = 1; step <= in.len; step++) {
        read_in_steps(mode, in, step, &other);
        assert_true(mox__slice_eq(content(out), content(&other)));
        assert_int_equal(out->used, other.used);
        assert_memory_equal(&out->r, &other.r, sizeof out->r);
    }
}

static void dots_are_unstuffed_and_bare_lfs_mended(void **state)
{
    (void)state;
    static const struct {
        const char *in, *content;
        bool has_body;
    } cases[] = {
        {".\r\n", "", false},
        {"a\r\n.\r\n", "a\r\n", false},
        {"..\r\n.\r\n", ".\r\n", false},
        {".x\r\n..x\r\n.\r\n", "x\r\n.x\r\n", false},
        {"a.\r\n.\r\n", "a.\r\n", false},
        {"...\r\n.\r\n", "..\r\n", false},
        {"\r\n.\r\n", "\r\n", true},
        {"a\r\n\r\nb\r\n.\r\n", "a\r\n\r\nb\r\n", true},
        {"a\nb\r\n.\r\n", "a\r\nb\r\n", false},
        {"a\n\nb\r\n.\r\n", "a\r\n\r\nb\r\n", true},
        {"\n\r\n.\r\n", "\r\n\r\n", true},
        {"a\n.x\r\n.\r\n", "a\r\n.x\r\n", false},
        {"a\n..\r\n.\r\n", "a\r\n..\r\n", false},
        {"a\n\r\n.\r\n", "a\r\n\r\n", true},
        {"a\r\n\n.\r\nb\r\n.\r\n", "a\r\n\r\n.\r\nb\r\n", true}, /* and it is smuggling */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct result r;
        read_always(DATA_DOTS, slice_of(cases[i].in), &r);
        if (!mox__slice_is(content(&r), cases[i].content))
            fail_msg("case %zu gave %.*s", i, (int)r.len, (const char *)r.content);
        assert_int_equal(r.r.has_body, cases[i].has_body);
        assert_int_equal(r.r.smuggled, i == sizeof cases / sizeof cases[0] - 1);
        assert_true(r.r.done);
        assert_int_equal(r.used, strlen(cases[i].in));
    }
}

static void only_the_right_end_ends(void **state)
{
    (void)state;
    static const char *const open[] = {"",      ".",      ".\r",      "a",
                                       "a\r\n", "a\r\n.", "a\r\n.\r", "\r\n..\r\n"};
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        struct result r;
        read_always(DATA_DOTS, slice_of(open[i]), &r);
        assert_false(r.r.done);
    }
    struct result r;
    read_always(DATA_DOTS, slice_of("a\r\n.\r\nQUIT\r\n"), &r);
    assert_int_equal(r.used, 6); /* the rest is the next command's */
}

/* False ends in front of the real one: at the start of the data, at the start of a line, inside. */
static void assert_smuggling(const char *sequence, size_t len)
{
    static const char *const before[] = {"", "a", "a\r\n", "Subject: x\r\n\r\nbody", "\r\n", "\n"};
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        uint8_t in[200];
        size_t n = strlen(before[i]);
        memcpy(in, before[i], n);
        memcpy(in + n, sequence, len);
        memcpy(in + n + len, "MAIL FROM:<x>\r\n\r\n.\r\n", 20);
        struct result r;
        read_always(DATA_DOTS, slice(in, n + len + 20), &r);
        assert_true(r.r.smuggled);
        assert_true(r.r.done);
        assert_int_equal(r.used, n + len + 20);
    }
}

static void false_ends_are_smuggling(void **state)
{
    (void)state;
    static const char *const sequences[] = {
        "\r.\r", "\n.\n",       "\n.\r\n",     "\r\n.\n",     "\r\n.\rx", "\rx",     "\r\r\n",
        "\n.\r", "\r\n\n.\r\n", "\r\n.\r\r\n", "\r\n\r.\r\n", "x\n.\n",   "\n\n.\n",
    };
    for (size_t i = 0; i < sizeof sequences / sizeof sequences[0]; i++)
        assert_smuggling(sequences[i], strlen(sequences[i]));
    assert_smuggling("\r\0.\r\n", 5);
}

/* C escapes of the corpus: only \r and \n. */
static size_t unescape(const char *line, size_t len, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (line[i] == '\\' && i + 1 < len)
            out[n++] = line[++i] == 'r' ? '\r' : line[i] == 'n' ? '\n' : line[i];
        else
            out[n++] = line[i];
    }
    return n;
}

static void sequences_of_smuggling_tools_are_smuggling(void **state)
{
    (void)state;
    const char *path = corpus_path("smtp/smuggling/sequences.txt");
    if (path == NULL)
        skip();
    struct mox_slice all = read_file(path), rest = all;
    unsigned count = 0;
    while (rest.len > 0) {
        const uint8_t *lf = memchr(rest.data, '\n', rest.len);
        size_t len = lf == NULL ? rest.len : (size_t)(lf - rest.data);
        char sequence[100];
        if (len > 0 && len < sizeof sequence && rest.data[0] != '#') {
            assert_smuggling(sequence, unescape((const char *)rest.data, len, sequence));
            count++;
        }
        rest = slice_from(rest, lf == NULL ? len : len + 1);
    }
    assert_true(count >= 4);
    free((void *)(uintptr_t)all.data);
}

/* The corpus has LF; on the wire it is CRLF. */
static void stuffed_text_of_the_corpus_is_unstuffed(void **state)
{
    (void)state;
    const char *path = corpus_path("smtp/dot-stuffing/gmime-smtp-output.txt");
    if (path == NULL)
        skip();
    struct mox_slice out = read_file(path), stuffed = with_crlf(out);
    struct mox_slice in = read_file(corpus_path("smtp/dot-stuffing/gmime-smtp-input.txt"));
    struct mox_slice plain = with_crlf(in);
    uint8_t wire[4096];
    assert_true(stuffed.len + 3 <= sizeof wire);
    memcpy(wire, stuffed.data, stuffed.len);
    size_t len = stuffed.len;
    if (len < 5 || memcmp(wire + len - 5, "\r\n.\r\n", 5) != 0) {
        memcpy(wire + len, ".\r\n", 3);
        len += 3;
    }
    struct result r;
    read_always(DATA_DOTS, slice(wire, len), &r);
    assert_true(r.r.done && !r.r.smuggled);
    assert_true(mox__slice_eq(content(&r), plain));
    free((void *)(uintptr_t)out.data);
    free((void *)(uintptr_t)in.data);
    free((void *)(uintptr_t)stuffed.data);
    free((void *)(uintptr_t)plain.data);
}

static void a_cr_at_the_end_of_a_read_is_no_bare_cr(void **state)
{
    (void)state;
    static uint8_t in[20000];
    for (size_t at = 4000; at < 4200; at++) { /* a long line whose CRLF moves over all boundaries */
        struct data_reader r = {.mode = DATA_DOTS};
        static uint8_t out[DATA_READER_ROOM(sizeof in)];
        size_t written;
        memset(in, 'x', at);
        memcpy(in + at, "\r\n.\r\n", 5);
        for (size_t i = 0; i < at + 5; i += 4096) {
            size_t n = at + 5 - i < 4096 ? at + 5 - i : 4096;
            assert_int_equal(mox__data_read(&r, in + i, n, out, &written), n);
        }
        assert_true(r.done);
        assert_false(r.smuggled);
    }
}

static void bytes_over_0x7f_are_noted(void **state)
{
    (void)state;
    uint8_t in[40];
    for (size_t i = 0; i < sizeof in; i++) {
        struct result r;
        memset(in, 'a', sizeof in);
        read_always(DATA_DOTS, slice(in, sizeof in), &r);
        assert_false(r.r.has_8bit);
        in[i] = 0x80;
        read_always(DATA_DOTS, slice(in, sizeof in), &r);
        assert_true(r.r.has_8bit);
    }
    struct result r; /* what follows the end is not content */
    read_always(DATA_DOTS, slice_of(".\r\n\xff"), &r);
    assert_false(r.r.has_8bit);
}

static void chunks_of_text_have_no_end_and_no_smuggling(void **state)
{
    (void)state;
    static const struct {
        const char *in, *content;
        bool has_body;
    } cases[] = {
        {".\r\n", ".\r\n", false},
        {"a\r\n.\r\n..b\r\n", "a\r\n.\r\n..b\r\n", false},
        {"a\n.\nb", "a\r\n.\r\nb", false},
        {"a\rb\r\r\nc", "a\rb\r\r\nc", false},
        {"\r", "\r", false},
        {"h: v\r\n\r\n", "h: v\r\n\r\n", true},
        {"\n", "\r\n", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct result r;
        read_always(DATA_TEXT, slice_of(cases[i].in), &r);
        assert_true(mox__slice_is(content(&r), cases[i].content));
        assert_int_equal(r.r.has_body, cases[i].has_body);
        assert_false(r.r.smuggled);
        assert_false(r.r.done);
    }
}

static void binary_chunks_are_untouched(void **state)
{
    (void)state;
    static const char in[] = "h: v\n\n.\r\n\0\r\n.\n\r.\r\x80\xff..\n";
    struct result r;
    read_always(DATA_BINARY, slice(in, sizeof in - 1), &r);
    assert_true(mox__slice_eq(content(&r), slice(in, sizeof in - 1)));
    assert_true(r.r.has_body && r.r.has_8bit && !r.r.smuggled && !r.r.done);
}

/* The rule as one would write it with the whole text in hand. */
static bool has_false_end(const uint8_t *in, size_t end)
{
    for (size_t i = 0; i < end; i++) {
        bool line = i == 0 || in[i - 1] == '\n',
             crlf = i == 0 || (i > 1 && in[i - 2] == '\r' && line);
        if (in[i] == '\r' && (i + 1 == end || in[i + 1] != '\n'))
            return true;
        if (in[i] != '.' || !line)
            continue;
        if (i + 1 < end && in[i + 1] == '\n')
            return true;
        if (!crlf && i + 2 < end && in[i + 1] == '\r' && in[i + 2] == '\n')
            return true;
    }
    return false;
}

static void every_short_text_agrees_with_the_plain_rule(void **state)
{
    (void)state;
    static const char alphabet[] = "\r\n.x";
    enum { LEN = 7 };
    for (unsigned n = 0; n < 1u << (2 * LEN); n++) {
        uint8_t in[LEN + 7];
        for (unsigned i = 0; i < LEN; i++)
            in[i] = (uint8_t)alphabet[n >> (2 * i) & 3];
        memcpy(in + LEN, "x\r\n.\r\n", 6);
        struct result r, single;
        read_in_steps(DATA_DOTS, slice(in, LEN + 6), LEN + 6, &r);
        read_in_steps(DATA_DOTS, slice(in, LEN + 6), 1, &single);
        assert_memory_equal(&r.r, &single.r, sizeof r.r);
        assert_true(mox__slice_eq(content(&r), content(&single)));
        assert_true(r.r.done);
        /* The real end is the last five bytes that were used; at the start CRLF is understood. */
        size_t end = r.used - 3;
        assert_int_equal(r.r.smuggled, has_false_end(in, end));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dots_are_unstuffed_and_bare_lfs_mended),
        cmocka_unit_test(only_the_right_end_ends),
        cmocka_unit_test(false_ends_are_smuggling),
        cmocka_unit_test(sequences_of_smuggling_tools_are_smuggling),
        cmocka_unit_test(stuffed_text_of_the_corpus_is_unstuffed),
        cmocka_unit_test(a_cr_at_the_end_of_a_read_is_no_bare_cr),
        cmocka_unit_test(bytes_over_0x7f_are_noted),
        cmocka_unit_test(chunks_of_text_have_no_end_and_no_smuggling),
        cmocka_unit_test(binary_chunks_are_untouched),
        cmocka_unit_test(every_short_text_agrees_with_the_plain_rule),
    };
    return cmocka_run_group_tests_name("smtp-data-reader", tests, NULL, NULL);
}
