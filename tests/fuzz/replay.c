/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target without libFuzzer: each seed of the folders named, and mutations of it that are
 * the same in every run. `MOX_FUZZ_ROUNDS` says how many mutations each seed gets. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cm.h"
#include "support/corpora.h"

#define DEFAULT_ROUNDS  200
#define INPUT_MAX_BYTES 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint64_t state;

static uint64_t draw(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return below == 0 ? 0 : state % below;
}

/* In a block of exactly this size, so that a sanitizer sees a read beyond it. */
static void run(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len == 0 ? 1 : len);
    if (copy == NULL)
        abort();
    if (len > 0)
        memcpy(copy, data, len);
    (void)LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

/* One to four changes: a byte, a deletion, a repeated piece, a protocol character. */
static size_t mutate(uint8_t *data, size_t len)
{
    static const uint8_t special[] = "\r\n\0 .:;,<>()[]{}\"\\@=*%&+-/0\x80\xff";
    for (uint64_t n = 1 + draw(4); n > 0; n--) {
        size_t at = (size_t)draw(len), size = (size_t)(1 + draw(16));
        switch (draw(4)) {
        case 0:
            if (len > 0)
                data[at] = (uint8_t)draw(256);
            break;
        case 1:
            if (size > len - at)
                size = len - at;
            memmove(data + at, data + at + size, len - at - size);
            len -= size;
            break;
        case 2:
            if (size > len - at)
                size = len - at;
            if (len + size <= INPUT_MAX_BYTES) {
                memmove(data + at + size, data + at, len - at);
                len += size;
            }
            break;
        default:
            if (len < INPUT_MAX_BYTES) {
                memmove(data + at + 1, data + at, len - at);
                data[at] = special[draw(sizeof special - 1)];
                len++;
            }
        }
    }
    return len;
}

/* A seed's mutations depend on its name and on nothing else: not on what other seeds there are, and in
 * which order the folder has them. FNV-1a, and no 0, which would stay one. */
static void begin_draws(const char *name)
{
    state = UINT64_C(0xcbf29ce484222325);
    for (; *name != '\0'; name++)
        state = (state ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
    if (state == 0)
        state = 1;
}

static void play(const char *path, long rounds)
{
    struct mox_slice seed = read_file(path);
    run(seed.data, seed.len);
    uint8_t *data = malloc(INPUT_MAX_BYTES);
    if (data == NULL)
        abort();
    for (long i = 0; i < rounds; i++) {
        size_t len = seed.len < INPUT_MAX_BYTES / 2 ? seed.len : INPUT_MAX_BYTES / 2;
        memcpy(data, seed.data, len);
        len = mutate(data, len);
        run(data, len);
    }
    free(data);
    free((void *)(uintptr_t)seed.data);
}

static int is_seed(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* The number of seeds, or -1. */
static int play_folder(const char *folder, long rounds)
{
    struct dirent **list;
    int count = scandir(folder, &list, is_seed, alphasort);
    for (int i = 0; i < count; i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
        begin_draws(list[i]->d_name);
        play(path, rounds);
        free(list[i]);
    }
    if (count >= 0)
        free(list);
    return count;
}

int main(int argc, char **argv)
{
    const char *wanted = getenv("MOX_FUZZ_ROUNDS");
    long rounds = wanted == NULL ? DEFAULT_ROUNDS : atol(wanted);
    int files = 0;
    run(NULL, 0);
    for (int i = 1; i < argc; i++) {
        int count = play_folder(argv[i], rounds);
        if (count < 0) {
            (void)fprintf(stderr, "no seeds: cannot open %s\n", argv[i]);
            return 1;
        }
        files += count;
    }
    (void)printf("%d seeds, %ld mutations each\n", files, rounds);
    return files == 0;
}
