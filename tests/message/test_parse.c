/* SPDX-License-Identifier: MIT */
#include <mox/message.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "message/header.h"
#include "message/part.h"
#include "support/cm.h"
#include "support/corpora.h"
#include "support/part_tree.h"
#include "support/testenv.h"

struct row {
    const char *content, *tree;
};

static void parses_to(struct mox_slice content, const char *tree)
{
    struct test_env t;
    test_env_init(&t);
    struct mox_message *m = NULL;
    assert_int_equal(mox_message_parse(&m, &t.env, content), MOX_OK);
    tree_check(mox_message_root(m), content);
    assert_string_equal(tree_text(mox_message_root(m), content), tree);
    mox_message_free(m);
    test_env_done(&t);
}

/* Each with LF and with CRLF: the tree is the same. */
static void all_parse(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct mox_slice plain = slice_of(rows[i].content), crlf = with_crlf(plain);
        parses_to(plain, rows[i].tree);
        parses_to(crlf, rows[i].tree);
        free((void *)(uintptr_t)crlf.data);
    }
}

#define ALL(rows) all_parse((rows), sizeof(rows) / sizeof((rows)[0]))
#define MIXED     "Content-Type: multipart/mixed; boundary=b\n\n"

static void single_parts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", "text/plain 0 \"\""},
        {"\n", "text/plain 0 \"\""},
        {"\nbody\n", "text/plain 1 \"body\\n\""},
        {"Subject: x\n\none\ntwo", "text/plain 2 \"one\\ntwo\""},
        {"Subject: x\n\n\n", "text/plain 1 \"\\n\""},
        {"Subject: x\n", "text/plain 0 \"\""},
        {"Subject: x", "text/plain 0 \"\""},
        {"no colon\n\nbody", "text/plain 1 \"body\""},
        {"Content-Type: TEXT/Html\n\nx", "text/html 1 \"x\""},
        {"content-type :\n text\n /\n html ; a=b\n\nx", "text/html 1 \"x\""},
        {"Content-Type: a/b\nContent-Type: c/d\n\nx", "a/b 1 \"x\""},
        {"Content-Type: (c(o)\\)m) image (x) / (y) png (z)\n\nx", "image/png 1 \"x\""},
    };
    ALL(rows);
}

static void bad_content_types_are_kept_as_far_as_they_make_sense(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"Content-Type: text/html;;\n\nx", "text/html 1 \"x\""},
        {"Content-Type: text/html; =; ;x; charset\n\nx", "text/html 1 \"x\""},
        {"Content-Type: text\n\nx", "text/plain 1 \"x\""},
        {"Content-Type:\n\nx", "text/plain 1 \"x\""},
        {"Content-Type: not a content type;;\n\nx", "application/octet-stream 1 \"x\""},
        {"Content-Type: /html\n\nx", "application/octet-stream 1 \"x\""},
        {"Content-Type: multipart/mixed;;\n\nx", "application/octet-stream 1 \"x\""},
        {"Content-Type: multipart/mixed; boundary=\"\"\n\n--\nx",
         "application/octet-stream 2 \"--\\nx\""},
        {"Content-Type: multipart/mixed;; boundary=b\n\n--b\n\nx\n--b--\n",
         "multipart/mixed 4{text/plain 1 \"x\"}"},
        {"Content-Type: multipart/mixed; boundary=a=b;\n\n--a=b\n\nx\n--a=b--\n",
         "multipart/mixed 4{text/plain 1 \"x\"}"},
        {"Content-Type: multipart/mixed; boundary=\"a\\\"b\"\n\n--a\"b\n\nx\n--a\"b--\n",
         "multipart/mixed 4{text/plain 1 \"x\"}"},
        {"Content-Type: multipart/mixed\n boundary=\"a\n b\"\n\n--a b\n\nx\n--a b--\n",
         "multipart/mixed 4{text/plain 1 \"x\"}"},
        {"Content-Type: multipart/mixed; boundary*0*=us-ascii''a%2F; boundary*1=b\n\n"
         "--a/b\n\nx\n--a/b--\n",
         "multipart/mixed 4{text/plain 1 \"x\"}"},
    };
    ALL(rows);
}

