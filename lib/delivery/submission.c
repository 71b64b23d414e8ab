/* SPDX-License-Identifier: MIT */
#include <mox/submission.h>

#include <mox/address.h>
#include <mox/date.h>
#include <mox/dns.h>
#include <mox/header.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/text.h"
#include "delivery/bcc.h"

/* The lines of ours: a Message-Id with a host name, and a date. */
#define LINES_MAX 1024

static const char extra_prefix[] = "X-Mox-Extra-";

/* What its header says. */
struct seen {
    struct mox_slice from;
    unsigned from_count;
    bool message_id, date, return_path;
    unsigned tls_fields, tls_no; /* TLS-Required, and how many of them say `no` */
};

struct mox_submission {
    struct mox_env env;
    struct mox_spool *spool;
    struct bcc_filter bcc;
    struct buf lines;
    struct mox_submission_extra *extras; /* MOX_SUBMISSION_EXTRAS_MAX, once there is one */
    char *from_localpart, *from_domain;
    struct mox_submission_result result;
};

int mox_submission_new(struct mox_submission **out, const struct mox_env *env,
                       struct mox_spool *spool)
{
    struct mox_submission *s = *out = mem_new(env, struct mox_submission, 1);
    if (s == NULL)
        return MOX_ENOMEM;
    s->env = *env;
    s->spool = spool;
    mox__buf_init(&s->lines, &s->env, LINES_MAX);
    return MOX_OK;
}

void mox_submission_free(struct mox_submission *s)
{
    if (s == NULL)
        return;
    const struct mox_env env = s->env;
    mox__buf_free(&s->lines);
    mox__mem_free(&env, s->extras);
    mox__mem_free(&env, s->from_localpart);
    mox__mem_free(&env, s->from_domain);
    mox__mem_free(&env, s);
}

/* ---- writing ---- */

static int keep(void *user, struct mox_slice bytes)
{
    return mox_spool_write(user, bytes);
}

int mox_submission_write(struct mox_submission *s, struct mox_slice piece)
{
    return mox__bcc_filter(&s->bcc, piece, keep, s->spool);
}

bool mox_submission_write_waits(const struct mox_submission *s, size_t len)
{
    return mox_spool_write_waits(s->spool, len + s->bcc.held_len);
}

/* ---- looking ---- */

const char *mox_submission_word(enum mox_submission_outcome outcome)
{
    static const char *const words[] = {
        [MOX_SUBMISSION_OK] = "ok",
        [MOX_SUBMISSION_BAD_MESSAGE] = "badmessage",
        [MOX_SUBMISSION_BAD_FROM] = "badfrom",
        [MOX_SUBMISSION_BAD_HEADER] = "badheader",
        [MOX_SUBMISSION_MISSING_SMTPUTF8] = "missingsmtputf8",
        [MOX_SUBMISSION_MESSAGE_LIMIT] = "messagelimiterror",
        [MOX_SUBMISSION_RECIPIENT_LIMIT] = "recipientlimiterror",
        [MOX_SUBMISSION_LOCALSERVE] = "localserveerror",
        [MOX_SUBMISSION_QUEUE] = "queueerror",
    };
    return words[outcome];
}

static int refuse(struct mox_submission *s, enum mox_submission_outcome outcome,
                  struct mox_smtp_reply *reply, int code, const char *enhanced, const char *text)
{
    s->result.outcome = outcome;
    mox_smtp_reply_set(reply, code, enhanced, "%s", text);
    return MOX_EREFUSED;
}

static bool has_extra(const struct mox_submission *s, struct mox_slice key)
{
    for (size_t i = 0; i < s->result.extra_count; i++)
        if (mox__slice_eq_nocase(s->extras[i].key, key))
            return true;
    return false;
}

