/* SPDX-License-Identifier: MIT */
#include "delivery/world.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "delivery/handed_over.h"
#include "delivery/judged.h"
#include "delivery/pasts.h"
#include "support/cm.h"

#define DAY_US (INT64_C(86400) * 1000000)
#define WORDS  12 /* of a message's text */

/* ---- the account ---- */

/* As new accounts are configured. */
static int meaning(void *user, const char *mailbox)
{
    static const char *const neutral[] = {"Inbox", "Rejects", "Introbox"};
    (void)user;
    if (strcmp(mailbox, "Junk") == 0)
        return MOX_JUNK_IS_JUNK;
    for (size_t i = 0; i < sizeof neutral / sizeof neutral[0]; i++)
        if (strcmp(mailbox, neutral[i]) == 0)
            return MOX_JUNK_NEUTRAL;
    return MOX_JUNK_IS_NOTJUNK;
}

void world_begin(struct world *w)
{
    struct mox_error err;
    memset(w, 0, sizeof *w);
    storefix_init_fast(&w->f);
    mox_junk_params_init(&w->junk);
    const struct mox_account_config config = {
        .size = sizeof config, .junk_flags = meaning, .junk = &w->junk};
    if (mox_store_open(&w->f.store, &w->f.t.env, w->f.dir, &err) < 0 ||
        mox_account_open(&w->f.account, w->f.store, "mjl", MOX_ACCOUNT_CREATE, &config, &err) < 0)
        fail_msg("%s", err.text);
    w->f.mail = mox_account_mailstore(w->f.account);
    w->begin_us = w->f.t.wall_us;
    mox_judge_recipient_init(&w->recipient);
    w->recipient.account = w->f.account;
    w->recipient.localpart = "mjl";
    w->recipient.domain = "mail.example";
    w->recipient.address = "mjl@mail.example";
    w->recipient.has_junk_filter = true;
    w->recipient.threshold = 0.95;
}

void world_end(struct world *w)
{
    mox_rulesets_free(w->rules);
    storefix_stop(&w->f);
    storefix_verify(&w->f);
    storefix_done(&w->f);
}

void world_day(struct world *w, int day)
{
    test_env_advance(&w->f.t, w->begin_us + day * DAY_US - w->f.t.wall_us);
}

/* ---- messages ---- */

static const char *word(enum world_text text, unsigned n)
{
    static const char *const words[][20] = {
        [WORLD_HAM] = {"meeting", "minutes", "budget",    "release", "tomorrow",
                       "garden",  "lunch",   "draft",     "review",  "patch",
                       "holiday", "train",   "library",   "teacher", "bicycle",
                       "recipe",  "window",  "neighbour", "concert", "invoice"},
        [WORLD_JUNK] = {"winner",  "casino",     "pills",     "lottery", "replica",
                        "cheap",   "guaranteed", "million",   "urgent",  "inherit",
                        "crypto",  "bonus",      "refinance", "miracle", "weight",
                        "singles", "unlock",     "discount",  "viagra",  "jackpot"},
    };
    return words[text][n % 20];
}

/* The same in every run, and no two alike. */
static void put_words(char *out, size_t size, enum world_text text, unsigned seed)
{
    size_t n = 0;
    for (unsigned i = 0; i < WORDS && n < size; i++) {
        seed = seed * 1103515245 + 12345;
        n += (size_t)snprintf(out + n, size - n, "%s%s", i == 0 ? "" : " ", word(text, seed >> 16));
    }
}

static void compose(char *out, size_t size, const struct world *w, unsigned number,
                    const char *from, const char *to, enum world_text text)
{
    char words[300];
    put_words(words, sizeof words, text, number);
    (void)snprintf(out, size,
                   "From: <%s>\r\nTo: <%s>\r\nSubject: %s\r\nMessage-ID: <%u@%s>\r\n%s\r\n%s\r\n",
                   from, to, w->subject, number, strchr(from, '@') + 1,
                   w->is_list ? "List-Id: <talk.list.example>\r\n" : "", words);
}

