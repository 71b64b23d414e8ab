/* SPDX-License-Identifier: MIT */
/* Receives mail on loopback and prints it: the SMTP engine in a poll(2) loop, without the rest of the
 * library. Try it:  smtp-sink 2525 & swaks --server 127.0.0.1:2525 --to you@example.org          */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mox/smtp_server.h>

#define CLIENTS 100

static int rcpt(void *user, const struct mox_smtp_envelope *e, const struct mox_smtp_path *path,
                struct mox_smtp_reply *reply)
{
    (void)user, (void)reply; /* everybody is welcome */
    printf("%s -> %s\n", e->mail_from.address, path->address);
    return MOX_OK;
}

static int data(void *user, struct mox_slice piece, struct mox_smtp_reply *reply)
{
    (void)user, (void)reply;
    fwrite(piece.data, 1, piece.len, stdout);
    return MOX_OK;
}

static int deliver(void *user, const struct mox_smtp_envelope *e, struct mox_smtp_reply *reply)
{
    (void)user;
    printf("-- %llu bytes from %s --\n", (unsigned long long)e->content_bytes, e->hello);
    mox_smtp_reply_set(reply, 250, "2.0.0", "printed");
    return fflush(stdout) == 0 ? MOX_OK : MOX_EIO;
}

static const struct mox_smtp_server_callbacks callbacks = {
    .size = sizeof callbacks, .rcpt = rcpt, .data = data, .deliver = deliver};

/* Moves bytes until the socket or the engine has had enough; false when the connection is over. */
static bool serve(struct mox_smtp_server *s, int fd, short events)
{
    uint8_t chunk[4096];
    if (mox_smtp_server_wants(s) & MOX_WANTS_WRITE) {
        const uint8_t *out;
        size_t len = mox_smtp_server_output(s, &out);
        ssize_t n = write(fd, out, len);
        if (n > 0)
            mox_smtp_server_sent(s, (size_t)n);
        return n > 0;
    }
    if ((events & (POLLIN | POLLHUP)) == 0 || !(mox_smtp_server_wants(s) & MOX_WANTS_READ))
        return !(mox_smtp_server_wants(s) & MOX_WANTS_CLOSE);
    ssize_t n = read(fd, chunk, sizeof chunk);
    if (n > 0) /* a failure shows as CLOSE, after the last words */
        (void)!mox_smtp_server_input(s, chunk, (size_t)n);
    return n > 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(argc > 1 ? argv[1] : "2525")),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 100) != 0)
        return perror("smtp-sink: listen; is the port in use?"), 1;

    struct mox_env env;
    mox_env_system(&env);
    struct mox_smtp_server_config config;
    mox_smtp_server_config_init(&config);
    config.hostname = "localhost";
    const struct mox_peer peer = {.size = sizeof peer, .remote_ip = "127.0.0.1"};

    struct pollfd fds[CLIENTS + 1] = {{.fd = listener, .events = POLLIN}};
    struct mox_smtp_server *servers[CLIENTS + 1] = {NULL};
    for (nfds_t count = 1; poll(fds, count, 1000) >= 0;) {
        for (nfds_t i = count - 1; i > 0; i--) {
            if (mox_smtp_server_deadline(servers[i]) <= env.monotonic_us(env.user))
                (void)!mox_smtp_server_tick(servers[i]);
            if (!serve(servers[i], fds[i].fd, fds[i].revents)) {
                close(fds[i].fd);
                mox_smtp_server_free(servers[i]);
                fds[i] = fds[--count];
                servers[i] = servers[count];
                continue;
            }
            fds[i].events = mox_smtp_server_wants(servers[i]) & MOX_WANTS_WRITE ? POLLOUT : POLLIN;
        }
        if (fds[0].revents != 0 && count <= CLIENTS) {
            fds[count] = (struct pollfd){.fd = accept(listener, NULL, NULL), .events = POLLOUT};
            if (mox_smtp_server_new(&servers[count], &env, &config, &peer, &callbacks, NULL) == 0)
                count++;
        }
    }
    return 0;
}
