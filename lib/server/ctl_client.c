/* SPDX-License-Identifier: MIT */
#include <mox/ctl.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/ctl_socket.h"

/* A line of the server is a greeting, a count or an error of one line. */
#define LINE_MAX_BYTES 4096
/* No server sends larger pieces of a stream. */
#define PIECE_MAX_BYTES (1 << 20)

struct mox_ctl_client {
    struct mox_env env;
    int fd;
    struct buf in;
};

/* Reads more. MOX_EGONE when the server has closed. */
static int fill(struct mox_ctl_client *c, struct mox_error *err)
{
    uint8_t chunk[4096];
    ssize_t n;
    do
        n = read(c->fd, chunk, sizeof chunk);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno != ECONNRESET)
        return mox__fail(err, MOX_EIO, "read from control socket: %s", strerror(errno));
    if (n <= 0)
        return mox__fail(err, MOX_EGONE, "the server closed the control connection; its log may "
                         "say why");
    mox__buf_append(&c->in, chunk, (size_t)n);
    return c->in.failed ? mox__fail(err, MOX_ENOMEM, "control socket: out of memory") : MOX_OK;
}

/* A whole line into `line`; it is cut when it does not fit. */
static int read_line(struct mox_ctl_client *c, char *line, size_t size, struct mox_error *err)
{
    const uint8_t *lf = NULL;
    while (c->in.len == 0 || (lf = memchr(c->in.data, '\n', c->in.len)) == NULL) {
        if (c->in.len > LINE_MAX_BYTES)
            return mox__fail(err, MOX_ESYNTAX, "control socket: the server sent an endless line");
        int rc = fill(c, err);
        if (rc < 0)
            return rc;
    }
    size_t len = (size_t)(lf - c->in.data), keep = len < size ? len : size - 1;
    memcpy(line, c->in.data, keep);
    line[keep] = '\0';
    mox__buf_consume(&c->in, len + 1);
    return MOX_OK;
}

static int send_all(struct mox_ctl_client *c, struct mox_slice data, struct mox_error *err)
{
    while (data.len > 0) {
        ssize_t n = send(c->fd, data.data, data.len, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return mox__fail(err, MOX_EIO, "write to control socket: %s", strerror(errno));
        if (n > 0)
            data = slice_from(data, (size_t)n);
    }
    return MOX_OK;
}

static int check_greeting(struct mox_ctl_client *c, struct mox_error *err)
{
    char line[64];
    int rc = read_line(c, line, sizeof line, err);
    if (rc < 0)
        return rc;
    if (strcmp(line, "ctlv0") != 0)
        return mox__fail(err, MOX_EUNSUPPORTED, "the server greets with \"%s\", not \"ctlv0\"; use "
                         "the mox command of the server's version", line);
    return MOX_OK;
}

int mox_ctl_connect_fd(struct mox_ctl_client **out, const struct mox_env *env, int fd,
                       struct mox_error *err)
{
    *out = NULL;
    struct mox_ctl_client *c = mem_new(env, struct mox_ctl_client, 1);
    if (c == NULL) {
        (void)close(fd);
        return mox__fail(err, MOX_ENOMEM, "control socket: out of memory");
    }
    c->env = *env;
    c->fd = fd;
    mox__buf_init(&c->in, &c->env, PIECE_MAX_BYTES + LINE_MAX_BYTES + 8192);
    int rc = check_greeting(c, err);
    if (rc < 0) {
        mox_ctl_client_free(c);
        return rc;
    }
    *out = c;
    return MOX_OK;
}

static int refused(const char *data_dir, int error, struct mox_error *err)
{
    if (error == ENOENT || error == ECONNREFUSED || error == ENOTDIR)
        return mox__fail(err, MOX_ENOTFOUND, "no server is running for %s; start one, or name its "
                         "data directory", data_dir);
    if (error == EACCES || error == EPERM)
        return mox__fail(err, MOX_EDENIED, "connect to %s/ctl: %s; run the command as the server's "
                         "user", data_dir, strerror(error));
    return mox__fail(err, MOX_EIO, "connect to %s/ctl: %s", data_dir, strerror(error));
}

int mox_ctl_connect(struct mox_ctl_client **out, const struct mox_env *env, const char *data_dir,
                    struct mox_error *err)
{
    struct sockaddr_un address;
    int folder = -1;
    *out = NULL;
    if (mox__ctl_address(&address, &folder, data_dir) < 0)
        return refused(data_dir, errno, err);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), error = 0;
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        error = errno;
    if (folder >= 0)
        (void)close(folder);
    if (error == 0)
        return mox_ctl_connect_fd(out, env, fd, err);
    if (fd >= 0)
        (void)close(fd);
    return refused(data_dir, error, err);
}