/* RFC 2046 §5.1.1: one body without, one with a line end before the boundary's own. */
static void rfc_2046_sample(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"From: Nathaniel Borenstein <nsb@bellcore.com>\nTo: Ned Freed <ned@innosoft.com>\n"
         "Date: Sun, 21 Mar 1993 23:56:48 -0800 (PST)\nSubject: Sample message\nMIME-Version: 1.0\n"
         "Content-type: multipart/mixed; boundary=\"simple boundary\"\n\n"
         "This is the preamble.\n\n--simple boundary\n\n"
         "This is implicitly typed plain US-ASCII text.\nIt does NOT end with a linebreak.\n"
         "--simple boundary\nContent-type: text/plain; charset=us-ascii\n\n"
         "This is explicitly typed plain US-ASCII text.\nIt DOES end with a linebreak.\n\n"
         "--simple boundary--\n\nThis is the epilogue.  It is also to be ignored.\n",
         "multipart/mixed 15{text/plain 2 \"This is implicitly typed plain US-ASCII text.\\n"
         "It does NOT end with a linebreak.\"|"
         "text/plain 2 \"This is explicitly typed plain US-ASCII text.\\n"
         "It DOES end with a linebreak.\\n\"}"},
    };
    ALL(rows);
}

/* RFC 2049 appendix A. */
static void rfc_2049_sample(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"MIME-Version: 1.0\nFrom: Nathaniel Borenstein <nsb@nsb.fv.com>\n"
         "Subject: A multipart example\nContent-Type: multipart/mixed;\n "
         "boundary=unique-boundary-1\n\n"
         "This is the preamble area of a multipart message.\n"
         "--unique-boundary-1\n\n... Some text appears here ...\n"
         "--unique-boundary-1\nContent-type: text/plain; charset=US-ASCII\n\ntyped\n"
         "--unique-boundary-1\nContent-Type: multipart/parallel; boundary=unique-boundary-2\n\n"
         "--unique-boundary-2\nContent-Type: audio/basic\nContent-Transfer-Encoding: "
         "base64\n\nAAAA\n"
         "--unique-boundary-2\nContent-Type: image/jpeg\nContent-Transfer-Encoding: "
         "base64\n\nBBBB\n"
         "--unique-boundary-2--\n\n"
         "--unique-boundary-1\nContent-type: text/enriched\n\nrich\n"
         "--unique-boundary-1\nContent-Type: message/rfc822\n\n"
         "From: (mailbox in US-ASCII)\nSubject: (subject in US-ASCII)\n"
         "Content-Type: Text/plain; charset=ISO-8859-1\n"
         "Content-Transfer-Encoding: Quoted-printable\n\ntext\n"
         "--unique-boundary-1--\n",
         "multipart/mixed 37{text/plain 1 \"... Some text appears here ...\"|text/plain 1 "
         "\"typed\"|"
         "multipart/parallel 11{audio/basic 1 \"AAAA\"|image/jpeg 1 \"BBBB\"}|"
         "text/enriched 1 \"rich\"|message/rfc822 6{text/plain 1 \"text\"}}"},
    };
    ALL(rows);
}

