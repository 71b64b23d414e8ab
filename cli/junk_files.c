/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "junk.h"

#define DEPTH_MAX 50 /* of folders in folders */

static enum exit_code append(struct junk_files *out, const char *path, bool junk)
{
    if (out->count == out->room) {
        const size_t room = out->room == 0 ? 1024 : 2 * out->room;
        struct junk_file *files = realloc(out->files, room * sizeof *files);
        if (files == NULL)
            return cli_fail("out of memory");
        out->files = files;
        out->room = room;
    }
    char *copy = strdup(path);
    if (copy == NULL)
        return cli_fail("out of memory");
    out->files[out->count++] = (struct junk_file){.path = copy, .junk = junk};
    return EXIT_OK;
}

static enum exit_code walk(struct junk_files *out, const char *dir, bool junk, unsigned depth);

/* The type of a file: most file systems say it with the name, so that not every file has to be asked. */
static enum exit_code look(const char *path, unsigned char *type)
{
    struct stat st;
    if (*type == DT_REG || *type == DT_DIR)
        return EXIT_OK;
    if (stat(path, &st) != 0)
        return cli_fail("%s: %s", path, strerror(errno));
    *type = S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : DT_UNKNOWN;
    return EXIT_OK;
}

/* Names that begin with a dot are the system's, and maildirs' folders: ".Sent". */
static enum exit_code take(struct junk_files *out, const char *dir, const struct dirent *entry,
                           bool junk, unsigned depth)
{
    char path[4096];
    const char *name = entry->d_name;
    unsigned char type = entry->d_type;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return EXIT_OK;
    const int len = snprintf(path, sizeof path, "%s/%s", dir, name);
    if (len < 0 || (size_t)len >= sizeof path)
        return cli_fail("%s: the path is too long", dir);
    const enum exit_code code = look(path, &type);
    if (code != EXIT_OK)
        return code;
    if (type == DT_DIR)
        return walk(out, path, junk, depth + 1);
    return type == DT_REG ? append(out, path, junk) : EXIT_OK;
}

static enum exit_code walk(struct junk_files *out, const char *dir, bool junk, unsigned depth)
{
    enum exit_code code = EXIT_OK;
    struct dirent *entry;
    if (depth > DEPTH_MAX)
        return cli_fail("%s: folders in folders are too deep", dir);
    DIR *d = opendir(dir);
    if (d == NULL)
        return cli_fail("open folder %s: %s", dir, strerror(errno));
    while (code == EXIT_OK && (entry = readdir(d)) != NULL)
        code = take(out, dir, entry, junk, depth);
    (void)closedir(d);
    return code;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct junk_file *)a)->path, ((const struct junk_file *)b)->path);
}

static enum exit_code list(struct junk_files *out, const char *dir, bool junk)
{
    const size_t begin = out->count;
    enum exit_code code = walk(out, dir, junk, 0);
    if (code == EXIT_OK && out->count == begin)
        return cli_fail("folder %s has no files", dir);
    if (code == EXIT_OK)
        qsort(out->files + begin, out->count - begin, sizeof *out->files, by_path);
    return code;
}

enum exit_code junk_list(struct junk_files *out, const char *ham_dir, const char *spam_dir)
{
    *out = (struct junk_files){0};
    enum exit_code code = list(out, ham_dir, false);
    if (code == EXIT_OK)
        code = list(out, spam_dir, true);
    if (code != EXIT_OK)
        junk_files_free(out);
    return code;
}

void junk_files_free(struct junk_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->files[i].path);
    free(files->files);
    *files = (struct junk_files){0};
}

/* A sequence that a seed repeats (splitmix64). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void junk_shuffle(struct junk_files *files, uint64_t seed)
{
    for (size_t i = files->count; i > 1; i--) {
        const size_t other = (size_t)(next_random(&seed) % i);
        const struct junk_file file = files->files[other];
        files->files[other] = files->files[i - 1];
        files->files[i - 1] = file;
    }
}

enum exit_code junk_learn(const struct cli *cli, const struct mox_junk_db *db,
                          const struct mox_junk_params *params, const struct junk_file *file)
{
    struct mox_junk_words *words;
    struct mox_error err;
    int64_t trace;
    enum exit_code code = junk_read(cli, params, file->path, &words);
    if (code != EXIT_OK)
        return code;
    if (mox_junk_learn(db, params, words, file->junk, &trace, &err) < 0)
        code = cli_fail("%s: %s", file->path, err.text);
    mox_junk_words_free(words);
    return code;
}

enum exit_code junk_classify(const struct cli *cli, const struct mox_junk_db *db,
                             const struct mox_junk_params *params, const char *path,
                             struct mox_junk_verdict *verdict)
{
    struct mox_junk_words *words;
    struct mox_error err;
    enum exit_code code = junk_read(cli, params, path, &words);
    if (code != EXIT_OK)
        return code;
    if (mox_junk_classify(db, params, words, verdict, &err) < 0)
        code = cli_fail("%s: %s", path, err.text);
    mox_junk_words_free(words);
    return code;
}
