/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "config/sconf.h"

struct sconf_node *mox__sconf_find(const struct sconf_node *parent, const char *key)
{
    struct sconf_node *n = parent == NULL ? NULL : parent->first;
    while (n != NULL && !mox__slice_is(n->key, key))
        n = n->next;
    return n;
}

unsigned mox__sconf_last_line(const struct sconf *tree, const struct sconf_node *node)
{
    if (node->parent == NULL)
        return tree->lines;
    while (node->last != NULL)
        node = node->last;
    return node->line;
}

bool mox__sconf_same(const struct sconf_node *a, const struct sconf_node *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    if (!mox__slice_eq(a->key, b->key) || !mox__slice_eq(a->value, b->value))
        return false;
    const struct sconf_node *x = a->first, *y = b->first;
    while (x != NULL && y != NULL && mox__sconf_same(x, y)) {
        x = x->next;
        y = y->next;
    }
    return x == NULL && y == NULL;
}

int mox__sconf_set(struct sconf *tree, struct sconf_node *node, struct mox_slice value)
{
    char *copy = mox__arena_strndup(&tree->arena, value.data, value.len);
    if (copy == NULL)
        return MOX_ENOMEM;
    node->value = slice(copy, value.len);
    node->raw = (struct mox_slice){0};
    return MOX_OK;
}

/* A copy of one node, without children. */
static struct sconf_node *insert_one(struct sconf *tree, struct sconf_node *parent,
                                     struct sconf_node *before, const struct sconf_node *from)
{
    struct sconf_node *n = arena_new(&tree->arena, struct sconf_node, 1);
    char *key = mox__arena_strndup(&tree->arena, from->key.data, from->key.len);
    char *value = mox__arena_strndup(&tree->arena, from->value.data, from->value.len);
    if (n == NULL || key == NULL || value == NULL)
        return NULL;
    *n = (struct sconf_node){.parent = parent, .next = before,
                             .prev = before == NULL ? parent->last : before->prev,
                             .key = slice(key, from->key.len),
                             .value = slice(value, from->value.len), .is_list = from->is_list};
    *(n->prev == NULL ? &parent->first : &n->prev->next) = n;
    *(n->next == NULL ? &parent->last : &n->next->prev) = n;
    return n;
}

static void unlink_node(struct sconf_node *n)
{
    *(n->prev == NULL ? &n->parent->first : &n->prev->next) = n->next;
    *(n->next == NULL ? &n->parent->last : &n->next->prev) = n->prev;
}

/* Depth is bounded by SCONF_MAX_DEPTH, as `from` was read. */
int mox__sconf_insert(struct sconf *tree, struct sconf_node *parent, struct sconf_node *before,
                      const struct sconf_node *from)
{
    struct sconf_node *n = insert_one(tree, parent, before, from);
    if (n == NULL)
        return MOX_ENOMEM;
    for (const struct sconf_node *child = from->first; child != NULL; child = child->next)
        if (mox__sconf_insert(tree, n, NULL, child) < 0) {
            unlink_node(n);
            return MOX_ENOMEM;
        }
    return MOX_OK;
}

/* What is left of the lines above a removed entry: all up to the last blank line. The comment
 * directly above goes with its entry, an earlier one is about something else. */
static struct mox_slice up_to_last_blank(struct mox_slice lead)
{
    size_t keep = 0;
    bool blank = true;
    for (size_t i = 0; i < lead.len; i++) {
        uint8_t c = lead.data[i];
        if (c == '\n') {
            keep = blank ? i + 1 : keep;
            blank = true;
        } else if (c != ' ' && c != '\t' && c != '\r') {
            blank = false;
        }
    }
    return slice(lead.data, keep);
}

/* Where the lines above the entry that follows `node` and all below it are kept. */
static struct mox_slice *next_lead(struct sconf *tree, struct sconf_node *node)
{
    while (node != NULL && node->next == NULL)
        node = node->parent;
    return node == NULL ? &tree->tail : &node->next->lead;
}

int mox__sconf_remove(struct sconf *tree, struct sconf_node *node)
{
    struct mox_slice keep = up_to_last_blank(node->lead);
    struct mox_slice *lead = next_lead(tree, node);
    if (keep.len > 0 && lead->len == 0) {
        *lead = keep;
    } else if (keep.len > 0) {
        char *both = mox__arena_alloc(&tree->arena, 1, keep.len + lead->len);
        if (both == NULL)
            return MOX_ENOMEM;
        memcpy(both, keep.data, keep.len);
        memcpy(both + keep.len, lead->data, lead->len);
        *lead = slice(both, keep.len + lead->len);
    }
    unlink_node(node);
    return MOX_OK;
}

static void write_node(const struct sconf *tree, const struct sconf_node *n, unsigned depth,
                       struct buf *out)
{
    if (out->len > 0 && out->data[out->len - 1] != '\n')
        mox__buf_byte(out, '\n'); /* the last line of the file had no end */
    mox__buf_slice(out, n->lead);
    bool keep = n->raw.len > 0;
    if (keep) {
        mox__buf_slice(out, n->raw);
    } else {
        for (unsigned i = 0; i < depth; i++)
            mox__buf_byte(out, '\t');
        mox__buf_slice(out, n->key);
        mox__buf_byte(out, n->parent->is_list ? '-' : ':');
        if (n->value.len > 0)
            mox__buf_byte(out, ' ');
        mox__buf_slice(out, n->value);
        mox__buf_text(out, tree->crlf ? "\r\n" : "\n");
    }
    for (const struct sconf_node *child = n->first; child != NULL; child = child->next)
        write_node(tree, child, depth + 1, out);
}

void mox__sconf_write(const struct sconf *tree, struct buf *out)
{
    for (const struct sconf_node *n = tree->root.first; n != NULL; n = n->next)
        write_node(tree, n, 0, out);
    if (tree->tail.len > 0 && out->len > 0 && out->data[out->len - 1] != '\n')
        mox__buf_byte(out, '\n');
    mox__buf_slice(out, tree->tail);
}
