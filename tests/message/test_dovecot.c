/* SPDX-License-Identifier: MIT */

/* Compares ENVELOPE, BODYSTRUCTURE and the size of some three hundred real and broken messages with
 * what Dovecot 2.3.19 answers. differences.tsv names each item that differs, and why; an item that
 * is not named must agree, and one that is named must differ. What only looks different is settled
 * here: the case of types, encodings and names of parameters, the order of parameters, Dovecot's
 * MISSING_MAILBOX and MISSING_DOMAIN, and that we count a last line without a line end. */

#include <mox/message.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "message/wire.h"
#include "support/cm.h"
#include "support/corpora.h"
#include "support/sexp.h"
#include "support/testenv.h"

#define ROWS_MAX 1000

struct row {
    char file[200], item[100];
    unsigned seen;
};

static struct {
    struct row rows[ROWS_MAX];
    size_t count;
    const char *file; /* that is compared now */
    unsigned unexplained;
} table;

static void show(const char *who, const struct sexp *s)
{
    (void)who;
    if (s->kind == SEXP_LIST) {
        printf("(");
        for (size_t i = 0; i < s->count; i++) {
            printf(i > 0 ? " " : "");
            show("", &s->items[i]);
        }
        printf(")");
    } else if (s->kind == SEXP_NIL) {
        printf("NIL");
    } else {
        printf(s->kind == SEXP_STRING ? "\"%.*s\"" : "%.*s", (int)s->text.len,
               (const char *)s->text.data);
    }
}

/* The two differ in an item of the current file. */
static void differs(const char *item, const struct sexp *ours, const struct sexp *theirs)
{
    for (size_t i = 0; i < table.count; i++) {
        if (strcmp(table.rows[i].file, table.file) == 0 && strcmp(table.rows[i].item, item) == 0) {
            table.rows[i].seen++;
            return;
        }
    }
    table.unexplained++;
    printf("%s\t%s\n    ours   ", table.file, item);
    show("ours", ours);
    printf("\n    theirs ");
    show("theirs", theirs);
    printf("\n");
}

static bool missing_is(const struct sexp *ours, const struct sexp *theirs, const char *word)
{
    return ours->kind == SEXP_STRING && ours->text.len == 0 && theirs->kind == SEXP_STRING &&
           mox__slice_is(theirs->text, word);
}

static bool same(const struct sexp *ours, const struct sexp *theirs)
{
    if (missing_is(ours, theirs, "MISSING_MAILBOX") || missing_is(ours, theirs, "MISSING_DOMAIN") ||
        missing_is(ours, theirs, "SYNTAX_ERROR"))
        return true;
    if (ours->kind != theirs->kind || ours->count != theirs->count ||
        !mox__slice_eq(ours->text, theirs->text))
        return false;
    for (size_t i = 0; i < ours->count; i++)
        if (!same(&ours->items[i], &theirs->items[i]))
            return false;
    return true;
}

static bool same_nocase(const struct sexp *ours, const struct sexp *theirs)
{
    return ours->kind == theirs->kind && mox__slice_eq_nocase(ours->text, theirs->text);
}

/* Lists of names and values, in any order. */
static bool same_params(const struct sexp *ours, const struct sexp *theirs)
{
    if (ours->kind != theirs->kind || ours->count != theirs->count)
        return false;
    for (size_t i = 0; i + 1 < ours->count; i += 2) {
        bool found = false;
        for (size_t k = 0; k + 1 < theirs->count && !found; k += 2) {
            bool charset = mox__slice_is_nocase(ours->items[i].text, "charset");
            found = same_nocase(&ours->items[i], &theirs->items[k]) &&
                    (charset ? same_nocase(&ours->items[i + 1], &theirs->items[k + 1])
                             : same(&ours->items[i + 1], &theirs->items[k + 1]));
        }
        if (!found)
            return false;
    }
    return true;
}

static bool same_disposition(const struct sexp *ours, const struct sexp *theirs)
{
    return ours->kind == theirs->kind && ours->count == theirs->count &&
           (ours->count != 2 || (same_nocase(&ours->items[0], &theirs->items[0]) &&
                                 same_params(&ours->items[1], &theirs->items[1])));
}

static bool same_lines(const struct sexp *ours, const struct sexp *theirs, struct mox_slice body)
{
    uint64_t a, b;
    bool unended = body.len > 0 && body.data[body.len - 1] != '\n';
    return mox__slice_uint(ours->text, UINT64_MAX, &a) &&
           mox__slice_uint(theirs->text, UINT64_MAX, &b) && a == b + unended;
}

