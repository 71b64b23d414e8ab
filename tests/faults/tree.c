/* SPDX-License-Identifier: MIT */
#include "faults/tree.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "faults/need.h"

struct tree *tree_new(unsigned files)
{
    struct tree *t = need(calloc(1, sizeof *t));
    t->files = need(calloc(files, sizeof *t->files));
    t->own = need(calloc(files, sizeof *t->own));
    t->count = files;
    return t;
}

void tree_free(struct tree *t)
{
    for (unsigned i = 0; i < t->count; i++)
        if (t->own[i])
            free(t->files[i].data);
    free(t->files);
    free(t->own);
    free(t->names.list);
    free(t);
}

void names_add(struct names *names, const struct entry *e)
{
    if (names->count == names->cap) {
        names->cap = names->cap == 0 ? 64 : names->cap * 2;
        names->list = need(realloc(names->list, names->cap * sizeof *names->list));
    }
    names->list[names->count++] = *e;
}

/* ---- walking ---- */

/* Calls `each` for what the folder has and, before that, for the folder's own name. A name whose
 * folder is not on the disk is not either. */
struct walk {
    const struct tree *tree;
    void (*each)(struct walk *w, const char *path, const struct entry *e);
    void *user;
};

static void walk(struct walk *w, const char *path, unsigned dir)
{
    for (size_t i = 0; i < w->tree->names.count; i++) {
        const struct entry *e = &w->tree->names.list[i];
        if (e->dir != dir)
            continue;
        char below[PATH_MAX];
        (void)snprintf(below, sizeof below, "%s/%s", path, e->text);
        w->each(w, below, e);
        if (e->folder)
            walk(w, below, e->file);
    }
}

/* FNV-1a, eight bytes at a time. */
static uint64_t hash(uint64_t h, const void *data, size_t len)
{
    const uint8_t *at = data;
    for (; len > 0; at += len < 8 ? len : 8, len -= len < 8 ? len : 8) {
        uint64_t word = 0;
        memcpy(&word, at, len < 8 ? len : 8);
        h = (h ^ word) * 0x100000001b3u;
        h ^= h >> 29;
    }
    return h;
}

/* Sums, since names are in no order. */
static void hash_one(struct walk *w, const char *path, const struct entry *e)
{
    const struct bytes *b = &w->tree->files[e->file];
    uint64_t h = hash(0xcbf29ce484222325u + e->folder, path, strlen(path));
    if (!e->folder)
        h = hash(h ^ b->len, b->data, b->len);
    *(uint64_t *)w->user += h;
}

uint64_t tree_hash(const struct tree *t)
{
    uint64_t sum = 0;
    walk(&(struct walk){.tree = t, .each = hash_one, .user = &sum}, "", 0);
    return sum;
}

static void write_one(struct walk *w, const char *path, const struct entry *e)
{
    const struct bytes *b = &w->tree->files[e->file];
    if (e->folder) {
        if (mkdir(path, 0700) != 0)
            abort();
        return;
    }
    FILE *f = need(fopen(path, "wb"));
    if (fwrite(b->data == NULL ? (const void *)"" : b->data, 1, b->len, f) != b->len ||
        fclose(f) != 0)
        abort();
}

void tree_write(const struct tree *t, const char *dir)
{
    walk(&(struct walk){.tree = t, .each = write_one}, dir, 0);
}

/* ---- comparing ---- */

struct compare {
    size_t found;
    bool same;
};

static void compare_one(struct walk *w, const char *path, const struct entry *e)
{
    const struct bytes *b = &w->tree->files[e->file];
    struct compare *c = w->user;
    struct stat st;
    bool same = stat(path, &st) == 0 && S_ISDIR(st.st_mode) == e->folder;
    c->found++;
    if (same && !e->folder) {
        uint8_t *data = need(malloc(b->len + 1));
        FILE *f = need(fopen(path, "rb"));
        same = fread(data, 1, b->len + 1, f) == b->len &&
               (b->len == 0 || memcmp(data, b->data, b->len) == 0);
        (void)fclose(f);
        free(data);
    }
    if (!same)
        (void)fprintf(stderr, "%s is not as the record says\n", path);
    c->same = c->same && same;
}

static size_t count_files(const char *dir)
{
    size_t count = 0;
    DIR *list = need(opendir(dir));
    for (struct dirent *e; (e = readdir(list)) != NULL;) {
        size_t len = strlen(e->d_name);
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            (len > 4 && strcmp(e->d_name + len - 4, "-shm") == 0))
            continue;
        char below[PATH_MAX];
        struct stat st;
        (void)snprintf(below, sizeof below, "%s/%s", dir, e->d_name);
        count += 1 + (stat(below, &st) == 0 && S_ISDIR(st.st_mode) ? count_files(below) : 0);
    }
    (void)closedir(list);
    return count;
}

bool tree_is(const struct tree *t, const char *dir)
{
    struct compare c = {.same = true};
    walk(&(struct walk){.tree = t, .each = compare_one, .user = &c}, dir, 0);
    if (c.found != count_files(dir))
        (void)fprintf(stderr, "%s has files that the record does not know\n", dir);
    return c.same && c.found == count_files(dir);
}