static void boundaries(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* a boundary that is a prefix of the inner one */
        {MIXED
         "--b\nContent-Type: multipart/x; boundary=bb\n\n--bb\n\n1\n--bb--\n--b\n\n2\n--b--\n",
         "multipart/mixed 11{multipart/x 4{text/plain 1 \"1\"}|text/plain 1 \"2\"}"},
        /* and the other way round */
        {"Content-Type: multipart/mixed; boundary=bb\n\n--bb\nContent-Type: multipart/x; "
         "boundary=b\n\n"
         "--b\n\n1\n--b--\n--bb\n\n2\n--bb--\n",
         "multipart/mixed 11{multipart/x 4{text/plain 1 \"1\"}|text/plain 1 \"2\"}"},
        /* an inner boundary that looks like the close delimiter of the outer one */
        {MIXED
         "--b\nContent-Type: multipart/x; boundary=\"b--b\"\n\n--b--b\n\n1\n--b--b--\n--b--\n",
         "multipart/mixed 8{multipart/x 4{text/plain 1 \"1\"}}"},
        /* the same one twice: the inner multipart takes it */
        {MIXED "--b\n" MIXED "--b\n\n1\n--b--\n--b\n\n2\n--b--\n",
         "multipart/mixed 11{multipart/mixed 4{text/plain 1 \"1\"}|text/plain 1 \"2\"}"},
        {MIXED "--bx\n--b \t\n\n1\n --b\n-b\n--b--rest\n--b\n",
         "multipart/mixed 8{text/plain 3 \"1\\n --b\\n-b\"}"},
        {MIXED "--b\n\n1", "multipart/mixed 3{text/plain 1 \"1\"}"},
        {MIXED "--b\n\n1\n", "multipart/mixed 3{text/plain 1 \"1\\n\"}"},
        {MIXED "--b\n\n1\n--b--", "multipart/mixed 4{text/plain 1 \"1\"}"},
        {MIXED "--b\n\n1\n--b", "multipart/mixed 4{text/plain 1 \"1\"|text/plain 0 \"\"}"},
        {MIXED "--b--\n", "application/octet-stream 1 \"--b--\\n\""},
        {MIXED "none\n", "application/octet-stream 1 \"none\\n\""},
        {MIXED "--b\n--b\n\n--b\n\n\n--b\nA: b\n--b--\n",
         "multipart/mixed 9{text/plain 0 \"\"|text/plain 0 \"\"|text/plain 0 \"\"|text/plain 0 "
         "\"\"}"},
        /* siblings survive an inner multipart that never closes */
        {MIXED "--b\nContent-Type: multipart/x; boundary=i\n\n--i\n\n1\n--b\n\n2\n--b--\n",
         "multipart/mixed 10{multipart/x 3{text/plain 1 \"1\"}|text/plain 1 \"2\"}"},
        /* or whose last part has no body */
        {MIXED "--b\nContent-Type: multipart/x; boundary=i\n\n--i\n\n--b\n\n2\n--b--\n",
         "multipart/mixed 9{multipart/x 2{text/plain 0 \"\"}|text/plain 1 \"2\"}"},
        /* and one without any part */
        {MIXED "--b\nContent-Type: multipart/x; boundary=i\n\nx\n--b\n\n2\n--b--\n",
         "multipart/mixed 8{application/octet-stream 1 \"x\"|text/plain 1 \"2\"}"},
    };
    ALL(rows);
}

static void nested_messages(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"Content-Type: message/rfc822\n\nSubject: y\n\nx\n",
         "message/rfc822 3{text/plain 1 \"x\\n\"}"},
        {"Content-Type: message/global\n\n", "message/global 0{text/plain 0 \"\"}"},
        {"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nAAAA\n",
         "message/rfc822 1 \"AAAA\\n\""},
        {"Content-Type: message/rfc822\n\n" MIXED "--b\n\n1\n--b--",
         "message/rfc822 6{multipart/mixed 4{text/plain 1 \"1\"}}"},
        {MIXED "--b\nContent-Type: message/rfc822\n\n" MIXED "--b\n\n1\n--b--\n--b--\n",
         "multipart/mixed 10{message/rfc822 6{multipart/mixed 4{text/plain 1 \"1\"}}}"},
        {"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: y\n\nx\n"
         "--b\nContent-Type: text/plain\n\nz\n--b--\n",
         "multipart/digest 10{message/rfc822 3{text/plain 1 \"x\"}|text/plain 1 \"z\"}"},
    };
    ALL(rows);
}

static char *repeated(const char *head, const char *piece, size_t times)
{
    size_t len = strlen(piece), at = strlen(head);
    char *s = malloc(at + len * times + 1);
    assert_non_null(s);
    memcpy(s, head, at);
    for (size_t i = 0; i < times; i++, at += len)
        memcpy(s + at, piece, len);
    s[at] = '\0';
    return s;
}

