/* SPDX-License-Identifier: MIT */
#include <mox/mailstore.h>

#include <string.h>

#include "base/mem.h"

const struct mox_mailboxes *mox_mailboxes_ref(const struct mox_mailboxes *m)
{
    if (m->ref != NULL)
        m->ref(m, 1);
    return m;
}

void mox_mailboxes_unref(const struct mox_mailboxes *m)
{
    if (m != NULL && m->ref != NULL)
        m->ref(m, -1);
}

const struct mox_mailbox *mox_mailboxes_find(const struct mox_mailboxes *m, const char *name)
{
    size_t low = 0, high = m->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(m->list[middle].name, name);
        if (order == 0)
            return &m->list[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct mox_mailbox *mox_mailboxes_find_id(const struct mox_mailboxes *m, uint64_t id)
{
    for (size_t i = 0; id != 0 && i < m->count; i++)
        if (m->list[i].id == id)
            return &m->list[i];
    return NULL;
}

void mox_copy_free(struct mox_copy *op)
{
    if (op->env != NULL)
        mox__mem_free(op->env, op->copied);
    op->copied = NULL;
    op->copied_count = 0;
}
