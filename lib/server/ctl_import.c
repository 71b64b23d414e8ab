/* SPDX-License-Identifier: MIT */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/ctl.h"
#include "store/import.h"

/* Mail of other programs is imported in steps, one each time that the engine is run, so that a worker is free for
 * others in between, and the client's end is noticed. */

/* The client is told each time that so many were read. */
#define TELL_MESSAGES 1000
/* More of them nobody reads. */
#define WARNINGS_MAX 1000

struct ctl_import {
    char *name; /* of the account */
    struct mox_account *account;
    struct import_files *task;
    uint64_t told; /* messages */
    unsigned warnings;
    bool ended;
};

static void end(struct mox_ctl *c)
{
    struct ctl_import *i = c->work_state;
    if (i->task != NULL && !i->ended)
        log_line(&c->env, MOX_LOG_INFO, "ctl", "an import was interrupted", NULL,
                 F_TEXT("account", i->name));
    mox__import_files_end(i->task);
    if (i->account != NULL)
        c->handlers->close_account(c->user, i->account);
    mox__mem_free(&c->env, i->name);
    mox__mem_free(&c->env, i);
}

/* One line, whatever a path has in it. */
static void say(struct mox_ctl *c, const char *word, const char *text)
{
    mox__buf_printf(&c->answer, "%s\t", word);
    for (; *text != '\0'; text++)
        mox__buf_byte(&c->answer,
                      (uint8_t)*text < ' ' || *text == 0x7f ? (uint8_t)'?' : (uint8_t)*text);
    mox__buf_byte(&c->answer, '\n');
}

static void warn(void *user, const char *text)
{
    struct mox_ctl *c = user;
    struct ctl_import *i = c->work_state;
    if (i->warnings++ < WARNINGS_MAX)
        say(c, "warning", text);
    else if (i->warnings == WARNINGS_MAX + 1)
        say(c, "warning", "there is more like that, which is not shown");
}

static uint64_t messages(const struct ctl_import *i)
{
    struct mox_import now = {.size = sizeof now};
    mox__import_files_tell(i->task, &now);
    return now.messages;
}

/* Who asks may read what the server may not. */
static int explain(int rc, struct mox_error *err)
{
    const struct mox_error why = *err;
    const unsigned long uid = (unsigned long)geteuid();
    struct passwd user, *found = NULL;
    char text[1024];
    if (rc != MOX_EDENIED)
        return rc;
    if (getpwuid_r(geteuid(), &user, text, sizeof text, &found) != 0)
        found = NULL;
    return mox__fail(
        err, rc,
        "%s; the server reads it, as user %s (%lu): make it readable for that user, and "
        "the folders above it",
        why.text, found == NULL ? "?" : found->pw_name, uid);
}

static void tell_end(struct mox_ctl *c, int rc, const struct mox_error *err)
{
    struct ctl_import *i = c->work_state;
    i->ended = true;
    if (rc < 0) {
        log_line(&c->env, MOX_LOG_INFO, "ctl", "an import failed", err->text,
                 F_TEXT("account", i->name));
        say(c, "failed", *err->text != '\0' ? err->text : mox_status_text(rc));
        return;
    }
    log_line(&c->env, MOX_LOG_INFO, "ctl", "imported messages", NULL, F_TEXT("account", i->name),
             F_UINT("messages", messages(i)));
    mox__buf_printf(&c->answer, "done\t%llu\n", (unsigned long long)messages(i));
}

static void go_on(struct mox_ctl *c)
{
    struct ctl_import *i = c->work_state;
    struct mox_error err = {0};
    int rc = mox__import_files_step(i->task, &err);
    if (rc != MOX_LATER) {
        tell_end(c, explain(rc, &err), &err);
        mox__ctl_work_end(c);
    } else if (messages(i) - i->told >= TELL_MESSAGES) {
        i->told = messages(i) / TELL_MESSAGES * TELL_MESSAGES;
        mox__buf_printf(&c->answer, "progress\t%llu\n", (unsigned long long)i->told);
    }
}

static int begin(struct mox_ctl *c, enum mox_mailfile_kind kind, struct mox_error *err)
{
    struct ctl_import *i = c->work_state;
    const struct mox_import what = {.size = sizeof what,
                                    .kind = kind,
                                    .path = c->params[2],
                                    .mailbox = c->params[1],
                                    .recursive = strcmp(c->params[3], "recursive") == 0,
                                    .warn = warn,
                                    .user = c};
    i->name = mox__strndup(&c->env, c->params[0], strlen(c->params[0]));
    if (i->name == NULL)
        return mox__fail(err, MOX_ENOMEM, "import: out of memory");
    if (c->params[2][0] != '/')
        return mox__fail(err, MOX_EINVAL, "import: the path must be an absolute one");
    int rc = c->handlers->open_account(c->user, c->params[0], &i->account, err);
    if (rc < 0)
        return rc;
    return explain(mox__import_files_begin(&i->task, i->account, &what, err), err);
}

static int start(struct mox_ctl *c, enum mox_mailfile_kind kind, struct mox_error *err)
{
    static const struct ctl_work work = {.go_on = go_on, .end = end};
    if (c->handlers->open_account == NULL)
        return mox__fail(err, MOX_EUNSUPPORTED, "there are no accounts here");
    struct ctl_import *i = mem_new(&c->env, struct ctl_import, 1);
    if (i == NULL)
        return mox__fail(err, MOX_ENOMEM, "import: out of memory");
    c->work = &work;
    c->work_state = i;
    int rc = begin(c, kind, err);
    if (rc < 0) {
        mox__ctl_work_end(c);
        return rc;
    }
    log_line(&c->env, MOX_LOG_INFO, "ctl", "importing messages", NULL, F_TEXT("account", i->name),
             F_TEXT("path", c->params[2]));
    mox__ctl_say(c, "ok");
    c->state = STREAM;
    return MOX_OK;
}

int mox__ctl_import_maildir(struct mox_ctl *c, struct mox_error *err)
{
    return start(c, MOX_MAILFILE_MAILDIR, err);
}

int mox__ctl_import_mbox(struct mox_ctl *c, struct mox_error *err)
{
    return start(c, MOX_MAILFILE_MBOX, err);
}
