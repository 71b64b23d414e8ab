/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/sconf.h"

/* The children of a node by key: maps are long, and a look-up must not walk them. */
struct index {
    const struct mox_env *env;
    struct sconf_node **nodes;
    size_t count;
};

static int by_key(const void *a, const void *b)
{
    const struct sconf_node *x = *(struct sconf_node *const *)a, *y = *(struct sconf_node *const *)b;
    return mox__sconf_order(x->key, y->key);
}

static int index_make(struct index *ix, const struct mox_env *env, const struct sconf_node *parent)
{
    *ix = (struct index){.env = env};
    size_t count = 0;
    for (const struct sconf_node *n = parent == NULL ? NULL : parent->first; n != NULL; n = n->next)
        count++;
    if (count == 0)
        return MOX_OK;
    ix->nodes = mem_new(env, struct sconf_node *, count);
    if (ix->nodes == NULL)
        return MOX_ENOMEM;
    for (struct sconf_node *n = parent->first; n != NULL; n = n->next)
        ix->nodes[ix->count++] = n;
    qsort(ix->nodes, ix->count, sizeof *ix->nodes, by_key);
    return MOX_OK;
}

static void index_free(struct index *ix)
{
    mox__mem_free(ix->env, ix->nodes);
}

static struct sconf_node *index_find(const struct index *ix, const struct sconf_node *like)
{
    if (ix->count == 0)
        return NULL;
    struct sconf_node **found = bsearch(&like, ix->nodes, ix->count, sizeof *ix->nodes, by_key);
    return found == NULL ? NULL : *found;
}

/* What two lists have in common at their ends stays; what is between is replaced. */
struct overlap {
    struct sconf_node *mine, *my_end; /* mine from here, up to but not including my_end, goes */
    const struct sconf_node *theirs, *their_end;
};

static struct overlap overlap(const struct sconf_node *node, const struct sconf_node *after)
{
    struct overlap o = {.mine = node->first, .theirs = after->first};
    while (o.mine != NULL && o.theirs != NULL && mox__sconf_same(o.mine, o.theirs)) {
        o.mine = o.mine->next;
        o.theirs = o.theirs->next;
    }
    struct sconf_node *a = node->last;
    const struct sconf_node *b = after->last;
    while (o.mine != o.my_end && o.theirs != o.their_end && mox__sconf_same(a, b)) {
        o.my_end = a;
        o.their_end = b;
        a = a->prev;
        b = b->prev;
    }
    return o;
}

static int merge_list(struct sconf *tree, struct sconf_node *node, const struct sconf_node *after)
{
    struct overlap o = overlap(node, after);
    int rc = MOX_OK;
    for (struct sconf_node *n = o.mine, *next; n != o.my_end && rc == MOX_OK; n = next) {
        next = n->next;
        rc = mox__sconf_remove(tree, n);
    }
    for (; o.theirs != o.their_end && rc == MOX_OK; o.theirs = o.theirs->next)
        rc = mox__sconf_insert(tree, node, o.my_end, o.theirs);
    return rc;
}

static int merge_node(struct sconf *tree, struct sconf_node *node, const struct sconf_node *before,
                      const struct sconf_node *after);

static int merge_indexed(struct sconf *tree, struct sconf_node *node, const struct index *before,
                         const struct index *after)
{
    struct index mine;
    int rc = index_make(&mine, tree->arena.env, node);
    for (struct sconf_node *n = node->first, *next; n != NULL && rc == MOX_OK; n = next) {
        next = n->next;
        rc = merge_node(tree, n, index_find(before, n), index_find(after, n));
    }
    for (size_t i = 0; i < after->count && rc == MOX_OK; i++) {
        const struct sconf_node *n = after->nodes[i];
        if (index_find(&mine, n) == NULL && !mox__sconf_same(n, index_find(before, n)))
            rc = mox__sconf_insert(tree, node, NULL, n);
    }
    index_free(&mine);
    return rc;
}

static int merge_map(struct sconf *tree, struct sconf_node *node, const struct sconf_node *before,
                     const struct sconf_node *after)
{
    struct index b = {.env = tree->arena.env}, a = {.env = tree->arena.env};
    int rc = index_make(&b, b.env, before);
    if (rc == MOX_OK)
        rc = index_make(&a, a.env, after);
    if (rc == MOX_OK)
        rc = merge_indexed(tree, node, &b, &a);
    index_free(&b);
    index_free(&a);
    return rc;
}

static int merge_node(struct sconf *tree, struct sconf_node *node, const struct sconf_node *before,
                      const struct sconf_node *after)
{
    if (mox__sconf_same(before, after))
        return MOX_OK;
    if (after == NULL)
        return mox__sconf_remove(tree, node);
    if (!mox__slice_eq(node->value, after->value)) {
        int rc = mox__sconf_set(tree, node, after->value);
        if (rc < 0)
            return rc;
    }
    while (node->first != NULL && after->first != NULL && node->is_list != after->is_list) {
        int rc = mox__sconf_remove(tree, node->first); /* a list became a map, or the reverse */
        if (rc < 0)
            return rc;
    }
    if (node->first == NULL)
        node->is_list = after->is_list;
    return node->is_list ? merge_list(tree, node, after) : merge_map(tree, node, before, after);
}

int mox__sconf_merge(struct sconf *tree, const struct sconf *before, const struct sconf *after)
{
    return merge_map(tree, &tree->root, &before->root, &after->root);
}
