/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <mox/ctl.h>

#include "base/mem.h"

static void stop(void *user)
{
    assert(!*(bool *)user); /* once per connection */
    *(bool *)user = true;
}

static int set_account_password(void *user, const char *address, const char *password,
                                struct mox_error *err)
{
    (void)user;
    assert(strchr(address, '\n') == NULL && strchr(password, '\n') == NULL);
    (void)snprintf(err->text, sizeof err->text, "no %s", address);
    return strlen(password) < 8 ? MOX_EDENIED : MOX_OK;
}

static int check(void *user, const struct mox_ctl_check *q, char **text, struct mox_error *err)
{
    (void)user;
    (void)text;
    assert(strchr(q->account, '\n') == NULL && strchr(q->ip, '\n') == NULL);
    (void)snprintf(err->text, sizeof err->text, "%zu and %zu bytes", q->zone.len, q->content.len);
    return q->listed_in == NULL ? MOX_NEED_DNS : MOX_EREFUSED;
}

static int explain(void *user, const char *account, const char *mailbox, uint32_t uid, bool json,
                   char **text, struct mox_error *err)
{
    struct mox_env env;
    (void)user;
    assert(uid > 0 && strchr(account, '\n') == NULL && strchr(mailbox, '\n') == NULL);
    (void)snprintf(err->text, sizeof err->text, "no UID %u in %s", (unsigned)uid, mailbox);
    mox_env_system(&env);
    *text = json ? mox__strndup(&env, mailbox, strlen(mailbox)) : NULL;
    return *text != NULL ? MOX_OK : MOX_ENOTFOUND;
}

static const char *filtered_account(void *user, size_t n)
{
    (void)user;
    return n < 3 ? "mox" : NULL;
}

/* None opens: what goes on then is told line by line all the same. */
static int open_account(void *user, const char *name, struct mox_account **out,
                        struct mox_error *err)
{
    (void)user;
    assert(strchr(name, '\n') == NULL);
    *out = NULL;
    (void)snprintf(err->text, sizeof err->text, "no account %s", name);
    return MOX_ENOTFOUND;
}

static void close_account(void *user, struct mox_account *account)
{
    (void)user;
    assert(account == NULL);
}

/* Sends what waits, in pieces, and runs what is ready. Returns what is wanted then. */
static unsigned pump(const struct mox_engine *e, size_t step)
{
    for (;;) {
        const uint8_t *out = NULL;
        unsigned wants = e->ops->wants(e->self);
        size_t len = e->ops->output(e->self, &out);
        assert((len > 0) == ((wants & MOX_WANTS_WRITE) != 0));
        if (len > 0)
            e->ops->sent(e->self, len < step ? len : step);
        else if ((wants & MOX_WANTS_RUN) && e->ops->run(e->self) < 0)
            return MOX_WANTS_CLOSE;
        else if ((wants & MOX_WANTS_RUN) == 0)
            return wants;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The first byte sets the chunk size, so the corpus also explores where reads are split. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct mox_logger *logger = NULL;
    struct mox_metrics *metrics = NULL;
    struct mox_ctl *ctl = NULL;
    bool stopped = false;
    mox_env_system(&env);
    if (len == 0 || mox_logger_new(&logger, STDERR_FILENO) < 0)
        return 0;
    int rc = mox_metrics_new(&metrics, &env);
    const struct mox_ctl_handlers handlers = {.size = sizeof handlers,
                                              .stop = stop,
                                              .set_account_password = set_account_password,
                                              .logger = logger,
                                              .metrics = metrics,
                                              .filtered_account = filtered_account,
                                              .open_account = open_account,
                                              .close_account = close_account,
                                              .explain = explain,
                                              .check = check};
    if (rc == MOX_OK && mox_ctl_new(&ctl, &env, &handlers, &stopped) == MOX_OK) {
        const struct mox_engine e = mox_ctl_engine(ctl);
        size_t step = (size_t)data[0] + 1;
        unsigned wants = pump(&e, step);
        for (size_t at = 1; at < len && (wants & MOX_WANTS_READ); at += step) {
            (void)e.ops->input(e.self, data + at, len - at < step ? len - at : step);
            wants = pump(&e, step);
        }
        assert(stopped == mox_ctl_is_stopping(ctl));
        assert(wants == MOX_WANTS_READ || wants == MOX_WANTS_CLOSE || wants == MOX_WANTS_APP);
        e.ops->shutdown(e.self);
        wants = pump(&e, step);
        while (wants == MOX_WANTS_READ) { /* the client takes what was ready for it */
            (void)e.ops->input(e.self, (const uint8_t *)"ok\n", 3);
            wants = pump(&e, step);
        }
        assert(wants == (stopped ? MOX_WANTS_APP : MOX_WANTS_CLOSE));
    }
    mox_ctl_free(ctl);
    mox_metrics_free(metrics);
    mox_logger_free(logger);
    return 0;
}
