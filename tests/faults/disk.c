/* SPDX-License-Identifier: MIT */
#include "faults/disk.h"

#include <stdlib.h>
#include <string.h>

#include "faults/need.h"
#include "faults/tree.h"

#define SECTOR 512

/* ---- bytes ---- */

/* Makes room; what is new is zero. */
static void reserve(struct bytes *b, size_t len)
{
    if (len <= b->cap)
        return;
    size_t cap = len * 2;
    b->data = need(realloc(b->data, cap));
    memset(b->data + b->cap, 0, cap - b->cap);
    b->cap = cap;
}

/* Bytes beyond the length stay zero. */
static void resize(struct bytes *b, size_t len)
{
    reserve(b, len);
    if (len < b->len)
        memset(b->data + len, 0, b->len - len);
    b->len = len;
}

static void copy(struct bytes *to, const struct bytes *from)
{
    resize(to, from->len);
    if (from->len > 0)
        memcpy(to->data, from->data, from->len);
}

static void apply(struct bytes *b, const struct op *op)
{
    if (op->kind == OP_TRUNCATE) {
        resize(b, op->at);
        return;
    }
    if (op->at + op->len > b->len)
        resize(b, op->at + op->len);
    if (op->len > 0)
        memcpy(b->data + op->at, op->data, op->len);
}

/* ---- the disk ---- */

/* Operations since the last sync. */
struct pending {
    const struct op **ops;
    size_t count, cap;
};

struct inode {
    struct bytes safe; /* what is surely on the disk */
    struct bytes seen; /* what reading gave when `pending` was empty; differs after a failed sync */
    struct bytes now;  /* what reading gives */
    struct pending pending;
};

struct disk {
    struct inode *inodes; /* folders use only `pending` */
    unsigned count;
    struct names safe, now;
};

struct disk *disk_new(unsigned files)
{
    struct disk *d = need(calloc(1, sizeof *d));
    d->inodes = need(calloc(files, sizeof *d->inodes));
    d->count = files;
    return d;
}

void disk_free(struct disk *d)
{
    for (unsigned i = 0; i < d->count; i++) {
        struct inode *n = &d->inodes[i];
        free(n->safe.data);
        free(n->seen.data);
        free(n->now.data);
        free(n->pending.ops);
    }
    free(d->inodes);
    free(d->safe.list);
    free(d->now.list);
    free(d);
}

static void wait_for_sync(struct inode *n, const struct op *op)
{
    struct pending *p = &n->pending;
    if (p->count == p->cap) {
        p->cap = p->cap == 0 ? 16 : p->cap * 2;
        p->ops = need(realloc(p->ops, p->cap * sizeof *p->ops));
    }
    p->ops[p->count++] = op;
}

static void rename_op(struct names *names, const struct op *op)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->list[i].dir == op->dir && strcmp(names->list[i].text, op->name) == 0)
            names->list[i--] = names->list[--names->count];
    if (op->kind != OP_UNLINK)
        names_add(names,
                  &(struct entry){
                      .dir = op->dir, .file = op->file, .folder = op->folder, .text = op->name});
}

/* Whether a sector, a length or a name came to the disk. */
static bool survives(uint64_t *random, unsigned percent)
{
    uint64_t z = (*random += 0x9e3779b97f4a7c15u); /* splitmix64 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % 100 < percent;
}

/* A length that came before its bytes shows zeros or what was there before. */
static void set_len(struct bytes *b, size_t len, bool garbage)
{
    size_t from = b->len;
    resize(b, len);
    if (garbage && len > from)
        memset(b->data + from, 0xa5, len - from);
}

/* What the disk has: `out` begins with the safe bytes and gets those that survive. */
static void write_back(const struct inode *n, struct bytes *out, uint64_t *random, unsigned percent)
{
    struct bytes cache = {0};
    copy(&cache, &n->seen);
    bool garbage = percent < 100 && survives(random, 25);
    for (size_t i = 0; i < n->pending.count; i++) {
        const struct op *op = n->pending.ops[i];
        apply(&cache, op);
        if ((op->kind == OP_TRUNCATE || cache.len > out->len) && survives(random, percent))
            set_len(out, cache.len, garbage);
        size_t end;
        for (size_t at = op->at / SECTOR * SECTOR; at < op->at + op->len; at = end) {
            end = at + SECTOR < cache.len ? at + SECTOR : cache.len;
            if (!survives(random, percent))
                continue;
            if (end > out->len)
                set_len(out, end, garbage);
            memcpy(out->data + at, cache.data + at, end - at);
        }
    }
    free(cache.data);
}

static void sync_inode(struct disk *d, unsigned file)
{
    struct inode *n = &d->inodes[file];
    uint64_t random = 0;
    if (n->pending.count > 0 && n->pending.ops[0]->name != NULL)
        for (size_t i = 0; i < n->pending.count; i++)
            rename_op(&d->safe, n->pending.ops[i]);
    else
        write_back(n, &n->safe, &random, 100);
    copy(&n->seen, &n->now);
    n->pending.count = 0;
}

void disk_do(struct disk *d, const struct op *op)
{
    switch (op->kind) {
    case OP_CREATE:
    case OP_LINK:
    case OP_UNLINK:
        rename_op(&d->now, op);
        wait_for_sync(&d->inodes[op->dir], op);
        break;
    case OP_WRITE:
    case OP_TRUNCATE:
        apply(&d->inodes[op->file].now, op);
        wait_for_sync(&d->inodes[op->file], op);
        break;
    case OP_SYNC:
        sync_inode(d, op->file);
        break;
    case OP_SYNC_FAILED:
        copy(&d->inodes[op->file].seen, &d->inodes[op->file].now);
        d->inodes[op->file].pending.count = 0;
        break;
    default:
        break;
    }
}

/* ---- a power cut ---- */

/* By the seed either a few things survive or most; on a journal, names do in order. */
static void some_names(const struct disk *d, struct names *out, uint64_t *random, unsigned percent)
{
    bool journal = survives(random, 50);
    for (unsigned i = 0; i < d->count; i++)
        for (size_t k = 0; k < d->inodes[i].pending.count; k++) {
            const struct op *op = d->inodes[i].pending.ops[k];
            if (op->name == NULL)
                break;
            if (survives(random, percent))
                rename_op(out, op);
            else if (journal)
                break;
        }
}

struct tree *disk_cut(const struct disk *d, enum leaving leaving, uint64_t seed)
{
    static const unsigned percents[] = {10, 50, 90, 97};
    uint64_t random = seed;
    unsigned percent = percents[seed % 4];
    struct tree *t = tree_new(d->count);
    const struct names *names = leaving == LEAVES_ALL ? &d->now : &d->safe;
    for (size_t i = 0; i < names->count; i++)
        names_add(&t->names, &names->list[i]);
    if (leaving == LEAVES_SOME)
        some_names(d, &t->names, &random, percent);
    for (unsigned i = 0; i < d->count; i++) {
        const struct inode *n = &d->inodes[i];
        if (leaving == LEAVES_SOME && n->pending.count > 0 && n->pending.ops[0]->name == NULL) {
            t->own[i] = true;
            t->files[i] = (struct bytes){0};
            copy(&t->files[i], &n->safe);
            write_back(n, &t->files[i], &random, percent);
        } else {
            t->files[i] = leaving == LEAVES_ALL ? n->now : n->safe;
        }
    }
    return t;
}
