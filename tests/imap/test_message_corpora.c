/* SPDX-License-Identifier: MIT */
#include "support/cm.h"

#include <stdio.h>
#include <stdlib.h>

#include <mox/message.h>

#include "base/text.h"
#include "imap/talk.h"
#include "support/corpora.h"
#include "support/testenv.h"

/* FETCH and SEARCH over real messages: what is put in comes out, whole and in parts, and other
 * servers find the same. */

struct fixture {
    struct mox_env env; /* the system's: figures of a test_env are not wanted here */
    struct mox_mailstore store;
    struct talk talk;
};

static void begin(struct fixture *f)
{
    mox_env_system(&f->env);
    assert_int_equal(mox_memory_mailstore_new(&f->store, &f->env), MOX_OK);
}

static void open_inbox(struct fixture *f)
{
    talk_open(&f->talk, &f->env, f->store);
    talk_ok(&f->talk, "SELECT Inbox");
}

static void finish(struct fixture *f)
{
    talk_close(&f->talk);
    mox_memory_mailstore_free(&f->store);
}

static bool lacks(const char *path)
{
    if (path == NULL)
        print_message("the corpora are not there\n");
    return path == NULL;
}

/* --- what is put in comes out --- */

#define PREFIX "Return-Path: <>\r\n"

struct put_in {
    struct fixture *f;
    struct mox_slice *contents;
    size_t count;
};

static void put_message(void *user, const char *path, struct mox_slice data)
{
    struct put_in *p = user;
    const char *dot = strrchr(path, '.');
    if (dot != NULL && (strcmp(dot, ".json") == 0 || strcmp(dot, ".xz") == 0 ||
                        strcmp(dot, ".gz") == 0 || strcmp(dot, ".tsv") == 0))
        return;
    p->contents = realloc(p->contents, (p->count + 1) * sizeof p->contents[0]);
    assert_non_null(p->contents);
    p->contents[p->count] = with_crlf(data);
    talk_append(p->f->store, &p->f->env, "Inbox", slice_of(PREFIX), p->contents[p->count], 0, 1);
    p->count++;
}

static void assert_bytes(const struct talk *t, const char *label, struct mox_slice prefix,
                         struct mox_slice bytes, size_t number)
{
    struct mox_slice got;
    if (!talk_literal(t, label, &got))
        fail_msg("message %zu: no %s", number, label);
    if (got.len != prefix.len + bytes.len ||
        (prefix.len > 0 && memcmp(got.data, prefix.data, prefix.len) != 0) ||
        (bytes.len > 0 && memcmp(got.data + prefix.len, bytes.data, bytes.len) != 0))
        fail_msg("message %zu: %s has %zu bytes, not %zu, or others", number, label, got.len,
                 prefix.len + bytes.len);
}

/* Every leaf by its number, as the parser sees it. */
static size_t check_parts(struct talk *t, const struct mox_part *part, const char *name,
                          struct mox_slice content, size_t number)
{
    const struct mox_part *list = part->children;
    if (part->kind == MOX_PART_MESSAGE && list != NULL) {
        if (list->kind != MOX_PART_MULTIPART)
            return 0;
        list = list->children;
    }
    size_t count = 0, n = 1;
    for (; list != NULL; list = list->next, n++) {
        char child[600], line[700], label[700];
        if (strlen(name) > 500)
            return count;
        snprintf(child, sizeof child, "%s%s%zu", name, *name != '\0' ? "." : "", n);
        snprintf(line, sizeof line, "FETCH %zu BODY.PEEK[%s]", number, child);
        snprintf(label, sizeof label, "BODY[%s]", child);
        talk_ok(t, line);
        assert_bytes(t, label, slice(NULL, 0), mox_part_body(list, content), number);
        count += 1 + check_parts(t, list, child, content, number);
    }
    return count;
}

