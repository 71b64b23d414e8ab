/* SPDX-License-Identifier: MIT */
#ifndef RATELIMIT_TABLE_H
#define RATELIMIT_TABLE_H

#include <mox/env.h>

/* What is counted of networks: a hash table of nodes, in a list from the most to the least recently
 * used. It grows by a chunk of nodes and by one bucket at a time (linear hashing, Litwin 1980), so
 * that no look-up ever waits for a million nodes to move. The hash has a secret key: peers choose
 * their addresses, and would choose those of one bucket. */

struct node {
    uint64_t network;
    uint32_t hash : 29, kind : 3; /* kind: which class of which family the network is of */
    uint32_t chain;               /* the next node of the bucket, or of the free ones */
    uint32_t newer, older;        /* by use */
    uint64_t payload[];           /* whatever is counted */
};

/* Where a node is, or would be. */
struct spot {
    uint64_t network;
    uint32_t hash, kind;
    uint32_t index; /* NODE_NONE: it is not there */
};

#define TABLE_MAX (1u << 28)
#define NODE_NONE UINT32_MAX

struct table {
    struct mox_env env;
    uint8_t key[16];
    size_t node_bytes;
    uint32_t capacity; /* nodes */
    uint32_t count;    /* those in use */
    uint32_t made;     /* those that there is memory for */
    uint32_t spare;    /* the first free one */
    uint32_t newest, oldest;
    /* Buckets below `base` have been split if their sibling, `base` higher, is below `buckets`. */
    uint32_t base, buckets; /* base <= buckets < 2 * base, base is a power of two */
    void **node_chunks;
    uint32_t **bucket_chunks;
};

/* @param payload  bytes of each node, a multiple of 8. MOX_ENOMEM. */
MOX_MUST_USE int mox__table_init(struct table *t, const struct mox_env *env, uint32_t capacity,
                                 size_t payload);
void mox__table_free(struct table *t);

struct node *mox__table_node(const struct table *t, uint32_t index);
/* Looks for each of them, by network and kind: at once, so that the memory's answers are waited for
 * together. Sets hash and index. */
void mox__table_find(const struct table *t, struct spot *spots, size_t count);
/* Makes it the most recently used. */
void mox__table_touch(struct table *t, uint32_t index);
/* Whether mox__table_insert() can be called n times: there are free nodes, or memory for more. */
bool mox__table_has_room(struct table *t, uint32_t n);
/* A new one, the most recently used, with a payload of zeros. There is room for it, and it was looked
 * for. Sets its index. */
struct node *mox__table_insert(struct table *t, struct spot *spot);
void mox__table_remove(struct table *t, uint32_t index);

#endif
