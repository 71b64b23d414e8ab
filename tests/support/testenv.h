/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_TESTENV_H
#define SUPPORT_TESTENV_H

#include <mox/env.h>

/* An environment in the test's hand: the clocks stand still until they are moved, randomness is a
 * fixed sequence, the nth allocation fails on request, log lines are kept. One thread, except for
 * the clocks, the allocator, randomness and the log. */
struct test_env {
    struct mox_env env;
    _Atomic int64_t monotonic_us; /* starts at 1 000 000 */
    _Atomic int64_t wall_us;      /* starts at 2026-01-02 03:04:05 UTC */
    uint64_t random_state;
    long fail_at;          /* the allocation that fails, from 1; 0: none */
    long allocations;      /* counted so far */
    long live;             /* allocations not freed yet */
    size_t live_bytes;     /* asked for, not freed yet */
    enum mox_log_level log_level; /* starts at MOX_LOG_TRACE */
    char *log;             /* logfmt lines so far, NUL-terminated; may be NULL */
    size_t log_len, log_cap;
};

void test_env_init(struct test_env *t);
/* Frees the log and asserts that nothing is left allocated. */
void test_env_done(struct test_env *t);
/* How often the log has a text, while other threads write to it. */
unsigned test_env_logged(struct test_env *t, const char *text);
/* Moves both clocks. */
void test_env_advance(struct test_env *t, int64_t us);

#endif
