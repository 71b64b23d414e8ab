/* SPDX-License-Identifier: MIT */
#include <mox/submission.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

/* Messages of a user, and what becomes of them. */

static const struct mox_peer peer = {
    .size = sizeof peer, .remote_ip = "192.0.2.1", .local_ip = "192.0.2.25"};

struct fixture {
    struct test_env t;
    struct mox_smtp_envelope envelope;
    struct mox_smtp_path recipient;
    struct mox_submission_rules rules;
    struct mox_spool *spool;
    struct mox_submission *s;
    struct mox_smtp_reply reply;
};

static struct mox_smtp_path path(const char *localpart)
{
    return (struct mox_smtp_path){.address = localpart,
                                  .localpart = localpart,
                                  .domain = "x.example",
                                  .domain_unicode = "x.example"};
}

/* Users are `me`, and `off` whose domain is not in use. */
static int sender(void *user, struct mox_slice localpart, const char *domain,
                  struct mox_smtp_reply *reply)
{
    (void)user;
    if (strcmp(domain, "off.example") == 0) {
        mox_smtp_reply_set(reply, 451, "4.3.0", "disabled");
        return MOX_EREFUSED;
    }
    return mox__slice_is(localpart, "me") && strcmp(domain, "x.example") == 0 ? MOX_OK
                                                                              : MOX_EDENIED;
}

static void begin(struct fixture *f)
{
    *f = (struct fixture){.rules = {.size = sizeof f->rules, .sender = sender, .user = f}};
    test_env_init(&f->t);
    f->recipient = path("you");
    f->envelope = (struct mox_smtp_envelope){.peer = &peer,
                                             .username = "me@x.example",
                                             .hostname = "mx.example",
                                             .mail_from = path("me"),
                                             .recipients = &f->recipient,
                                             .recipient_count = 1};
}

static void end(struct fixture *f)
{
    mox_submission_free(f->s);
    mox_spool_free(f->spool);
    f->s = NULL;
    f->spool = NULL;
    test_env_done(&f->t);
}

/* In pieces of so many bytes. */
static int submit(struct fixture *f, struct mox_slice text, size_t step)
{
    mox_submission_free(f->s);
    mox_spool_free(f->spool);
    f->s = NULL;
    f->spool = NULL;
    f->envelope.has_8bit = !mox__slice_is_ascii(text);
    int rc = mox_spool_new(&f->spool, &f->t.env, NULL, 1 << 20);
    if (rc == MOX_OK)
        rc = mox_submission_new(&f->s, &f->t.env, f->spool);
    for (size_t at = 0; rc == MOX_OK && at < text.len; at += step) {
        size_t len = text.len - at < step ? text.len - at : step;
        rc = mox_submission_write(f->s, slice(text.data + at, len));
    }
    return rc < 0 ? rc : mox_submission_check(f->s, &f->envelope, &f->rules, &f->reply);
}

static const struct mox_submission_result *result(const struct fixture *f)
{
    return mox_submission_result(f->s);
}

/* ---- Bcc ---- */

#define FROM "From: me@x.example\r\n"

static void bcc_is_taken_out_however_it_arrives(void **state)
{
    (void)state;
    static const struct {
        const char *sent, *kept;
    } cases[] = {
        {FROM "Bcc: a@b.example\r\nTo: c\r\n\r\nx\r\n", FROM "To: c\r\n\r\nx\r\n"},
        {"BCC:\r\n" FROM "\r\n", FROM "\r\n"},
        {FROM "bcc: a,\r\n\tb,\r\n c\r\n  \r\nTo: c\r\n\r\n", FROM "To: c\r\n\r\n"},
        {FROM "Bcc: a\r\nbCC: b\r\nResent-Bcc: c\r\n\td\r\n\r\nx\r\n", FROM "\r\nx\r\n"},
        {FROM "Bcc \t: a\r\n\r\n", FROM "\r\n"},
        {FROM "Bcc: a\r\n\r\nBcc: in the body\r\n", FROM "\r\nBcc: in the body\r\n"},
        {FROM "X-Bcc: a\r\nBccs: b\r\nBc: c\r\nResent-Bcc2: d\r\nResent-Cc: e\r\n\r\n", NULL},
        {FROM "Subject: x\r\n Bcc: folded\r\n\r\n", NULL},
        {FROM "Bcc\r\nResent-\r\n\r\n", NULL}, /* no field without a colon */
        {"\r\nBcc: no header at all\r\n", NULL},
        {FROM "Bcc: a\n b\nTo: c\n\nBcc: x\n", FROM "To: c\n\nBcc: x\n"},
        {FROM "Bcc: cut", FROM},
        {FROM "Resent-B", NULL},
        {"", NULL},
        {"Bcc: a\r\nRESENT-bcc : b\r\n\r\n", "\r\n"},
        {FROM "Bcc                                                                                "
              "              : a\r\n\r\n",
         FROM "\r\n"},
    };
    struct fixture f;
    begin(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *kept = cases[i].kept == NULL ? cases[i].sent : cases[i].kept;
        for (size_t step = 1; step <= strlen(cases[i].sent) + 1; step++) {
            struct mox_slice bytes;
            (void)!submit(&f, slice_of(cases[i].sent), step);
            assert_int_equal(mox_spool_bytes(f.spool, &bytes), MOX_OK);
            if (!mox__slice_is(bytes, kept))
                fail_msg("%s in steps of %zu: %.*s", cases[i].sent, step, (int)bytes.len,
                         bytes.len == 0 ? "" : (const char *)bytes.data);
        }
    }
    end(&f);
}

