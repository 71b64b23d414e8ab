/* SPDX-License-Identifier: MIT */
#include <mox/env.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static int64_t clock_us(clockid_t clock)
{
    struct timespec now = {0};
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_monotonic(void *user)
{
    (void)user;
    return clock_us(CLOCK_MONOTONIC);
}

static int64_t system_wall(void *user)
{
    (void)user;
    return clock_us(CLOCK_REALTIME);
}

static void system_random(void *user, uint8_t *out, size_t len)
{
    (void)user;
    while (len > 0) {
        ssize_t n = getrandom(out, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            abort(); /* only a kernel older than 3.17: keys from anything else would be a lie */
        out += n;
        len -= (size_t)n;
    }
}

static void *system_realloc(void *user, void *ptr, size_t size)
{
    (void)user;
    if (size > 0)
        return realloc(ptr, size);
    free(ptr);
    return NULL;
}

void mox_env_system(struct mox_env *env)
{
    *env = (struct mox_env){
        .size = sizeof *env,
        .monotonic_us = system_monotonic,
        .wall_us = system_wall,
        .random = system_random,
        .realloc = system_realloc,
    };
}

void mox_text_free(const struct mox_env *env, char *text)
{
    if (text != NULL)
        (void)env->realloc(env->user, text, 0);
}
