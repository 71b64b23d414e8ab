/* SPDX-License-Identifier: MIT */
#include "imap/session.h"

/* \Recent (RFC 3501 §2.3.2): the messages that no other session has seen, as ranges of UIDs that
 * this session claimed. */

static void add_recent(struct mox_imap_server *s, uint32_t first, uint32_t last)
{
    struct mox_uid_range *r = s->recent;
    unsigned n = s->recent_count;
    if (n > 0 && first <= r[n - 1].last + 1) {
        r[n - 1].last = last;
        return;
    }
    if (n == RECENT_RANGES_MAX) {
        for (n = 0; n < RECENT_RANGES_MAX - 1; n++)
            r[n] = r[n + 1];
    }
    r[n] = (struct mox_uid_range){first, last};
    s->recent_count = n + 1;
}

bool mox__imap_claim_recent(struct mox_imap_server *s, const struct mox_view *view)
{
    const struct mox_mailstore_ops *ops = s->store.ops;
    uint32_t uidnext = mox_view_uidnext(view);
    uint32_t from = uidnext;
    struct mox_mailbox_status status;
    if (ops->claim_recent == NULL)
        return false;
    if (!s->read_only)
        from = ops->claim_recent(s->store.self, s->mailbox, uidnext);
    else if (ops->status(s->store.self, s->mailbox, &status, NULL) == MOX_OK)
        from = status.recent_from;
    if (from >= uidnext)
        return false;
    add_recent(s, from, uidnext - 1);
    return true;
}

uint32_t mox__imap_recent(const struct mox_imap_server *s, const struct mox_view *view)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < s->recent_count; i++)
        count +=
            mox_view_find(view, s->recent[i].last + 1) - mox_view_find(view, s->recent[i].first);
    return count;
}

bool mox__imap_is_recent(const struct mox_imap_server *s, uint32_t uid)
{
    for (unsigned i = s->recent_count; i-- > 0;)
        if (uid >= s->recent[i].first)
            return uid <= s->recent[i].last;
    return false;
}
