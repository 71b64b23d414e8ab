/* SPDX-License-Identifier: MIT */
#include "ratelimit/table.h"

#include <string.h>

#include <mox/error.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "base/text.h"

/* Nodes or buckets that are allocated together: a quiet server needs one chunk of each. */
#define CHUNK 1024u
/* What a node keeps of its hash: enough for TABLE_MAX buckets, and to find the next ones. */
#define HASHES (2 * TABLE_MAX)

struct node *mox__table_node(const struct table *t, uint32_t index)
{
    char *chunk = t->node_chunks[index / CHUNK];
    return (struct node *)(void *)(chunk + index % CHUNK * t->node_bytes);
}

static uint32_t *bucket_at(const struct table *t, uint32_t bucket)
{
    return &t->bucket_chunks[bucket / CHUNK][bucket % CHUNK];
}

static uint32_t hash_of(const struct table *t, uint64_t network, uint32_t kind)
{
    uint8_t bytes[sizeof network + 1];
    memcpy(bytes, &network, sizeof network);
    bytes[sizeof network] = (uint8_t)kind;
    return (uint32_t)mox__siphash(t->key, slice(bytes, sizeof bytes)) % HASHES;
}

static uint32_t *bucket_of(const struct table *t, uint32_t hash)
{
    uint32_t bucket = hash & (2 * t->base - 1);
    return bucket_at(t, bucket < t->buckets ? bucket : bucket - t->base);
}

/* ---- making it ---- */

static bool add_bucket_chunk(struct table *t, uint32_t bucket)
{
    uint32_t *chunk = mem_new(&t->env, uint32_t, CHUNK);
    if (chunk == NULL)
        return false;
    for (size_t i = 0; i < CHUNK; i++)
        chunk[i] = NODE_NONE;
    t->bucket_chunks[bucket / CHUNK] = chunk;
    return true;
}

int mox__table_init(struct table *t, const struct mox_env *env, uint32_t capacity, size_t payload)
{
    size_t chunks = capacity / CHUNK + 1;
    *t = (struct table){
        .env = *env,
        .node_bytes = sizeof(struct node) + payload,
        .capacity = capacity,
        .spare = NODE_NONE,
        .newest = NODE_NONE,
        .oldest = NODE_NONE,
        .base = CHUNK,
        .buckets = CHUNK,
    };
    env->random(env->user, t->key, sizeof t->key);
    t->node_chunks = mem_new(env, void *, chunks);
    t->bucket_chunks = mem_new(env, uint32_t *, chunks);
    if (t->node_chunks == NULL || t->bucket_chunks == NULL || !add_bucket_chunk(t, 0)) {
        mox__table_free(t);
        return MOX_ENOMEM;
    }
    return MOX_OK;
}

void mox__table_free(struct table *t)
{
    size_t chunks = t->capacity / CHUNK + 1;
    for (size_t i = 0; i < chunks && t->node_chunks != NULL; i++)
        mox__mem_free(&t->env, t->node_chunks[i]);
    for (size_t i = 0; i < chunks && t->bucket_chunks != NULL; i++)
        mox__mem_free(&t->env, t->bucket_chunks[i]);
    mox__mem_free(&t->env, t->node_chunks);
    mox__mem_free(&t->env, t->bucket_chunks);
}

/* ---- the list by use ---- */

static void unlink_node(struct table *t, struct node *n)
{
    if (n->newer != NODE_NONE)
        mox__table_node(t, n->newer)->older = n->older;
    else
        t->newest = n->older;
    if (n->older != NODE_NONE)
        mox__table_node(t, n->older)->newer = n->newer;
    else
        t->oldest = n->newer;
}

static void link_newest(struct table *t, struct node *n, uint32_t index)
{
    n->newer = NODE_NONE;
    n->older = t->newest;
    if (t->newest != NODE_NONE)
        mox__table_node(t, t->newest)->newer = index;
    else
        t->oldest = index;
    t->newest = index;
}

void mox__table_touch(struct table *t, uint32_t index)
{
    if (t->newest == index)
        return;
    struct node *n = mox__table_node(t, index);
    unlink_node(t, n);
    link_newest(t, n, index);
}

/* ---- the hash table ---- */

static uint32_t walk(const struct table *t, const struct spot *spot, uint32_t index)
{
    while (index != NODE_NONE) {
        const struct node *n = mox__table_node(t, index);
        if (n->network == spot->network && n->kind == spot->kind)
            return index;
        index = n->chain;
    }
    return NODE_NONE;
}

void mox__table_find(const struct table *t, struct spot *spots, size_t count)
{
    for (size_t i = 0; i < count; i++)
        spots[i].hash = hash_of(t, spots[i].network, spots[i].kind);
    for (size_t i = 0; i < count; i++)
        spots[i].index = *bucket_of(t, spots[i].hash);
    for (size_t i = 0; i < count; i++)
        spots[i].index = walk(t, &spots[i], spots[i].index);
}

/* One bucket more: takes its nodes from the sibling. Without memory for it chains get longer. */
static void split_bucket(struct table *t)
{
    if (t->buckets % CHUNK == 0 && t->bucket_chunks[t->buckets / CHUNK] == NULL &&
        !add_bucket_chunk(t, t->buckets))
        return;
    uint32_t *from = bucket_at(t, t->buckets - t->base), *to = bucket_at(t, t->buckets);
    uint32_t index = *from, mask = 2 * t->base - 1;
    while (index != NODE_NONE) {
        struct node *n = mox__table_node(t, index);
        uint32_t next = n->chain;
        if ((n->hash & mask) == t->buckets) {
            *from = next;
            n->chain = *to;
            *to = index;
        } else {
            from = &n->chain;
        }
        index = next;
    }
    t->buckets++;
    if (t->buckets == 2 * t->base)
        t->base = t->buckets;
}

static bool add_node_chunk(struct table *t)
{
    void *chunk = mox__calloc(&t->env, CHUNK, t->node_bytes);
    if (chunk == NULL)
        return false;
    t->node_chunks[t->made / CHUNK] = chunk;
    uint32_t room = t->capacity - t->made, n = room < CHUNK ? room : CHUNK;
    for (uint32_t index = t->made + n; index-- > t->made;) {
        mox__table_node(t, index)->chain = t->spare;
        t->spare = index;
    }
    t->made += n;
    return true;
}

bool mox__table_has_room(struct table *t, uint32_t n)
{
    while (t->made - t->count < n)
        if (t->made == t->capacity || !add_node_chunk(t))
            return false;
    return true;
}

struct node *mox__table_insert(struct table *t, struct spot *spot)
{
    uint32_t index = t->spare;
    struct node *n = mox__table_node(t, index);
    t->spare = n->chain;
    spot->index = index;
    memset(n, 0, t->node_bytes);
    n->network = spot->network;
    n->hash = spot->hash % HASHES;
    n->kind = spot->kind % 8;
    uint32_t *bucket = bucket_of(t, n->hash);
    n->chain = *bucket;
    *bucket = index;
    link_newest(t, n, index);
    t->count++;
    if (t->count > t->buckets)
        split_bucket(t);
    return n;
}

void mox__table_remove(struct table *t, uint32_t index)
{
    struct node *n = mox__table_node(t, index);
    uint32_t *at = bucket_of(t, n->hash);
    while (*at != index)
        at = &mox__table_node(t, *at)->chain;
    *at = n->chain;
    unlink_node(t, n);
    n->chain = t->spare;
    t->spare = index;
    t->count--;
}
