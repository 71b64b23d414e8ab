/* SPDX-License-Identifier: MIT */
#include "mailstore/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

/* A list as others see it, in one allocation. It may outlive the store. */
struct names {
    struct mox_mailboxes public; /* first: a reference to it is one to all */
    atomic_int refs;
    struct mox_env env;
    struct mox_mailbox list[];
};

static void count_reference(const struct mox_mailboxes *public, int delta)
{
    struct names *names = (struct names *)(uintptr_t) public;
    if (atomic_fetch_add(&names->refs, delta) + delta > 0)
        return;
    struct mox_env env = names->env;
    mox__mem_free(&env, names);
}

/* What a change of the list may need for names that it composes. Children of a renamed mailbox need
 * one each: 16 MiB are 16,000 of the longest. */
#define DRAFT_NAMES_MAX (16u << 20)

int mox__memory_no_room(struct mox_error *err)
{
    return mox__fail(err, MOX_ENOMEM, "change mailboxes: out of memory");
}

int mox__memory_draft_begin(struct draft *d, struct memory *m, struct mox_error *err)
{
    *d = (struct draft){.store = m};
    mox__arena_init(&d->arena, &m->env, DRAFT_NAMES_MAX);
    d->count = d->cap = m->names == NULL ? 0 : m->names->count;
    d->list = mem_new(&m->env, struct mox_mailbox, d->cap);
    if (d->list == NULL)
        return mox__memory_no_room(err);
    if (d->count > 0)
        memcpy(d->list, m->names->list, d->count * sizeof d->list[0]);
    return MOX_OK;
}

void mox__memory_draft_end(struct draft *d)
{
    if (d->store == NULL)
        return;
    while (d->created != NULL) {
        struct mailbox *next = d->created->next;
        mox__memory_mailbox_free(d->created);
        d->created = next;
    }
    mox__mem_free(&d->store->env, d->frozen);
    mox__mem_free(&d->store->env, d->list);
    mox__arena_reset(&d->arena);
    d->store = NULL;
}

static int by_name(const void *key, const void *member)
{
    const struct mox_mailbox *a = key, *b = member;
    return strcmp(a->name, b->name);
}

struct mox_mailbox *mox__memory_draft_find(const struct draft *d, const char *name)
{
    const struct mox_mailbox key = {.name = name};
    return d->count == 0 ? NULL : bsearch(&key, d->list, d->count, sizeof d->list[0], by_name);
}

int mox__memory_draft_add(struct draft *d, const struct mox_mailbox *entry, struct mox_error *err)
{
    if (!mem_room(&d->store->env, &d->list, &d->cap, d->count, 8))
        return mox__memory_no_room(err);
    d->list[d->count++] = *entry;
    return MOX_OK;
}

static bool is_nothing(const struct mox_mailbox *entry)
{
    return entry->id == 0 && !entry->subscribed;
}

void mox__memory_draft_settle(struct draft *d)
{
    size_t kept = 0;
    if (d->count > 0)
        qsort(d->list, d->count, sizeof d->list[0], by_name);
    for (size_t i = 0; i < d->count; i++) {
        struct mox_mailbox *last = kept == 0 ? NULL : &d->list[kept - 1];
        const struct mox_mailbox entry = d->list[i];
        if (is_nothing(&entry))
            continue;
        if (last == NULL || strcmp(last->name, entry.name) != 0) {
            d->list[kept++] = entry;
            continue;
        }
        bool subscribed = entry.subscribed || last->subscribed;
        if (entry.id != 0)
            *last = entry;
        last->subscribed = subscribed;
    }
    d->count = kept;
}

static int create_one(struct draft *d, const char *name, bool subscribe, struct mailbox **out,
                      struct mox_error *err)
{
    struct memory *m = d->store;
    if (d->created_count >= UINT32_MAX - m->next_uidvalidity)
        return mox__fail(err, MOX_ELIMIT,
                         "create mailbox: the account's UIDVALIDITY values are used up");
    uint32_t nth = d->created_count;
    struct mailbox *mb =
        mox__memory_mailbox_new(m, m->next_mailbox + nth, m->next_uidvalidity + nth);
    if (mb == NULL)
        return mox__memory_no_room(err);
    mb->next = d->created;
    d->created = mb;
    d->created_count++;
    *out = mb;
    const struct mox_mailbox entry = {
        .id = mb->id, .name = name, .uidvalidity = mb->status.uidvalidity, .subscribed = subscribe};
    return mox__memory_draft_add(d, &entry, err);
}

