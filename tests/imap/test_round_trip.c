/* SPDX-License-Identifier: MIT */
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/delivery.h>
#include <mox/header.h>

#include "base/text.h"
#include "imap/assemble.h"
#include "imap/talk.h"
#include "store/storefix.h"
#include "support/cm.h"
#include "support/corpora.h"

/* Mail from other people: what an SMTP client sends is what an IMAP client puts together again from
 * the sections that it fetches, through delivery and the durable store. */

struct round {
    struct storefix fix;
    struct mox_smtp_server *smtp;
    struct mox_spool *spool;
    sem_t delivered;
    char last[600]; /* the last reply */
};

struct sent {
    struct round *r;
    struct mox_slice *contents; /* as they must come back, in the order of their UIDs */
    size_t count, by_data, by_bdat, refused;
};

/* --- the host of the SMTP server --- */

static int take_recipient(void *user, const struct mox_smtp_envelope *e,
                          const struct mox_smtp_path *path, struct mox_smtp_reply *reply)
{
    (void)user;
    (void)e;
    (void)path;
    (void)reply;
    return MOX_OK;
}

static int take_data(void *user, struct mox_slice piece, struct mox_smtp_reply *reply)
{
    struct round *r = user;
    (void)reply;
    if (r->spool == NULL)
        assert_int_equal(mox_spool_new(&r->spool, &r->fix.t.env,
                                       r->fix.mail.ops->spool_dir(r->fix.mail.self), UINT64_MAX),
                         MOX_OK);
    return mox_spool_write(r->spool, piece);
}

static void on_done(void *user, struct mox_delivery *d)
{
    (void)d;
    sem_post(&((struct round *)user)->delivered);
}

static int deliver(void *user, const struct mox_smtp_envelope *e, struct mox_smtp_reply *reply)
{
    struct round *r = user;
    struct mox_delivery *d = NULL;
    if (r->spool == NULL)
        (void)take_data(r, slice(NULL, 0), reply);
    assert_int_equal(mox_delivery_new(&d, &r->fix.t.env, e, MOX_SMTP_DELIVERY, r->spool), MOX_OK);
    struct mox_delivery_copy copy;
    mox_delivery_copy_init(&copy);
    copy.store = &r->fix.mail;
    copy.recipient = &e->recipients[0];
    assert_int_equal(mox_delivery_add(d, &copy), MOX_OK);
    mox_delivery_start(d, on_done, r);
    sem_wait(&r->delivered);
    int rc = mox_delivery_reply(d, reply);
    mox_delivery_free(d);
    return rc;
}

static void reset(void *user)
{
    struct round *r = user;
    mox_spool_free(r->spool);
    r->spool = NULL;
}

static const struct mox_smtp_server_callbacks callbacks = {.size = sizeof callbacks,
                                                           .rcpt = take_recipient,
                                                           .data = take_data,
                                                           .deliver = deliver,
                                                           .reset = reset};

/* --- its client --- */

/* Keeps the first line of what the server says. */
static void listen(struct round *r)
{
    const uint8_t *out;
    size_t n;
    r->last[0] = '\0';
    while ((n = mox_smtp_server_output(r->smtp, &out)) > 0) {
        if (r->last[0] == '\0')
            (void)snprintf(r->last, sizeof r->last, "%.*s", (int)n, (const char *)out);
        mox_smtp_server_sent(r->smtp, n);
    }
}

static void say(struct round *r, struct mox_slice text)
{
    while (text.len > 0) {
        size_t n = text.len < 40000 ? text.len : 40000;
        assert_int_equal(mox_smtp_server_input(r->smtp, text.data, n), MOX_OK);
        text = slice_from(text, n);
        listen(r);
    }
}

static bool command(struct round *r, const char *text, const char *code)
{
    say(r, slice_of(text));
    return strncmp(r->last, code, strlen(code)) == 0;
}

static void begin_mail(struct round *r, const char *body)
{
    char mail[100];
    (void)snprintf(mail, sizeof mail, "MAIL FROM:<a@b.example> BODY=%s SMTPUTF8\r\n", body);
    assert_true(command(r, mail, "250"));
    assert_true(command(r, "RCPT TO:<mjl@mx.example>\r\n", "250"));
}

/* Lines that begin with a dot get one more (RFC 5321 §4.5.2). */
static bool send_data(struct round *r, struct mox_slice content)
{
    uint8_t *wire = malloc(2 * content.len + 8);
    size_t len = 0;
    assert_non_null(wire);
    begin_mail(r, "8BITMIME");
    assert_true(command(r, "DATA\r\n", "354"));
    for (size_t i = 0; i < content.len; i++) {
        if (content.data[i] == '.' && (i == 0 || content.data[i - 1] == '\n'))
            wire[len++] = '.';
        wire[len++] = content.data[i];
    }
    memcpy(wire + len, ".\r\n", 3);
    say(r, slice(wire, len + 3));
    free(wire);
    return strncmp(r->last, "250", 3) == 0;
}