/* Each '*' becomes the number. */
static void number_in(char *out, size_t size, const char *text, unsigned number)
{
    struct buf b = buf_over(out, size);
    for (; *text != '\0'; text++)
        if (*text == '*')
            mox__buf_uint(&b, number);
        else
            mox__buf_byte(&b, (uint8_t)*text);
    mox__buf_byte(&b, '\0');
    assert_false(b.failed);
}

static struct mox_spool *spool_of(struct world *w, const char *content)
{
    struct mox_spool *spool = NULL;
    const char *dir = w->f.mail.ops->spool_dir(w->f.mail.self);
    assert_int_equal(mox_spool_new(&spool, &w->f.t.env, dir, UINT64_MAX), MOX_OK);
    assert_int_equal(mox_spool_write(spool, slice_of(content)), MOX_OK);
    return spool;
}

static void append(struct world *w, const char *mailbox, const char *content)
{
    struct mox_append op = {.mailbox_name = mailbox, .spool = spool_of(w, content)};
    if (wait_append(&w->f, &op) < 0)
        fail_msg("%s", op.write.error.text);
    mox_spool_free(op.spool);
}

/* ---- a message comes ---- */

/* One message on its way. */
struct coming {
    struct judged j;       /* its checks */
    struct world_sender s; /* with numbers for each '*' */
    char from_localpart[64], mail_localpart[64];
    const char *from_domain, *mail_domain;
};

static const char *split(const char *address, char localpart[64])
{
    size_t n = strcspn(address, "@");
    (void)snprintf(localpart, 64, "%.*s", (int)n, address);
    return address[n] == '\0' ? "" : address + n + 1;
}

static enum mox_validation of_spf(enum mox_spf_result r)
{
    return r == MOX_SPF_PASS       ? MOX_VALIDATION_PASS
           : r == MOX_SPF_FAIL     ? MOX_VALIDATION_FAIL
           : r == MOX_SPF_SOFTFAIL ? MOX_VALIDATION_SOFTFAIL
                                   : MOX_VALIDATION_NONE;
}

static void number_all(struct coming *c, const struct world_sender *s, unsigned n)
{
    c->s = *s;
    number_in(c->s.from, sizeof c->s.from, s->from, n);
    number_in(c->s.mail_from, sizeof c->s.mail_from, s->mail_from, n);
    number_in(c->s.dkim, sizeof c->s.dkim, s->dkim, n);
    number_in(c->s.ip, sizeof c->s.ip, s->ip, n % 50);
    c->from_domain = split(c->s.from, c->from_localpart);
    c->mail_domain = split(c->s.mail_from, c->mail_localpart);
}

/* What the checks would have said. */
static void check(struct coming *c, const struct world_sender *sender, unsigned n)
{
    struct judged *j = &c->j;
    judged_stranger(j);
    number_all(c, sender, n);
    const bool by_ehlo = c->mail_domain[0] == '\0';
    j->iprev.status = c->s.no_reverse_name ? MOX_IPREV_PERMERROR : MOX_IPREV_PASS;
    j->spf.result = c->s.spf;
    j->spf.identity = by_ehlo ? MOX_SPF_IDENTITY_HELO : MOX_SPF_IDENTITY_MAILFROM;
    (void)snprintf(j->spf.domain, sizeof j->spf.domain, "%s", by_ehlo ? c->s.ehlo : c->mail_domain);
    j->checks.mail_from = by_ehlo ? MOX_VALIDATION_UNKNOWN : of_spf(c->s.spf);
    j->checks.helo = by_ehlo ? of_spf(c->s.spf) : MOX_VALIDATION_UNKNOWN;
    j->dmarc.status = c->s.dmarc;
    j->dmarc.policy = c->s.policy;
    j->dmarc.disposition = c->s.dmarc == MOX_DMARC_FAIL ? c->s.policy : MOX_DMARC_POLICY_NONE;
    j->checks.from_localpart = c->from_localpart;
    j->checks.from_domain = c->from_domain;
    j->checks.from_org_domain = past_org_domain(c->from_domain);
    if (c->s.dkim[0] != '\0')
        j->dkim_domains[j->checks.dkim_domain_count++] = c->s.dkim;
    if (strcmp(c->s.dkim, c->from_domain) == 0 ||
        (c->s.spf == MOX_SPF_PASS && strcmp(j->spf.domain, c->from_domain) == 0))
        j->checks.from = MOX_VALIDATION_STRICT;
}