int mox__memory_draft_create(struct draft *d, const char *name, bool subscribe,
                             struct mailbox **out, struct mox_error *err)
{
    struct mailbox *made = NULL;
    size_t settled = d->count;
    for (const char *slash = strchr(name, '/');; slash = strchr(slash + 1, '/')) {
        const char *level = name;
        if (slash != NULL)
            level = mox__arena_strndup(&d->arena, name, (size_t)(slash - name));
        if (level == NULL)
            return mox__memory_no_room(err);
        const struct mox_mailbox key = {.name = level};
        const struct mox_mailbox *known =
            settled == 0 ? NULL : bsearch(&key, d->list, settled, sizeof d->list[0], by_name);
        if (known == NULL || known->id == 0) {
            int rc = create_one(d, level, subscribe, &made, err);
            if (rc < 0)
                return rc;
        }
        if (slash == NULL)
            break;
    }
    mox__memory_draft_settle(d);
    if (out != NULL)
        *out = made;
    return MOX_OK;
}

static int reserve_mailboxes(struct memory *m, size_t more)
{
    if (more <= m->mailbox_cap - m->mailbox_count)
        return MOX_OK;
    size_t cap = m->mailbox_cap + m->mailbox_cap / 2 + more + 8;
    struct mailbox **list = mox__realloc(&m->env, m->mailboxes, cap, sizeof(struct mailbox *));
    if (list == NULL)
        return MOX_ENOMEM;
    m->mailboxes = list;
    m->mailbox_cap = cap;
    return MOX_OK;
}

int mox__memory_draft_freeze(struct draft *d, struct mox_error *err)
{
    struct memory *m = d->store;
    size_t bytes = sizeof(struct names) + d->count * sizeof(struct mox_mailbox);
    for (size_t i = 0; i < d->count; i++)
        bytes += strlen(d->list[i].name) + 1;
    struct names *names = mox__calloc(&m->env, 1, bytes);
    if (names == NULL || reserve_mailboxes(m, d->created_count) < 0) {
        mox__mem_free(&m->env, names);
        return mox__memory_no_room(err);
    }
    atomic_init(&names->refs, 1);
    names->env = m->env;
    char *at = (char *)(names->list + d->count);
    for (size_t i = 0; i < d->count; i++) {
        size_t size = strlen(d->list[i].name) + 1;
        memcpy(at, d->list[i].name, size);
        names->list[i] = d->list[i];
        names->list[i].name = at;
        at += size;
    }
    names->public =
        (struct mox_mailboxes){.count = d->count, .list = names->list, .ref = count_reference};
    d->frozen = names;
    return MOX_OK;
}

void mox__memory_draft_commit(struct draft *d, uint64_t modseq, struct aftermath *after)
{
    struct memory *m = d->store;
    d->frozen->public.version = m->names == NULL ? 1 : m->names->version + 1;
    mox_mailboxes_unref(m->names);
    m->names = &d->frozen->public;
    d->frozen = NULL;

    /* The newest is first. */
    size_t at = m->mailbox_count += d->created_count;
    for (; d->created != NULL; d->created = d->created->next) {
        d->created->status.modseq = modseq;
        m->mailboxes[--at] = d->created;
    }
    m->next_mailbox += d->created_count;
    m->next_uidvalidity += d->created_count;
    after->names_changed = true;
}

int mox__memory_names_init(struct memory *m)
{
    struct draft d;
    struct aftermath after = {0};
    int rc = mox__memory_draft_begin(&d, m, NULL);
    if (rc == MOX_OK)
        rc = mox__memory_draft_create(&d, "Inbox", true, NULL, NULL);
    if (rc == MOX_OK)
        rc = mox__memory_draft_freeze(&d, NULL);
    if (rc == MOX_OK)
        mox__memory_draft_commit(&d, m->modseq, &after);
    mox__memory_draft_end(&d);
    return rc;
}
