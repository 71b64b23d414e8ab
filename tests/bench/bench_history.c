/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mox/judge.h>

#include "base/text.h"
#include "delivery/judged.h"
#include "program.h"
#include "report.h"
#include "store/storefix.h"

/* What the past says of a sender (mox/reputation.h), in an account with many messages, one in five of them
 * judged: of a sender that nothing is known of, of one with a message, and of one with 10,000; the whole verdict
 * on a message of each, without DNS (mox/judge.h); and whether a reject is there already. */

#define OUTSTANDING 200
#define SENDERS     5000
#define PROLIFIC    10000 /* messages, all judged, of one sender */
#define REPEATS     7
#define COMMITS     500
#define LOOKUPS     2000 /* in each repeat */

static struct storefix f;
static struct report report;
static uint64_t inbox;
static int64_t now_us;

static void check(int rc, const struct mox_error *err)
{
    if (rc < 0)
        fail("%s", err->text);
}

/* ---- filling ---- */

/* Names of a sender, by its number. */
struct sender {
    char localpart[32], domain[96], org_domain[64], ehlo[96], ip[32];
    const char *dkim[1];
};

static void name_sender(struct sender *s, unsigned n)
{
    (void)snprintf(s->localpart, sizeof s->localpart, "person%u", n % 10);
    (void)snprintf(s->org_domain, sizeof s->org_domain, "sender%u.example", n / 10);
    (void)snprintf(s->domain, sizeof s->domain, "mail.%s", s->org_domain);
    (void)snprintf(s->ehlo, sizeof s->ehlo, "mx.%s", s->org_domain);
    (void)snprintf(s->ip, sizeof s->ip, "10.%u.%u.%u", n >> 16 & 255, n >> 8 & 255, n & 255);
    s->dkim[0] = s->org_domain;
}

static struct mox_delivery_facts facts_of(const struct sender *s)
{
    return (struct mox_delivery_facts){.size = sizeof(struct mox_delivery_facts),
                                       .remote_ip = s->ip,
                                       .ehlo_domain = s->ehlo,
                                       .mail_from_localpart = s->localpart,
                                       .mail_from_domain = s->domain,
                                       .msg_from_localpart = s->localpart,
                                       .msg_from_domain = s->domain,
                                       .msg_from_org_domain = s->org_domain,
                                       .ehlo_validation = MOX_VALIDATION_PASS,
                                       .mail_from_validation = MOX_VALIDATION_PASS,
                                       .msg_from_validation = MOX_VALIDATION_STRICT,
                                       .dkim_domains = s->dkim,
                                       .dkim_domain_count = 1};
}

