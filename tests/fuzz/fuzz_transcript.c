/* SPDX-License-Identifier: MIT */

/* Whatever a peer says, the terminal of localserve shows whole lines of printable UTF-8, each with who
 * said it, and no more of a message than its beginning. Input: lines, as kind and text up to a LF. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "fuzz/input.h"
#include "server/localserve.h"
#include "support/testenv.h"

/* Of one line, and of the data of one session: see lib/server/transcript.c. */
#define SHOWN_LINE_MAX 1100
#define OUTPUT_MAX     (1 << 20)

static void say(const struct mox_env *env, unsigned kind, struct mox_slice text)
{
    char line[2048];
    const char *pkg = (kind & 1) != 0 ? "smtpserver" : "imapserver";
    const enum mox_log_level level = (kind & 2) != 0 ? MOX_LOG_TRACEDATA : MOX_LOG_TRACE;
    int n = snprintf(line, sizeof line, "%s%.*s",
                     (kind & 4) != 0 ? "RC: " : "LS: ", (int)(text.len < 2000 ? text.len : 2000),
                     text.len == 0 ? "" : (const char *)text.data);
    assert(n > 0);
    if ((kind & 24) == 24)
        log_line(env, MOX_LOG_INFO, pkg, (kind & 4) != 0 ? "new connection" : "connection closed",
                 NULL, F_HEX("cid", kind >> 5), F_TEXT("remote", line), F_TEXT("service", "smtp"));
    else if ((kind & 8) != 0)
        log_line(env, level, pkg, (kind & 4) != 0 ? "RC" : "LS", NULL, F_HEX("cid", kind >> 5),
                 F_BYTES("data", text));
    else
        log_line(env, level, pkg, line, NULL, F_HEX("cid", kind >> 5));
}

static void check_output(int fd)
{
    static uint8_t out[OUTPUT_MAX];
    ssize_t n = pread(fd, out, sizeof out, 0);
    size_t start = 0;
    assert(n >= 0 && n < OUTPUT_MAX);
    assert(mox__slice_is_utf8(slice(out, (size_t)n)));
    for (size_t i = 0; i < (size_t)n; i++) {
        assert(out[i] >= ' ' || out[i] == '\t' || out[i] == '\n');
        assert(out[i] != 0x7f && (i == 0 || out[i - 1] != 0xc2 || out[i] >= 0xa0)); /* C1 */
        if (out[i] != '\n')
            continue;
        assert(i - start <= SHOWN_LINE_MAX && i - start >= 11);
        assert(memcmp(out + start, "smtp ", 5) == 0 || memcmp(out + start, "imap ", 5) == 0);
        assert(strchr("CS-", out[start + 10]) != NULL);
        start = i + 1;
    }
    assert(start == (size_t)n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static int fd = -1;
    struct test_env t;
    struct transcript *transcript = NULL;
    struct input in = {{data, len}};
    if (fd < 0)
        fd = memfd_create("transcript", 0);
    assert(fd >= 0 && ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    test_env_init(&t);
    t.log_level = MOX_LOG_ERROR;
    struct mox_env env = t.env;
    assert(mox__transcript_new(&transcript, &env, fd) == MOX_OK);
    while (in.rest.len > 0) {
        unsigned kind = input_byte(&in);
        say(&env, kind, input_until(&in, '\n'));
    }
    mox__transcript_free(transcript);
    check_output(fd);
    test_env_done(&t);
    return 0;
}