static int take_extra(struct mox_submission *s, const struct mox_header_field *field,
                      struct mox_smtp_reply *reply)
{
    struct mox_slice key = slice_from(field->name, sizeof extra_prefix - 1);
    if (s->extras == NULL)
        s->result.extras = s->extras =
            mem_new(&s->env, struct mox_submission_extra, MOX_SUBMISSION_EXTRAS_MAX);
    if (s->extras == NULL)
        return MOX_ENOMEM;
    if (has_extra(s, key))
        return refuse(s, MOX_SUBMISSION_BAD_HEADER, reply, 554, "5.6.0",
                      "an X-Mox-Extra field is there twice; give each a key of its own");
    if (s->result.extra_count == MOX_SUBMISSION_EXTRAS_MAX)
        return refuse(s, MOX_SUBMISSION_BAD_HEADER, reply, 554, "5.6.0",
                      "more than 100 X-Mox-Extra fields");
    s->extras[s->result.extra_count++] =
        (struct mox_submission_extra){key, mox__slice_trim(field->value)};
    return MOX_OK;
}

static void look_at(struct seen *seen, const struct mox_header_field *field)
{
    if (mox__slice_is_nocase(field->name, "From")) {
        seen->from = field->value;
        seen->from_count++;
    } else if (mox__slice_is_nocase(field->name, "TLS-Required")) {
        seen->tls_fields++;
        seen->tls_no += mox__slice_is_nocase(mox__slice_trim(field->value), "no");
    }
    seen->message_id |= mox__slice_is_nocase(field->name, "Message-Id");
    seen->date |= mox__slice_is_nocase(field->name, "Date");
    seen->return_path |= mox__slice_is_nocase(field->name, "Return-Path");
}

/* ---- From ---- */

/* The one address of From, which is `list`'s, or NULL. */
static const struct mox_address *only_address(const struct mox_address_list *list)
{
    const struct mox_address *a =
        mox_address_list_count(list) == 1 ? mox_address_list_at(list, 0) : NULL;
    return a != NULL && a->kind == MOX_ADDRESS_MAILBOX ? a : NULL;
}

static int keep_from(struct mox_submission *s, const struct mox_address *from,
                     const struct mox_domain *domain)
{
    mox__mem_free(&s->env, s->from_localpart);
    mox__mem_free(&s->env, s->from_domain);
    s->from_localpart = mox__strndup(&s->env, (const char *)from->mailbox.data, from->mailbox.len);
    s->from_domain = mox__strndup(&s->env, domain->ascii, strlen(domain->ascii));
    s->result.from_localpart = s->from_localpart;
    s->result.from_domain = s->from_domain;
    return s->from_localpart == NULL || s->from_domain == NULL ? MOX_ENOMEM : MOX_OK;
}

static int check_sender(struct mox_submission *s, const struct mox_address *from,
                        const struct mox_domain *domain, const struct mox_submission_rules *rules,
                        struct mox_smtp_reply *reply)
{
    mox_smtp_reply_set(reply, 550, "5.7.1", "the address in From is not one of your account's");
    int rc = rules->sender == NULL
                 ? MOX_OK
                 : rules->sender(rules->user, from->mailbox, domain->ascii, reply);
    if (rc < 0) {
        s->result.outcome = MOX_SUBMISSION_BAD_FROM;
        return rc;
    }
    return keep_from(s, from, domain);
}

static int check_address(struct mox_submission *s, const struct mox_address_list *list,
                         const struct mox_submission_rules *rules, struct mox_smtp_reply *reply)
{
    struct mox_domain domain;
    const struct mox_address *from = only_address(list);
    if (from == NULL)
        return refuse(s, MOX_SUBMISSION_BAD_MESSAGE, reply, 550, "5.6.0",
                      "From must have exactly one address");
    int rc = mox_domain_parse(&domain, from->host, rules->pedantic ? 0u : MOX_DOMAIN_UNDERSCORES);
    if (rc == MOX_ENOMEM)
        return rc;
    if (rc < 0)
        return refuse(s, MOX_SUBMISSION_BAD_MESSAGE, reply, 550, "5.6.0",
                      "the address in From needs a valid domain: write user@domain");
    return check_sender(s, from, &domain, rules, reply);
}

/* RFC 5322 §3.6: exactly one From. Several would let readers show one and checks look at another. */
static int check_from(struct mox_submission *s, const struct seen *seen,
                      const struct mox_submission_rules *rules, struct mox_smtp_reply *reply)
{
    if (seen->from_count != 1)
        return refuse(s, MOX_SUBMISSION_BAD_MESSAGE, reply, 550, "5.6.0",
                      "the message must have exactly one From field");
    struct mox_address_list *list = NULL;
    int rc = mox_address_list_parse(&list, &s->env, seen->from);
    if (rc == MOX_OK)
        rc = check_address(s, list, rules, reply);
    mox_address_list_free(list);
    return rc;
}

