/* SPDX-License-Identifier: MIT */
#include "mailstore/memory.h"

void mox__memory_watch(void *self, struct mox_watch *w)
{
    struct memory *m = self;
    pthread_mutex_lock(&m->watch_lock);
    w->prev = NULL;
    w->next = m->watches;
    if (w->next != NULL)
        w->next->prev = w;
    m->watches = w;
    pthread_mutex_unlock(&m->watch_lock);
}

void mox__memory_unwatch(void *self, struct mox_watch *w)
{
    struct memory *m = self;
    pthread_mutex_lock(&m->watch_lock);
    *(w->prev == NULL ? &m->watches : &w->prev->next) = w->next;
    if (w->next != NULL)
        w->next->prev = w->prev;
    pthread_mutex_unlock(&m->watch_lock);
}

static void tell(struct memory *m, uint64_t mailbox)
{
    for (struct mox_watch *w = m->watches; w != NULL; w = w->next)
        w->changed(w, mailbox);
}

void mox__memory_finish(struct memory *m, struct mox_write *w, int status, struct aftermath *after)
{
    pthread_mutex_unlock(&m->lock);
    for (size_t i = 0; i < after->view_count; i++)
        mox_view_unref(after->views[i]);
    if (after->names_changed || after->changed_count > 0) {
        pthread_mutex_lock(&m->watch_lock);
        if (after->names_changed)
            tell(m, 0);
        for (size_t i = 0; i < after->changed_count; i++)
            tell(m, after->changed[i]);
        pthread_mutex_unlock(&m->watch_lock);
    }
    w->status = status;
    w->done(w);
}