static void compare_envelope(const char *path, const struct sexp *ours, const struct sexp *theirs)
{
    static const char *const names[] = {"date", "subject", "from", "sender",      "reply-to",
                                        "to",   "cc",      "bcc",  "in-reply-to", "message-id"};
    assert_int_equal(ours->count, 10);
    assert_int_equal(theirs->count, 10);
    for (size_t i = 0; i < 10; i++) {
        char item[100];
        (void)snprintf(item, sizeof item, "%s%s", path, names[i]);
        if (!same(&ours->items[i], &theirs->items[i]))
            differs(item, &ours->items[i], &theirs->items[i]);
    }
}

/* A member of a body: how it is called, and how it is compared. */
struct member {
    const char *name;
    bool (*same)(const struct sexp *ours, const struct sexp *theirs);
};

static size_t children_of(const struct sexp *body)
{
    size_t n = 0;
    while (n < body->count && body->items[n].kind == SEXP_LIST)
        n++;
    return n;
}

/* Members of ours from index a on, against theirs from index b on. */
static void compare_members(const char *path, const struct sexp *ours, size_t a,
                            const struct sexp *theirs, size_t b, const struct member *members)
{
    for (; members->name != NULL; members++, a++, b++) {
        char item[100];
        (void)snprintf(item, sizeof item, "%s%s", path, members->name);
        assert_true(a < ours->count && b < theirs->count);
        if (!members->same(&ours->items[a], &theirs->items[b]))
            differs(item, &ours->items[a], &theirs->items[b]);
    }
}

struct pair {
    const struct mox_part *part;
    struct mox_slice content;
};

static const struct member trailer[] = {
    {"disposition", same_disposition}, {"language", same}, {"location", same}, {NULL, NULL}};

static void compare_body(const char *path, const struct pair *p, const struct sexp *ours,
                         const struct sexp *theirs);

static void compare_multipart(const char *path, const struct pair *p, const struct sexp *ours,
                              const struct sexp *theirs)
{
    static const struct member members[] = {
        {"subtype", same_nocase}, {"params", same_params}, {NULL, NULL}};
    size_t n = children_of(ours);
    const struct mox_part *child = p->part->children;
    for (size_t i = 0; i < n; i++, child = child->next) {
        char below[100];
        (void)snprintf(below, sizeof below, "%s%zu.", path, i + 1);
        struct pair of_child = {child, p->content};
        compare_body(below, &of_child, &ours->items[i], &theirs->items[i]);
    }
    compare_members(path, ours, n, theirs, n, members);
    compare_members(path, ours, n + 2, theirs, n + 2, trailer);
}

static void compare_lines(const char *path, const struct pair *p, const struct sexp *ours,
                          const struct sexp *theirs)
{
    char item[100];
    (void)snprintf(item, sizeof item, "%slines", path);
    if (!same_lines(ours, theirs, mox_part_body(p->part, p->content)))
        differs(item, ours, theirs);
}

static void compare_single(const char *path, const struct pair *p, const struct sexp *ours,
                           const struct sexp *theirs)
{
    static const struct member members[] = {
        {"type", same_nocase}, {"subtype", same_nocase},  {"params", same_params}, {"id", same},
        {"description", same}, {"encoding", same_nocase}, {"octets", same},        {NULL, NULL}};
    static const struct member md5[] = {{"md5", same}, {NULL, NULL}};
    size_t at = 7;
    compare_members(path, ours, 0, theirs, 0, members);
    if (ours->items[at].kind == SEXP_LIST) {
        struct pair root = {p->part->children, p->content};
        compare_envelope(path, &ours->items[at], &theirs->items[at]);
        char below[100];
        (void)snprintf(below, sizeof below, "%s1.", path);
        if (root.part != NULL)
            compare_body(below, &root, &ours->items[at + 1], &theirs->items[at + 1]);
        at += 2;
    }
    if (ours->items[at].kind == SEXP_NUMBER) {
        compare_lines(path, p, &ours->items[at], &theirs->items[at]);
        at++;
    }
    compare_members(path, ours, at, theirs, at, md5);
    compare_members(path, ours, at + 1, theirs, at + 1, trailer);
}

static void compare_body(const char *path, const struct pair *p, const struct sexp *ours,
                         const struct sexp *theirs)
{
    char item[100];
    (void)snprintf(item, sizeof item, "%sshape", path);
    size_t n = children_of(ours);
    if (ours->count != theirs->count || n != children_of(theirs))
        differs(item, ours, theirs);
    else if (n > 0)
        compare_multipart(path, p, ours, theirs);
    else
        compare_single(path, p, ours, theirs);
}

