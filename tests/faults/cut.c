/* SPDX-License-Identifier: MIT */
#include "faults/cut.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults/disk.h"
#include "faults/need.h"
#include "store/storefix.h"
#include "support/cm.h"

/* Disks that were checked already, by hash; a power of two, and never full. */
struct seen {
    uint64_t *hashes;
    size_t count, cap;
};

static bool is_new(struct seen *s, uint64_t hash)
{
    if (s->count * 2 >= s->cap) {
        struct seen more = {.cap = s->cap == 0 ? 1024 : s->cap * 2};
        more.hashes = need(calloc(more.cap, sizeof *more.hashes));
        for (size_t i = 0; i < s->cap; i++)
            if (s->hashes[i] != 0)
                (void)is_new(&more, s->hashes[i]);
        free(s->hashes);
        *s = more;
    }
    size_t i = hash & (s->cap - 1);
    for (; s->hashes[i] != 0; i = (i + 1) & (s->cap - 1))
        if (s->hashes[i] == hash)
            return false;
    s->hashes[i] = hash;
    s->count++;
    return true;
}

struct cutter {
    void (*check)(void *user, const struct cut *cut);
    void *user;
    struct cut_counts *counts;
    struct seen seen;
    const struct disk *disk;
    struct cut cut;
};

/* The cut that is being checked; it stays when the check fails. */
static struct {
    struct cut cut;
    char dir[32]; /* empty: none */
} current;

static void cut(struct cutter *c, enum leaving leaving, uint64_t seed)
{
    static const char *const names[] = {"what was synced", "some of the rest", "everything"};
    struct tree *t = disk_cut(c->disk, leaving, seed);
    /* what passes with more acknowledged need not be seen with less, so it is in the hash */
    if (is_new(&c->seen, tree_hash(t) * 31 + c->cut.acknowledged + 1)) {
        char dir[] = "/dev/shm/mox-cut.XXXXXX";
        assert_non_null(mkdtemp(dir));
        tree_write(t, dir);
        c->cut.dir = dir;
        c->cut.leaving = names[leaving];
        c->cut.seed = seed;
        c->cut.killed = leaving == LEAVES_ALL;
        current.cut = c->cut;
        (void)snprintf(current.dir, sizeof current.dir, "%s", dir);
        c->check(c->user, &c->cut);
        current.dir[0] = '\0';
        c->counts->disks++;
        remove_tree(dir);
    }
    tree_free(t);
}

void cut_everywhere(const struct record *r, unsigned seeds,
                    void (*check)(void *user, const struct cut *cut), void *user,
                    struct cut_counts *counts)
{
    const char *more = getenv("MOX_CUT_SEEDS");
    struct disk *d = disk_new(r->files);
    struct cutter c = {
        .check = check, .user = user, .counts = counts, .disk = d, .cut = {.record = r}};
    if (more != NULL)
        seeds = (unsigned)strtoul(more, NULL, 10);
    for (size_t i = 0; i < r->count; i++) {
        const struct op *op = &r->ops[i];
        disk_do(d, op);
        if (op->kind == OP_SUBMITTED)
            c.cut.submitted = op->at;
        if (op->kind == OP_ACKNOWLEDGED)
            c.cut.acknowledged = op->at;
        if (i + 1 < r->start || op->kind == OP_SUBMITTED)
            continue;
        c.cut.at = i + 1;
        counts->points++;
        cut(&c, LEAVES_SYNCED, 0);
        cut(&c, LEAVES_ALL, 0);
        for (uint64_t seed = 0; seed < seeds; seed++)
            cut(&c, LEAVES_SOME, i * 1000003 + seed);
    }
    disk_free(d);
    free(c.seen.hashes);
}

/* ---- saying where ---- */

static void print_op(const struct record *r, size_t i)
{
    static const char *const kinds[] = {"create",      "link",      "unlink",
                                        "write",       "resize",    "sync",
                                        "failed sync", "submitted", "acknowledged"};
    const struct op *op = &r->ops[i];
    const char *name = op->name == NULL ? record_name(r, op->file) : op->name;
    print_error("  %zu: %s file %u %s, %zu bytes at %llu\n", i + 1, kinds[op->kind], op->file, name,
                op->len, (unsigned long long)op->at);
}

void cut_failed(const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fail_msg("%s", text);
}

int cut_teardown(void **state)
{
    (void)state;
    const struct cut *c = &current.cut;
    record_free(record_stop());
    if (current.dir[0] == '\0')
        return 0;
    print_error(
        "The power was cut after operation %zu and left %s (seed %llu) in %s. Of the steps %zu "
        "were acknowledged, %zu submitted. What went before:\n",
        c->at, c->leaving, (unsigned long long)c->seed, current.dir, c->acknowledged, c->submitted);
    for (size_t i = c->at > 12 ? c->at - 12 : 0; i < c->at; i++)
        print_op(c->record, i);
    current.dir[0] = '\0';
    return 0;
}
