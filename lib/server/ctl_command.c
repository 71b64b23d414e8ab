/* SPDX-License-Identifier: MIT */
#include "server/ctl.h"

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"

/* What the commands of the control socket do: a command is a row and a function. */

static int run_stop(struct mox_ctl *c, struct mox_error *err)
{
    (void)err;
    c->handlers->stop(c->user);
    c->state = STOPPING;
    return MOX_OK;
}

static int run_set_account_password(struct mox_ctl *c, struct mox_error *err)
{
    int rc = c->handlers->set_account_password(c->user, c->params[0], c->params[1], err);
    if (rc == MOX_OK)
        mox__ctl_say(c, "ok");
    return rc;
}

static void append_level(void *user, const char *pkg, enum mox_log_level level)
{
    struct mox_ctl *c = user;
    mox__buf_printf(&c->answer, "%s: %s\n", pkg == NULL ? "(default)" : pkg,
                    mox_log_level_name(level));
}

static int run_log_levels(struct mox_ctl *c, struct mox_error *err)
{
    mox_logger_levels(c->handlers->logger, append_level, c);
    if (c->answer.failed)
        return mox__fail(err, MOX_ENOMEM, "loglevels: out of memory");
    mox__ctl_say(c, "ok");
    c->state = STREAM;
    return MOX_OK;
}

static int run_set_log_levels(struct mox_ctl *c, struct mox_error *err)
{
    const char *pkg = *c->params[0] == '\0' ? NULL : c->params[0], *name = c->params[1];
    enum mox_log_level level = MOX_LOG_INFO;
    int rc = MOX_OK;
    if (*name == '\0' && pkg == NULL)
        return mox__fail(err, MOX_EINVAL, "the default log level cannot be removed; give a level");
    if (*name == '\0') {
        rc = mox_logger_level_clear(c->handlers->logger, pkg);
        if (rc < 0)
            return mox__fail(err, rc, "package %s has no log level of its own", pkg);
    } else {
        if (mox_log_level_parse(name, &level) < 0)
            return mox__fail(err, MOX_ESYNTAX, "unknown log level \"%s\"; use error, warn, info, "
                             "debug, trace, traceauth or tracedata", name);
        rc = mox_logger_level(c->handlers->logger, pkg, level);
        if (rc < 0)
            return mox__fail(err, rc, "set log level of %s: %s", pkg, mox_status_text(rc));
    }
    log_line(&c->env, MOX_LOG_PRINT, "ctl", "log level changed", NULL,
             F_TEXT("package", pkg == NULL ? "(default)" : pkg), F_TEXT("level", name));
    mox__ctl_say(c, "ok");
    return MOX_OK;
}

static int append_metrics(void *user, struct mox_slice piece)
{
    struct mox_ctl *c = user;
    mox__buf_slice(&c->answer, piece);
    return c->answer.failed ? MOX_ENOMEM : MOX_OK;
}

static int run_metrics(struct mox_ctl *c, struct mox_error *err)
{
    if (c->handlers->metrics == NULL)
        return mox__fail(err, MOX_EUNSUPPORTED, "nothing is counted here");
    int rc = mox_metrics_write(c->handlers->metrics, append_metrics, c);
    if (rc < 0)
        return mox__fail(err, rc, "metrics: %s", mox_status_text(rc));
    mox__ctl_say(c, "ok");
    c->state = STREAM;
    return MOX_OK;
}

static const struct ctl_command commands[] = {
    {"stop", 0, false, run_stop},
    {"setaccountpassword", 2, false, run_set_account_password},
    {"loglevels", 0, false, run_log_levels},
    {"setloglevels", 2, false, run_set_log_levels},
    {"metrics", 0, false, run_metrics},
    {"tlspubkeylist", 1, false, mox__ctl_list_keys},
    {"tlspubkeyadd", 4, false, mox__ctl_add_key},
    {"tlspubkeyrm", 1, false, mox__ctl_remove_key},
    {"loginattempts", 2, false, mox__ctl_list_logins},
    {"retrain", 1, false, mox__ctl_retrain},
    {"importmaildir", 4, false, mox__ctl_import_maildir},
    {"importmbox", 4, false, mox__ctl_import_mbox},
    {"explain", 4, false, mox__ctl_explain},
    {"check", 12, true, mox__ctl_check},
};

const struct ctl_command *mox__ctl_command(struct mox_slice name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (mox__slice_is(name, commands[i].name))
            return &commands[i];
    return NULL;
}
