/* SPDX-License-Identifier: MIT */

/* Asks a server on loopback as an embedder would, for wire_test.py: PORT TYPE NAME [dnssec]. Prints the
 * outcome, and a line for each record. */

#include <mox/dns_packet.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int connect_to(int type, const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    struct timeval patience = {.tv_sec = 60};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, type, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("connect");
    return fd;
}

static size_t read_all(int fd, uint8_t *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = recv(fd, data + at, len - at, 0);
        if (n <= 0)
            die("recv");
        at += (size_t)n;
    }
    return len;
}

static size_t over_udp(const char *port, const uint8_t *query, size_t len, uint8_t *reply,
                       size_t size)
{
    int fd = connect_to(SOCK_DGRAM, port);
    if (send(fd, query, len, 0) != (ssize_t)len)
        die("send");
    ssize_t n = recv(fd, reply, size, 0);
    if (n < 0)
        die("recv");
    close(fd);
    return (size_t)n;
}

static size_t over_tcp(const char *port, const uint8_t *query, size_t len, uint8_t *reply)
{
    uint8_t framed[2 + MOX_DNS_QUERY_MAX] = {(uint8_t)(len >> 8), (uint8_t)len};
    int fd = connect_to(SOCK_STREAM, port);
    memcpy(framed + 2, query, len);
    if (send(fd, framed, 2 + len, 0) != (ssize_t)len + 2)
        die("send");
    (void)read_all(fd, framed, 2);
    size_t n = read_all(fd, reply, (size_t)(framed[0] << 8 | framed[1]));
    close(fd);
    return n;
}

static void print_record(enum mox_dns_type type, const struct mox_dns_record *r)
{
    char text[INET6_ADDRSTRLEN];
    switch (type) {
    case MOX_DNS_A:
        puts(inet_ntop(AF_INET, r->data.a, text, sizeof text));
        break;
    case MOX_DNS_AAAA:
        puts(inet_ntop(AF_INET6, r->data.aaaa, text, sizeof text));
        break;
    case MOX_DNS_NS:
    case MOX_DNS_CNAME:
    case MOX_DNS_PTR:
        puts(r->data.name);
        break;
    case MOX_DNS_MX:
        printf("%u %s\n", r->data.mx.preference, r->data.mx.host);
        break;
    case MOX_DNS_SRV:
        printf("%u %u %u %s\n", r->data.srv.priority, r->data.srv.weight, r->data.srv.port,
               r->data.srv.target);
        break;
    case MOX_DNS_TXT:
        printf("%.*s\n", (int)r->data.txt.len, (const char *)r->data.txt.data);
        break;
    case MOX_DNS_TLSA:
        printf("%u %u %u ", r->data.tlsa.usage, r->data.tlsa.selector, r->data.tlsa.matching);
        for (size_t i = 0; i < r->data.tlsa.data.len; i++)
            printf("%02x", r->data.tlsa.data.data[i]);
        puts("");
        break;
    }
}

int main(int argc, char **argv)
{
    enum { ID = 0xbeef };
    static uint8_t reply[65535];
    uint8_t query[MOX_DNS_QUERY_MAX];
    struct mox_dns_question question;
    struct mox_env env;
    struct mox_dns_answers *answers;
    mox_env_system(&env);
    if (argc < 4 || !mox_dns_type_parse((struct mox_slice){(uint8_t *)argv[2], strlen(argv[2])},
                                        &question.type))
        return 2;
    question.name = argv[3];
    size_t len = mox_dns_query_write(query, &question, ID, argc > 4);
    struct mox_slice packet = {reply, over_udp(argv[1], query, len, reply, MOX_DNS_UDP_BYTES)};
    if (mox_dns_is_cut(packet)) {
        puts("cut");
        packet.len = over_tcp(argv[1], query, len, reply);
    }
    if (!mox_dns_is_reply(packet, &question, ID) || mox_dns_answers_new(&answers, &env) < 0 ||
        mox_dns_put_packet(answers, &question, packet, false) < 0)
        return 1;
    const struct mox_dns_answer *a = mox_dns_answer_at(answers, 0);
    puts(mox_dns_status_name(a->status));
    if (a->problem != NULL)
        puts(a->problem);
    for (size_t i = 0; i < a->count; i++)
        print_record(question.type, &a->records[i]);
    mox_dns_answers_free(answers);
    return 0;
}