struct slot {
    struct mox_append op;
    struct sender sender;
    struct mox_delivery_facts facts;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned under_way;

static void landed(struct mox_write *w)
{
    check(w->status, &w->error);
    pthread_mutex_lock(&lock);
    under_way--;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_all(struct slot *slots)
{
    pthread_mutex_lock(&lock);
    while (under_way > 0)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    for (unsigned i = 0; i < OUTSTANDING; i++) {
        mox_spool_free(slots[i].op.spool);
        slots[i].op.spool = NULL;
    }
}

/* Message i of the account, of sender n; a second apart, the last one now. */
static void submit(struct slot *s, unsigned i, unsigned count, unsigned n, bool judged)
{
    char headers[128];
    (void)snprintf(headers, sizeof headers, "Subject: message %u\r\nMessage-ID: <%u@x.example>\r\n",
                   i, i);
    name_sender(&s->sender, n);
    s->facts = facts_of(&s->sender);
    s->op = (struct mox_append){.write = {.done = landed, .user = s},
                                .mailbox = inbox,
                                .spool = mail_spool(&f, headers, 100),
                                .flags = judged ? MOX_FLAG_NOTJUNK : 0,
                                .received_us = now_us - INT64_C(1000000) * (count - i),
                                .facts = &s->facts};
    pthread_mutex_lock(&lock);
    under_way++;
    pthread_mutex_unlock(&lock);
    f.mail.ops->append(f.mail.self, &s->op);
}

/* Sender 0 has the first PROLIFIC; the others write in turn, and the first fifth of all is judged. */
static void fill(unsigned count)
{
    static struct slot slots[OUTSTANDING];
    unsigned judged = count / 5;
    for (unsigned i = 0; i < count; i++) {
        unsigned n = i < PROLIFIC ? 0 : 10 + i % SENDERS;
        submit(&slots[i % OUTSTANDING], i, count, n, i < judged);
        if (i % OUTSTANDING == OUTSTANDING - 1)
            wait_all(slots);
    }
    wait_all(slots);
}

/* ---- looking up ---- */

static void look_up(unsigned n, enum mox_reputation_method expected)
{
    struct sender s;
    struct mox_reputation_query q;
    struct mox_reputation found;
    struct mox_history h;
    struct mox_error err;
    name_sender(&s, n);
    mox_reputation_query_init(&q);
    q.now_us = now_us;
    q.mailbox = inbox;
    q.from_localpart = q.mail_from_localpart = s.localpart;
    q.from_domain = q.mail_from_domain = s.domain;
    q.from_org_domain = s.org_domain;
    q.from_validated = q.mail_from_validated = q.ehlo_validated = true;
    q.ehlo_domain = s.ehlo;
    q.dkim_domains = s.dkim;
    q.dkim_domain_count = 1;
    q.ip = n > 1000000 ? "203.0.113.9" : s.ip;
    check(mox_account_history_begin(&h, f.account, &err), &err);
    check(mox_reputation_find(&found, &q, &h, &err), &err);
    mox_account_history_end(&h);
    if (found.method != expected)
        fail("sender %u: %s", n, mox_reputation_method_name(found.method));
}

/* Milliseconds of each, senders of numbers from `first`, `step` apart. */
static void measure(const char *params, unsigned first, unsigned step,
                    enum mox_reputation_method expected)
{
    double ms[REPEATS];
    for (int r = 0; r < REPEATS; r++) {
        double start = seconds_now();
        for (unsigned i = 0; i < LOOKUPS; i++)
            look_up(first + i * step, expected);
        ms[r] = (seconds_now() - start) * 1000 / LOOKUPS;
    }
    report_median(&report, "reputation", params, ms, REPEATS, "ms", NULL);
}

/* The same while mail comes: each look-up is the first after a commit, of which connections have to take notice. */
static void measure_between_commits(const char *params, unsigned first, unsigned step,
                                    enum mox_reputation_method expected)
{
    double ms[REPEATS];
    for (int r = 0; r < REPEATS; r++) {
        ms[r] = 0;
        for (unsigned i = 0; i < COMMITS; i++) {
            struct mox_append op = {.mailbox = inbox,
                                    .spool = mail_spool(&f, "Subject: x\r\n", 100)};
            check(wait_append(&f, &op), &op.write.error);
            mox_spool_free(op.spool);
            double start = seconds_now();
            look_up(first + i * step, expected);
            ms[r] += (seconds_now() - start) * 1000 / COMMITS;
        }
    }
    report_median(&report, "reputation after a commit", params, ms, REPEATS, "ms", NULL);
}

/* ---- judging ---- */

static const char content[] =
    "From: <person@sender.example>\r\nTo: <mjl@mail.example>\r\nSubject: minutes of the meeting\r\n"
    "Message-ID: <1@sender.example>\r\nContent-Type: text/plain\r\n\r\n"
    "Dear all, below are the minutes of our meeting on Tuesday. Please tell me what is missing.\r\n"
    "We agreed to release the new version next month, and to ask the other team about their "
    "plans.\r\n";

static void judge_one(unsigned n, const char *expected)
{
    struct judged checks;
    struct sender s;
    struct mox_judge_message m;
    struct mox_judge_recipient r;
    struct mox_judge *judge;
    struct mox_error err;
    name_sender(&s, n);
    judged_stranger(&checks);
    checks.checks.from_localpart = s.localpart;
    checks.checks.from_domain = s.domain;
    checks.checks.from_org_domain = s.org_domain;
    checks.checks.from = MOX_VALIDATION_STRICT;
    checks.checks.dkim_domains = s.dkim;
    checks.checks.dkim_domain_count = 1;
    mox_judge_message_init(&m);
    m.checks = &checks.checks;
    m.ip = n > 1000000 ? "203.0.113.9" : s.ip;
    m.ehlo_domain = s.ehlo;
    m.tls = true;
    m.content = slice_of(content);
    m.now_us = now_us;
    mox_judge_recipient_init(&r);
    r.account = f.account;
    r.localpart = "mjl";
    r.domain = "mail.example";
    r.address = "mjl@mail.example";
    r.has_junk_filter = true;
    r.threshold = 0.95;
    check(mox_judge_new(&judge, &f.t.env, &m, &r), NULL);
    check(mox_judge_run(judge, &err), &err);
    const char *word = mox_judge_judgement(judge)->analysis->word;
    if (strcmp(word, expected) != 0)
        fail("sender %u: %s", n, word);
    mox_judge_free(judge);
}

/* Milliseconds of a verdict without DNS. */
static void measure_verdict(const char *params, unsigned first, unsigned step, const char *expected)
{
    double ms[REPEATS];
    for (int r = 0; r < REPEATS; r++) {
        double start = seconds_now();
        for (unsigned i = 0; i < LOOKUPS; i++)
            judge_one(first + i * step, expected);
        ms[r] = (seconds_now() - start) * 1000 / LOOKUPS;
    }
    report_median(&report, "verdict", params, ms, REPEATS, "ms", NULL);
}

static void measure_reject(const char *params, const char *format, bool stays_out)
{
    struct sender s;
    name_sender(&s, 7);
    struct mox_delivery_facts facts = facts_of(&s);
    facts.is_reject = true;
    facts.rejects_mailbox = "Rejects";
    facts.destined_mailbox = "Inbox";
    double start = seconds_now();
    for (unsigned i = 0; i < 1000; i++) {
        char headers[128];
        (void)snprintf(headers, sizeof headers, format, i);
        struct mox_append op = {
            .mailbox_name = "Rejects", .spool = mail_spool(&f, headers, 100), .facts = &facts};
        check(wait_append(&f, &op), &op.write.error);
        mox_spool_free(op.spool);
        if (op.left_out != stays_out)
            fail("reject %u: left out: %d", i, op.left_out);
    }
    report_value(&report, "reject", params, (seconds_now() - start), "ms", NULL);
}

int main(void)
{
    struct mox_error err;
    struct mox_junk_params junk;
    program_start();
    report_open(&report, "history");
    mox_env_system(&f.t.env);
    now_us = f.t.env.wall_us(f.t.env.user);
    (void)snprintf(f.dir, sizeof f.dir, "store");
    if (chdir(program_folder()) < 0 || mkdir(f.dir, 0700) < 0)
        die(f.dir);
    check(mox_store_open(&f.store, &f.t.env, f.dir, &err), &err);
    mox_junk_params_init(&junk);
    const struct mox_account_config config = {.size = sizeof config, .junk = &junk};
    check(mox_account_open(&f.account, f.store, "mjl", MOX_ACCOUNT_CREATE, &config, &err), &err);
    f.mail = mox_account_mailstore(f.account);
    inbox = box_id(&f, "Inbox");
    fill((unsigned)program_number("MESSAGES", 100000));
    measure("sender=unknown", 100000000, 10, MOX_REPUTATION_NONE);
    measure("sender=judged", 10, 1, MOX_REPUTATION_MSGFROMFULL);
    measure("sender=prolific", 0, 0, MOX_REPUTATION_MSGFROMFULL);
    measure_between_commits("sender=unknown", 100000000, 10, MOX_REPUTATION_NONE);
    measure_between_commits("sender=judged", 10, 1, MOX_REPUTATION_MSGFROMFULL);
    measure_verdict("sender=unknown", 100000000, 10, "no-bad-signals");
    measure_verdict("sender=judged", 10, 1, "msgfromfull");
    measure_verdict("sender=prolific", 0, 0, "msgfromfull");
    measure_reject("stored=yes", "Message-ID: <%u@reject.example>\r\n", false);
    measure_reject("stored=no", "Message-ID: <%u@reject.example>\r\nSubject: again\r\n", true);
    mox_account_close(f.account);
    mox_store_close(f.store);
    report_close(&report);
    return 0;
}
