/* SPDX-License-Identifier: MIT */
#include <mox/message.h>
#include <mox/submission.h>

#include "base/text.h"
#include "message/part.h"

static bool has_utf8_address(const struct mox_smtp_envelope *e)
{
    bool found = !mox__slice_is_ascii(slice_of(e->mail_from.localpart));
    for (size_t i = 0; i < e->recipient_count; i++)
        found = found || !mox__slice_is_ascii(slice_of(e->recipients[i].localpart));
    return found;
}

/* Whoever declares SMTPUTF8 for every message need not reach only those who know it. */
int mox_smtputf8_needed(const struct mox_env *env, const struct mox_smtp_envelope *e,
                        struct mox_slice content, bool *needed)
{
    *needed = has_utf8_address(e);
    if (*needed || !e->has_8bit)
        return MOX_OK;
    *needed = !mox__slice_is_ascii(slice(content.data, mox_header_end(content)));
    if (*needed)
        return MOX_OK;
    struct mox_message *m = NULL; /* the headers of parts */
    int rc = mox_message_parse(&m, env, content);
    if (rc == MOX_OK)
        *needed = mox__part_has_utf8_header(mox_message_root(m), content);
    mox_message_free(m);
    return rc;
}
