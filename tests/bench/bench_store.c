/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mox/store.h>

#include "baseline.h"
#include "program.h"
#include "report.h"
#include "store/storefix.h"
#include "store/vfsshim.h"

/* The durable store by its own interface, without protocols and sockets, beside single commits of SQLite on
 * the same disk. */

static struct mox_env env;
static struct storefix f;

static struct report report;

static void check(int rc, const struct mox_error *err)
{
    if (rc < 0)
        fail("%s", err->text);
}

/* ---- appends ---- */

struct flight {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned free_count;
    struct slot *free;
};

struct slot {
    struct mox_append op;
    struct slot *next;
    struct flight *flight;
};

static void landed(struct mox_write *w)
{
    struct slot *s = w->user;
    check(w->status, &w->error);
    pthread_mutex_lock(&s->flight->lock);
    s->next = s->flight->free;
    s->flight->free = s;
    s->flight->free_count++;
    pthread_cond_signal(&s->flight->changed);
    pthread_mutex_unlock(&s->flight->lock);
}

static struct slot *wait_slot(struct flight *fl)
{
    pthread_mutex_lock(&fl->lock);
    while (fl->free == NULL)
        pthread_cond_wait(&fl->changed, &fl->lock);
    struct slot *s = fl->free;
    fl->free = s->next;
    fl->free_count--;
    pthread_mutex_unlock(&fl->lock);
    return s;
}

static const char headers[] =
    "From: Some Body <some.body@sender.example>\r\nTo: Me <me@mail.example>\r\n"
    "Subject: A message of the usual kind\r\nDate: Fri, 2 Jan 2026 03:04:05 +0000\r\n"
    "Message-ID: <%u.%u@sender.example>\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n";

static void append_many(uint64_t mailbox, unsigned outstanding, unsigned count, const char *params)
{
    static unsigned round;
    struct flight fl = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct slot *slots = calloc(outstanding, sizeof *slots);
    for (unsigned i = 0; i < outstanding; i++) {
        slots[i].flight = &fl;
        slots[i].next = fl.free;
        fl.free = &slots[i];
        fl.free_count++;
    }
    round++;
    struct vfsshim *shim = vfsshim();
    double start = seconds_now();
    for (unsigned i = 0; i < count; i++) {
        char head[512];
        (void)snprintf(head, sizeof head, headers, round, i);
        struct slot *s = wait_slot(&fl);
        mox_spool_free(s->op.spool);
        s->op = (struct mox_append){.write = {.done = landed, .user = s},
                                    .mailbox = mailbox,
                                    .spool = mail_spool(&f, head, 3800)};
        f.mail.ops->append(f.mail.self, &s->op);
    }
    pthread_mutex_lock(&fl.lock);
    while (fl.free_count < outstanding)
        pthread_cond_wait(&fl.changed, &fl.lock);
    pthread_mutex_unlock(&fl.lock);
    double took = seconds_now() - start;
    if (params != NULL) {
        report_value(&report, "append of 4 KiB", params, count / took, "msgs/s", "commits");
        report_value(&report, "appends per sync", params,
                     (double)count / (double)(shim->wal_syncs > 0 ? shim->wal_syncs : 1),
                     "messages", NULL);
    }
    for (unsigned i = 0; i < outstanding; i++)
        mox_spool_free(slots[i].op.spool);
    free(slots);
}

/* ---- changes and reads ---- */

static void report_ms(const char *what, const char *params, double start)
{
    report_value(&report, what, params, (seconds_now() - start) * 1000, "ms", NULL);
}

static int count_bytes(void *user, const struct mox_message_data *d)
{
    *(uint64_t *)user += d->envelope.len + d->content.len;
    return 0;
}

static void fetch(struct mox_view *view, uint32_t last, unsigned wants, const char *what,
                  const char *params)
{
    struct mox_error err;
    uint64_t bytes = 0;
    struct mox_uid_range range = {1, last};
    double start = seconds_now();
    check(f.mail.ops->fetch(f.mail.self, view, &range, 1, wants, count_bytes, &bytes, &err), &err);
    report_ms(what, params, start);
}

static struct mox_view *view_of(uint64_t mailbox, const char *params)
{
    struct mox_view *view = NULL;
    struct mox_error err;
    double start = seconds_now();
    check(f.mail.ops->view(f.mail.self, mailbox, &view, &err), &err);
    report_ms("view of 90,000", params, start);
    return view;
}

static void changes(uint64_t inbox, uint64_t archive, uint32_t flag, const char *params)
{
    struct mox_uid_range range = {1, 10000};
    double start = seconds_now();
    struct mox_set_flags flags = {
        .mailbox = inbox, .ranges = &range, .range_count = 1, .mode = MOX_FLAGS_ADD, .flags = flag};
    check(wait_set_flags(&f, &flags), &flags.write.error);
    report_ms("STORE on 10,000", params, start);
    start = seconds_now();
    struct mox_copy copy = {
        .mailbox = inbox, .destination = archive, .ranges = &range, .range_count = 1};
    check(wait_copy(&f, &copy), &copy.write.error);
    report_ms("COPY of 10,000", params, start);
    mox_copy_free(&copy);
}

int main(void)
{
    struct mox_error err;
    program_start();
    report_open(&report, "store");
    mox_env_system(&env);
    vfsshim();
    f.t.env = env;
    /* A relative name is short enough for any fixture. */
    (void)snprintf(f.dir, sizeof f.dir, "store");
    if (chdir(program_folder()) < 0 || mkdir(f.dir, 0700) < 0)
        die(f.dir);
    baseline_report(&report, ".", MACHINE_DISK, 0.5);
    check(mox_store_open(&f.store, &env, f.dir, &err), &err);
    check(mox_account_open(&f.account, f.store, "mjl", MOX_ACCOUNT_CREATE, NULL, &err), &err);
    f.mail = mox_account_mailstore(f.account);
    uint64_t inbox = box_id(&f, "Inbox"), archive = box_id(&f, "Archive");
    append_many(inbox, 1, 3000, "outstanding=1");
    append_many(inbox, 10, 20000, "outstanding=10");
    append_many(inbox, 50, 40000, "outstanding=50");
    append_many(inbox, 50, 27000, NULL);
    changes(inbox, archive, MOX_FLAG_FLAGGED, "viewed=no");
    mox_account_close(f.account);
    check(mox_account_open(&f.account, f.store, "mjl", MOX_ACCOUNT_EXISTING, NULL, &err), &err);
    f.mail = mox_account_mailstore(f.account);
    struct mox_view *view = view_of(inbox, "cache=cold");
    struct mox_view *again = view_of(inbox, "cache=warm");
    mox_view_unref(again);
    changes(inbox, archive, MOX_FLAG_SEEN, "viewed=yes");
    fetch(view, 10000, MOX_FETCH_ENVELOPE, "envelopes of 10,000", "cache=cold");
    fetch(view, 10000, MOX_FETCH_ENVELOPE, "envelopes of 10,000", "cache=warm");
    fetch(view, 10000, MOX_FETCH_CONTENT, "content of 10,000", NULL);
    mox_view_unref(view);
    double start = seconds_now();
    mox_account_close(f.account);
    report_ms("close", NULL, start);
    mox_store_close(f.store);
    baseline_report(&report, ".", MACHINE_DISK, 0.5);
    report_close(&report);
    return 0;
}
