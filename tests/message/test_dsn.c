/* SPDX-License-Identifier: MIT */
#include <mox/dsn.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/header.h>
#include <mox/message.h>

#include "base/buf.h"
#include "base/text.h"
#include "message/qp.h"
#include "message/text.h"
#include "support/cm.h"
#include "support/corpora.h"
#include "support/testenv.h"

#define SECONDS INT64_C(1000000)
#define HEADERS                                                                                    \
    "Received: from client.example by mx.example\r\n\twith ESMTP\r\n"                              \
    "Message-Id: <1@client.example>\r\nFrom: <ann@client.example>\r\nSubject: hello\r\n\r\n"

static const struct mox_dsn_recipient bob = {
    .address = "bob@example.org",
    .original_address = "",
    .action = MOX_DSN_FAILED,
    .status = "5.1.1",
    .diagnostic = "550 5.1.1 no such user",
    .remote_mta = "",
    .last_attempt_us = 1767323046 * SECONDS,
};

static struct mox_dsn example(const struct mox_dsn_recipient *recipients, size_t count)
{
    return (struct mox_dsn){
        .size = sizeof(struct mox_dsn),
        .from = "postmaster@example.org",
        .to = "ann@client.example",
        .subject = "",
        .message_id = "dsn1@mx.example",
        .reporting_mta = "mx.example",
        .received_from = "client.example (192.0.2.1)",
        .envelope_id = "",
        .arrived_us = 1767323045 * SECONDS,
        .now_us = 1767323047 * SECONDS,
        .recipients = recipients,
        .recipient_count = count,
        .original_headers = slice_of(HEADERS),
    };
}

struct composed {
    struct test_env t;
    char *text;
    size_t len;
    struct mox_message *m;
    const struct mox_part *parts[3];
};

static void compose(struct composed *c, const struct mox_dsn *dsn)
{
    *c = (struct composed){.text = NULL};
    test_env_init(&c->t);
    assert_int_equal(mox_dsn_compose(dsn, &c->t.env, &c->text, &c->len), MOX_OK);
    assert_int_equal(strlen(c->text), c->len);
    assert_int_equal(mox_message_parse(&c->m, &c->t.env, slice(c->text, c->len)), MOX_OK);
    const struct mox_part *root = mox_message_root(c->m);
    assert_int_equal(root->child_count, 3);
    c->parts[0] = root->children;
    c->parts[1] = c->parts[0]->next;
    c->parts[2] = c->parts[1]->next;
}

static void done(struct composed *c)
{
    mox_message_free(c->m);
    mox_text_free(&c->t.env, c->text);
    test_env_done(&c->t);
}

static int collect(void *user, struct mox_slice piece)
{
    mox__buf_slice(user, piece);
    return MOX_OK;
}

/* The decoded body of a part, NUL-terminated, freed with free(). */
static char *body(const struct composed *c, int i)
{
    struct buf out;
    mox__buf_init(&out, &c->t.env, 1 << 24);
    assert_int_equal(mox__part_decode(c->parts[i], slice(c->text, c->len), collect, &out), MOX_OK);
    char *copy = malloc(out.len + 1);
    assert_non_null(copy);
    memcpy(copy, out.data, out.len);
    copy[out.len] = '\0';
    mox__buf_free(&out);
    return copy;
}

static void body_is(const struct composed *c, int i, const char *want)
{
    char *got = body(c, i);
    assert_string_equal(got, want);
    free(got);
}

static void body_has(const struct composed *c, int i, const char *want)
{
    char *got = body(c, i);
    if (strstr(got, want) == NULL)
        fail_msg("no \"%s\" in:\n%s", want, got);
    free(got);
}

static void has(const char *text, const char *want)
{
    if (strstr(text, want) == NULL)
        fail_msg("no \"%s\" in:\n%s", want, text);
}

static void type_is(const struct composed *c, int i, const char *type, const char *subtype)
{
    assert_true(mox__slice_is_nocase(c->parts[i]->type, type));
    assert_true(mox__slice_is_nocase(c->parts[i]->subtype, subtype));
}

