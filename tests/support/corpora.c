/* SPDX-License-Identifier: MIT */
#include "support/corpora.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/cm.h"

static const char *below(const char *variable, const char *relative)
{
    static char path[4096];
    const char *root = getenv(variable);
    if (root == NULL)
        return NULL;
    (void)snprintf(path, sizeof path, "%s/%s", root, relative);
    return access(path, R_OK) == 0 ? path : NULL;
}

const char *corpus_path(const char *relative)
{
    const char *path = below("MOX_CORPORA", relative);
    if (path == NULL)
        print_message("skipped: no %s in $MOX_CORPORA\n", relative);
    return path;
}

const char *tests_path(const char *relative)
{
    const char *path = below("MOX_TESTS", relative);
    if (path == NULL)
        fail_msg("no %s below $MOX_TESTS; run the tests with meson test", relative);
    return path;
}

struct mox_slice read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("cannot open %s", path);
    uint8_t *data = NULL;
    size_t len = 0, cap = 0, n;
    do {
        if (cap - len < 65536)
            data = realloc(data, cap += 65536 + cap / 2);
        assert_non_null(data);
        n = fread(data + len, 1, cap - len - 1, f);
        len += n;
    } while (n > 0);
    assert_false(ferror(f));
    (void)fclose(f);
    data[len] = '\0';
    return (struct mox_slice){data, len};
}

static struct {
    char **paths;
    size_t count;
} found;

static int note(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    if (type != FTW_F)
        return 0;
    found.paths = realloc(found.paths, (found.count + 1) * sizeof *found.paths);
    found.paths[found.count++] = strdup(path);
    return 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void each_file(const char *folder, void (*each)(void *user, const char *path, struct mox_slice data),
               void *user)
{
    char root[4096];
    (void)snprintf(root, sizeof root, "%s", folder);
    assert_int_equal(nftw(root, note, 16, FTW_PHYS), 0);
    char **paths = found.paths;
    size_t count = found.count;
    found.paths = NULL;
    found.count = 0;
    if (count > 0)
        qsort(paths, count, sizeof *paths, by_path);
    for (size_t i = 0; i < count; i++) {
        struct mox_slice data = read_file(paths[i]);
        each(user, paths[i], data);
        free((void *)(uintptr_t)data.data);
        free(paths[i]);
    }
    free(paths);
}

struct mox_slice with_crlf(struct mox_slice in)
{
    uint8_t *out = malloc(in.len * 2 + 1);
    assert_non_null(out);
    size_t len = 0;
    for (size_t i = 0; i < in.len; i++) {
        if (in.data[i] == '\n' && (i == 0 || in.data[i - 1] != '\r'))
            out[len++] = '\r';
        out[len++] = in.data[i];
    }
    out[len] = '\0';
    return (struct mox_slice){out, len};
}