static void store(struct world *w, const struct coming *c, const struct mox_judgement *v,
                  const char *content, struct world_result *r)
{
    const struct handed_over h = {.checks = &c->j.checks,
                                  .remote_ip = c->s.ip,
                                  .ehlo_domain = c->s.ehlo,
                                  .mail_from = {.address = c->s.mail_from,
                                                .localpart = c->mail_localpart,
                                                .domain = c->mail_domain,
                                                .domain_unicode = c->mail_domain},
                                  .spool = spool_of(w, content)};
    (void)snprintf(r->mailbox, sizeof r->mailbox, "%s", handed_over_to(v));
    if (w->uid_count > 0 && strcmp(w->mailbox, r->mailbox) != 0)
        world_forget(w);
    memcpy(w->mailbox, r->mailbox, sizeof w->mailbox);
    assert_true(w->uid_count < WORLD_LAST_MAX);
    const uint32_t uid = hand_over(w, &h, v);
    if (uid != 0)
        w->uids[w->uid_count++] = uid;
    mox_spool_free(h.spool);
}

static void judge(struct world *w, const struct coming *c, const char *content,
                  struct world_result *r)
{
    struct mox_judge_message m;
    struct mox_judge *judge;
    struct mox_error err;
    char *header;
    mox_judge_message_init(&m);
    m.checks = &c->j.checks;
    m.ip = c->s.ip;
    m.ehlo_domain = c->s.ehlo;
    m.mail_from = c->s.mail_from;
    m.mail_from_localpart = c->mail_localpart;
    m.mail_from_domain = c->mail_domain;
    m.tls = !c->s.no_tls;
    m.content = slice_of(content);
    m.now_us = w->f.t.wall_us;
    assert_int_equal(mox_judge_new(&judge, &w->f.t.env, &m, &w->recipient), MOX_OK);
    int rc = mox_judge_run(judge, &err);
    if (rc == MOX_NEED_DNS) {
        mox_judge_set_dnsbl(judge, c->s.listed ? MOX_FACT_FOUND : MOX_FACT_ABSENT, "bl.example");
        rc = mox_judge_run(judge, &err);
    }
    assert_int_equal(rc, MOX_OK);
    const struct mox_judgement *v = mox_judge_judgement(judge);
    r->accepted = v->analysis->accept;
    r->code = v->analysis->code;
    r->waits = v->first_time;
    (void)snprintf(r->word, sizeof r->word, "%s", v->analysis->word);
    (void)snprintf(r->reply, sizeof r->reply, "%s", v->reply);
    assert_int_equal(mox_analysis_header(v->analysis, &w->f.t.env, &header), MOX_OK);
    (void)snprintf(r->header, sizeof r->header, "%s", header);
    mox_text_free(&w->f.t.env, header);
    store(w, c, v, content, r);
    mox_judge_free(judge);
}

static struct world_result send_now(struct world *w, const struct world_sender *sender,
                                    enum world_text text)
{
    struct world_result r = {.accepted = false};
    struct coming c;
    char content[1000];
    check(&c, sender, w->number);
    w->is_list = sender->is_list;
    compose(content, sizeof content, w, w->number, c.s.from,
            sender->not_addressed ? "undisclosed@list.example" : "mjl@mail.example", text);
    w->is_list = false;
    judge(w, &c, content, &r);
    const char *token = strstr(r.reply, "(pass:");
    (void)snprintf(w->token, sizeof w->token, "%s", token == NULL ? "" : token);
    return r;
}