/* RFC 3464, RFC 6522: three parts, the second for programs; RFC 3834 §5. */
static void a_failure_is_told_to_people_and_to_programs(void **state)
{
    (void)state;
    struct composed c;
    struct mox_dsn dsn = example(&bob, 1);
    compose(&c, &dsn);
    has(c.text, "From: Mail delivery <postmaster@example.org>\r\n"
                "To: <ann@client.example>\r\n"
                "Subject: Your message could not be delivered\r\n"
                "Date: Fri, 2 Jan 2026 03:04:07 +0000\r\n"
                "Message-Id: <dsn1@mx.example>\r\n"
                "In-Reply-To: <1@client.example>\r\n"
                "References: <1@client.example>\r\n"
                "Auto-Submitted: auto-replied\r\n"
                "MIME-Version: 1.0\r\n"
                "Content-Type: multipart/report; report-type=delivery-status;\r\n");
    type_is(&c, 0, "text", "plain");
    type_is(&c, 1, "message", "delivery-status");
    type_is(&c, 2, "text", "rfc822-headers");
    body_is(&c, 0,
            "This is the mail server mx.example, about a message from you that came\r\n"
            "on Fri, 2 Jan 2026 03:04:05 +0000.\r\n"
            "\r\n"
            "It could not be delivered to:\r\n"
            "\r\n"
            "    bob@example.org\r\n"
            "        550 5.1.1 no such user\r\n"
            "\r\n"
            "The header of the message is attached.\r\n");
    body_is(&c, 1,
            "Reporting-MTA: dns; mx.example\r\n"
            "Received-From-MTA: dns; client.example (192.0.2.1)\r\n"
            "Arrival-Date: Fri, 2 Jan 2026 03:04:05 +0000\r\n"
            "\r\n"
            "Final-Recipient: rfc822; bob@example.org\r\n"
            "Action: failed\r\n"
            "Status: 5.1.1\r\n"
            "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"
            "Last-Attempt-Date: Fri, 2 Jan 2026 03:04:06 +0000\r\n");
    body_has(&c, 2, "Message-Id: <1@client.example>\r\nFrom: <ann@client.example>\r\n");
    assert_true(mox__slice_is_ascii(slice(c.text, c.len)));
    done(&c);
}

static void each_recipient_has_the_error_that_is_its_own(void **state)
{
    (void)state;
    struct composed c;
    struct mox_dsn_recipient r[4] = {bob, bob, bob, bob};
    r[1].address = "carl@example.net";
    r[1].diagnostic = "552-5.2.2 full,\n552 5.2.2 very full";
    r[1].remote_mta = "mx.example.net";
    r[1].original_address = "carl+old@example.com";
    r[1].status = "not a status";
    r[2].address = "dora@example.net";
    r[2].action = MOX_DSN_DELAYED;
    r[2].status = "";
    r[2].diagnostic = "no route";
    r[2].will_retry_until_us = 1767423045 * SECONDS;
    r[3].address = "eve@example.net";
    r[3].action = MOX_DSN_RELAYED;
    r[3].diagnostic = "";
    r[3].status = "2.1.5";
    struct mox_dsn dsn = example(r, 4);
    dsn.envelope_id = "env=1";
    compose(&c, &dsn);
    body_has(&c, 0,
             "    bob@example.org\r\n        550 5.1.1 no such user\r\n\r\n"
             "    carl@example.net\r\n"
             "        mx.example.net said: 552-5.2.2 full, 552 5.2.2 very full\r\n\r\n"
             "It has not been delivered yet, and we keep trying; you need not send it\r\n"
             "again:\r\n\r\n    dora@example.net\r\n        no route\r\n"
             "        We try until Sat, 3 Jan 2026 06:50:45 +0000.\r\n\r\n"
             "It was passed on to a server that may not tell you whether it arrives,\r\n"
             "for:\r\n\r\n    eve@example.net\r\n\r\nThe header");
    body_has(&c, 1, "Original-Envelope-Id: env=1\r\nReporting-MTA:");
    body_has(&c, 1,
             "\r\n\r\nOriginal-Recipient: rfc822; carl+old@example.com\r\n"
             "Final-Recipient: rfc822; carl@example.net\r\n"
             "Action: failed\r\nStatus: 5.0.0\r\nRemote-MTA: dns; mx.example.net\r\n"
             "Diagnostic-Code: smtp; 552-5.2.2 full, 552 5.2.2 very full\r\n");
    body_has(&c, 1, "Action: delayed\r\nStatus: 4.0.0\r\nDiagnostic-Code: x-mox; no route\r\n");
    body_has(&c, 1, "Will-Retry-Until: Sat, 3 Jan 2026 06:50:45 +0000\r\n");
    body_has(&c, 1,
             "Final-Recipient: rfc822; eve@example.net\r\nAction: relayed\r\nStatus: 2.1.5\r\n");
    done(&c);
}