/* ---- the rest ---- */

/* RFC 6409 §8.2, §8.3: what a message must have (RFC 5322 §3.6), and clients leave to us. */
static int add_lines(struct mox_submission *s, const struct seen *seen, const char *hostname)
{
    if (!seen->message_id) {
        uint8_t random[16];
        s->env.random(s->env.user, random, sizeof random);
        mox__buf_text(&s->lines, "Message-Id: <");
        mox__base64url_encode(&s->lines, slice(random, sizeof random));
        mox__buf_printf(&s->lines, "@%s>\r\n", hostname);
    }
    if (!seen->date) {
        char date[MOX_DATE_MAX];
        mox_date_format(s->env.wall_us(s->env.user) / 1000000, 0, date);
        mox__buf_printf(&s->lines, "Date: %s\r\n", date);
    }
    s->result.lines = slice(s->lines.data, s->lines.len);
    return s->lines.failed ? MOX_ENOMEM : MOX_OK;
}

static int check_utf8(struct mox_submission *s, const struct mox_smtp_envelope *e,
                      struct mox_slice content, bool pedantic, struct mox_smtp_reply *reply)
{
    int rc = mox_smtputf8_needed(&s->env, e, content, &s->result.smtputf8);
    if (rc == MOX_OK && pedantic && s->result.smtputf8 && !e->smtputf8)
        return refuse(s, MOX_SUBMISSION_MISSING_SMTPUTF8, reply, 550, "5.6.0",
                      "addresses or header fields beyond ASCII need SMTPUTF8 at MAIL");
    return rc;
}

static void read_header(struct mox_slice content, struct seen *seen)
{
    struct mox_header_field field;
    for (size_t at = 0; mox_header_next(content, &at, &field);)
        look_at(seen, &field);
}

static int take_extras(struct mox_submission *s, struct mox_slice content,
                       struct mox_smtp_reply *reply)
{
    struct mox_header_field field;
    int rc = MOX_OK;
    for (size_t at = 0; rc == MOX_OK && mox_header_next(content, &at, &field);)
        if (mox__slice_starts_nocase(field.name, extra_prefix))
            rc = take_extra(s, &field, reply);
    return rc;
}

static int check_header(struct mox_submission *s, const struct mox_smtp_envelope *e,
                        struct mox_slice content, const struct mox_submission_rules *rules,
                        struct mox_smtp_reply *reply)
{
    struct seen seen = {.from_count = 0};
    read_header(content, &seen);
    int rc = check_from(s, &seen, rules, reply);
    if (rc < 0)
        return rc;
    if (seen.return_path && rules->pedantic)
        return refuse(s, MOX_SUBMISSION_BAD_HEADER, reply, 550, "5.6.0",
                      "a message that is submitted has no Return-Path yet");
    s->result.tls_optional =
        !e->requiretls && seen.tls_fields > 0 && seen.tls_no == seen.tls_fields;
    rc = take_extras(s, content, reply);
    return rc < 0 ? rc : add_lines(s, &seen, e->hostname);
}

int mox_submission_check(struct mox_submission *s, const struct mox_smtp_envelope *envelope,
                         const struct mox_submission_rules *rules, struct mox_smtp_reply *reply)
{
    struct mox_slice content;
    int rc = mox__bcc_end(&s->bcc, keep, s->spool);
    if (rc == MOX_OK)
        rc = mox_spool_bytes(s->spool, &content);
    if (rc == MOX_OK)
        rc = check_utf8(s, envelope, content, rules->pedantic, reply);
    if (rc == MOX_OK)
        rc = check_header(s, envelope, content, rules, reply);
    if (rc < 0 && s->result.outcome == MOX_SUBMISSION_OK)
        s->result.outcome = MOX_SUBMISSION_QUEUE;
    return rc;
}

const struct mox_submission_result *mox_submission_result(const struct mox_submission *s)
{
    return &s->result;
}
