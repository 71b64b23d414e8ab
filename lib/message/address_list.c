/* SPDX-License-Identifier: MIT */
#include <mox/address.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/text.h"
#include "message/address.h"

#define FIRST_CAP 8

struct mox_address_list {
    struct mox_env env;
    struct arena arena; /* the texts */
    struct mox_address *items;
    size_t count, cap;
};

static bool copy(struct arena *a, struct mox_slice from, struct mox_slice *to)
{
    const char *text = mox__arena_strndup(a, from.data, from.len);
    *to = slice(text, from.len);
    return text != NULL;
}

static int add(struct mox_address_list *list, const struct address *from)
{
    if (!mem_room(&list->env, &list->items, &list->cap, list->count, FIRST_CAP))
        return MOX_ENOMEM;
    struct mox_address *to = &list->items[list->count];
    to->kind = from->kind;
    if (!copy(&list->arena, from->name, &to->name) ||
        !copy(&list->arena, from->mailbox, &to->mailbox) ||
        !copy(&list->arena, from->host, &to->host))
        return MOX_ENOMEM;
    list->count++;
    return MOX_OK;
}

/* A group that is open at the bound is still ended. */
static int add_all(struct mox_address_list *list, struct addresses *from)
{
    struct address address;
    bool in_group = false;
    int rc = MOX_OK;
    while (rc == MOX_OK && (list->count < MOX_ADDRESS_LIST_MAX || in_group) &&
           mox__addresses_next(from, &address)) {
        if (list->count >= MOX_ADDRESS_LIST_MAX && address.kind == MOX_ADDRESS_MAILBOX)
            continue;
        rc = add(list, &address);
        in_group = address.kind != MOX_ADDRESS_GROUP_END &&
                   (in_group || address.kind == MOX_ADDRESS_GROUP);
    }
    return from->failed ? MOX_ENOMEM : rc;
}

int mox_address_list_parse(struct mox_address_list **out, const struct mox_env *env,
                           struct mox_slice value)
{
    *out = NULL;
    struct mox_address_list *list = mem_new(env, struct mox_address_list, 1);
    if (list == NULL)
        return MOX_ENOMEM;
    list->env = *env;
    mox__arena_init(&list->arena, &list->env, SIZE_MAX / 2); /* as large as the value */
    struct addresses from;
    mox__addresses_init(&from, env, value);
    int rc = add_all(list, &from);
    mox__addresses_free(&from);
    if (rc < 0) {
        mox_address_list_free(list);
        return rc;
    }
    *out = list;
    return MOX_OK;
}

void mox_address_list_free(struct mox_address_list *list)
{
    if (list == NULL)
        return;
    struct mox_env env = list->env;
    mox__arena_reset(&list->arena);
    mox__mem_free(&env, list->items);
    mox__mem_free(&env, list);
}

size_t mox_address_list_count(const struct mox_address_list *list)
{
    return list->count;
}

const struct mox_address *mox_address_list_at(const struct mox_address_list *list, size_t i)
{
    return &list->items[i];
}