#define JOERG    "j\xc3\xb8rg@ex\xc3\xa4mple.org"
#define GREETING "Subject: gr\xc3\xbc\xc3\x9f dich\r\n"

/* RFC 6533 §4: with SMTPUTF8 addresses and headers are written as they are. */
static void utf8_is_used_where_it_may_be_and_ascii_does_not_do(void **state)
{
    (void)state;
    struct composed c;
    struct mox_dsn_recipient r = bob;
    r.address = JOERG;
    struct mox_dsn dsn = example(&r, 1);
    dsn.smtputf8 = true;
    dsn.to = JOERG;
    dsn.original_headers = slice_of(GREETING "\r\n");
    compose(&c, &dsn);
    type_is(&c, 1, "message", "global-delivery-status");
    type_is(&c, 2, "message", "global-headers");
    has(c.text, "To: <" JOERG ">\r\n");
    body_has(&c, 0, "    " JOERG "\r\n");
    body_has(&c, 1, "Final-Recipient: utf-8; " JOERG "\r\n");
    body_has(&c, 2, GREETING);
    done(&c);

    dsn = example(&bob, 1); /* nothing needs it */
    dsn.smtputf8 = true;
    compose(&c, &dsn);
    type_is(&c, 1, "message", "delivery-status");
    type_is(&c, 2, "text", "rfc822-headers");
    done(&c);
}

/* RFC 6533 §3: utf-8-addr-xtext. RFC 6857: a group stands for an address. */
static void without_smtputf8_all_is_ascii_and_nothing_is_lost(void **state)
{
    (void)state;
    struct composed c;
    struct mox_dsn_recipient r = bob;
    r.address = "a+" JOERG;
    struct mox_dsn dsn = example(&r, 1);
    dsn.to = JOERG;
    dsn.original_headers = slice_of(GREETING "\r\n");
    compose(&c, &dsn);
    assert_true(mox__slice_is_ascii(slice(c.text, c.len)));
    type_is(&c, 1, "message", "delivery-status");
    type_is(&c, 2, "text", "rfc822-headers");
    has(c.text, "To: =?utf-8?q?j=C3=B8rg=40ex=C3=A4mple=2Eo?=\r\n\t=?utf-8?q?rg?= :;\r\n");
    body_has(&c, 0, "    a+" JOERG "\r\n");
    body_has(&c, 1, "Final-Recipient: utf-8; a\\x{2B}j\\x{F8}rg@ex\\x{E4}mple.org\r\n");
    body_has(&c, 2, GREETING);
    done(&c);
}