static unsigned depth_of(const struct mox_part *part)
{
    unsigned depth = 1;
    for (; part->children != NULL; part = part->children)
        depth++;
    return depth;
}

static void nesting_ends_at_its_bound(void **state)
{
    (void)state;
    static const char *const pieces[] = {"Content-Type: message/rfc822\n\n", MIXED "--b\n"};
    for (size_t i = 0; i < 2; i++) {
        char *s = repeated("", pieces[i], 100000);
        struct test_env t;
        test_env_init(&t);
        struct mox_message *m = NULL;
        assert_int_equal(mox_message_parse(&m, &t.env, slice_of(s)), MOX_OK);
        tree_check(mox_message_root(m), slice_of(s));
        assert_int_equal(depth_of(mox_message_root(m)), MOX_MESSAGE_DEPTH_MAX);
        mox_message_free(m);
        test_env_done(&t);
        free(s);
    }
}

static void the_number_of_parts_ends_at_its_bound(void **state)
{
    (void)state;
    char *s = repeated(MIXED, "--b\n\n\n", 3 * MOX_MESSAGE_PARTS_MAX);
    struct test_env t;
    test_env_init(&t);
    struct mox_message *m = NULL;
    assert_int_equal(mox_message_parse(&m, &t.env, slice_of(s)), MOX_OK);
    tree_check(mox_message_root(m), slice_of(s));
    assert_int_equal(mox_message_root(m)->child_count, MOX_MESSAGE_PARTS_MAX - 1);
    assert_true(t.live_bytes < MOX_MESSAGE_PARTS_MAX * 640);
    mox_message_free(m);
    test_env_done(&t);
    free(s);
}

/* A hundred open boundaries that differ late or only in length, and lines that look like them. */
static void looking_for_boundaries_takes_a_step_per_byte(void **state)
{
    (void)state;
    static const char *const lines[] = {"--\n", "--aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
                                        "-- -- -- -- --\n",
                                        "--aaaaaaaaaaaaaaaa--aaaaaaaaaaaaaaa--aaaaaaa a a a a\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct test_env t;
        test_env_init(&t);
        struct buf b;
        mox__buf_init(&b, &t.env, 1 << 26);
        for (unsigned depth = 0; depth < MOX_MESSAGE_DEPTH_MAX; depth++) {
            mox__buf_printf(&b, "Content-Type: multipart/x; boundary=\"%0*d\"\n\n--", depth + 1,
                            depth);
            mox__buf_printf(&b, "%0*d\n", depth + 1, depth);
        }
        mox__buf_text(&b, "\n");
        for (unsigned k = 0; k < 100000; k++)
            mox__buf_text(&b, lines[i]);
        struct mox_message *m = NULL;
        assert_int_equal(mox_message_parse(&m, &t.env, slice(b.data, b.len)), MOX_OK);
        assert_int_equal(depth_of(mox_message_root(m)), MOX_MESSAGE_DEPTH_MAX);
        assert_in_range(mox__message_work(m), 1, 2 * b.len);
        mox_message_free(m);
        mox__buf_free(&b);
        test_env_done(&t);
    }
}

static void details_of_parts(void **state)
{
    (void)state;
    struct mox_slice s = slice_of("Content-Type: text/plain; Charset=\"koi8-r\"\n"
                                  "Content-Transfer-Encoding: (x) BASE64\n"
                                  "Content-Disposition: Attachment; filename=x\n"
                                  "Content-ID: <1@x>\n\n");
    struct test_env t;
    test_env_init(&t);
    struct mox_message *m = NULL;
    assert_int_equal(mox_message_parse(&m, &t.env, s), MOX_OK);
    const struct mox_part *part = mox_message_root(m);
    assert_true(mox__slice_is(part->charset, "koi8-r"));
    assert_int_equal(part->encoding, MOX_ENCODING_BASE64);
    assert_true(part->attachment && mox_part_is_text(part));
    assert_true(mox__slice_is(part->fields[MOX_FIELD_ID], " <1@x>"));
    assert_null(part->fields[MOX_FIELD_MD5].data);
    assert_int_equal(mox_part_header(part, s).len, s.len);
    mox_message_free(m);
    test_env_done(&t);
}

