/* SPDX-License-Identifier: MIT */

/* However the pieces of a submission are cut, what is kept is what a look at the whole keeps: all but
 * the fields Bcc and Resent-Bcc. What passes has one From, and with the lines that are added one date
 * and one message-id at least. Input: settings, the size of a piece, then the message. */

#include <mox/header.h>
#include <mox/message.h>
#include <mox/submission.h>

#include "delivery/bcc.h"
#include "fuzz/input.h"
#include "support/testenv.h"

#define MESSAGE_MAX 65536

static bool is_bcc_name(struct mox_slice name)
{
    name = mox__slice_trim(name);
    return mox__slice_is_nocase(name, "bcc") || mox__slice_is_nocase(name, "resent-bcc");
}

/* bcc.h says what a name with much white space behind it is. */
static bool is_bcc(const struct mox_header_field *field)
{
    struct mox_slice start = field->raw;
    if (start.len > BCC_HELD_MAX)
        start.len = BCC_HELD_MAX;
    if (memchr(start.data, ':', start.len) != NULL)
        return is_bcc_name(field->name);
    return start.len == BCC_HELD_MAX && memchr(start.data, '\n', start.len) == NULL &&
           start.data[0] != ' ' && start.data[0] != '\t' && is_bcc_name(start);
}

static void keep_naively(struct mox_slice message, struct buf *out)
{
    struct mox_header_field field;
    size_t at = 0;
    while (mox_header_next(message, &at, &field))
        if (!is_bcc(&field))
            mox__buf_slice(out, field.raw);
    mox__buf_slice(out, slice_from(message, at));
    assert(!out->failed);
}

static unsigned count(struct mox_slice headers, const char *name)
{
    struct mox_header_field field;
    unsigned n = 0;
    for (size_t at = 0; mox_header_next(headers, &at, &field);)
        n += mox__slice_is_nocase(field.name, name);
    return n;
}

static void check_lines(struct mox_slice lines, struct mox_slice kept)
{
    static const char *const names[] = {"Message-Id", "Date"};
    size_t at = 0;
    struct mox_header_field field;
    for (size_t i = 0; i < 2; i++)
        assert(count(lines, names[i]) == (count(kept, names[i]) == 0));
    while (mox_header_next(lines, &at, &field))
        assert(field.name.len > 0 && field.value.len < 200);
    assert(at == lines.len);
}

static void check_result(const struct test_env *t, const struct mox_submission_result *r,
                         struct mox_slice kept)
{
    struct mox_message *m = NULL;
    assert(r->outcome == MOX_SUBMISSION_OK && count(kept, "From") == 1);
    check_lines(r->lines, kept);
    for (size_t i = 0; i < r->extra_count; i++)
        for (size_t k = 0; k < i; k++)
            assert(!mox__slice_eq_nocase(r->extras[i].key, r->extras[k].key));
    assert(mox_message_parse(&m, &t->env, kept) == MOX_OK);
    mox_message_free(m);
}

static void check_refusal(const struct mox_submission_result *r, const struct mox_smtp_reply *reply)
{
    assert(r->outcome > MOX_SUBMISSION_OK && r->outcome < MOX_SUBMISSION_MESSAGE_LIMIT);
    assert(reply->code >= 400 && reply->text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct test_env t;
    struct input in = {{data, len}};
    struct mox_spool *spool = NULL;
    struct mox_submission *s = NULL;
    struct mox_submission_rules rules = {.size = sizeof rules};
    struct mox_smtp_envelope e = {.hostname = "mx.example", .mail_from = {.localpart = "a"}};
    struct mox_smtp_reply reply = {.code = 0};
    struct mox_slice kept;
    struct buf expected;
    unsigned settings = input_byte(&in);
    size_t step = 1u + input_byte(&in);
    struct mox_slice message = input_bytes(&in, MESSAGE_MAX);
    rules.pedantic = (settings & 1) != 0;
    e.smtputf8 = (settings & 2) != 0;
    e.requiretls = (settings & 4) != 0;
    e.has_8bit = !mox__slice_is_ascii(message);
    test_env_init(&t);
    mox__buf_init(&expected, &t.env, MESSAGE_MAX);
    keep_naively(message, &expected);
    assert(mox_spool_new(&spool, &t.env, NULL, MESSAGE_MAX) == MOX_OK);
    assert(mox_submission_new(&s, &t.env, spool) == MOX_OK);
    while (message.len > 0) {
        size_t n = message.len < step ? message.len : step;
        assert(mox_submission_write(s, slice(message.data, n)) == MOX_OK);
        message = slice_from(message, n);
    }
    int rc = mox_submission_check(s, &e, &rules, &reply);
    assert(mox_spool_bytes(spool, &kept) == MOX_OK);
    assert_same(kept, buf_bytes(&expected));
    if (rc == MOX_OK)
        check_result(&t, mox_submission_result(s), kept);
    else
        check_refusal(mox_submission_result(s), &reply);
    mox_submission_free(s);
    mox_spool_free(spool);
    mox__buf_free(&expected);
    test_env_done(&t);
    return 0;
}
