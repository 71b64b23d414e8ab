/* SPDX-License-Identifier: MIT */
#include "faults/record.h"

#include <dirent.h>
#include <fnmatch.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faults/need.h"

/* A name that exists now. */
struct name {
    unsigned dir, file;
    bool folder;
    char *text;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t let_go = PTHREAD_COND_INITIALIZER;
static struct {
    struct record *record; /* NULL: nothing is recorded */
    const char *root;
    struct name *names;
    size_t name_count, name_cap;
    const char *fail_sync;
    bool held;
    pthread_t holder;
} now;

void record_lock(void)
{
    pthread_mutex_lock(&lock);
}

void record_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

void record_not_modelled(const char *call, const char *path)
{
    (void)fprintf(stderr, "%s of %s: the simulated disk does not know what this does\n", call,
                  path);
    abort();
}

/* ---- the log ---- */

static struct op *add(enum op_kind kind)
{
    struct record *r = now.record;
    if (r->count == r->cap) {
        r->cap = r->cap == 0 ? 256 : r->cap * 2;
        r->ops = need(realloc(r->ops, r->cap * sizeof *r->ops));
    }
    struct op *op = &r->ops[r->count++];
    *op = (struct op){.kind = kind};
    return op;
}

static void mark(enum op_kind kind, size_t steps)
{
    record_lock();
    if (now.record != NULL)
        add(kind)->at = steps;
    record_unlock();
}

void record_submitted(size_t steps)
{
    mark(OP_SUBMITTED, steps);
}

void record_acknowledged(size_t steps)
{
    mark(OP_ACKNOWLEDGED, steps);
}

void record_wrote(unsigned file, uint64_t at, const void *data, size_t len)
{
    struct op *op = add(OP_WRITE);
    op->file = file;
    op->at = at;
    op->len = len;
    op->data = need(malloc(len + 1));
    memcpy(op->data, data, len);
}

void record_truncated(unsigned file, uint64_t size)
{
    struct op *op = add(OP_TRUNCATE);
    op->file = file;
    op->at = size;
}

/* ---- names ---- */

static struct name *find_name(unsigned dir, const char *text, size_t len)
{
    for (size_t i = 0; i < now.name_count; i++) {
        struct name *n = &now.names[i];
        if (n->dir == dir && strncmp(n->text, text, len) == 0 && n->text[len] == '\0')
            return n;
    }
    return NULL;
}

static bool parent_of(unsigned folder, unsigned *out)
{
    for (size_t i = 0; i < now.name_count; i++)
        if (now.names[i].folder && now.names[i].file == folder) {
            *out = now.names[i].dir;
            return true;
        }
    return false; /* the root's */
}

bool record_find(const char *path, struct place *p)
{
    size_t root_len = now.record == NULL ? 0 : strlen(now.root);
    if (now.record == NULL || strncmp(path, now.root, root_len) != 0 ||
        (path[root_len] != '/' && path[root_len] != '\0'))
        return false;
    *p = (struct place){.file = 0};
    for (const char *at = path + root_len; *at != '\0';) {
        at += strspn(at, "/");
        size_t len = strcspn(at, "/");
        if (p->file < 0 || len >= sizeof p->name)
            return false; /* what it is in does not exist: the call fails by itself */
        if (len == 2 && strncmp(at, "..", 2) == 0) {
            unsigned parent;
            if (!parent_of((unsigned)p->file, &parent))
                return false;
            p->file = (int)parent;
        } else if (len > 0 && !(len == 1 && *at == '.')) {
            p->dir = (unsigned)p->file;
            memcpy(p->name, at, len);
            p->name[len] = '\0';
            const struct name *n = find_name(p->dir, at, len);
            p->file = n == NULL ? -1 : (int)n->file;
        }
        at += len;
    }
    return true;
}

static void add_name(const struct op *op)
{
    if (now.name_count == now.name_cap) {
        now.name_cap = now.name_cap == 0 ? 64 : now.name_cap * 2;
        now.names = need(realloc(now.names, now.name_cap * sizeof *now.names));
    }
    now.names[now.name_count++] = (struct name){
        .dir = op->dir, .file = op->file, .folder = op->folder, .text = need(strdup(op->name))};
}

static void remove_name(const struct op *op)
{
    struct name *n = find_name(op->dir, op->name, strlen(op->name));
    free(n->text);
    *n = now.names[--now.name_count];
}

static const struct op *add_name_op(enum op_kind kind, const struct place *p, unsigned file,
                                    bool folder)
{
    struct op *op = add(kind);
    op->dir = p->dir;
    op->name = need(strdup(p->name));
    op->file = file;
    op->folder = folder;
    return op;
}

unsigned record_created(const struct place *p, bool folder)
{
    unsigned file = now.record->files++;
    add_name(add_name_op(OP_CREATE, p, file, folder));
    return file;
}

void record_linked(const struct place *p, unsigned file)
{
    add_name(add_name_op(OP_LINK, p, file, false));
}

void record_unlinked(const struct place *p)
{
    const struct name *n = find_name(p->dir, p->name, strlen(p->name));
    if (n == NULL)
        record_not_modelled("unlink", p->name);
    remove_name(add_name_op(OP_UNLINK, p, n->file, n->folder));
}

/* Nothing ties the new name to the end of the old one: a power cut may leave both, or none. */
void record_renamed(const struct place *from, const struct place *to)
{
    if (to->file >= 0)
        remove_name(&(struct op){.dir = to->dir, .name = (char *)(uintptr_t)to->name});
    record_linked(to, (unsigned)from->file);
    record_unlinked(from);
}

/* ---- syncs ---- */

static const char *name_of(unsigned file)
{
    for (size_t i = 0; i < now.name_count; i++)
        if (now.names[i].file == file)
            return now.names[i].text;
    return "";
}

static bool ends_with(const char *text, const char *suffix)
{
    size_t len = strlen(text), n = strlen(suffix);
    return len >= n && strcmp(text + len - n, suffix) == 0;
}

int record_synced(unsigned file)
{
    const char *name = name_of(file);
    while (now.held && ends_with(name, "-wal") && !pthread_equal(now.holder, pthread_self()))
        (void)pthread_cond_wait(&let_go, &lock);
    bool fail = now.fail_sync != NULL && fnmatch(now.fail_sync, name, 0) == 0;
    if (fail)
        now.fail_sync = NULL;
    add(fail ? OP_SYNC_FAILED : OP_SYNC)->file = file;
    return fail ? -1 : 0;
}

void record_hold_syncs(bool hold)
{
    record_lock();
    now.held = hold;
    now.holder = pthread_self();
    pthread_cond_broadcast(&let_go);
    record_unlock();
}

void record_fail_sync(const char *pattern)
{
    record_lock();
    now.fail_sync = pattern;
    record_unlock();
}

/* ---- beginning and end ---- */

static void scan_file(const char *path, unsigned file)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    if (f == NULL || fstat(fileno(f), &st) != 0)
        record_not_modelled("open", path);
    uint8_t *data = need(malloc((size_t)st.st_size + 1));
    if (fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
        record_not_modelled("read", path);
    (void)fclose(f);
    record_wrote(file, 0, data, (size_t)st.st_size);
    free(data);
    add(OP_SYNC)->file = file;
}

static void scan(const char *path, unsigned dir)
{
    struct dirent **list = NULL;
    int count = scandir(path, &list, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        struct place p = {.dir = dir};
        (void)snprintf(p.name, sizeof p.name, "%s", list[i]->d_name);
        free(list[i]);
        if (strcmp(p.name, ".") == 0 || strcmp(p.name, "..") == 0 || ends_with(p.name, "-shm"))
            continue;
        char below[4096];
        struct stat st;
        (void)snprintf(below, sizeof below, "%s/%s", path, p.name);
        if (lstat(below, &st) != 0 || (!S_ISDIR(st.st_mode) && st.st_nlink > 1))
            record_not_modelled("scan", below);
        unsigned file = record_created(&p, S_ISDIR(st.st_mode));
        if (S_ISDIR(st.st_mode))
            scan(below, file);
        else
            scan_file(below, file);
    }
    free(list);
    add(OP_SYNC)->file = dir;
}

void record_start(const char *root, size_t acknowledged, size_t submitted)
{
    record_lock();
    now.root = root;
    now.record = need(calloc(1, sizeof *now.record));
    now.record->files = 1;
    scan(root, 0);
    add(OP_SUBMITTED)->at = submitted;
    add(OP_ACKNOWLEDGED)->at = acknowledged;
    now.record->start = now.record->count;
    record_unlock();
}

void record_resume(const char *root, const struct record *before, size_t count)
{
    record_lock();
    now.root = root;
    now.record = need(calloc(1, sizeof *now.record));
    now.record->files = before->files;
    now.record->start = count;
    for (size_t i = 0; i < count; i++) {
        const struct op *op = &before->ops[i];
        struct op *copy = add(op->kind);
        *copy = *op;
        copy->name = op->name == NULL ? NULL : need(strdup(op->name));
        copy->data = op->data == NULL ? NULL : memcpy(need(malloc(op->len + 1)), op->data, op->len);
        if (op->kind == OP_LINK && find_name(op->dir, op->name, strlen(op->name)) != NULL)
            remove_name(op);
        if (op->kind == OP_CREATE || op->kind == OP_LINK)
            add_name(op);
        else if (op->kind == OP_UNLINK)
            remove_name(op);
    }
    record_unlock();
}

struct record *record_stop(void)
{
    record_lock();
    struct record *r = now.record;
    for (size_t i = 0; i < now.name_count; i++)
        free(now.names[i].text);
    free(now.names);
    now.names = NULL;
    now.name_count = now.name_cap = 0;
    now.record = NULL;
    record_unlock();
    return r;
}

const char *record_name(const struct record *r, unsigned file)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->ops[i].kind == OP_CREATE && r->ops[i].file == file)
            return r->ops[i].name;
    return "";
}

void record_free(struct record *r)
{
    for (size_t i = 0; r != NULL && i < r->count; i++) {
        free(r->ops[i].name);
        free(r->ops[i].data);
    }
    if (r != NULL)
        free(r->ops);
    free(r);
}