static void failing_allocations_leave_nothing_behind(void **state)
{
    (void)state;
    struct mox_slice s =
        slice_of("Content-Type: multipart/mixed; boundary=\"\\b\"\n\n--b\n"
                 "Content-Type: message/rfc822\n\nA: b\n\n--b\n\n--b\n\n--b\n\n--b--\n");
    int rc = MOX_ENOMEM;
    for (long n = 1; rc != MOX_OK; n++) {
        struct test_env t;
        test_env_init(&t);
        t.fail_at = n;
        struct mox_message *m = NULL;
        rc = mox_message_parse(&m, &t.env, s);
        assert_true(rc == MOX_OK || (rc == MOX_ENOMEM && m == NULL));
        mox_message_free(m);
        test_env_done(&t);
        assert_true(n < 100);
    }
}

static void fields_are_read_one_by_one(void **state)
{
    (void)state;
    struct mox_slice s =
        slice_of("A: 1\r\nBc \t: 2\r\n 3\n\t4\r\njunk\r\n  x: y\r\n: z\r\n\r\nD: 5");
    static const struct {
        const char *name, *value;
    } want[] = {{"A", " 1"}, {"Bc", " 2\r\n 3\n\t4"}, {"", "junk\r\n  x: y"}, {"", " z"}};
    struct mox_header_field f;
    size_t at = 0, before = 0;
    for (size_t i = 0; i < 4; i++, before = at) {
        assert_true(mox_header_next(s, &at, &f));
        assert_true(mox__slice_is(f.name, want[i].name));
        assert_true(mox__slice_is(f.value, want[i].value));
        assert_ptr_equal(f.raw.data, s.data + before);
        assert_int_equal(f.raw.len, at - before);
    }
    assert_false(mox_header_next(s, &at, &f));
    assert_int_equal(at, before);
    assert_int_equal(mox_header_end(s), s.len - 4);
    struct mox_slice value;
    assert_true(mox_header_find(s, "bC", &value));
    assert_false(mox_header_find(s, "D", &value));
}

static void newlines_are_counted(void **state)
{
    (void)state;
    static uint8_t data[5000];
    size_t want = 0;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i % 7 == 0 || i > 4000 ? '\n'
                            : i % 5 == 0           ? 0x8a
                            : i % 3 == 0           ? 0x0b
                                                   : 0);
    for (size_t len = 0; len < sizeof data; len++) {
        assert_int_equal(mox__count_newlines(slice(data, len)), want);
        want += data[len] == '\n';
    }
}

/* Appends a part, piece by piece: its header, what is between its children, and these. */
static void rebuild(struct buf *out, const struct mox_part *part, struct mox_slice content)
{
    mox__buf_slice(out, mox_part_header(part, content));
    uint64_t at = part->body;
    for (const struct mox_part *c = part->children; c != NULL; c = c->next) {
        mox__buf_append(out, content.data + at, (size_t)(c->header - at));
        rebuild(out, c, content);
        at = c->end;
    }
    mox__buf_append(out, content.data + at, (size_t)(part->end - at));
}

static void each_message(void *user, const char *path, struct mox_slice data)
{
    (void)path;
    struct mox_slice s = with_crlf(data);
    struct test_env t;
    test_env_init(&t);
    struct mox_message *m = NULL;
    assert_int_equal(mox_message_parse(&m, &t.env, s), MOX_OK);
    tree_check(mox_message_root(m), s);
    struct buf again;
    mox__buf_init(&again, &t.env, s.len);
    rebuild(&again, mox_message_root(m), s);
    assert_int_equal(again.len, s.len);
    assert_memory_equal(again.data != NULL ? again.data : s.data, s.data, s.len);
    assert_in_range(mox__message_work(m), 0, s.len);
    mox__buf_free(&again);
    mox_message_free(m);
    test_env_done(&t);
    free((void *)(uintptr_t)s.data);
    (*(unsigned *)user)++;
}

