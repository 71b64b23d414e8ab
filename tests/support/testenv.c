/* SPDX-License-Identifier: MIT */
#include "support/testenv.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/logfmt.h"
#include "support/cm.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int64_t monotonic(void *user)
{
    return ((struct test_env *)user)->monotonic_us;
}

static int64_t wall(void *user)
{
    return ((struct test_env *)user)->wall_us;
}

/* splitmix64: the same bytes in every run. */
static void random_bytes(void *user, uint8_t *out, size_t len)
{
    struct test_env *t = user;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < len; i++) {
        uint64_t z = (t->random_state += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        out[i] = (uint8_t)(z ^ (z >> 31));
    }
    pthread_mutex_unlock(&lock);
}

/* Each block is preceded by its size, so that live_bytes is exact. */
#define HEADER 16

static void *counted_realloc(void *user, void *ptr, size_t size)
{
    struct test_env *t = user;
    uint8_t *block = ptr == NULL ? NULL : (uint8_t *)ptr - HEADER;
    size_t old = 0;
    if (block != NULL)
        memcpy(&old, block, sizeof old);
    pthread_mutex_lock(&lock);
    bool fail = size > 0 && t->fail_at > 0 && ++t->allocations == t->fail_at;
    if (size > 0 && t->fail_at == 0)
        t->allocations++;
    if (!fail) {
        t->live += (size > 0) - (block != NULL);
        t->live_bytes += size - old;
    }
    pthread_mutex_unlock(&lock);
    if (fail)
        return NULL;
    if (size == 0) {
        free(block);
        return NULL;
    }
    block = realloc(block, size + HEADER);
    assert_non_null(block);
    memcpy(block, &size, sizeof size);
    return block + HEADER;
}

static bool log_enabled(void *user, enum mox_log_level level, const char *pkg)
{
    (void)pkg;
    return level <= ((struct test_env *)user)->log_level;
}

static void keep_line(void *user, const struct mox_log_line *line)
{
    struct test_env *t = user;
    char text[17 * 1024]; /* as the logger's */
    size_t len = mox__logfmt(line, false, text, sizeof text);
    pthread_mutex_lock(&lock);
    if (t->log_len + len + 1 > t->log_cap) { /* sanitizers copy it each time */
        t->log_cap = 2 * (t->log_len + len + 1);
        t->log = realloc(t->log, t->log_cap);
        assert_non_null(t->log);
    }
    memcpy(t->log + t->log_len, text, len);
    t->log_len += len;
    t->log[t->log_len] = '\0';
    pthread_mutex_unlock(&lock);
}

void test_env_init(struct test_env *t)
{
    *t = (struct test_env){
        .monotonic_us = 1000000,
        .wall_us = 1767323045 * INT64_C(1000000),
        .log_level = MOX_LOG_TRACE,
    };
    t->env = (struct mox_env){
        .size = sizeof t->env,
        .user = t,
        .monotonic_us = monotonic,
        .wall_us = wall,
        .random = random_bytes,
        .realloc = counted_realloc,
        .log_user = t,
        .log_enabled = log_enabled,
        .log = keep_line,
    };
}

void test_env_done(struct test_env *t)
{
    free(t->log);
    assert_int_equal(t->live, 0);
}

unsigned test_env_logged(struct test_env *t, const char *text)
{
    unsigned n = 0;
    pthread_mutex_lock(&lock);
    for (const char *at = t->log; at != NULL && (at = strstr(at, text)) != NULL; at++)
        n++;
    pthread_mutex_unlock(&lock);
    return n;
}

void test_env_advance(struct test_env *t, int64_t us)
{
    t->monotonic_us += us;
    t->wall_us += us;
}
