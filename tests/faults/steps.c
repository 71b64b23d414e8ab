/* SPDX-License-Identifier: MIT */
#include "faults/steps.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults/need.h"
#include "faults/record.h"
#include "store/import.h"
#include "store/password.h"
#include "store/store.h"
#include "support/cm.h"

/* A step under way. */
struct task {
    const struct step *step;
    size_t number; /* of steps that are durable once it is */
    struct mox_uid_range range;
    union {
        struct mox_write write;
        struct mox_append append;
        struct mox_set_flags flags;
        struct mox_expunge expunge;
        struct mox_copy copy;
        struct mox_mailbox_change change;
        struct mox_outgoing outgoing;
    } op;
    const char *people[2];
    bool answered;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void answered(struct mox_write *w)
{
    struct task *t = w->user;
    if (w->status == MOX_OK)
        record_acknowledged(t->number);
    pthread_mutex_lock(&lock);
    t->answered = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static int wait_for(struct task *t)
{
    pthread_mutex_lock(&lock);
    while (!t->answered)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return t->op.write.status;
}

/* ---- submitting ---- */

/* A message in two pieces: each is a write when it goes to a file. */
static struct mox_spool *spool(struct storefix *f, const struct task *t)
{
    struct mox_spool *spool = mail_spool(f, "", 0);
    size_t len = t->step->size, id = t->step->kind == STEP_APPEND ? t->number : t->step->first;
    char headers[160], *body = need(malloc(len + 1));
    int n = snprintf(headers, sizeof headers,
                     "Message-ID: <%zu@cut.example>\r\nFrom: <a@cut.example>\r\n"
                     "Subject: step %zu\r\n\r\n",
                     id, t->number);
    for (size_t i = 0; i < len; i++)
        body[i] = i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n' : (char)('a' + (i / 64 + i) % 26);
    assert_int_equal(mox_spool_write(spool, (struct mox_slice){(uint8_t *)headers, (size_t)n}), 0);
    assert_int_equal(mox_spool_write(spool, (struct mox_slice){(uint8_t *)body, len / 2}), 0);
    assert_int_equal(
        mox_spool_write(spool, (struct mox_slice){(uint8_t *)body + len / 2, len - len / 2}), 0);
    free(body);
    return spool;
}

static const struct mox_delivery_facts accepted = {
    .size = sizeof accepted,
    .remote_ip = "192.0.2.7",
    .msg_from_localpart = "a",
    .msg_from_domain = "cut.example",
    .msg_from_org_domain = "cut.example",
    .rejects_mailbox = "Rejects",
};
static const struct mox_delivery_facts rejected = {
    .size = sizeof rejected,
    .remote_ip = "192.0.2.7",
    .msg_from_localpart = "a",
    .msg_from_domain = "cut.example",
    .msg_from_org_domain = "cut.example",
    .rejects_mailbox = "Rejects",
    .is_reject = true,
    .destined_mailbox = "Wanted",
};

static void submit_append(struct storefix *f, struct task *t)
{
    const struct step *s = t->step;
    const struct mox_delivery_facts *facts = s->kind == STEP_APPEND   ? NULL
                                             : s->kind == STEP_REJECT ? &rejected
                                                                      : &accepted;
    t->op.append = (struct mox_append){.write = {.done = answered, .user = t},
                                       .mailbox = facts == NULL ? box_id(f, s->box) : 0,
                                       .mailbox_name = s->box,
                                       .facts = facts,
                                       .spool = spool(f, t),
                                       .flags = s->flags,
                                       .keywords = &s->keyword,
                                       .keyword_count = s->keyword != NULL};
    f->mail.ops->append(f->mail.self, &t->op.append);
}

static void submit_copy(struct storefix *f, struct task *t)
{
    t->op.copy = (struct mox_copy){.write = {.done = answered, .user = t},
                                   .mailbox = box_id(f, t->step->box),
                                   .destination = box_id(f, t->step->to),
                                   .ranges = &t->range,
                                   .range_count = 1,
                                   .move = t->step->kind == STEP_MOVE};
    f->mail.ops->copy(f->mail.self, &t->op.copy);
}

static void submit_change(struct storefix *f, struct task *t)
{
    static const enum mox_mailbox_change_kind kinds[] = {
        [STEP_CREATE] = MOX_MAILBOX_CREATE,           [STEP_RENAME] = MOX_MAILBOX_RENAME,
        [STEP_DELETE] = MOX_MAILBOX_DELETE,           [STEP_SUBSCRIBE] = MOX_MAILBOX_SUBSCRIBE,
        [STEP_UNSUBSCRIBE] = MOX_MAILBOX_UNSUBSCRIBE,
    };
    t->op.change = (struct mox_mailbox_change){.write = {.done = answered, .user = t},
                                               .kind = kinds[t->step->kind],
                                               .name = t->step->box,
                                               .new_name = t->step->to};
    f->mail.ops->change_mailbox(f->mail.self, &t->op.change);
}

static int import(struct storefix *f, const struct task *t)
{
    const struct step *s = t->step;
    const char *const boxes[] = {s->box, s->to};
    const struct mox_mailfile_item item = {.where = "here",
                                           .flags = s->flags,
                                           .keywords = &s->keyword,
                                           .keyword_count = s->keyword != NULL};
    struct import *import;
    struct mox_error err;
    int rc = mox__import_begin(&import, f->account, boxes, 2, &err);
    for (uint32_t i = 0; i < 2 * s->first && rc == MOX_OK; i++)
        rc = mox__import_add(import, i % 2, spool(f, t), &item, &err);
    if (rc == MOX_OK)
        rc = mox__import_publish(import, &err);
    mox__import_end(import);
    return rc;
}

static void submit_other(struct storefix *f, struct task *t)
{
    const struct step *s = t->step;
    switch (s->kind) {
    case STEP_FLAGS:
        t->op.flags = (struct mox_set_flags){.write = {.done = answered, .user = t},
                                             .mailbox = box_id(f, s->box),
                                             .ranges = &t->range,
                                             .range_count = 1,
                                             .mode = MOX_FLAGS_ADD,
                                             .flags = s->flags,
                                             .keywords = &s->keyword,
                                             .keyword_count = s->keyword != NULL};
        f->mail.ops->set_flags(f->mail.self, &t->op.flags);
        break;
    case STEP_EXPUNGE:
        t->op.expunge = (struct mox_expunge){.write = {.done = answered, .user = t},
                                             .mailbox = box_id(f, s->box),
                                             .ranges = &t->range,
                                             .range_count = 1};
        f->mail.ops->expunge(f->mail.self, &t->op.expunge);
        break;
    case STEP_SEND:
        t->people[0] = s->box;
        t->people[1] = s->to;
        t->op.outgoing = (struct mox_outgoing){.write = {.done = answered, .user = t},
                                               .recipients = t->people,
                                               .recipient_count = s->to != NULL ? 2 : 1,
                                               .max_recipients = UINT64_MAX,
                                               .max_first_time = UINT64_MAX};
        mox_account_outgoing(f->account, &t->op.outgoing);
        break;
    case STEP_PASSWORD: /* those that wait by themselves */
        t->op.write = (struct mox_write){.done = answered, .user = t};
        t->op.write.status = mox_account_set_password(f->account, s->box, NULL);
        answered(&t->op.write);
        break;
    case STEP_RETRAIN:
        t->op.write = (struct mox_write){.done = answered, .user = t};
        t->op.write.status = mox_account_retrain(
            f->account, &(struct mox_retrain){.size = sizeof(struct mox_retrain)}, NULL);
        answered(&t->op.write);
        break;
    case STEP_IMPORT:
        t->op.write = (struct mox_write){.done = answered, .user = t};
        t->op.write.status = import(f, t);
        answered(&t->op.write);
        break;
    case STEP_CREATE_ACCOUNT:
        t->op.write = (struct mox_write){.done = answered, .user = t};
        storefix_start(f);
        mox__store_password_cost(f->store, 1, 8192);
        answered(&t->op.write);
        break;
    default:
        abort();
    }
}

static void submit(struct storefix *f, struct task *t)
{
    t->range = (struct mox_uid_range){t->step->first, t->step->last};
    t->answered = false;
    record_submitted(t->number);
    switch (t->step->kind) {
    case STEP_APPEND:
    case STEP_REJECT:
    case STEP_ACCEPT:
        submit_append(f, t);
        break;
    case STEP_COPY:
    case STEP_MOVE:
        submit_copy(f, t);
        break;
    case STEP_CREATE:
    case STEP_RENAME:
    case STEP_DELETE:
    case STEP_SUBSCRIBE:
    case STEP_UNSUBSCRIBE:
        submit_change(f, t);
        break;
    default:
        submit_other(f, t);
    }
}

static int finish(struct task *t)
{
    int rc = wait_for(t);
    if (t->step->kind <= STEP_ACCEPT)
        mox_spool_free(t->op.append.spool);
    if (t->step->kind == STEP_COPY || t->step->kind == STEP_MOVE)
        mox_copy_free(&t->op.copy);
    return rc;
}

static void succeed(struct task *t)
{
    int rc = finish(t);
    if (rc < 0)
        fail_msg("step %zu: %s", t->number, t->op.write.error.text);
}

static void wait_until_erased(struct storefix *f)
{
    for (int i = 0; query(f, "SELECT count(*) FROM gone WHERE message IS NOT NULL") > 0; i++) {
        assert_true(i < 60000);
        usleep(1000);
    }
}

static void wait_for_checkpoint(struct storefix *f)
{
    struct mox_store *store = f->store;
    pthread_mutex_lock(&store->lock);
    while (f->account->checkpoint_queued || f->account->checkpoint_running)
        pthread_cond_wait(&store->changed, &store->lock);
    pthread_mutex_unlock(&store->lock);
}

static bool is_learnt(struct storefix *f)
{
    pthread_mutex_lock(&f->account->lock);
    bool in_step = f->account->learn_from == 0;
    pthread_mutex_unlock(&f->account->lock);
    return in_step;
}

static void wait_until_learnt(struct storefix *f)
{
    for (int i = 0; !is_learnt(f); i++) {
        assert_true(i < 60000);
        usleep(1000);
    }
}

/* ---- both ways ---- */

void step_alone(struct storefix *f, const struct step *step, size_t number)
{
    struct task t = {.step = step, .number = number};
    submit(f, &t);
    succeed(&t);
}

void steps_slowly(struct storefix *f, const struct step *steps, size_t count, char **texts)
{
    if (f->account != NULL && texts != NULL)
        texts[0] = account_text(f);
    for (size_t i = 0; i < count; i++) {
        step_alone(f, &steps[i], i + 1);
        if (texts != NULL)
            texts[i + 1] = account_text(f);
    }
}

/* Steps from `first` to `last`, the first of them being what the others wait behind. */
static void group(struct storefix *f, const struct step *steps, size_t first, size_t last)
{
    struct task *tasks = need(calloc(last - first + 1, sizeof *tasks));
    record_hold_syncs(last > first);
    for (size_t i = first; i <= last; i++) {
        tasks[i - first] = (struct task){.step = &steps[i], .number = i + 1};
        submit(f, &tasks[i - first]);
    }
    record_hold_syncs(false);
    for (size_t i = first; i <= last; i++)
        succeed(&tasks[i - first]);
    free(tasks);
}

static void fail_once(struct storefix *f, const struct step *steps, size_t i)
{
    struct task t = {.step = &steps[i], .number = i + 1};
    record_fail_sync(steps[i].failing);
    submit(f, &t);
    assert_int_equal(finish(&t), MOX_EIO);
}

void steps_recorded(struct storefix *f, const struct step *steps, size_t count)
{
    struct mox_view *view = NULL;
    for (size_t i = 0, last; i < count; i = last + 1) {
        for (last = i; (steps[last].way & WAY_WITH_NEXT) != 0; last++) {
        }
        if ((steps[i].way & WAY_LOOK) != 0)
            assert_int_equal(f->mail.ops->view(f->mail.self, box_id(f, steps[i].box), &view, NULL),
                             MOX_OK);
        if ((steps[i].way & WAY_SYNC_FAILS) != 0)
            fail_once(f, steps, i);
        if ((steps[i].way & WAY_LATER_FAILS) != 0)
            record_fail_sync(steps[i].failing);
        group(f, steps, i, last);
        if ((steps[i].way & WAY_LOOK_AWAY) != 0) {
            mox_view_unref(view);
            view = NULL;
        }
        if ((steps[i].way & WAY_ERASED) != 0)
            wait_until_erased(f);
        if ((steps[i].way & WAY_LEARNT) != 0)
            wait_until_learnt(f);
        if ((steps[i].way & WAY_CHECKPOINTED) != 0)
            wait_for_checkpoint(f);
    }
}