static void every_real_and_broken_message_is_read(void **state)
{
    (void)state;
    const char *folder = corpus_path("mime");
    if (folder == NULL)
        skip();
    unsigned count = 0;
    each_file(folder, each_message, &count);
    assert_true(count > 500);
}

/* Another server's answers: "BODY[1.2] {length}", CRLF, the bytes. */
struct answers {
    struct mox_slice text, content;
    unsigned found;
};

static void compare_section(struct answers *a, const char *path, const struct mox_part *part)
{
    char key[100];
    struct mox_slice body = mox_part_body(part, a->content);
    int len = snprintf(key, sizeof key, "\nBODY[%s] {", path);
    const uint8_t *at = memmem(a->text.data, a->text.len, key, (size_t)len);
    if (at == NULL)
        return;
    char *lf = NULL;
    size_t size = strtoul((const char *)at + len, &lf, 10);
    if (size != body.len || memcmp(lf + 3, body.data, size) != 0)
        fail_msg("BODY[%s] has %zu bytes, not %zu", path, body.len, size);
    a->found++;
}

/* RFC 9051 §6.4.5.1: parts of a multipart are numbered; of a message, those of its multipart or 1.
 */
static void compare_sections(struct answers *a, const char *path, const struct mox_part *part)
{
    char below[100];
    unsigned number = 1;
    const char *dot = path[0] != '\0' ? "." : "";
    if (part->kind != MOX_PART_MULTIPART) {
        (void)snprintf(below, sizeof below, "%s%s1", path, dot);
        compare_section(a, below, part);
        if (part->kind == MOX_PART_MESSAGE)
            compare_sections(a, below, part->children);
        return;
    }
    for (const struct mox_part *c = part->children; c != NULL; c = c->next, number++) {
        (void)snprintf(below, sizeof below, "%s%s%u", path, dot, number);
        compare_section(a, below, c);
        if (c->kind == MOX_PART_MULTIPART)
            compare_sections(a, below, c);
        else if (c->kind == MOX_PART_MESSAGE)
            compare_sections(a, below, c->children);
    }
}

static void each_answered(void *user, const char *path, struct mox_slice data)
{
    size_t len = strlen(path);
    if (len < 4 || strcmp(path + len - 4, ".txt") != 0)
        return;
    char other[4096];
    (void)snprintf(other, sizeof other, "%.*s.imap", (int)len - 4, path);
    struct answers a = {.text = read_file(other), .content = data};
    struct test_env t;
    test_env_init(&t);
    struct mox_message *m = NULL;
    assert_int_equal(mox_message_parse(&m, &t.env, data), MOX_OK);
    compare_sections(&a, "", mox_message_root(m));
    *(unsigned *)user += a.found;
    mox_message_free(m);
    test_env_done(&t);
    free((void *)(uintptr_t)a.text.data);
}

static void parts_are_the_sections_of_another_server(void **state)
{
    (void)state;
    const char *folder = corpus_path("imap/fetch-stalwart");
    if (folder == NULL)
        skip();
    unsigned found = 0;
    each_file(folder, each_answered, &found);
    assert_true(found > 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_parts),
        cmocka_unit_test(bad_content_types_are_kept_as_far_as_they_make_sense),
        cmocka_unit_test(rfc_2046_sample),
        cmocka_unit_test(rfc_2049_sample),
        cmocka_unit_test(boundaries),
        cmocka_unit_test(nested_messages),
        cmocka_unit_test(nesting_ends_at_its_bound),
        cmocka_unit_test(the_number_of_parts_ends_at_its_bound),
        cmocka_unit_test(looking_for_boundaries_takes_a_step_per_byte),
        cmocka_unit_test(details_of_parts),
        cmocka_unit_test(failing_allocations_leave_nothing_behind),
        cmocka_unit_test(fields_are_read_one_by_one),
        cmocka_unit_test(newlines_are_counted),
        cmocka_unit_test(every_real_and_broken_message_is_read),
        cmocka_unit_test(parts_are_the_sections_of_another_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