static void what_cannot_be_written_is_told(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_int_equal(mox_spool_new(&f.spool, &f.t.env, NULL, 30), MOX_OK);
    assert_int_equal(mox_submission_new(&f.s, &f.t.env, f.spool), MOX_OK);
    assert_false(mox_submission_write_waits(f.s, 1000000));
    assert_int_equal(mox_submission_write(f.s, slice_of("Bcc: a line of more than 30 bytes\r\n")),
                     MOX_OK);
    assert_int_equal(mox_submission_write(f.s, slice_of("Cc: a line of more than 30 bytes\r\n")),
                     MOX_ELIMIT);
    assert_int_equal(mox_submission_check(f.s, &f.envelope, &f.rules, &f.reply), MOX_ELIMIT);
    assert_int_equal(result(&f)->outcome, MOX_SUBMISSION_QUEUE);
    end(&f);
}

/* ---- what is refused ---- */

enum { PEDANTIC = 1, UTF8 = 2 };

static void messages_are_taken_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned how;
        int code;
        const char *enhanced, *word;
    } cases[] = {
        {FROM "\r\nx\r\n", 0, 0, "", "ok"},
        {FROM "\r\nx\r\n", PEDANTIC, 0, "", "ok"},
        {"from: \"Me, myself\" <me@X.Example> (work)\r\n\r\n", 0, 0, "", "ok"},
        {"From: me\r\n @x.example\r\n\r\n", 0, 0, "", "ok"},
        {FROM "Sender: other@y.example\r\n\r\n", 0, 0, "", "ok"},
        {"Subject: no From\r\n\r\nFrom: me@x.example\r\n", 0, 550, "5.6.0", "badmessage"},
        {FROM FROM "\r\n", 0, 550, "5.6.0", "badmessage"},
        {"From: me@x.example, other@x.example\r\n\r\n", 0, 550, "5.6.0", "badmessage"},
        {"From: group: me@x.example;\r\n\r\n", 0, 550, "5.6.0", "badmessage"},
        {"From:\r\n\r\n", 0, 550, "5.6.0", "badmessage"},
        {"From: me\r\n\r\n", 0, 550, "5.6.0", "badmessage"},
        {"From: me@[192.0.2.1]\r\n\r\n", 0, 550, "5.6.0", "badmessage"},
        {"From: me@192.0.2.1\r\n\r\n", 0, 550, "5.6.0", "badmessage"},
        {"From: me@-.example\r\n\r\n", 0, 550, "5.6.0", "badmessage"},
        {"From: me@a_b.example\r\n\r\n", 0, 550, "5.7.1", "badfrom"},
        {"From: me@a_b.example\r\n\r\n", PEDANTIC, 550, "5.6.0", "badmessage"},
        {"From: other@x.example\r\n\r\n", 0, 550, "5.7.1", "badfrom"},
        {"From: me@y.example\r\n\r\n", 0, 550, "5.7.1", "badfrom"},
        {"From: me@off.example\r\n\r\n", 0, 451, "4.3.0", "badfrom"},
        {FROM "Return-Path: <me@x.example>\r\n\r\n", 0, 0, "", "ok"},
        {FROM "return-path: <>\r\n\r\n", PEDANTIC, 550, "5.6.0", "badheader"},
        {FROM "X-Mox-Extra-A: 1\r\nX-Mox-Extra-B: 2\r\n\r\n", 0, 0, "", "ok"},
        {FROM "X-Mox-Extra-Key: 1\r\nx-mox-extra-KEY: 2\r\n\r\n", 0, 554, "5.6.0", "badheader"},
        {"From: other@x.example\r\nX-Mox-Extra-K: 1\r\nX-Mox-Extra-K: 2\r\n\r\n", 0, 550, "5.7.1",
         "badfrom"},
        {FROM "Subject: \xc3\xa9\r\n\r\n", 0, 0, "", "ok"},
        {FROM "Subject: \xc3\xa9\r\n\r\n", PEDANTIC, 550, "5.6.0", "missingsmtputf8"},
        {FROM "Subject: \xc3\xa9\r\n\r\n", PEDANTIC | UTF8, 0, "", "ok"},
        {FROM "\r\n\xc3\xa9\r\n", PEDANTIC, 0, "", "ok"},
    };
    struct fixture f;
    begin(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        f.rules.pedantic = (cases[i].how & PEDANTIC) != 0;
        f.envelope.smtputf8 = (cases[i].how & UTF8) != 0;
        f.reply = (struct mox_smtp_reply){.code = 0};
        int rc = submit(&f, slice_of(cases[i].text), SIZE_MAX / 2);
        const char *word = mox_submission_word(result(&f)->outcome);
        if ((rc < 0) != (cases[i].code != 0) || strcmp(word, cases[i].word) != 0 ||
            (rc < 0 &&
             (f.reply.code != cases[i].code || strcmp(f.reply.enhanced, cases[i].enhanced) != 0)))
            fail_msg("%s: %d, %s, %d %s %s", cases[i].text, rc, word, f.reply.code,
                     f.reply.enhanced, f.reply.text);
    }
    f.rules.sender = NULL;
    assert_int_equal(submit(&f, slice_of("From: any@y.example\r\n\r\n"), 100), MOX_OK);
    end(&f);
}