struct world_result world_send(struct world *w, const struct world_sender *sender,
                               enum world_text text)
{
    w->number = ++w->messages;
    put_words(w->subject, 40, text, w->number + 1000);
    return send_now(w, sender, text);
}

struct world_result world_send_again(struct world *w, const struct world_sender *sender,
                                     enum world_text text, bool with_token)
{
    size_t n = strlen(w->subject);
    if (with_token)
        (void)snprintf(w->subject + n, sizeof w->subject - n, " %s", w->token);
    return send_now(w, sender, text);
}

/* ---- the user ---- */

void world_import(struct world *w, const char *mailbox, enum world_text text, unsigned count)
{
    char content[1000];
    for (unsigned i = 0; i < count; i++) {
        put_words(w->subject, 40, text, ++w->messages + 1000);
        compose(content, sizeof content, w, w->messages, "somebody@past.example",
                "mjl@mail.example", text);
        append(w, mailbox, content);
    }
}

void world_write_to(struct world *w, const char *address)
{
    char content[1000];
    w->messages++;
    compose(content, sizeof content, w, w->messages, "mjl@mail.example", address, WORLD_HAM);
    append(w, "Sent", content);
}

static void make_mailbox(struct world *w, const char *name)
{
    struct mox_mailbox_change op = {.kind = MOX_MAILBOX_CREATE, .name = name};
    int rc = wait_change(&w->f, &op);
    assert_true(rc == MOX_OK || rc == MOX_EEXISTS);
}

/* Their UIDs ascend: one range each. */
static size_t ranges_of(const struct world *w, struct mox_uid_range *out)
{
    for (size_t i = 0; i < w->uid_count; i++)
        out[i] = (struct mox_uid_range){w->uids[i], w->uids[i]};
    return w->uid_count;
}

void world_move(struct world *w, const char *mailbox)
{
    struct mox_uid_range ranges[WORLD_LAST_MAX];
    make_mailbox(w, mailbox);
    struct mox_copy op = {.mailbox = box_id(&w->f, w->mailbox),
                          .destination = box_id(&w->f, mailbox),
                          .ranges = ranges,
                          .range_count = ranges_of(w, ranges),
                          .move = true};
    assert_int_equal(wait_copy(&w->f, &op), MOX_OK);
    assert_int_equal(op.count, w->uid_count);
    for (size_t i = 0; i < w->uid_count; i++)
        w->uids[i] = op.first_uid + (uint32_t)i;
    (void)snprintf(w->mailbox, sizeof w->mailbox, "%s", mailbox);
    mox_copy_free(&op);
}

void world_mark(struct world *w, uint32_t flags)
{
    struct mox_uid_range ranges[WORLD_LAST_MAX];
    struct mox_set_flags op = {.mailbox = box_id(&w->f, w->mailbox),
                               .ranges = ranges,
                               .range_count = ranges_of(w, ranges),
                               .mode = MOX_FLAGS_ADD,
                               .flags = flags};
    assert_int_equal(wait_set_flags(&w->f, &op), MOX_OK);
}

void world_remove(struct world *w)
{
    struct mox_uid_range ranges[WORLD_LAST_MAX];
    struct mox_expunge op = {.mailbox = box_id(&w->f, w->mailbox),
                             .ranges = ranges,
                             .range_count = ranges_of(w, ranges)};
    assert_int_equal(wait_expunge(&w->f, &op), MOX_OK);
    world_forget(w);
}

void world_forget(struct world *w)
{
    w->uid_count = 0;
}

unsigned world_count(struct world *w, const char *mailbox)
{
    struct mox_mailbox_status status;
    make_mailbox(w, mailbox);
    const uint64_t id = box_id(&w->f, mailbox);
    assert_int_equal(w->f.mail.ops->status(w->f.mail.self, id, &status, NULL), MOX_OK);
    return (unsigned)status.messages;
}
