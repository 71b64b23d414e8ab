/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "dns/nfc.h"
#include "sasl/server.h"

/* Texts of the client, and what is known of its user. */

bool mox__sasl_is_text(struct mox_slice s)
{
    return s.len == 0 || (mox__slice_is_utf8(s) && memchr(s.data, '\0', s.len) == NULL);
}

static bool syntax(struct mox_sasl_server *s, const char *why)
{
    (void)mox__sasl_fail(s, MOX_SASL_FAILED_SYNTAX, why);
    return false;
}

static bool keep_username(struct mox_sasl_server *s, struct mox_slice name)
{
    if (name.len >= sizeof s->username)
        return syntax(s, "too long a user name");
    if (name.len > 0)
        memcpy(s->username, name.data, name.len);
    s->username[name.len] = '\0';
    return true;
}

bool mox__sasl_take_username(struct mox_sasl_server *s, struct mox_slice name)
{
    if (!mox__sasl_is_text(name))
        return syntax(s, "a user name that is not UTF-8");
    if (name.len >= sizeof s->username || mox__slice_is_ascii(name))
        return keep_username(s, name);
    struct buf normal;
    mox__buf_init(&normal, &s->env, sizeof s->username * 3); /* NFC may lengthen */
    int rc = mox__nfc(&normal, name);
    bool kept = false;
    if (rc == MOX_ENOMEM)
        (void)mox__sasl_fail(s, MOX_SASL_FAILED_MEMORY, "");
    else /* builds without Unicode tables know no user of such a name anyway */
        kept = keep_username(s, rc == MOX_OK ? slice(normal.data, normal.len) : name);
    mox__buf_free(&normal);
    return kept;
}

bool mox__sasl_take_secret(struct mox_sasl_server *s, struct mox_slice text)
{
    if (!mox__sasl_is_text(text))
        return syntax(s, "not UTF-8");
    s->secret_text = mox__strndup(&s->env, text.data, text.len);
    s->secret_len = text.len;
    if (s->secret_text == NULL)
        (void)mox__sasl_fail(s, MOX_SASL_FAILED_MEMORY, "");
    return s->secret_text != NULL;
}

void mox__sasl_forget_secret(struct mox_sasl_server *s)
{
    if (s->secret_text == NULL)
        return;
    mox__wipe(s->secret_text, s->secret_len);
    mox__mem_free(&s->env, s->secret_text);
    s->secret_text = NULL;
    s->question.password = s->question.token = "";
}

void mox__sasl_lacks_record(struct mox_sasl_server *s, const char *what)
{
    s->lacks_record = true;
    (void)snprintf(s->text, sizeof s->text, "%s %s record: set the password again", what,
                   s->question.record);
}
