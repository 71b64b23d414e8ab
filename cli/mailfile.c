/* SPDX-License-Identifier: MIT */
#include "mailfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bytes {
    uint8_t *data;
    size_t len, room;
};

static bool grow(struct bytes *b)
{
    size_t room = b->room == 0 ? 65536 : 2 * b->room;
    uint8_t *data = realloc(b->data, room);
    if (data == NULL)
        return false;
    b->data = data;
    b->room = room;
    return true;
}

static enum exit_code read_all(struct bytes *b, int fd, const char *path)
{
    for (;;) {
        if (b->len == b->room && !grow(b))
            return cli_fail("out of memory");
        const ssize_t n = read(fd, b->data + b->len, b->room - b->len);
        if (n < 0 && errno != EINTR)
            return cli_fail("read %s: %s", path, strerror(errno));
        if (n == 0)
            return EXIT_OK;
        b->len += n < 0 ? 0 : (size_t)n;
        if (b->len > MAILFILE_MAX)
            return cli_fail("%s has more than %zu bytes", path, MAILFILE_MAX);
    }
}

/* Copies line by line, each LF as CRLF; returns how many bytes it wrote, up to twice as many. */
static size_t copy_lines(uint8_t *to, const uint8_t *from, size_t len)
{
    const uint8_t *start = to;
    while (len > 0) {
        const uint8_t *lf = memchr(from, '\n', len);
        const size_t line = lf == NULL ? len : (size_t)(lf - from);
        memcpy(to, from, line);
        to += line;
        if (lf == NULL)
            break;
        if (line == 0 || from[line - 1] != '\r')
            *to++ = '\r';
        *to++ = '\n';
        from += line + 1;
        len -= line + 1;
    }
    return (size_t)(to - start);
}

/* A copy of the message with CRLF, without the first line of an mbox. */
static enum exit_code as_sent(struct mailfile *out, const struct bytes *b)
{
    size_t at = 0;
    if (b->len >= 5 && memcmp(b->data, "From ", 5) == 0) {
        const uint8_t *end = memchr(b->data, '\n', b->len);
        at = end == NULL ? b->len : (size_t)(end - b->data) + 1;
    }
    out->memory = malloc(2 * (b->len - at) + 1);
    if (out->memory == NULL)
        return cli_fail("out of memory");
    out->content =
        (struct mox_slice){out->memory, copy_lines(out->memory, b->data + at, b->len - at)};
    return EXIT_OK;
}

enum exit_code mailfile_read(struct mailfile *out, const char *path)
{
    bool is_stdin = strcmp(path, "-") == 0;
    const int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct bytes b = {0};
    *out = (struct mailfile){0};
    if (fd < 0)
        return cli_fail("open %s: %s", path, strerror(errno));
    enum exit_code code = read_all(&b, fd, is_stdin ? "standard input" : path);
    if (!is_stdin)
        (void)close(fd);
    if (code == EXIT_OK)
        code = as_sent(out, &b);
    free(b.data);
    return code;
}

void mailfile_free(struct mailfile *m)
{
    free(m->memory);
    *m = (struct mailfile){0};
}
