/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "server/smtp_session.h"

/* Answers that come late on purpose: for those who ask for it (localserve's `timeout`), who guess
 * addresses, or who are not known yet. They cost memory, not a thread; a stop of the server and the
 * client's end cut them short. */

static struct smtp_session *session_of(struct nap *nap)
{
    return container_of(nap, struct smtp_session, nap);
}

static int begin(struct smtp_session *ss, int64_t delay_us,
                 void (*over)(struct nap *nap, bool cut_short))
{
    mox__nap_begin(&ss->nap, delay_us, over);
    ss->pending = true;
    return MOX_LATER;
}

static bool is_due(const struct smtp_session *ss, int64_t delay_us)
{
    return delay_us <= 0 || ss->server->net->stopping;
}

/* It is decided, so it does not matter what cut it short. */
static void say_refusal(struct nap *nap, bool cut_short)
{
    (void)cut_short;
    struct smtp_session *ss = session_of(nap);
    mox__smtp_answer_pending(ss, MOX_EREFUSED, &ss->late_reply);
}

int mox__smtp_refuse_late(struct smtp_session *ss, const struct mox_smtp_reply *reply,
                          int64_t delay_us)
{
    if (is_due(ss, delay_us))
        return MOX_EREFUSED;
    ss->late_reply = *reply;
    return begin(ss, delay_us, say_refusal);
}