static void what_strangers_wrote_makes_no_lines_and_no_controls(void **state)
{
    (void)state;
    struct composed c;
    struct mox_dsn_recipient r = bob;
    r.address = "bob\r\nBcc: x@example.org";
    r.original_address = "a\x1b[31mb@example.org\xe2\x80\xae";
    r.diagnostic = "550 \x1b[2J\xff\xc3\xb8\r\n\r\nFinal-Recipient: rfc822; evil";
    r.remote_mta = "mx\r\n--=_";
    struct mox_dsn dsn = example(&r, 1);
    dsn.from = "postmaster@exa\nmple.org";
    dsn.to = "a b\"c@client.example";
    dsn.received_from = "\r\n\r\nx";
    dsn.envelope_id = "e\r\nAction: delivered";
    dsn.message_id = "1>\r\nX: <y";
    dsn.original_headers = slice_of("Message-Id: <a\x01@b>\nSubject: a\x1b\n\nbody\n");
    compose(&c, &dsn);
    has(c.text, "From: =?utf-8?q?postmaster=40exa=20m?=\r\n\t");
    has(c.text, "To: <\"a b\\\"c\"@client.example>\r\n");
    assert_null(strstr(c.text, "In-Reply-To"));
    assert_null(strstr(c.text, "\nX: "));
    body_has(&c, 0, "    bob Bcc: x@example.org\r\n");
    body_has(&c, 1, "Original-Envelope-Id: e Action: delivered\r\n");
    body_has(&c, 1, "Original-Recipient: rfc822; a?[31mb@example.org?\r\n");
    body_has(&c, 1, "Diagnostic-Code: smtp; 550 ?[2J?? Final-Recipient: rfc822; evil\r\n");
    body_is(&c, 2, "Message-Id: <a\x01@b>\r\nSubject: a\x1b\r\n");
    for (size_t i = 0; i < c.len; i++)
        assert_true(c.text[i] >= ' ' || strchr("\t\r\n", c.text[i]) != NULL);
    done(&c);
}

static void lines_are_short(const char *text) /* RFC 5322 §2.1.1 */
{
    for (const char *line = text; line != NULL;) {
        const char *next = strstr(line, "\r\n");
        assert_true(next == NULL || next - line <= 998);
        line = next == NULL ? NULL : next + 2;
    }
}

static void headers_that_are_very_long_are_cut_between_fields(void **state)
{
    (void)state;
    struct composed c;
    struct mox_dsn dsn = example(&bob, 1);
    size_t len = (size_t)200 << 10;
    char *headers = malloc(len);
    assert_non_null(headers);
    for (size_t i = 0; i < len; i += 1024) {
        memset(headers + i, 'x', 1024);
        memcpy(headers + i, "Field: ", 7);
        memcpy(headers + i + 1022, "\r\n", 2);
    }
    dsn.original_headers = slice(headers, len);
    compose(&c, &dsn);
    char *got = body(&c, 2);
    assert_int_equal(strlen(got), 64 << 10);
    assert_memory_equal(got, headers, 64 << 10);
    lines_are_short(c.text);
    free(got);
    free(headers);
    done(&c);
}

static void addresses_longer_than_any_make_no_long_line(void **state)
{
    (void)state;
    struct composed c;
    char plus[2001], quotes[402];
    struct mox_dsn_recipient r = bob;
    memset(plus, '+', sizeof plus - 1);
    memcpy(plus, "\xc3\xb8", 2);
    plus[sizeof plus - 1] = '\0';
    memset(quotes, '"', 390);
    memcpy(quotes + 390, "@b.example", sizeof "@b.example");
    r.address = r.original_address = plus;
    struct mox_dsn dsn = example(&r, 1);
    dsn.to = dsn.from = quotes;
    for (int utf8 = 0; utf8 < 2; utf8++) {
        dsn.smtputf8 = utf8 == 1;
        compose(&c, &dsn);
        lines_are_short(c.text);
        has(c.text, "To: <\"\\\"\\\"");
        done(&c);
    }
}

/* RFC 2045 §6.7. */
static void quoted_printable_has_short_lines_and_comes_back(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", ""},
        {"a b\r\n", "a b\r\n"},
        {"a \r\n\tb\t", "a=20\r\n\tb=09"},
        {"a=b\xc3\xb8", "a=3Db=C3=B8"},
        {"\r\n\r\n\n\r", "\r\n\r\n=0A=0D"},
        {"0123456789012345678901234567890123456789012345678901234567890123456789012345",
         "012345678901234567890123456789012345678901234567890123456789012345678901234=\r\n5"},
        {"01234567890123456789012345678901234567890123456789012345678901234567890123=",
         "01234567890123456789012345678901234567890123456789012345678901234567890123=\r\n=3D"},
    };
    struct test_env t;
    struct buf out;
    test_env_init(&t);
    mox__buf_init(&out, &t.env, 1000);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mox__buf_clear(&out);
        mox__qp_encode(&out, slice_of(rows[i].text));
        mox__buf_byte(&out, '\0');
        assert_string_equal((const char *)out.data, rows[i].want);
    }
    mox__buf_free(&out);
    test_env_done(&t);
}

