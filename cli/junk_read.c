/* SPDX-License-Identifier: MIT */
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "junk.h"
#include "mailfile.h"

/* Messages are read and taken apart by as many threads as there are processors, and handed on in their order:
 * that is most of the work, and nothing of it depends on what is learned. The thread that hands them on
 * reads too when the next one is not there yet, so that nobody sleeps as long as there is something to do. */

#define HELPERS_MAX 7
#define KEEP_BYTES  (1 << 25) /* the most that glibc takes */
#define AHEAD       64        /* messages that are read and not yet handed on */

struct reader {
    const struct cli *cli;
    const struct mox_junk_params *params;
    const struct junk_file *files;
    size_t count;
    pthread_mutex_t lock;
    pthread_cond_t read, room;
    size_t next, done; /* to be read; handed on */
    bool stop;
    struct slot {
        struct mox_junk_words *words;
        enum exit_code code;
        bool ready;
    } slots[AHEAD];
};

void junk_keep_memory(void)
{
    (void)mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
    (void)mallopt(M_MMAP_THRESHOLD, KEEP_BYTES);
}

enum exit_code junk_read(const struct cli *cli, const struct mox_junk_params *params,
                         const char *path, struct mox_junk_words **words)
{
    struct mailfile mail;
    enum exit_code code = mailfile_read(&mail, path);
    *words = NULL;
    if (code != EXIT_OK)
        return code;
    if (mox_junk_words_new(words, &cli->env, params, mail.content) < 0)
        code = cli_fail("out of memory");
    mailfile_free(&mail);
    return code;
}

static bool may_read(const struct reader *r)
{
    return r->next < r->count && r->next - r->done < AHEAD;
}

/* The next file; the lock is held before and after. */
static void read_one(struct reader *r)
{
    const size_t i = r->next++;
    struct slot slot = {.ready = true};
    pthread_mutex_unlock(&r->lock);
    slot.code = junk_read(r->cli, r->params, r->files[i].path, &slot.words);
    pthread_mutex_lock(&r->lock);
    r->slots[i % AHEAD] = slot;
}

/* Until all are read, or nobody wants them any more. */
static void *help(void *arg)
{
    struct reader *r = arg;
    pthread_mutex_lock(&r->lock);
    while (!r->stop && r->next < r->count) {
        if (!may_read(r)) {
            (void)pthread_cond_wait(&r->room, &r->lock);
            continue;
        }
        read_one(r);
        (void)pthread_cond_signal(&r->read);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static struct slot wait_for(struct reader *r, size_t i)
{
    pthread_mutex_lock(&r->lock);
    while (!r->slots[i % AHEAD].ready) {
        if (may_read(r))
            read_one(r);
        else
            (void)pthread_cond_wait(&r->read, &r->lock);
    }
    const struct slot slot = r->slots[i % AHEAD];
    r->slots[i % AHEAD] = (struct slot){0};
    r->done++;
    (void)pthread_cond_signal(&r->room);
    pthread_mutex_unlock(&r->lock);
    return slot;
}

static enum exit_code hand_on(struct reader *r, junk_each *each, void *user)
{
    enum exit_code code = EXIT_OK;
    for (size_t i = 0; i < r->count && code == EXIT_OK; i++) {
        const struct slot slot = wait_for(r, i);
        code = slot.code;
        if (code == EXIT_OK)
            code = each(user, i, slot.words);
        mox_junk_words_free(slot.words);
    }
    return code;
}

static void end(struct reader *r, const pthread_t *threads, size_t count)
{
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    (void)pthread_cond_broadcast(&r->room);
    pthread_mutex_unlock(&r->lock);
    for (size_t i = 0; i < count; i++)
        (void)pthread_join(threads[i], NULL);
    for (size_t i = 0; i < AHEAD; i++)
        mox_junk_words_free(r->slots[i].words);
    (void)pthread_cond_destroy(&r->read);
    (void)pthread_cond_destroy(&r->room);
    (void)pthread_mutex_destroy(&r->lock);
}

enum exit_code junk_read_all(const struct cli *cli, const struct mox_junk_params *params,
                             const struct junk_file *files, size_t count, junk_each *each,
                             void *user)
{
    struct reader r = {.cli = cli, .params = params, .files = files, .count = count};
    pthread_t helpers[HELPERS_MAX];
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t started = 0;
    (void)pthread_mutex_init(&r.lock, NULL);
    (void)pthread_cond_init(&r.read, NULL);
    (void)pthread_cond_init(&r.room, NULL);
    while (started < HELPERS_MAX && (long)started + 1 < processors &&
           pthread_create(&helpers[started], NULL, help, &r) == 0)
        started++;
    const enum exit_code code = hand_on(&r, each, user);
    end(&r, helpers, started);
    return code;
}
