/* SPDX-License-Identifier: MIT */

/* Whatever strangers wrote, a delivery status notification has three parts, lines of at most 998 bytes, no
 * controls, each field of ours once, and ASCII alone unless UTF-8 may be. What goes back are whole fields
 * of the message. Input: texts that end in NUL, then headers. */

#include <stdlib.h>

#include <mox/dsn.h>
#include <mox/message.h>

#include "fuzz/input.h"
#include "message/text.h"

#define RECIPIENTS_MAX 3
#define TEXT_MAX       2000

/* Texts as NUL-terminated strings. */
struct texts {
    char memory[4 + 4 * RECIPIENTS_MAX + 3][TEXT_MAX + 1];
    size_t count;
};

static const char *text(struct texts *t, struct input *in)
{
    struct mox_slice s = input_until(in, '\0');
    char *to = t->memory[t->count++];
    size_t len = s.len < TEXT_MAX ? s.len : TEXT_MAX;
    if (len > 0)
        memcpy(to, s.data, len);
    to[len] = '\0';
    return to;
}

static void check_bytes(struct mox_slice s, bool utf8)
{
    size_t column = 0;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.data[i];
        assert(c >= ' ' || c == '\t' || c == '\r' || c == '\n');
        assert(c < 0x7f || (utf8 && c > 0x7f));
        assert((c == '\n') == (i > 0 && s.data[i - 1] == '\r'));
        column = c == '\n' ? 0 : column + 1;
        assert(column <= 999); /* with the CR */
    }
}

static void check_header(struct mox_slice header)
{
    static const char *const names[] = {
        "From",       "To",           "Subject",      "Date",           "Message-Id", "In-Reply-To",
        "References", "MIME-Version", "Content-Type", "Auto-Submitted", NULL};
    struct mox_header_field field;
    unsigned seen = 0;
    for (size_t at = 0; mox_header_next(header, &at, &field);) {
        size_t i = 0;
        while (names[i] != NULL && !mox__slice_is(field.name, names[i]))
            i++;
        assert(names[i] != NULL && (seen & 1u << i) == 0);
        seen |= 1u << i;
    }
}

/* The second part: as many groups of fields as there are recipients, and one. */
static void check_status(struct mox_slice body, size_t recipients)
{
    size_t groups = 0, finals = 0;
    while (body.len > 0) {
        struct mox_header_field field;
        size_t at = 0;
        while (mox_header_next(body, &at, &field)) {
            assert(field.name.len > 0);
            finals += mox__slice_is(field.name, "Final-Recipient");
        }
        groups++;
        body = slice_from(body, at);
        if (body.len > 2)
            body = slice_from(body, 2);
    }
    assert(groups == recipients + 1 && finals == recipients);
}

static int collect(void *user, struct mox_slice piece)
{
    mox__buf_slice(user, piece);
    return MOX_OK;
}

static void put_without_line_ends(struct buf *out, struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] != '\r' && s.data[i] != '\n')
            mox__buf_byte(out, s.data[i]);
}

static void same_but_for_line_ends(const struct mox_env *env, struct mox_slice a,
                                   struct mox_slice b)
{
    struct buf x, y;
    mox__buf_init(&x, env, SIZE_MAX / 2);
    mox__buf_init(&y, env, SIZE_MAX / 2);
    put_without_line_ends(&x, a);
    put_without_line_ends(&y, b);
    assert_same(buf_bytes(&x), buf_bytes(&y));
    mox__buf_free(&x);
    mox__buf_free(&y);
}

/* The third: each field as it was, but for its line ends. */
static void check_original(const struct mox_env *env, const struct mox_part *part,
                           struct mox_slice content, struct mox_slice headers)
{
    struct buf body;
    struct mox_header_field got, want;
    size_t at = 0, from = 0;
    mox__buf_init(&body, env, SIZE_MAX / 2);
    assert(mox__part_decode(part, content, collect, &body) == MOX_OK);
    while (mox_header_next(buf_bytes(&body), &at, &got)) {
        assert(mox_header_next(headers, &from, &want));
        assert_same(got.name, want.name);
        same_but_for_line_ends(env, got.value, want.value);
    }
    mox__buf_free(&body);
}