static void without_recipients_or_memory_there_is_none(void **state)
{
    (void)state;
    struct test_env t;
    char *text;
    size_t len;
    struct mox_dsn dsn = example(NULL, 0);
    test_env_init(&t);
    assert_int_equal(mox_dsn_compose(&dsn, &t.env, &text, &len), MOX_EINVAL);
    dsn = example(&bob, 1);
    assert_int_equal(mox_dsn_compose(&dsn, &t.env, &text, &len), MOX_OK);
    mox_text_free(&t.env, text);
    long allocations = t.allocations;
    assert_true(allocations > 3);
    for (long at = t.allocations = 1; at <= allocations; at++) {
        t.allocations = 0;
        t.fail_at = at;
        assert_int_equal(mox_dsn_compose(&dsn, &t.env, &text, &len), MOX_ENOMEM);
        assert_null(text);
    }
    test_env_done(&t);
}

/* ---- reading ---- */

static void what_was_written_is_read(void **state)
{
    (void)state;
    struct composed c;
    struct mox_dsn_report *got;
    struct mox_dsn_recipient r[2] = {bob, bob};
    r[0].address = "a+" JOERG;
    r[0].original_address = "old@example.com";
    r[1].action = MOX_DSN_DELAYED;
    r[1].remote_mta = "mx2.example.net";
    r[1].will_retry_until_us = 1767423045 * SECONDS;
    for (int utf8 = 0; utf8 < 2; utf8++) {
        struct mox_dsn dsn = example(r, 2);
        dsn.smtputf8 = utf8 == 1;
        dsn.envelope_id = "env 1";
        compose(&c, &dsn);
        assert_int_equal(mox_dsn_parse(&got, &c.t.env, slice(c.text, c.len)), MOX_OK);
        assert_string_equal(got->envelope_id, "env 1");
        assert_string_equal(got->reporting_mta, "mx.example");
        assert_string_equal(got->received_from, "client.example (192.0.2.1)");
        assert_int_equal(got->arrived_us, dsn.arrived_us);
        assert_int_equal(got->recipient_count, 2);
        for (size_t i = 0; i < 2; i++) {
            const struct mox_dsn_recipient *a = &got->recipients[i];
            assert_string_equal(a->address, r[i].address);
            assert_string_equal(a->original_address, r[i].original_address);
            assert_int_equal(a->action, r[i].action);
            assert_string_equal(a->status, r[i].status);
            assert_string_equal(a->diagnostic, r[i].diagnostic);
            assert_string_equal(a->remote_mta, r[i].remote_mta);
            assert_int_equal(a->last_attempt_us, r[i].last_attempt_us);
            assert_int_equal(a->will_retry_until_us, r[i].will_retry_until_us);
        }
        assert_true(got->original_headers.len >= sizeof HEADERS - 3);
        assert_memory_equal(got->original_headers.data, HEADERS, sizeof HEADERS - 3);
        mox_dsn_report_free(got);
        done(&c);
    }
}