static void check_message(struct fixture *f, struct mox_slice content, size_t number)
{
    struct mox_message *m = NULL;
    char line[200];
    snprintf(line, sizeof line,
             "FETCH %zu (BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT] RFC822.SIZE)", number);
    talk_ok(&f->talk, line);
    const size_t header = mox_header_end(content);
    assert_bytes(&f->talk, "BODY[]", slice_of(PREFIX), content, number);
    assert_bytes(&f->talk, "BODY[HEADER]", slice_of(PREFIX), slice(content.data, header), number);
    assert_bytes(&f->talk, "BODY[TEXT]", slice(NULL, 0), slice_from(content, header), number);
    snprintf(line, sizeof line, " RFC822.SIZE %zu)", strlen(PREFIX) + content.len);
    assert_non_null(memmem(f->talk.got, f->talk.len, line, strlen(line)));

    assert_int_equal(mox_message_parse(&m, &f->env, content), MOX_OK);
    const struct mox_part *root = mox_message_root(m);
    const bool single = root->kind != MOX_PART_MULTIPART; /* its body is its part 1 */
    if (single) {
        snprintf(line, sizeof line, "FETCH %zu BODY.PEEK[1]", number);
        talk_ok(&f->talk, line);
        assert_bytes(&f->talk, "BODY[1]", slice(NULL, 0), mox_part_body(root, content), number);
    }
    check_parts(&f->talk, root, single ? "1" : "", content, number);
    mox_message_free(m);
}

static void every_message_comes_out_as_it_went_in(void **state)
{
    (void)state;
    const char *path = corpus_path("mime");
    if (lacks(path))
        skip();
    struct fixture f;
    begin(&f);
    struct put_in p = {.f = &f};
    each_file(path, put_message, &p);
    open_inbox(&f);
    for (size_t i = 0; i < p.count; i++)
        check_message(&f, p.contents[i], i + 1);
    print_message("%zu messages\n", p.count);
    for (size_t i = 0; i < p.count; i++)
        free((void *)(uintptr_t)p.contents[i].data);
    free(p.contents);
    finish(&f);
}

/* --- what Dovecot finds --- */

static struct mox_slice unpack(const char *path)
{
    char command[1200];
    struct mox_slice out = {NULL, 0};
    snprintf(command, sizeof command, "xz -dc '%s' 2>/dev/null", path);
    FILE *pipe = popen(command, "r");
    uint8_t *data = malloc(4 << 20);
    assert_non_null(pipe);
    assert_non_null(data);
    out = slice(data, fread(data, 1, 4 << 20, pipe));
    pclose(pipe);
    return out;
}

static size_t next_line(struct mox_slice s, size_t at)
{
    const uint8_t *end = memchr(s.data + at, '\n', s.len - at);
    return end == NULL ? s.len : (size_t)(end - s.data) + 1;
}

/* "From ", with a time, at the start or behind an empty line. */
static bool from_line(struct mox_slice s, size_t at)
{
    const size_t len = next_line(s, at) - at;
    const uint8_t *colon = memchr(s.data + at, ':', len);
    return len > 5 && memcmp(s.data + at, "From ", 5) == 0 && colon != NULL &&
           is_digit(colon[-1]) && is_digit(colon[1]) &&
           (at == 0 || (at >= 4 && memcmp(s.data + at - 4, "\r\n\r\n", 4) == 0));
}

/* Messages without their From_ lines and the empty line in front of the next. */
static size_t append_mbox(struct fixture *f, struct mox_slice mbox)
{
    size_t count = 0, at = 0;
    while (at < mbox.len) {
        const size_t start = next_line(mbox, at);
        size_t end = start;
        while (end < mbox.len && !from_line(mbox, end))
            end = next_line(mbox, end);
        const size_t len = end - start - (end < mbox.len ? 2 : 0);
        talk_append(f->store, &f->env, "Inbox", slice(NULL, 0), slice(mbox.data + start, len), 0,
                    1);
        count++;
        at = end;
    }
    return count;
}

static unsigned compare_search(struct fixture *f, char *row)
{
    char *numbers = strchr(row, '\t');
    char line[500], expected[8000];
    if (row[0] == '#' || numbers == NULL)
        return 0;
    *numbers++ = '\0';
    snprintf(line, sizeof line, "SEARCH %s", row);
    snprintf(expected, sizeof expected, "* SEARCH%s%s\r\n", *numbers != '\0' ? " " : "", numbers);
    const char *said = talk_ok(&f->talk, line);
    if (strncmp(said, expected, strlen(expected)) == 0)
        return 0;
    print_message("%s\n  expected: %s  said:     %s", row, expected, said);
    return 1;
}

static void dovecot_finds_the_same_messages(void **state)
{
    (void)state;
    const char *path = corpus_path("mailbox/mbox/dovecot-list-2002.mbox.xz");
    if (lacks(path))
        skip();
    struct mox_slice mbox = unpack(path);
    if (mbox.len == 0) {
        print_message("xz is not there\n");
        skip();
    }
    struct fixture f;
    begin(&f);
    assert_int_equal(append_mbox(&f, mbox), 600);
    open_inbox(&f);
    struct mox_slice table = read_file(corpus_path("imap/search-dovecot.tsv"));
    unsigned wrong = 0;
    for (char *row = strtok((char *)(uintptr_t)table.data, "\n"); row != NULL;
         row = strtok(NULL, "\n"))
        wrong += compare_search(&f, row);
    assert_int_equal(wrong, 0);
    free((void *)(uintptr_t)table.data);
    free((void *)(uintptr_t)mbox.data);
    finish(&f);
}

