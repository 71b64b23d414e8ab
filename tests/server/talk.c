/* SPDX-License-Identifier: MIT */
#include "server/talk.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "support/cm.h"

static void expect(FILE *f, const char *code)
{
    char line[512];
    do {
        assert_non_null(fgets(line, sizeof line, f));
    } while (line[3] == '-');
    if (strncmp(line, code, strlen(code)) != 0)
        print_error("expected %s, got %s", code, line);
    assert_memory_equal(line, code, strlen(code));
}

void talk(uint16_t port, const struct step *steps)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval limit = {60, 0};
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof a), 0);
    FILE *f = fdopen(fd, "r");
    assert_non_null(f);
    expect(f, "220");
    for (; steps->say != NULL; steps++) {
        assert_true(send(fd, steps->say, strlen(steps->say), MSG_NOSIGNAL) > 0);
        expect(f, steps->code);
    }
    (void)fclose(f);
}
