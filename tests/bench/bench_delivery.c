/* SPDX-License-Identifier: MIT */
/* Durable deliveries over SMTP into the built daemon, on loopback: messages and syncs per second, CPU of
 * the server per message, and how long a message waits for its 250. $MOX_BIN names the daemon. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "baseline.h"

#define MAX_CLIENTS 100
#define MAX_SAMPLES 1000000

enum state { GREETING, HELLO, ENVELOPE, BODY, DONE };

struct client {
    int fd;
    enum state state;
    unsigned replies; /* still to come in ENVELOPE: MAIL, RCPT, DATA */
    char line[1024];
    size_t line_len;
    const char *out; /* what is left to send */
    size_t out_len;
    double started;
};

struct bench {
    struct client clients[MAX_CLIENTS];
    struct pollfd polls[MAX_CLIENTS];
    const char *body;
    size_t body_len;
    unsigned count, finished;
    long sent, wanted;
    float *samples;
    long sample_count;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void say(struct client *c, const char *text, size_t len)
{
    c->out = text;
    c->out_len = len;
}

static void next_message(struct bench *b, struct client *c)
{
    static const char envelope[] = "MAIL FROM:<sender@remote.example>\r\nRCPT TO:<mox@localhost>\r\n"
                                   "DATA\r\n";
    if (b->sent == b->wanted) {
        c->state = DONE;
        b->finished++;
        say(c, "QUIT\r\n", 6);
        return;
    }
    b->sent++;
    c->state = ENVELOPE;
    c->replies = 3;
    c->started = seconds_now();
    say(c, envelope, sizeof envelope - 1);
}

static void got_line(struct bench *b, struct client *c)
{
    if (c->line_len < 4 || c->line[3] == '-')
        return;
    if (c->line[0] != '2' && c->line[0] != '3') {
        (void)fprintf(stderr, "refused: %.*s\n", (int)c->line_len, c->line);
        exit(1);
    }
    switch (c->state) {
    case GREETING:
        c->state = HELLO;
        say(c, "EHLO bench.example\r\n", 20);
        break;
    case HELLO:
        next_message(b, c);
        break;
    case ENVELOPE:
        if (--c->replies > 0)
            break;
        c->state = BODY;
        say(c, b->body, b->body_len);
        break;
    case BODY:
        if (b->sample_count < MAX_SAMPLES)
            b->samples[b->sample_count++] = (float)(seconds_now() - c->started);
        next_message(b, c);
        break;
    case DONE:
        break;
    }
}

static void receive(struct bench *b, struct client *c)
{
    char chunk[4096];
    ssize_t n = read(c->fd, chunk, sizeof chunk);
    if (n <= 0 && c->state == DONE)
        return;
    if (n <= 0)
        die("the server closed a connection");
    for (ssize_t i = 0; i < n; i++) {
        if (chunk[i] == '\n') {
            got_line(b, c);
            c->line_len = 0;
        } else if (c->line_len < sizeof c->line) {
            c->line[c->line_len++] = chunk[i];
        }
    }
}

static void transmit(struct client *c)
{
    ssize_t n = write(c->fd, c->out, c->out_len);
    if (n < 0 && errno != EAGAIN)
        die("write");
    if (n > 0) {
        c->out += n;
        c->out_len -= (size_t)n;
    }
}

static int dial(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        die("socket");
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

/* Sends `wanted` messages over `count` connections; the seconds that it took. */
static double load(struct bench *b, int port, unsigned count, long wanted)
{
    b->count = count;
    b->finished = 0;
    b->sent = b->sample_count = 0;
    b->wanted = wanted;
    for (unsigned i = 0; i < count; i++) {
        b->clients[i] = (struct client){.fd = dial(port), .state = GREETING};
        if (b->clients[i].fd < 0)
            die("connect");
        (void)fcntl(b->clients[i].fd, F_SETFL, O_NONBLOCK);
    }
    double start = seconds_now();
    while (b->finished < count) {
        for (unsigned i = 0; i < count; i++)
            b->polls[i] = (struct pollfd){.fd = b->clients[i].fd,
                                          .events = b->clients[i].out_len > 0 ? POLLIN | POLLOUT
                                                                              : POLLIN};
        if (poll(b->polls, count, 30000) <= 0)
            die("nothing happened for 30 s");
        for (unsigned i = 0; i < count; i++) {
            if (b->polls[i].revents & (POLLIN | POLLHUP))
                receive(b, &b->clients[i]);
            if (b->clients[i].out_len > 0)
                transmit(&b->clients[i]);
        }
    }
    double elapsed = seconds_now() - start;
    for (unsigned i = 0; i < count; i++)
        (void)close(b->clients[i].fd);
    return elapsed;
}

static int by_time(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double cpu_seconds(pid_t pid)
{
    char path[64], line[1024];
    unsigned long user = 0, system = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (f == NULL || fgets(line, sizeof line, f) == NULL)
        die(path);
    (void)fclose(f);
    const char *rest = strrchr(line, ')');
    if (rest == NULL ||
        sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        die("cannot read the CPU time");
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static char *message(size_t bytes, size_t *len)
{
    static const char head[] = "From: Sender <sender@remote.example>\r\nTo: mox@localhost\r\n"
                               "Subject: A message of the benchmark\r\n"
                               "Date: Mon, 2 Jan 2023 03:04:05 +0100\r\n"
                               "Message-Id: <1@remote.example>\r\n\r\n";
    char *text = malloc(bytes + 256);
    if (text == NULL)
        die("malloc");
    size_t at = sizeof head - 1;
    memcpy(text, head, at);
    while (at + 72 < bytes) {
        memset(text + at, 'a' + (int)(at % 26), 70);
        memcpy(text + at + 70, "\r\n", 2);
        at += 72;
    }
    memcpy(text + at, ".\r\n", 3);
    *len = at + 3;
    return text;
}

static volatile uint64_t *sync_counter(const char *path)
{
    uint64_t zero = 0;
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, &zero, sizeof zero) != (ssize_t)sizeof zero)
        die(path);
    void *map = mmap(NULL, sizeof zero, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        die("mmap");
    (void)close(fd);
    return map;
}

static pid_t start_server(const char *mox, const char *dir, int base, const char *preload,
                          const char *counter)
{
    char data[4096], log[4096], number[16];
    (void)snprintf(data, sizeof data, "%s/mox", dir);
    (void)snprintf(log, sizeof log, "%s/log", dir);
    (void)snprintf(number, sizeof number, "%d", base);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        (void)dup2(fd, 1);
        (void)dup2(fd, 2);
        (void)setenv("LD_PRELOAD", preload, 1);
        (void)setenv("MOX_SYNC_COUNT", counter, 1);
        (void)execl(mox, mox, "-loglevel", "error", "localserve", "-dir", data, "-ip", "127.0.0.1",
                    "-port-base", number, (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 500; i++) {
        int fd = dial(base + 25);
        if (fd >= 0) {
            (void)close(fd);
            return pid;
        }
        (void)usleep(20000);
    }
    (void)fprintf(stderr, "the server did not start: see %s\n", log);
    exit(1);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fprintf(stderr, "usage: bench-delivery MOX LIBCOUNTSYNC\n");
        return 2;
    }
    char dir[] = "./bench-delivery.XXXXXX", counter_path[64], command[128];
    if (mkdtemp(dir) == NULL)
        die("mkdtemp");
    double commits = baseline_sqlite_commits(dir, 1), syncs = baseline_append_syncs(dir, 1);
    (void)printf("this machine: %.0f single-row commits/s, %.0f appends of 4 KiB with fdatasync/s\n",
                 commits, syncs);
    (void)printf("%9s %6s %8s %8s %10s %10s %8s %8s\n", "bytes", "conns", "msgs/s", "x commit",
                 "msgs/sync", "CPU ms/msg", "p50 ms", "p99 ms");

    (void)snprintf(counter_path, sizeof counter_path, "%s/syncs", dir);
    volatile uint64_t *counter = sync_counter(counter_path);
    int base = 20000 + (int)getpid() % 20000;
    pid_t pid = start_server(argv[1], dir, base, argv[2], counter_path);

    static const struct {
        size_t bytes;
        unsigned connections;
        long messages;
    } loads[] = {{4096, 1, 4000}, {4096, 10, 15000}, {4096, 50, 20000}, {102400, 10, 3000}};
    struct bench *b = calloc(1, sizeof *b);
    if (b == NULL || (b->samples = malloc(MAX_SAMPLES * sizeof *b->samples)) == NULL)
        die("malloc");
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++) {
        char *text = message(loads[i].bytes, &b->body_len);
        b->body = text;
        double cpu = cpu_seconds(pid);
        uint64_t before = *counter;
        double elapsed = load(b, base + 25, loads[i].connections, loads[i].messages);
        double n = (double)loads[i].messages, rate = n / elapsed;
        qsort(b->samples, (size_t)b->sample_count, sizeof *b->samples, by_time);
        (void)printf("%9zu %6u %8.0f %8.2f %10.2f %10.3f %8.2f %8.2f\n", loads[i].bytes,
                     loads[i].connections, rate, rate / commits, n / (double)(*counter - before),
                     (cpu_seconds(pid) - cpu) * 1000 / n,
                     (double)b->samples[b->sample_count / 2] * 1000,
                     (double)b->samples[b->sample_count * 99 / 100] * 1000);
        (void)fflush(stdout);
        free(text);
    }
    (void)kill(pid, SIGTERM);
    (void)waitpid(pid, NULL, 0);
    free(b->samples);
    free(b);
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) == 0 ? 0 : 1;
}
