/* SPDX-License-Identifier: MIT */
#include "smtp/server.h"

/* DATA (RFC 5321 §4.1.1.4). What follows the 354 is read by content.c. */

void mox__smtp_cmd_data(struct mox_smtp_server *s, struct mox_slice args)
{
    if (!mox__smtp_at_end(s, args)) {
        mox__smtp_bad_syntax(s, args, "DATA has no arguments");
        return;
    }
    if (s->envelope.body == MOX_SMTP_BINARYMIME) { /* RFC 3030 §3 */
        mox__smtp_reply(s, 503, "5.5.1", "BODY=BINARYMIME needs BDAT");
        return;
    }
    s->content.is_chunk = false;
    mox__smtp_prepare(s, 451, "4.3.0", "cannot take a message now, try again later");
    int rc = s->cb.data_begin == NULL ? MOX_OK : s->cb.data_begin(s->user, &s->envelope, &s->reply);
    mox__smtp_answer(s, ASK_BEGIN, rc);
}

/* Both for DATA and for the first BDAT, whose chunk is on its way whatever the host says. */
void mox__smtp_begin_answered(struct mox_smtp_server *s, int rc)
{
    if (s->content.is_chunk) {
        s->state = ST_BDAT;
        mox__smtp_content_begin(s);
        if (rc < 0)
            mox__smtp_content_refuse(s);
        return;
    }
    if (rc < 0) {
        mox__smtp_send(s, &s->reply);
        mox__smtp_end_transaction(s);
        return;
    }
    mox__smtp_reply(s, 354, "", "see you at the bare dot");
    mox__smtp_content_begin(s);
}
