/* SPDX-License-Identifier: MIT */
/* Deliveries while somebody guesses passwords who has no guesses left: 500 connections a second that are
 * refused, or 500 logins a second on one connection. Both, and quiet, in turn. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "baseline.h"
#include "mails.h"
#include "program.h"
#include "report.h"
#include "server.h"
#include "smtp_load.h"

#define RATE        500 /* a second */
#define BATCH       5   /* at a time */
#define MESSAGES    3000
#define CONNECTIONS 10
#define REPEATS     15
#define SUBMISSION  587
#define OPENING     500
#define GUESSES     10 /* the limit */

enum abuse { QUIET, CONNECTING, LOGGING_IN, ABUSES };

static struct report report;
static unsigned long sent;
static double without_limits[REPEATS], rates[ABUSES][REPEATS], abused[ABUSES][REPEATS];
static double shares[ABUSES][REPEATS],
    cpu_ms[ABUSES][REPEATS]; /* of the quiet rate; for a message */

/* From an address that has nothing to do with the senders'. */
static int connect_from_afar(int port)
{
    struct sockaddr_in own = {.sin_family = AF_INET}, to = own;
    (void)inet_pton(AF_INET, "127.77.0.1", &own.sin_addr);
    (void)inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    to.sin_port = htons((uint16_t)port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&own, sizeof own) != 0 ||
        connect(fd, (const struct sockaddr *)&to, sizeof to) != 0)
        die("connect");
    return fd;
}

/* What was said, until the end of a line. */
static void hear(int fd, char *line, size_t size)
{
    size_t len = 0;
    while (len == 0 || line[len - 1] != '\n') {
        ssize_t n = recv(fd, line + len, size - 1 - len, 0);
        if (n <= 0 || (size_t)n == size - 1 - len)
            die("read");
        len += (size_t)n;
    }
    line[len] = '\0';
}

static void ask(int fd, const char *text, const char *answer)
{
    char line[2048];
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        die("write");
    hear(fd, line, sizeof line);
    if (strstr(line, answer) == NULL)
        fail("%s was answered by %s", text, line);
}

/* An attempt that is given up counts, and costs nothing. */
static void use_up_guesses(const struct server *s)
{
    char greeting[2048];
    for (int i = 0; i < GUESSES; i++) {
        int fd = connect_from_afar(server_imap_port(s));
        hear(fd, greeting, sizeof greeting);
        ask(fd, "a AUTHENTICATE PLAIN\r\n", "+");
        ask(fd, "*\r\n", "BAD");
        (void)close(fd);
    }
}

static void be_refused(const struct server *s)
{
    char line[2048];
    int fd = connect_from_afar(s->base + SUBMISSION);
    hear(fd, line, sizeof line);
    if (strncmp(line, "421 4.7.0", 9) != 0)
        fail("a connection was not refused: %s", line);
    (void)close(fd);
}

static _Noreturn void abuse(const struct server *s, enum abuse how, int open_fd,
                            volatile uint64_t *count)
{
    double begin = seconds_now();
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            if (how == CONNECTING)
                be_refused(s);
            else
                ask(open_fd, "a LOGIN mox@localhost guess\r\n", "a NO [UNAVAILABLE]");
            ++*count;
        }
        double ahead = begin + (double)*count / RATE - seconds_now();
        if (ahead > 0)
            (void)usleep((useconds_t)(ahead * 1e6));
    }
}

static double deliver(const struct server *s, const struct mails *mails)
{
    struct smtp_load load = {.port = server_smtp_port(s),
                             .connections = CONNECTIONS,
                             .messages = MESSAGES,
                             .mails = mails,
                             .first = sent};
    smtp_load_run(&load);
    sent += MESSAGES;
    smtp_load_free(&load);
    return MESSAGES / load.seconds;
}