static void send_bdat(struct round *r, struct mox_slice content)
{
    char chunk[64];
    begin_mail(r, "BINARYMIME");
    (void)snprintf(chunk, sizeof chunk, "BDAT %zu LAST\r\n", content.len);
    say(r, slice_of(chunk));
    say(r, content);
    if (strncmp(r->last, "250", 3) != 0)
        fail_msg("BDAT of %zu bytes: %s", content.len, r->last);
}

/* --- each message --- */

static void expect(struct sent *s, struct mox_slice content)
{
    s->contents = realloc(s->contents, (s->count + 1) * sizeof s->contents[0]);
    assert_non_null(s->contents);
    uint8_t *copy = malloc(content.len + 1);
    assert_non_null(copy);
    memcpy(copy, content.data, content.len);
    s->contents[s->count++] = slice(copy, content.len);
}

static bool is_message(const char *path)
{
    static const char *const others[] = {".json", ".xz", ".gz", ".tsv"};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < sizeof others / sizeof others[0]; i++)
        if (strcmp(dot, others[i]) == 0)
            return false;
    return true;
}

/* As lines by DATA, where the last one ends too, and byte for byte by BDAT. */
static void send_message(void *user, const char *path, struct mox_slice data)
{
    struct sent *s = user;
    if (!is_message(path) || data.len == 0)
        return;
    struct mox_slice lines = with_crlf(data);
    if (lines.data[lines.len - 1] != '\n') {
        uint8_t *more = realloc((void *)(uintptr_t)lines.data, lines.len + 2);
        assert_non_null(more);
        memcpy(more + lines.len, "\r\n", 2);
        lines = slice(more, lines.len + 2);
    }
    if (send_data(s->r, lines)) {
        s->by_data++;
        expect(s, lines);
    } else { /* a CR that ends no line, which others could take for the end of a message */
        assert_true(s->r->last[0] == '5');
        s->refused++;
    }
    free((void *)(uintptr_t)lines.data);
    send_bdat(s->r, data);
    s->by_bdat++;
    expect(s, data);
}

static void check_prefix(struct mox_slice prefix)
{
    static const char *const names[] = {"Delivered-To", "Return-Path", "Received"};
    struct mox_header_field field;
    size_t at = 0;
    for (size_t i = 0; i < 3; i++) {
        assert_true(mox_header_next(prefix, &at, &field));
        assert_true(mox__slice_is(field.name, names[i]));
    }
    assert_int_equal(at, prefix.len);
}

static void send_all(struct round *r, const char *folder, struct sent *s)
{
    const struct mox_peer peer = {
        .size = sizeof peer, .remote_ip = "192.0.2.1", .local_ip = "192.0.2.25"};
    struct mox_smtp_server_config config;
    mox_smtp_server_config_init(&config);
    config.hostname = "mx.example";
    assert_int_equal(mox_smtp_server_new(&r->smtp, &r->fix.t.env, &config, &peer, &callbacks, r),
                     MOX_OK);
    listen(r);
    assert_true(command(r, "EHLO client.example\r\n", "250"));
    each_file(folder, send_message, s);
    mox_smtp_server_free(r->smtp);
}

static void fetch_all(struct round *r, struct sent *s, struct assembly *counts)
{
    struct mox_account *account = NULL; /* the session closes it */
    struct talk talk;
    assert_int_equal(
        mox_account_open(&account, r->fix.store, "mjl", MOX_ACCOUNT_EXISTING, NULL, NULL), MOX_OK);
    talk_open(&talk, &r->fix.t.env, mox_account_mailstore(account));
    (void)talk_ok(&talk, "SELECT Inbox");
    for (size_t i = 0; i < s->count; i++) {
        struct mox_slice got = assemble(&talk, (unsigned)i + 1, counts);
        assert_true(got.len > s->contents[i].len);
        size_t prefix = got.len - s->contents[i].len;
        check_prefix(slice(got.data, prefix));
        if (!mox__slice_eq(slice_from(got, prefix), s->contents[i]))
            fail_msg("message %zu comes back with other bytes", i + 1);
        free((void *)(uintptr_t)got.data);
        free((void *)(uintptr_t)s->contents[i].data);
    }
    talk_close(&talk);
}

static void what_is_sent_is_what_is_fetched(void **state)
{
    (void)state;
    static struct round r;
    struct sent s = {.r = &r};
    struct assembly counts = {0};
    const char *folder = corpus_path("mime");
    if (folder == NULL)
        skip();
    storefix_init_fast(&r.fix);
    r.fix.t.log_level = MOX_LOG_ERROR;
    storefix_start(&r.fix);
    sem_init(&r.delivered, 0, 0);
    send_all(&r, folder, &s);
    fetch_all(&r, &s, &counts);
    print_message("%zu by DATA, which refused %zu, and %zu by BDAT: %zu sections, %zu ranges, "
                  "%zu parts, %zu of them with other fields than MIME's\n",
                  s.by_data, s.refused, s.by_bdat, counts.sections, counts.ranges, counts.parts,
                  counts.cut);
    assert_true(s.by_bdat > 500 && counts.parts > s.count);
    free(s.contents);
    storefix_stop(&r.fix);
    storefix_verify(&r.fix);
    storefix_done(&r.fix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_sent_is_what_is_fetched)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