void mox_ctl_client_free(struct mox_ctl_client *client)
{
    if (client == NULL)
        return;
    (void)close(client->fd);
    mox__buf_free(&client->in);
    struct mox_env env = client->env;
    mox__mem_free(&env, client);
}

int mox_ctl_send(struct mox_ctl_client *client, const char *const *lines, size_t count,
                 struct mox_error *err)
{
    struct buf out;
    mox__buf_init(&out, &client->env, 65536);
    int rc = MOX_OK;
    for (size_t i = 0; i < count && rc == MOX_OK; i++) {
        if (strpbrk(lines[i], "\n") != NULL)
            rc = mox__fail(err, MOX_EINVAL, "control socket: a parameter has a line break");
        mox__buf_text(&out, lines[i]);
        mox__buf_byte(&out, '\n');
    }
    if (rc == MOX_OK && out.failed)
        rc = mox__fail(err, MOX_ELIMIT, "control socket: parameters too long, or out of memory");
    if (rc == MOX_OK)
        rc = send_all(client, slice(out.data, out.len), err);
    mox__wipe(out.data, out.len); /* there may be a password in it */
    mox__buf_free(&out);
    return rc;
}

int mox_ctl_send_bytes(struct mox_ctl_client *client, struct mox_slice bytes, struct mox_error *err)
{
    return send_all(client, bytes, err);
}

int mox_ctl_expect_ok(struct mox_ctl_client *client, struct mox_error *err)
{
    char line[sizeof err->text];
    int rc = read_line(client, line, sizeof line, err);
    if (rc < 0)
        return rc;
    return strcmp(line, "ok") == 0 ? MOX_OK : mox__fail(err, MOX_EREFUSED, "%s", line);
}

static int receive_piece(struct mox_ctl_client *c, size_t len,
                         int (*each)(void *user, struct mox_slice piece), void *user,
                         struct mox_error *err)
{
    while (c->in.len < len) {
        int rc = fill(c, err);
        if (rc < 0)
            return rc;
    }
    int rc = each(user, slice(c->in.data, len));
    if (rc < 0) {
        static const char no[] = "the client failed\n";
        (void)send_all(c, slice_of(no), NULL);
        return mox__fail(err, rc, "an answer of the server cannot be taken: %s",
                         mox_status_text(rc));
    }
    mox__buf_consume(&c->in, len);
    return send_all(c, slice_of("ok\n"), err);
}

int mox_ctl_receive(struct mox_ctl_client *client,
                    int (*each)(void *user, struct mox_slice piece), void *user,
                    struct mox_error *err)
{
    for (;;) {
        char line[sizeof err->text];
        uint64_t len = 0;
        int rc = read_line(client, line, sizeof line, err);
        if (rc < 0)
            return rc;
        if (!mox__slice_uint(slice_of(line), PIECE_MAX_BYTES, &len)) /* why it does not go on */
            return mox__fail(err, MOX_EREFUSED, "%s", line);
        if (len == 0)
            return MOX_OK;
        rc = receive_piece(client, (size_t)len, each, user, err);
        if (rc < 0)
            return rc;
    }
}

int mox_ctl_wait_closed(struct mox_ctl_client *client, struct mox_error *err)
{
    char line[sizeof err->text];
    int rc = read_line(client, line, sizeof line, err);
    if (rc == MOX_EGONE)
        return MOX_OK;
    return rc < 0 ? rc : mox__fail(err, MOX_EREFUSED, "%s", line);
}
