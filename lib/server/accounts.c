/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/login.h"

/* An account stays open for so long after its last message: opening one reads the disk, and an open
 * one costs memory and descriptors. */
#define KEEP_US  INT64_C(300000000)
#define SWEEP_US INT64_C(60000000)

/* After a guess at its password: the next one is likely to come soon, and there may be guesses for all accounts. */
#define LOOKED_AT_KEEP_US INT64_C(60000000)
#define LOOKED_AT_MAX     32

/* Closing the last reference may wait for the disk. */
static void close_account(struct work *w)
{
    struct account_slot *slot = container_of(w, struct account_slot, work);
    mox_account_close(slot->closing);
}

static void closed(struct work *w)
{
    struct account_slot *slot = container_of(w, struct account_slot, work);
    slot->closing = NULL;
}

static void set_looked_at(struct mox_server *s, struct account_slot *slot, bool looked_at)
{
    if (slot->looked_at && !looked_at)
        s->looked_at_count--;
    else if (looked_at && !slot->looked_at)
        s->looked_at_count++;
    slot->looked_at = looked_at;
}

static void close_idle(struct mox_server *s, struct account_slot *slot)
{
    if (slot->closing != NULL)
        return;
    slot->closing = slot->account;
    slot->work.run = close_account;
    slot->work.done = closed;
    if (mox__pool_submit(s->net->workers, &slot->work) < 0) {
        slot->closing = NULL; /* the next sweep tries again */
        return;
    }
    slot->account = NULL;
    set_looked_at(s, slot, false);
}

static void sweep(struct timer *t)
{
    struct mox_server *s = container_of(t, struct mox_server, account_sweep);
    int64_t now_us = mox__loop_now(s->net->loop);
    for (size_t i = 0; i < s->account_count; i++) {
        struct account_slot *slot = &s->accounts[i];
        const int64_t keep_us = slot->looked_at ? LOOKED_AT_KEEP_US : KEEP_US;
        if (slot->account != NULL && now_us - slot->used_us >= keep_us)
            close_idle(s, slot);
    }
    mox__timer_at(&s->account_sweep, now_us + SWEEP_US);
}

int mox__accounts_init(struct mox_server *s)
{
    s->account_count = s->files->domains->accounts.count;
    s->accounts = mem_new(&s->env, struct account_slot, s->account_count + 1);
    if (s->accounts == NULL)
        return MOX_ENOMEM;
    for (size_t i = 0; i < s->account_count; i++)
        s->accounts[i].config = &s->files->domains->accounts.items[i];
    mox__timer_init(&s->account_sweep, s->net->loop, sweep);
    mox__timer_at(&s->account_sweep, mox__loop_now(s->net->loop) + SWEEP_US);
    return MOX_OK;
}

int mox__accounts_check(struct mox_server *s, struct mox_error *err)
{
    int rc = MOX_OK;
    for (size_t i = 0; rc == MOX_OK && i < s->account_count; i++) {
        struct mox_account *account = NULL;
        rc = mox_account_open(&account, s->store, s->accounts[i].config->name, MOX_ACCOUNT_EXISTING,
                              NULL, err);
        mox_account_close(account);
        if (rc == MOX_ENOTFOUND) /* made when it is used first */
            rc = MOX_OK;
    }
    return rc;
}

void mox__accounts_free(struct mox_server *s)
{
    if (s->accounts == NULL)
        return;
    mox__timer_stop(&s->account_sweep);
    for (size_t i = 0; i < s->account_count; i++)
        mox_account_close(s->accounts[i].account);
    mox__mem_free(&s->env, s->accounts);
}

struct account_slot *mox__account_slot(struct mox_server *s,
                                       const struct mox_config_account *account)
{
    return &s->accounts[account - s->files->domains->accounts.items];
}

bool mox__account_is_open(struct mox_server *s, const struct mox_config_account *account)
{
    return mox__account_slot(s, account)->account != NULL;
}

int mox__account_open(struct mox_server *s, const char *name, struct mox_account **out,
                      struct mox_error *err)
{
    const struct mox_server_account account = {.size = sizeof account,
                                               .config = s->files,
                                               .store = s->store,
                                               .name = name,
                                               .mode = MOX_ACCOUNT_CREATE,
                                               .count_arrivals = s->config.limits};
    return mox_server_open_account(out, &s->env, &account, err);
}

void mox__account_keep(struct mox_server *s, const struct mox_config_account *config,
                       struct mox_account *account)
{
    struct account_slot *slot = mox__account_slot(s, config);
    slot->used_us = mox__loop_now(s->net->loop);
    if (slot->account == NULL)
        slot->account = account;
    else
        mox_account_close(account); /* the slot has a reference, so this waits for nothing */
    set_looked_at(s, slot, false);
}

void mox__account_looked_at(struct mox_server *s, const struct mox_config_account *config,
                            struct mox_account *account)
{
    struct account_slot *slot = mox__account_slot(s, config);
    if (slot->account != NULL) {
        mox_account_close(account);
        return;
    }
    slot->account = account;
    slot->used_us = mox__loop_now(s->net->loop);
    set_looked_at(s, slot, true);
    if (s->looked_at_count > LOOKED_AT_MAX)
        close_idle(s, slot);
}

/* Called by the control socket, on a worker: the files do not change, and the store takes any
 * thread. */
int mox__server_set_password(struct mox_server *s, const char *address, const char *password,
                             struct mox_error *err)
{
    const struct mox_config_account *config = mox_config_account(s->files, address);
    if (config == NULL)
        config = mox__login_account(s, address);
    if (config == NULL)
        return mox__fail(err, MOX_ENOTFOUND,
                         "set the password of %s: no account has that name or address", address);
    struct mox_account *account = NULL;
    int rc = mox__account_open(s, config->name, &account, err);
    if (rc == MOX_OK)
        rc = mox_account_set_password(account, password, err);
    mox_account_close(account);
    return rc;
}