static void extra_fields_are_collected_and_bounded(void **state)
{
    (void)state;
    static char text[8000];
    struct fixture f;
    begin(&f);
    assert_int_equal(
        submit(&f, slice_of(FROM "X-Mox-Extra-Job:  7 \r\nX-Mox-Extra-: y\r\n\r\n"), 9), MOX_OK);
    assert_int_equal(result(&f)->extra_count, 2);
    assert_true(mox__slice_is(result(&f)->extras[0].key, "Job"));
    assert_true(mox__slice_is(result(&f)->extras[0].value, "7"));
    assert_true(mox__slice_is(result(&f)->extras[1].key, ""));
    int len = snprintf(text, sizeof text, FROM);
    for (int i = 0; i < MOX_SUBMISSION_EXTRAS_MAX; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, "X-Mox-Extra-%d: x\r\n", i);
    assert_int_equal(submit(&f, slice_of(text), 1000), MOX_OK);
    (void)snprintf(text + len, sizeof text - (size_t)len, "X-Mox-Extra-x: x\r\n");
    assert_int_equal(submit(&f, slice_of(text), 1000), MOX_EREFUSED);
    assert_int_equal(f.reply.code, 554);
    end(&f);
}

/* ---- what is added ---- */

static bool is_message_id(struct mox_slice line)
{
    static const char start[] = "Message-Id: <", end[] = "@mx.example>\r\n";
    if (line.len != sizeof start - 1 + 22 + sizeof end - 1 ||
        !mox__slice_starts_nocase(line, start) ||
        !mox__slice_is(slice_from(line, sizeof start - 1 + 22), end))
        return false;
    for (size_t i = 0; i < 22; i++) {
        uint8_t c = line.data[sizeof start - 1 + i];
        if (!is_alpha(c) && !is_digit(c) && c != '-' && c != '_')
            return false;
    }
    return true;
}

