/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "server/ctl.h"

/* The commands of the control socket about auth.db. Lists are lines of fields separated by tabs, which no
 * field contains. */

#define FINGERPRINT_TEXT 48 /* 43 letters of base64url */
/* Bytes of a certificate; its line has a limit too. */
#define CERTIFICATE_MAX 8192

static int no_auth_db(struct mox_error *err)
{
    return mox__fail(err, MOX_EUNSUPPORTED, "this server has no auth.db; its log may say why");
}

static void append_time(struct buf *out, int64_t us)
{
    time_t seconds = (time_t)(us / 1000000);
    struct tm tm;
    char text[32] = "-";
    if (gmtime_r(&seconds, &tm) != NULL)
        (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    mox__buf_text(out, text);
}

/* Begins the stream of what was gathered. */
static int answer(struct mox_ctl *c, struct mox_error *err)
{
    if (c->answer.failed) {
        mox__buf_clear(&c->answer);
        return mox__fail(err, MOX_ELIMIT, "the list is too long; ask for less of it");
    }
    mox__ctl_say(c, "ok");
    c->state = STREAM;
    return MOX_OK;
}

/* -- keys ------------------------------------------------------------------------------------ */

static int append_key(void *user, const struct mox_client_key *key)
{
    struct buf *out = user;
    mox__base64url_encode(out, slice(key->fingerprint, sizeof key->fingerprint));
    mox__buf_printf(out, "\t%s\t%s\t%s\t%s\t", key->kind, key->account, key->address,
                    key->no_imap_preauth ? "no" : "yes");
    append_time(out, key->created_us);
    mox__buf_printf(out, "\t%s\n", key->name);
    return out->failed ? MOX_ELIMIT : MOX_OK;
}

int mox__ctl_list_keys(struct mox_ctl *c, struct mox_error *err)
{
    const char *account = c->params[0];
    if (c->handlers->auth_db == NULL)
        return no_auth_db(err);
    int rc = mox_auth_db_keys(c->handlers->auth_db, *account == '\0' ? NULL : account, append_key,
                              &c->answer);
    if (rc < 0 && !c->answer.failed)
        return mox__fail(err, rc, "list keys: %s", mox_status_text(rc));
    return answer(c, err);
}

int mox__ctl_add_key(struct mox_ctl *c, struct mox_error *err)
{
    const char *address = c->params[0], *name = c->params[1], *preauth = c->params[2];
    if (c->handlers->auth_db == NULL || c->handlers->add_client_key == NULL)
        return no_auth_db(err);
    struct buf certificate;
    mox__buf_init(&certificate, &c->env, CERTIFICATE_MAX);
    struct mox_client_key key;
    int rc = mox__base64_decode(&certificate, slice_of(c->params[3]));
    if (rc < 0)
        rc = mox__fail(err, rc, "the certificate is not in base64");
    else
        rc = c->handlers->add_client_key(c->user, address, name, strcmp(preauth, "no") == 0,
                                         slice(certificate.data, certificate.len), &key, err);
    mox__buf_free(&certificate);
    if (rc < 0)
        return rc;
    (void)append_key(&c->answer, &key);
    return answer(c, err);
}

struct wanted_key {
    const struct mox_env *env;
    const char *text;
    bool found;
    uint8_t fingerprint[MOX_FINGERPRINT_BYTES];
};

static int match_key(void *user, const struct mox_client_key *key)
{
    struct wanted_key *w = user;
    struct buf text;
    mox__buf_init(&text, w->env, FINGERPRINT_TEXT);
    mox__base64url_encode(&text, slice(key->fingerprint, sizeof key->fingerprint));
    if (!text.failed && mox__slice_is(slice(text.data, text.len), w->text)) {
        w->found = true;
        memcpy(w->fingerprint, key->fingerprint, sizeof w->fingerprint);
    }
    int rc = text.failed ? MOX_ENOMEM : MOX_OK;
    mox__buf_free(&text);
    return rc;
}

int mox__ctl_remove_key(struct mox_ctl *c, struct mox_error *err)
{
    struct wanted_key w = {.env = &c->env, .text = c->params[0]};
    if (c->handlers->auth_db == NULL)
        return no_auth_db(err);
    int rc = mox_auth_db_keys(c->handlers->auth_db, NULL, match_key, &w);
    if (rc < 0)
        return mox__fail(err, rc, "remove a key: %s", mox_status_text(rc));
    if (!w.found)
        return mox__fail(err, MOX_ENOTFOUND, "remove a key: none has the fingerprint %s", w.text);
    rc = mox_auth_db_remove_key(c->handlers->auth_db, w.fingerprint, err);
    if (rc < 0)
        return rc;
    log_line(&c->env, MOX_LOG_INFO, "ctl", "client key removed", NULL,
             F_TEXT("fingerprint", w.text));
    mox__ctl_say(c, "ok");
    return MOX_OK;
}

/* -- attempts to log in ---------------------------------------------------------------------- */

static int append_login(void *user, const struct mox_login_attempt *a)
{
    struct buf *out = user;
    append_time(out, a->last_us);
    mox__buf_byte(out, '\t');
    append_time(out, a->first_us);
    mox__buf_printf(out, "\t%llu\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", (unsigned long long)a->count,
                    a->result, a->account, a->address, a->remote_ip, a->protocol, a->mechanism,
                    a->tls, a->user_agent);
    return out->failed ? MOX_ELIMIT : MOX_OK;
}

int mox__ctl_list_logins(struct mox_ctl *c, struct mox_error *err)
{
    const char *account = c->params[0];
    uint64_t limit;
    if (c->handlers->auth_db == NULL)
        return no_auth_db(err);
    if (!mox__slice_uint(slice_of(c->params[1]), INT32_MAX, &limit))
        return mox__fail(err, MOX_EINVAL, "%s is no number of attempts", c->params[1]);
    int rc = mox_auth_db_logins(c->handlers->auth_db, *account == '\0' ? NULL : account,
                                (size_t)limit, append_login, &c->answer, err);
    return rc < 0 && !c->answer.failed ? rc : answer(c, err);
}