static void check(const struct mox_env *env, const struct mox_dsn *dsn, struct mox_slice content)
{
    struct mox_message *m;
    assert(mox_message_parse(&m, env, content) == MOX_OK);
    const struct mox_part *root = mox_message_root(m), *part = root->children;
    check_bytes(content, dsn->smtputf8);
    check_header(mox_part_header(root, content));
    assert(root->child_count == 3 && part->kind == MOX_PART_LEAF);
    part = part->next;
    check_status(mox_part_body(part, content), dsn->recipient_count);
    check_original(env, part->next, content, dsn->original_headers);
    mox_message_free(m);
}

/* It is read again, unless no recipient has an address. */
static void check_read(const struct mox_env *env, const struct mox_dsn *dsn,
                       struct mox_slice content)
{
    struct mox_dsn_report *r;
    int rc = mox_dsn_parse(&r, env, content);
    assert(rc == MOX_OK || rc == MOX_ENOTFOUND);
    for (size_t i = 0; rc == MOX_OK && i < r->recipient_count; i++) {
        assert(r->recipient_count <= dsn->recipient_count);
        assert(strpbrk(r->recipients[i].address, "\r\n") == NULL);
        assert(mox__slice_is_utf8(slice_of(r->recipients[i].address)));
        assert(mox__slice_is_ascii(slice_of(r->recipients[i].diagnostic)));
    }
    mox_dsn_report_free(r);
}

/* Any bytes as the status of a notification. */
static void check_any(const struct mox_env *env, struct mox_slice bytes)
{
    struct mox_dsn_report *r;
    struct buf text;
    mox__buf_init(&text, env, bytes.len + 200);
    mox__buf_text(&text, "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n"
                         "Content-Type: message/delivery-status\r\n\r\n");
    mox__buf_slice(&text, bytes);
    int rc = mox_dsn_parse(&r, env, buf_bytes(&text));
    assert(rc == MOX_OK ? r->recipient_count > 0 : rc == MOX_ENOTFOUND && r == NULL);
    mox_dsn_report_free(r);
    mox__buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct texts *t = calloc(1, sizeof *t);
    struct input in = {{data, len}};
    struct mox_dsn_recipient r[RECIPIENTS_MAX];
    char *out;
    size_t out_len;
    assert(t != NULL);
    mox_env_system(&env);
    struct mox_dsn dsn = {.size = sizeof dsn, .recipients = r, .arrived_us = 1, .now_us = 2};
    dsn.smtputf8 = input_below(&in, 2) == 1;
    dsn.recipient_count = input_below(&in, RECIPIENTS_MAX) + 1u;
    dsn.from = text(t, &in);
    dsn.to = text(t, &in);
    dsn.subject = text(t, &in);
    dsn.message_id = text(t, &in);
    dsn.reporting_mta = "mx.example";
    dsn.received_from = text(t, &in);
    dsn.envelope_id = text(t, &in);
    for (size_t i = 0; i < dsn.recipient_count; i++)
        r[i] = (struct mox_dsn_recipient){.action = (enum mox_dsn_action)input_below(&in, 5),
                                          .address = text(t, &in),
                                          .original_address = i == 2 ? "" : text(t, &in),
                                          .status = i == 2 ? "5.1.1" : text(t, &in),
                                          .diagnostic = text(t, &in),
                                          .remote_mta = i == 2 ? "" : text(t, &in),
                                          .last_attempt_us = 1,
                                          .will_retry_until_us = 1};
    dsn.original_headers = in.rest;
    assert(mox_dsn_compose(&dsn, &env, &out, &out_len) == MOX_OK);
    check(&env, &dsn, slice(out, out_len));
    check_read(&env, &dsn, slice(out, out_len));
    check_any(&env, slice(data, len));
    mox_text_free(&env, out);
    free(t);
    return 0;
}
