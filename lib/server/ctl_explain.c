/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "server/ctl.h"

/* The commands of the control socket about why a message is where it is. */

/* Begins the stream of a text, and frees it. */
static int answer(struct mox_ctl *c, char *text, struct mox_error *err)
{
    mox__buf_text(&c->answer, text);
    mox_text_free(&c->env, text);
    if (c->answer.failed) {
        mox__buf_clear(&c->answer);
        return mox__fail(err, MOX_ENOMEM, "explain: out of memory");
    }
    mox__ctl_say(c, "ok");
    c->state = STREAM;
    return MOX_OK;
}

static int read_form(const char *form, bool *json, struct mox_error *err)
{
    *json = strcmp(form, "json") == 0;
    if (*json || strcmp(form, "text") == 0)
        return MOX_OK;
    return mox__fail(err, MOX_EINVAL, "the form is text or json, not %s", form);
}

int mox__ctl_explain(struct mox_ctl *c, struct mox_error *err)
{
    uint64_t uid;
    bool json;
    char *text = NULL;
    if (c->handlers->explain == NULL)
        return mox__fail(err, MOX_EUNSUPPORTED, "nothing can be explained here");
    if (!mox__slice_uint(slice_of(c->params[2]), UINT32_MAX, &uid) || uid == 0)
        return mox__fail(err, MOX_EINVAL, "%s is no UID", c->params[2]);
    int rc = read_form(c->params[3], &json, err);
    if (rc == MOX_OK)
        rc = c->handlers->explain(c->user, c->params[0], c->params[1], (uint32_t)uid, json, &text,
                                  err);
    return rc < 0 ? rc : answer(c, text, err);
}