/* The rate, and in *per_second how often a second somebody was refused meanwhile. */
static double run(const struct server *s, const struct mails *mails, enum abuse how, int open_fd,
                  volatile uint64_t *count, double *per_second)
{
    *per_second = 0;
    *count = 0;
    if (how == QUIET)
        return deliver(s, mails);
    pid_t pid = program_fork();
    if (pid == 0)
        abuse(s, how, open_fd, count);
    while (*count < BATCH)
        (void)usleep(1000);
    uint64_t before = *count;
    double begin = seconds_now(), rate = deliver(s, mails);
    *per_second = (double)(*count - before) / (seconds_now() - begin);
    (void)kill(pid, SIGTERM);
    (void)waitpid(pid, NULL, 0);
    program_child_gone(pid);
    return rate;
}

/* The limits of a server on the internet, but for those that deliveries from one address would meet. */
static void configure(const struct server *s)
{
    static const char none[] = "\t\tAddress: -1\n\t\tNetwork: -1\n\t\tWideNetwork: -1\n";
    static const char *const names[] = {
        "MessagesPerMinute",    "MessagesPerDay",  "BytesPerMinute",       "BytesPerDay",
        "ConnectionsPerMinute", "OpenConnections", "FailedLoginsPerMinute"};
    char path[sizeof s->dir + 32];
    (void)snprintf(path, sizeof path, "%s/mox/mox.conf", s->dir);
    FILE *conf = fopen(path, "a");
    if (conf == NULL)
        die(path);
    (void)fprintf(conf, "Limits:\n\tFailedLoginsPerDay:\n\t\tAddress: %d\n", GUESSES);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)fprintf(conf, "\t%s:\n%s", names[i], none);
    if (fclose(conf) != 0)
        die(path);
}

/* The account is open then, and has counted what came today. */
static void restart(struct server *s, bool limits, const struct mails *mails)
{
    server_stop(s);
    s->limits = limits;
    server_start(s);
    smtp_fill(server_smtp_port(s), mails, sent, OPENING);
    sent += OPENING;
}

/* Each in turn, for the disk is not the same from minute to minute. */
static void run_all(struct server *s, const struct mails *mails, volatile uint64_t *count,
                    size_t at)
{
    char greeting[2048];
    restart(s, false, mails);
    without_limits[at] = deliver(s, mails);
    restart(s, true, mails);
    int fd = connect_from_afar(server_imap_port(s));
    hear(fd, greeting, sizeof greeting);
    use_up_guesses(s);
    for (int how = 0; how < ABUSES; how++) {
        double cpu = server_cpu_seconds(s);
        rates[how][at] = run(s, mails, (enum abuse)how, fd, count, &abused[how][at]);
        shares[how][at] = rates[how][at] / rates[QUIET][at] * 100;
        cpu_ms[how][at] = (server_cpu_seconds(s) - cpu) * 1000 / MESSAGES;
    }
    (void)close(fd);
}

static void report_all(void)
{
    static const char *const names[ABUSES] = {"limits=on abuse=none", "limits=on abuse=connections",
                                              "limits=on abuse=logins"};
    report_median(&report, "delivery", "limits=off", without_limits, REPEATS, "msgs/s", NULL);
    for (int how = 0; how < ABUSES; how++) {
        report_median(&report, "delivery", names[how], rates[how], REPEATS, "msgs/s", NULL);
        if (how != QUIET)
            report_median(&report, "refused meanwhile", names[how], abused[how], REPEATS, "/s",
                          NULL);
    }
    for (int how = 0; how < ABUSES; how++) {
        report_median(&report, "CPU per message", names[how], cpu_ms[how], REPEATS, "ms", NULL);
        if (how != QUIET) /* before and after within a second, for the disk changes */
            report_median(&report, "of the quiet rate", names[how], shares[how], REPEATS, "%",
                          NULL);
    }
}

int main(int argc, char **argv)
{
    struct server s;
    struct mails mails;
    if (argc != 3) {
        (void)fprintf(stderr, "usage: bench-refusals MOX LIBCOUNTSYNC\n");
        return 2;
    }
    program_start();
    report_open(&report, "refusals");
    volatile uint64_t *count =
        mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (count == MAP_FAILED)
        die("mmap");
    server_open(&s, argv[1], argv[2]);
    configure(&s);
    mails_open(&mails, 4096, 10000, true);
    for (size_t i = 0; i < REPEATS; i++)
        run_all(&s, &mails, count, i);
    report_all();
    mails_close(&mails);
    server_close(&s);
    report_close(&report);
    return 0;
}
