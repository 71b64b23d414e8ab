/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/ip.h"
#include "net/conn_priv.h"

static void format(const struct sockaddr_storage *address, char ip_text[64], uint16_t *port)
{
    struct ip ip = {.v6 = false};
    if (address->ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        memcpy(ip.bytes, &in.sin_addr, 4);
        *port = ntohs(in.sin_port);
    } else if (address->ss_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        memcpy(ip.bytes, &in6.sin6_addr, 16);
        ip.v6 = true;
        *port = ntohs(in6.sin6_port);
    } else {
        return; /* a Unix socket has no address worth a word */
    }
    mox__ip_format(&ip, ip_text);
}

void mox__peer_fill(struct mox_peer *peer, int fd)
{
    *peer = (struct mox_peer){.size = sizeof *peer};
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof address;
    if (getpeername(fd, (struct sockaddr *)&address, &len) == 0)
        format(&address, peer->remote_ip, &peer->remote_port);
    len = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &len) == 0)
        format(&address, peer->local_ip, &peer->local_port);
}