static void what_is_missing_is_added(void **state)
{
    (void)state;
    static const char date[] = "Date: Fri, 2 Jan 2026 03:04:05 +0000\r\n";
    struct fixture f;
    begin(&f);
    assert_int_equal(submit(&f, slice_of(FROM "\r\nDate: x\r\nMessage-Id: y\r\n"), 7), MOX_OK);
    struct mox_slice lines = result(&f)->lines;
    assert_true(lines.len > strlen(date));
    assert_true(is_message_id(slice(lines.data, lines.len - strlen(date))));
    assert_true(mox__slice_is(slice_from(lines, lines.len - strlen(date)), date));
    assert_int_equal(submit(&f, slice_of(FROM "date: then\r\n\r\n"), 7), MOX_OK);
    assert_true(is_message_id(result(&f)->lines));
    assert_int_equal(submit(&f, slice_of(FROM "MESSAGE-ID: <1@y>\r\n\r\n"), 7), MOX_OK);
    assert_true(mox__slice_is(result(&f)->lines, date));
    assert_int_equal(submit(&f, slice_of(FROM "Date: x\r\nMessage-Id:\r\n <1@y>\r\n\r\n"), 7),
                     MOX_OK);
    assert_int_equal(result(&f)->lines.len, 0);
    end(&f);
}

/* RFC 8689 §5. */
static void tls_may_be_declared_optional(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool requiretls, optional;
    } cases[] = {
        {FROM "\r\n", false, false},
        {FROM "TLS-Required: No\r\n\r\n", false, true},
        {FROM "tls-required:no\r\nTLS-Required:\r\n NO\r\n\r\n", false, true},
        {FROM "TLS-Required: No\r\nTLS-Required: yes\r\n\r\n", false, false},
        {FROM "TLS-Required: never\r\n\r\n", false, false},
        {FROM "TLS-Required: No\r\n\r\n", true, false},
    };
    struct fixture f;
    begin(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        f.envelope.requiretls = cases[i].requiretls;
        assert_int_equal(submit(&f, slice_of(cases[i].text), 1000), MOX_OK);
        assert_int_equal(result(&f)->tls_optional, cases[i].optional);
    }
    end(&f);
}

static void smtputf8_is_needed_for_addresses_and_headers_only(void **state)
{
    (void)state;
    static const char multipart[] =
        FROM "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
             "Content-Disposition: attachment; filename=\"%s\"\r\n\r\n%s\r\n--b--\r\n";
    static const struct {
        const char *localpart, *recipient, *name, *body;
        bool needed;
    } cases[] = {
        {"me", "you", "a", "b", false},       {"me", "you", "a", "\xc3\xa9", false},
        {"me", "you", "\xc3\xa9", "b", true}, {"m\xc3\xa9", "you", "a", "b", true},
        {"me", "y\xc3\xb6u", "a", "b", true},
    };
    struct fixture f;
    begin(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[400];
        (void)snprintf(text, sizeof text, multipart, cases[i].name, cases[i].body);
        f.envelope.smtputf8 = true; /* needed or not */
        f.envelope.mail_from = path(cases[i].localpart);
        f.recipient = path(cases[i].recipient);
        assert_int_equal(submit(&f, slice_of(text), 1000), MOX_OK);
        assert_int_equal(result(&f)->smtputf8, cases[i].needed);
    }
    end(&f);
}

static void running_out_of_memory_is_told(void **state)
{
    (void)state;
    static const char text[] = FROM "X-Mox-Extra-A: 1\r\nContent-Type: multipart/x; boundary=b\r\n"
                                    "\r\n--b\r\nX: \xc3\xa9\r\n\r\n--b--\r\n";
    struct fixture f;
    int rc = MOX_ENOMEM;
    begin(&f);
    for (long n = 1; rc != MOX_OK; n++) {
        f.t.allocations = 0;
        f.t.fail_at = n;
        rc = submit(&f, slice_of(text), 10);
        f.t.fail_at = 0;
        assert_true(rc == MOX_OK || rc == MOX_ENOMEM);
        assert_true(rc == MOX_OK || f.s == NULL || result(&f)->outcome != MOX_SUBMISSION_BAD_FROM);
        assert_true(n < 100);
    }
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bcc_is_taken_out_however_it_arrives),
        cmocka_unit_test(what_cannot_be_written_is_told),
        cmocka_unit_test(messages_are_taken_or_refused),
        cmocka_unit_test(extra_fields_are_collected_and_bounded),
        cmocka_unit_test(what_is_missing_is_added),
        cmocka_unit_test(tls_may_be_declared_optional),
        cmocka_unit_test(smtputf8_is_needed_for_addresses_and_headers_only),
        cmocka_unit_test(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests_name("delivery-submission", tests, NULL, NULL);
}