static void those_of_others_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        size_t count;
        enum mox_dsn_action action;
        const char *address, *status, *mta, *diagnostic;
        bool headers;
    } rows[] = {
        {"mime/postal-mime/bounce.eml", 1, MOX_DSN_FAILED,
         "htfgvhyufthdgcvhgjyfthgc@ethereal.email", "5.0.0", "mailout.nyi.internal",
         "550 No such user here", true},
        {"mime/flanker/bounce/mailbox-full.eml", 1, MOX_DSN_FAILED, "user@aol.com", "5.2.2",
         "mtain-db01.r1000.mx.aol.com", "552 5.2.2 E4.12 user MAILBOX FULL", true},
        {"mime/flanker/bounce/no-mx.eml", 1, MOX_DSN_DELAYED, "user@example.com", "4.4.4",
         "example.com", "454 4.4.4 [internal] no MX or A for domain", true},
        {"mime/ruby-mail/multipart_report_emails/report_422.eml", 1, MOX_DSN_DELAYED,
         "fraser@oooooooo.com.au", "4.2.2", "mail11.ttttt.com.au",
         "452 4.2.2 <fraser@oooooooo.com.au>... Mailbox full", true},
        {"mime/mimekit/delivery-status-no-blank-line.txt", 1, MOX_DSN_FAILED,
         "newsletter-request@imusic.com", "", "mm1", "500 (err.nosuchuser)", true},
    };
    struct test_env t;
    if (corpus_path("mime") == NULL)
        skip();
    test_env_init(&t);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mox_slice raw = read_file(corpus_path(rows[i].path)), data = with_crlf(raw);
        struct mox_dsn_report *got;
        assert_int_equal(mox_dsn_parse(&got, &t.env, data), MOX_OK);
        assert_int_equal(got->recipient_count, rows[i].count);
        assert_int_equal(got->recipients[0].action, rows[i].action);
        assert_string_equal(got->recipients[0].address, rows[i].address);
        assert_string_equal(got->recipients[0].status, rows[i].status);
        assert_string_equal(got->recipients[0].diagnostic, rows[i].diagnostic);
        assert_string_equal(got->reporting_mta, rows[i].mta);
        assert_int_equal(got->original_headers.len > 0, rows[i].headers);
        mox_dsn_report_free(got);
        free((void *)(uintptr_t)data.data);
        free((void *)(uintptr_t)raw.data);
    }
    test_env_done(&t);
}

static void what_is_no_notification_is_not_read(void **state)
{
    (void)state;
#define REPORT                                                                                     \
    "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\n--b\r\nContent-Type: "           \
    "message/delivery-status\r\n\r\n"
    static const char *const texts[] = {
        "",
        "Subject: hello\r\n\r\nAction: failed\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
        REPORT "--b--\r\n",
        REPORT "Reporting-MTA: dns; a\r\n\r\nAction: failed\r\n\r\n--b--\r\n",
        REPORT "Reporting-MTA: dns; a\r\n\r\nFinal-Recipient: rfc822; a@b\r\nAction: "
               "eaten\r\n\r\n--b--\r\n",
    };
    struct test_env t;
    struct mox_dsn_report *got;
    test_env_init(&t);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(mox_dsn_parse(&got, &t.env, slice_of(texts[i])), MOX_ENOTFOUND);
        assert_null(got);
    }
    test_env_done(&t);
}

static void reading_without_memory_says_so(void **state)
{
    (void)state;
    struct composed c;
    struct mox_dsn_report *got;
    struct mox_dsn dsn = example(&bob, 1);
    compose(&c, &dsn);
    c.t.allocations = 0;
    assert_int_equal(mox_dsn_parse(&got, &c.t.env, slice(c.text, c.len)), MOX_OK);
    mox_dsn_report_free(got);
    long allocations = c.t.allocations;
    for (long at = 1; at <= allocations; at++) {
        c.t.allocations = 0;
        c.t.fail_at = at;
        assert_int_equal(mox_dsn_parse(&got, &c.t.env, slice(c.text, c.len)), MOX_ENOMEM);
        assert_null(got);
    }
    c.t.fail_at = 0;
    done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_is_told_to_people_and_to_programs),
        cmocka_unit_test(each_recipient_has_the_error_that_is_its_own),
        cmocka_unit_test(utf8_is_used_where_it_may_be_and_ascii_does_not_do),
        cmocka_unit_test(without_smtputf8_all_is_ascii_and_nothing_is_lost),
        cmocka_unit_test(what_strangers_wrote_makes_no_lines_and_no_controls),
        cmocka_unit_test(headers_that_are_very_long_are_cut_between_fields),
        cmocka_unit_test(addresses_longer_than_any_make_no_long_line),
        cmocka_unit_test(quoted_printable_has_short_lines_and_comes_back),
        cmocka_unit_test(without_recipients_or_memory_there_is_none),
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(those_of_others_are_read),
        cmocka_unit_test(what_is_no_notification_is_not_read),
        cmocka_unit_test(reading_without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
