/* SPDX-License-Identifier: MIT */
#include "imap/commands.h"

/* IDLE (RFC 2177). The session is told of changes by a watch, which only notes that there is
 * something: what it is comes from comparing views, as for any other command. */

static void changed(struct mox_watch *w, uint64_t mailbox)
{
    struct mox_imap_server *s = w->user;
    /* s->mailbox stays as it is while the watch is there. */
    if (mailbox != 0 && mailbox != s->mailbox)
        return;
    /* One wake is enough until the session has looked. */
    if ((atomic_fetch_or(&s->events, EV_CHANGED) & EV_CHANGED) == 0)
        s->cb.wake(s->user);
}

void mox__imap_watch(struct mox_imap_server *s)
{
    if (s->store.ops->watch == NULL)
        return;
    atomic_fetch_and(&s->events, ~(unsigned)EV_CHANGED);
    s->watch = (struct mox_watch){.changed = changed, .user = s};
    s->watching = true;
    s->store.ops->watch(s->store.self, &s->watch);
}

void mox__imap_unwatch(struct mox_imap_server *s)
{
    if (s->watching)
        s->store.ops->unwatch(s->store.self, &s->watch);
    s->watching = false;
}

void mox__cleanup_idle(struct mox_imap_server *s, struct command *c)
{
    (void)c;
    mox__imap_unwatch(s);
}

enum { IDLE_BEGIN, IDLE_LIST, IDLE_VIEW, IDLE_REST };

void mox__answer_idle(struct mox_imap_server *s, struct command *c, struct mox_slice line)
{
    if (mox__slice_is_nocase(line, "DONE")) {
        mox__imap_unwatch(s);
        (void)mox__imap_ok(c, NULL, NULL);
    } else {
        /* Some client that has lost track: what follows could be anything. */
        mox__imap_bye(s, "expected DONE");
    }
}

/* What changes between the look at it and the rest wakes the session again, as the watch is there
 * before the first look. */
enum step mox__cmd_idle(struct mox_imap_server *s, struct command *c)
{
    enum step step;
    if (c->stage == IDLE_BEGIN) {
        mox__imap_put(s, "+ idling\r\n");
        mox__imap_watch(s);
        c->stage = IDLE_LIST;
    }
    if (c->stage == IDLE_REST)
        c->stage = IDLE_LIST;
    if (c->stage == IDLE_LIST) {
        step = mox__imap_list_sync(s, c);
        if (step != STEP_DONE)
            return step;
        c->stage = IDLE_VIEW;
    }
    step = mox__imap_sync(s, c);
    if (step != STEP_DONE)
        return step;
    c->stage = IDLE_REST;
    s->reader = READ_ANSWER;
    return STEP_CALL;
}