/* Reads "NAME item" and moves behind the item and a space. */
static struct sexp member_of(struct mox_slice in, size_t *at, const char *name)
{
    struct sexp s;
    size_t len = strlen(name);
    assert_true(in.len - *at > len && memcmp(in.data + *at, name, len) == 0);
    *at += len + 1;
    if (!sexp_read(in, at, &s))
        fail_msg("%s: %s is not well-formed at %zu", table.file, name, *at);
    *at += *at < in.len;
    return s;
}

static struct sexp rendered(const struct mox_env *env, const struct mox_message *m,
                            void (*put)(const struct mox_message *m, struct buf *out))
{
    struct buf b;
    struct sexp s;
    size_t at = 0;
    mox__buf_init(&b, env, 1 << 24);
    put(m, &b);
    assert_false(b.failed);
    bool ok = sexp_read(slice(b.data, b.len), &at, &s);
    if (!ok || at != b.len)
        fail_msg("%s: not well-formed at %zu: %.*s", table.file, at, (int)b.len, (char *)b.data);
    mox__buf_free(&b);
    return s;
}

static void compare_message(struct mox_slice content, struct mox_slice answer)
{
    struct test_env t;
    test_env_init(&t);
    struct mox_message *m = NULL;
    assert_int_equal(mox_message_parse(&m, &t.env, content), MOX_OK);
    size_t at = 0;
    struct sexp size = member_of(answer, &at, "RFC822.SIZE");
    struct sexp envelope = member_of(answer, &at, "ENVELOPE");
    struct sexp body = member_of(answer, &at, "BODYSTRUCTURE");
    struct sexp our_envelope = rendered(&t.env, m, mox__message_envelope);
    struct sexp our_body = rendered(&t.env, m, mox__message_bodystructure);
    uint64_t bytes = 0;
    assert_true(mox__slice_uint(size.text, UINT64_MAX, &bytes));
    if (bytes != content.len)
        differs("size", &size, &size);
    compare_envelope("", &our_envelope, &envelope);
    compare_body("", &(struct pair){mox_message_root(m), content}, &our_body, &body);
    struct sexp *const all[] = {&size, &envelope, &body, &our_envelope, &our_body};
    for (size_t i = 0; i < 5; i++)
        sexp_free(all[i]);
    mox_message_free(m);
    test_env_done(&t);
}

/* file TAB item TAB reason */
static void read_differences(void)
{
    FILE *f = fopen(tests_path("message/differences.tsv"), "r");
    assert_non_null(f);
    char line[1000];
    while (fgets(line, sizeof line, f) != NULL) {
        if (line[0] == '#' || line[0] == '\n')
            continue;
        assert_true(table.count < ROWS_MAX);
        struct row *row = &table.rows[table.count++];
        char reason[700];
        if (sscanf(line, "%199[^\t]\t%99[^\t]\t%699[^\n]", row->file, row->item, reason) != 3)
            fail_msg("differences.tsv: not three columns: %s", line);
    }
    (void)fclose(f);
}

/* Answers are `== path length`, LF, that many bytes, LF. */
static void every_answer_is_dovecots_or_explained(void **state)
{
    (void)state;
    const char *path = corpus_path("imap/fetch-dovecot.txt");
    if (path == NULL || (path = corpus_path("mime")) == NULL)
        skip();
    read_differences();
    struct mox_slice answers = read_file(corpus_path("imap/fetch-dovecot.txt"));
    unsigned count = 0;
    for (size_t at = 0; at < answers.len; count++) {
        char file[200], full[300];
        size_t len;
        int n = 0;
        assert_int_equal(sscanf((const char *)answers.data + at, "== %199s %zu%n", file, &len, &n),
                         2);
        at += (size_t)n + 1;
        (void)snprintf(full, sizeof full, "mime/%s", file);
        struct mox_slice raw = read_file(corpus_path(full)), content = with_crlf(raw);
        table.file = file;
        compare_message(content, slice(answers.data + at, len));
        free((void *)(uintptr_t)raw.data);
        free((void *)(uintptr_t)content.data);
        at += len + 1;
    }
    for (size_t i = 0; i < table.count; i++) {
        if (table.rows[i].seen == 0) {
            printf("%s\t%s no longer differs\n", table.rows[i].file, table.rows[i].item);
            table.unexplained++;
        }
    }
    free((void *)(uintptr_t)answers.data);
    assert_true(count > 250);
    assert_int_equal(table.unexplained, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_is_dovecots_or_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
