/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "server/ctl.h"

/* The commands of the control socket about why a message is where it is. */

/* Begins the stream of a text, which is freed; NULL: of what is in there already. */
static int answer(struct mox_ctl *c, char *text, struct mox_error *err)
{
    if (text != NULL)
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

/* ---- a message as if it came now ---- */

enum check_param {
    ACCOUNT,
    RECIPIENT,
    FORM,
    IP,
    HELO,
    LOCALPART,
    DOMAIN,
    NOW,
    TLS,
    LISTS,
    ZONE_BYTES,
    BYTES
};

static int read_check(const struct mox_ctl *c, struct mox_ctl_check *q, struct mox_error *err)
{
    uint64_t now, zone_len;
    const struct mox_slice bytes = slice(c->upload.data, c->upload.len);
    if (!mox__slice_uint(slice_of(c->params[NOW]), INT64_MAX / 1000000, &now) ||
        !mox__slice_uint(slice_of(c->params[ZONE_BYTES]), bytes.len, &zone_len))
        return mox__fail(err, MOX_EINVAL, "check: a number is wrong");
    *q = (struct mox_ctl_check){.size = sizeof *q,
                                .account = c->params[ACCOUNT],
                                .recipient = c->params[RECIPIENT],
                                .ip = c->params[IP],
                                .helo = c->params[HELO],
                                .mail_from_localpart = c->params[LOCALPART],
                                .mail_from_domain = c->params[DOMAIN],
                                .now_us = (int64_t)now * 1000000,
                                .tls = strcmp(c->params[TLS], "yes") == 0,
                                .zone = slice(bytes.data, (size_t)zone_len),
                                .content = slice_from(bytes, (size_t)zone_len)};
    if (strcmp(c->params[LISTS], "?") != 0)
        q->listed_in = c->params[LISTS];
    return read_form(c->params[FORM], &q->json, err);
}

/* What only lists of blocked addresses can decide is the client's to ask them. */
int mox__ctl_check(struct mox_ctl *c, struct mox_error *err)
{
    struct mox_ctl_check q;
    char *text = NULL;
    if (c->handlers->check == NULL)
        return mox__fail(err, MOX_EUNSUPPORTED, "nothing can be checked here");
    int rc = read_check(c, &q, err);
    if (rc == MOX_OK)
        rc = c->handlers->check(c->user, &q, &text, err);
    if (rc == MOX_NEED_DNS) {
        mox__buf_text(&c->answer, MOX_CTL_ASK_LISTS);
        text = NULL;
    }
    return rc < 0 ? rc : answer(c, text, err);
}
