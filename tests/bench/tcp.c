/* SPDX-License-Identifier: MIT */
#include "tcp.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "program.h"

/* Linux takes ports from 32768 on for outgoing connections; a connection to such a port of ourselves
 * could even meet itself. */
#define LOWEST  10000
#define HIGHEST 31000

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

void tcp_no_delay(int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int tcp_connect(int port)
{
    struct sockaddr_in to = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket");
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        (void)close(fd);
        return -1;
    }
    tcp_no_delay(fd);
    return fd;
}

int tcp_listen(int *port)
{
    struct sockaddr_in at = loopback(0);
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 1) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        die("listen");
    *port = ntohs(at.sin_port);
    return fd;
}

static bool is_free(int port)
{
    struct sockaddr_in at = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool yes = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
    if (fd >= 0)
        (void)close(fd);
    return yes;
}

int tcp_free_base(const int *offsets, int count)
{
    for (int attempt = 0; attempt < 1000; attempt++) {
        unsigned random = 0;
        int found = 0;
        if (getrandom(&random, sizeof random, 0) != sizeof random)
            die("getrandom");
        int base = LOWEST + (int)(random % (HIGHEST - LOWEST));
        while (found < count && is_free(base + offsets[found]))
            found++;
        if (found == count)
            return base;
    }
    fail("no free ports");
}
