/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/ctl.h"
#include "store/filter.h"

/* `retrain` builds junk filters anew, a piece each time that the engine is run, so that a worker is
 * free for others in between, and the client's end is noticed. */

/* How often the client is told how far it is. */
#define TELL_US INT64_C(250000)

struct ctl_retrain {
    size_t next; /* account of all, to be done after this one */
    bool all;
    char *name; /* of the account */
    struct mox_account *account;
    struct retrain *task;
    int64_t tell_us;
};

static void close_one(struct mox_ctl *c)
{
    struct ctl_retrain *r = c->work_state;
    mox__retrain_end(r->task);
    r->task = NULL;
    if (r->account != NULL)
        c->handlers->close_account(c->user, r->account);
    r->account = NULL;
    mox__mem_free(&c->env, r->name);
    r->name = NULL;
}

static int begin(struct mox_ctl *c, const char *name, struct mox_error *err)
{
    struct ctl_retrain *r = c->work_state;
    r->name = mox__strndup(&c->env, name, strlen(name));
    if (r->name == NULL)
        return mox__fail(err, MOX_ENOMEM, "retrain: out of memory");
    int rc = c->handlers->open_account(c->user, name, &r->account, err);
    if (rc == MOX_OK)
        rc = mox__account_retrain_begin(r->account, &r->task, err);
    if (rc == MOX_OK)
        log_line(&c->env, MOX_LOG_INFO, "ctl", "retraining a junk filter", NULL,
                 F_TEXT("account", name));
    return rc;
}

static void end(struct mox_ctl *c)
{
    const struct ctl_retrain *r = c->work_state;
    if (r->task != NULL)
        log_line(&c->env, MOX_LOG_INFO, "ctl", "retraining was interrupted", NULL,
                 F_TEXT("account", r->name));
    close_one(c);
    mox__mem_free(&c->env, c->work_state);
}

static void tell_end(struct mox_ctl *c, int rc, const struct mox_error *err)
{
    const struct ctl_retrain *r = c->work_state;
    struct mox_retrain done = {.size = sizeof done};
    if (rc < 0) {
        log_line(&c->env, MOX_LOG_ERROR, "ctl", "retraining failed", err->text,
                 F_TEXT("account", r->name));
        mox__buf_printf(&c->answer, "failed\t%s\t%s\n", r->name, err->text);
        return;
    }
    mox__retrain_tell(r->task, &done);
    log_line(&c->env, MOX_LOG_INFO, "ctl", "retrained a junk filter", NULL,
             F_TEXT("account", r->name), F_UINT("messages", done.messages),
             F_UINT("hams", done.hams), F_UINT("spams", done.spams), F_UINT("failed", done.failed));
    mox__buf_printf(&c->answer, "done\t%s\t%llu\t%llu\t%llu\t%llu\t%llu\n", r->name,
                    (unsigned long long)done.messages, (unsigned long long)done.hams,
                    (unsigned long long)done.spams, (unsigned long long)done.failed,
                    (unsigned long long)done.words);
}

static void tell_progress(struct mox_ctl *c)
{
    struct ctl_retrain *r = c->work_state;
    struct mox_retrain now = {.size = sizeof now};
    int64_t now_us = c->env.monotonic_us(c->env.user);
    if (now_us < r->tell_us)
        return;
    r->tell_us = now_us + TELL_US;
    mox__retrain_tell(r->task, &now);
    mox__buf_printf(&c->answer, "progress\t%s\t%llu\t%llu\n", r->name,
                    (unsigned long long)now.messages, (unsigned long long)now.total);
}

/* The next of all accounts; false: there is none. */
static bool next_account(struct mox_ctl *c)
{
    struct ctl_retrain *r = c->work_state;
    const char *name = r->all ? c->handlers->filtered_account(c->user, r->next++) : NULL;
    struct mox_error err = {0};
    if (name == NULL)
        return false;
    int rc = begin(c, name, &err);
    if (rc < 0) {
        tell_end(c, rc, &err);
        close_one(c);
    }
    return true;
}

static void go_on(struct mox_ctl *c)
{
    struct ctl_retrain *r = c->work_state;
    struct mox_error err = {0};
    if (r->task == NULL) {
        if (!next_account(c))
            mox__ctl_work_end(c);
        return;
    }
    int rc = mox__retrain_step(r->task, &err);
    if (rc == MOX_LATER) {
        tell_progress(c);
        return;
    }
    tell_end(c, rc, &err);
    close_one(c);
}

int mox__ctl_retrain(struct mox_ctl *c, struct mox_error *err)
{
    static const struct ctl_work work = {.go_on = go_on, .end = end};
    const char *name = c->params[0];
    if (c->handlers->filtered_account == NULL)
        return mox__fail(err, MOX_EUNSUPPORTED, "there are no accounts here");
    if (*name == '\0' && c->handlers->filtered_account(c->user, 0) == NULL)
        return mox__fail(err, MOX_EUNSUPPORTED,
                         "no account has a junk filter; give one a JunkFilter in domains.conf");
    struct ctl_retrain *r = mem_new(&c->env, struct ctl_retrain, 1);
    if (r == NULL)
        return mox__fail(err, MOX_ENOMEM, "retrain: out of memory");
    c->work = &work;
    c->work_state = r;
    r->all = *name == '\0';
    int rc = r->all ? MOX_OK : begin(c, name, err);
    if (rc < 0) {
        mox__ctl_work_end(c);
        return rc;
    }
    mox__ctl_say(c, "ok");
    c->state = STREAM;
    return MOX_OK;
}