/* --- what Stalwart sends --- */

/* What we have no section for, by the end of its name, what we answer then, and why. */
static const struct {
    const char *file, *end, *answer, *why;
} no_such_section[] = {
    {"", "BODY[MIME]", "t BAD", "RFC 9051 §6.4.5: MIME must have a part number"},
    {"", ".HEADER]", "NIL)", "RFC 9051 §6.4.5: HEADER is of a message/rfc822 part"},
    {"", ".TEXT]", "NIL)", "the same for TEXT"},
    {"", ".1]", "NIL)", "a part that is no multipart and no message has no parts"},
    {"010", "BODY[1.MIME]", "Mime-Version", "of a whole message that field is MIME's too"},
};

static bool has_no_section(const char *file, const char *label, const char *said)
{
    for (size_t i = 0; i < sizeof no_such_section / sizeof no_such_section[0]; i++) {
        const size_t len = strlen(label), end = strlen(no_such_section[i].end);
        if (len >= end && strcmp(label + len - end, no_such_section[i].end) == 0 &&
            strncmp(file, no_such_section[i].file, strlen(no_such_section[i].file)) == 0 &&
            strstr(said, no_such_section[i].answer) != NULL)
            return true;
    }
    return false;
}

/* Names of fields are compared without case: Stalwart writes its own. */
static unsigned compare_section(struct fixture *f, const char *file, const char *label,
                                struct mox_slice expected)
{
    char line[300];
    struct mox_slice got;
    const char *partial = strchr(label, '<');
    if (partial != NULL)
        snprintf(line, sizeof line, "FETCH 1 %.*s.25>", (int)strcspn(label, ">"), label);
    else
        snprintf(line, sizeof line, "FETCH 1 %s", label);
    const char *said = talk(&f->talk, line);
    if (has_no_section(file, label, said))
        return 0;
    if (talk_literal(&f->talk, label, &got) && mox__slice_eq_nocase(got, expected))
        return 0;
    print_message("%s %s: expected <%.*s>, said <%.300s>\n", file, label, (int)expected.len,
                  (const char *)expected.data, said);
    return 1;
}

struct comparison {
    unsigned files, sections, wrong;
};

static void compare_file(void *user, const char *path, struct mox_slice answers)
{
    struct comparison *c = user;
    char message[1024];
    const size_t len = strlen(path);
    if (len < 5 || strcmp(path + len - 5, ".imap") != 0)
        return;
    snprintf(message, sizeof message, "%.*s.txt", (int)(len - 5), path);
    struct mox_slice content = read_file(message);
    struct fixture f;
    begin(&f);
    talk_append(f.store, &f.env, "Inbox", slice(NULL, 0), content, 0, 1);
    open_inbox(&f);
    for (size_t at = 0; at < answers.len;) {
        char label[200];
        unsigned long size = 0;
        int n = 0;
        const size_t next = next_line(answers, at);
        if (sscanf((const char *)answers.data + at, "%199[^{\n]{%lu}%n", label, &size, &n) == 2 &&
            strncmp(label, "BODY[", 5) == 0 && next + size <= answers.len) {
            label[strlen(label) - 1] = '\0';
            c->wrong +=
                compare_section(&f, path + len - 8, label, slice(answers.data + next, size));
            c->sections++;
            at = next + size;
        }
        at = next > at ? next : next_line(answers, at);
    }
    c->files++;
    free((void *)(uintptr_t)content.data);
    finish(&f);
}

static void stalwart_sends_the_same_sections(void **state)
{
    (void)state;
    const char *path = corpus_path("imap/fetch-stalwart");
    if (lacks(path))
        skip();
    struct comparison c = {0};
    each_file(path, compare_file, &c);
    print_message("%u files, %u sections\n", c.files, c.sections);
    assert_true(c.sections >= c.files && c.files > 0);
    assert_int_equal(c.wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_comes_out_as_it_went_in),
        cmocka_unit_test(dovecot_finds_the_same_messages),
        cmocka_unit_test(stalwart_sends_the_same_sections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
