/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "support/cm.h"
#include "support/corpora.h"

/* What the clients of all dialogues say, with each allocation failing in turn: the session says what
 * it can or ends with MOX_ENOMEM, and nothing leaks. */

#define LINES_MAX 400

struct script {
    char *lines[LINES_MAX];
    size_t lens[LINES_MAX], count;
};

/* The escapes of the dialogues, in place; returns the length. */
static size_t unescape(char *text)
{
    char *to = text;
    for (const char *at = text; *at != '\0';) {
        unsigned byte = (uint8_t)*at++;
        if (byte == '\\' && *at != '\0') {
            char c = *at++;
            byte = c == 'r'   ? '\r'
                   : c == 'n' ? '\n'
                   : c == 't' ? '\t'
                   : c == '0' ? '\0'
                              : (uint8_t)c;
            if (c == 'x' && sscanf(at, "%2x", &byte) == 1)
                at += 2;
        }
        *to++ = (char)byte;
    }
    return (size_t)(to - text);
}

/* Keeps what the client says: C: a line, c: bytes. */
static void add_line(struct script *s, const char *line)
{
    if ((line[0] != 'C' && line[0] != 'c') || line[1] != ':' || line[2] != ' ')
        return;
    assert_true(s->count < LINES_MAX);
    size_t size = strlen(line) + 3;
    char *copy = malloc(size);
    assert_non_null(copy);
    (void)snprintf(copy, size, "%s", line + 3);
    copy[strcspn(copy, "\n")] = '\0';
    size_t len = unescape(copy);
    if (line[0] == 'C') {
        memcpy(copy + len, "\r\n", 2);
        len += 2;
    }
    s->lines[s->count] = copy;
    s->lens[s->count++] = len;
}

static void read_script(struct script *s, struct mox_slice data)
{
    char line[8192];
    const char *at = (const char *)data.data, *end = at + data.len;
    s->count = 0;
    while (at < end) {
        size_t len = strcspn(at, "\n");
        (void)snprintf(line, sizeof line, "%.*s", (int)len, at);
        add_line(s, line);
        at += len + 1;
    }
}

/* Returns whether the nth allocation failed. */
static bool play(const struct script *s, long nth)
{
    struct test_env t;
    struct mox_mailstore store;
    struct rig r;
    test_env_init(&t);
    t.log_level = MOX_LOG_ERROR;
    assert_int_equal(mox_memory_mailstore_new(&store, &t.env), MOX_OK);
    t.fail_at = t.allocations + nth;
    int rc = rig_open(&r, &t.env, &store);
    for (size_t i = 0; rc == MOX_OK && i < s->count; i++)
        rc = rig_send_bytes(&r, s->lines[i], s->lens[i]);
    bool failed = t.allocations >= t.fail_at;
    rig_close(&r);
    mox_memory_mailstore_free(&store);
    test_env_done(&t);
    return failed;
}

struct totals {
    long dialogues, allocations;
};

static void each_allocation(void *user, const char *path, struct mox_slice data)
{
    struct totals *totals = user;
    struct script s;
    (void)path;
    read_script(&s, data);
    for (long nth = 1; play(&s, nth); nth++)
        totals->allocations++;
    for (size_t i = 0; i < s.count; i++)
        free(s.lines[i]);
    totals->dialogues++;
}

static void every_dialogue_survives_any_allocation_that_fails(void **state)
{
    (void)state;
    struct totals totals = {0};
    each_file(tests_path("transcripts/imap"), each_allocation, &totals);
    assert_true(totals.dialogues > 30);
    print_message("%ld dialogues, %ld allocations failed\n", totals.dialogues, totals.allocations);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dialogue_survives_any_allocation_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
