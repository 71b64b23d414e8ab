/* SPDX-License-Identifier: MIT */

/* SPF with a resolver of the program's own: UDP to one name server, one question after the other.
 *
 *     spf-check 127.0.0.1 53   192.0.2.1 mail.example.org someone@example.org
 *               server    port client    EHLO             MAIL FROM
 */

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mox/dns_packet.h>
#include <mox/spf.h>

#define TIMEOUT_MS 3000

/* One question to the server. What is no reply to it is passed over; none in time is a timeout. */
static int ask(struct mox_dns_answers *answers, const struct mox_env *env, int fd,
               struct mox_dns_question question)
{
    uint8_t query[MOX_DNS_QUERY_MAX], reply[MOX_DNS_UDP_BYTES];
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char name[256];
    uint16_t id;
    (void)snprintf(name, sizeof name, "%s", question.name);
    question.name = name; /* the set's list of wishes changes with each answer */
    env->random(env->user, (uint8_t *)&id, sizeof id);
    size_t len = mox_dns_query_write(query, &question, id, false);
    bool sent = len > 0 && send(fd, query, len, 0) == (ssize_t)len;
    while (sent && poll(&ready, 1, TIMEOUT_MS) == 1) {
        ssize_t n = recv(fd, reply, sizeof reply, 0);
        struct mox_slice packet = {reply, n < 0 ? 0 : (size_t)n};
        if (n < 0)
            break;
        if (mox_dns_is_reply(packet, &question, id))
            return mox_dns_put_packet(answers, &question, packet, false);
    }
    struct mox_dns_answer nobody = {.question = question, .status = MOX_DNS_TIMEOUT};
    return mox_dns_put(answers, &nobody);
}

static int check(struct mox_spf_verdict *verdict, const struct mox_env *env, int fd,
                 const struct mox_spf_query *query)
{
    struct mox_dns_answers *answers = NULL;
    const struct mox_dns_question *wanted;
    int rc = mox_dns_answers_new(&answers, env);
    if (rc != MOX_OK)
        return rc;
    while ((rc = mox_spf_check(query, answers, verdict)) == MOX_NEED_DNS)
        for (rc = MOX_OK; rc == MOX_OK && mox_dns_wanted(answers, &wanted) > 0;)
            rc = ask(answers, env, fd, wanted[0]);
    mox_dns_answers_free(answers);
    return rc;
}

int main(int argc, char **argv)
{
    struct sockaddr_in server = {.sin_family = AF_INET};
    struct mox_spf_verdict verdict;
    struct mox_spf_query query;
    struct mox_env env;
    if (argc != 6 || inet_pton(AF_INET, argv[1], &server.sin_addr) != 1) {
        fprintf(stderr, "usage: spf-check server port client-ip ehlo-name mail-from\n");
        return 2;
    }
    server.sin_port = htons((uint16_t)atoi(argv[2]));
    mox_env_system(&env);
    mox_spf_query_init(&query);
    char *at = strrchr(argv[5], '@');
    if (at != NULL)
        *at = '\0';
    query.ip = argv[3];
    query.helo = argv[4];
    query.mail_from_localpart = at != NULL ? argv[5] : "";
    query.mail_from_domain = at != NULL ? at + 1 : argv[5];
    query.now_us = env.wall_us(env.user);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof server) != 0) {
        perror("spf-check");
        return 1;
    }
    int rc = check(&verdict, &env, fd, &query);
    (void)close(fd);
    if (rc != MOX_OK) {
        fprintf(stderr, "spf-check: %s\n", mox_status_text(rc));
        return 1;
    }
    printf("%s %s %s%s\n", mox_spf_result_name(verdict.result), verdict.sender, verdict.mechanism,
           verdict.problem);
    return 0;
}
