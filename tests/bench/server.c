/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"
#include "tcp.h"

#define SMTP  25
#define IMAP  143
#define IMAPS 993
/* A start that hangs; sanitizers and a busy machine make it slow, so this measures nothing. */
#define PATIENCE_SECONDS 60
#define ATTEMPTS         10

/* ---- start ---- */

static void map_counter(struct server *s)
{
    char path[sizeof s->dir + 16];
    (void)snprintf(path, sizeof path, "%s/syncs", s->dir);
    s->syncs = program_counter(path);
}

static _Noreturn void become_server(const struct server *s)
{
    char data[sizeof s->dir + 16], log[sizeof s->dir + 16], counter[sizeof s->dir + 16], base[16];
    (void)snprintf(data, sizeof data, "%s/mox", s->dir);
    (void)snprintf(log, sizeof log, "%s/log", s->dir);
    (void)snprintf(counter, sizeof counter, "%s/syncs", s->dir);
    (void)snprintf(base, sizeof base, "%d", s->base);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    (void)dup2(fd, 1);
    (void)dup2(fd, 2);
    if (s->preload != NULL) {
        (void)setenv("LD_PRELOAD", s->preload, 1);
        (void)setenv("MOX_SYNC_COUNT", counter, 1);
    }
    (void)execl(s->mox, s->mox, "-loglevel", "error", "localserve", "-dir", data, "-ip",
                "127.0.0.1", "-port-base", base, s->limits ? "-limits" : (char *)NULL, (char *)NULL);
    perror(s->mox);
    _exit(127);
}

static bool takes_connections(int port)
{
    int fd = tcp_connect(port);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

/* A connection may wait in the system's queue before the server looks at it. */
static bool greets(int port)
{
    char greeting[1024];
    int fd = tcp_connect(port);
    ssize_t n = fd < 0 ? -1 : read(fd, greeting, sizeof greeting);
    if (fd >= 0)
        (void)close(fd);
    return n > 4 && memcmp(greeting, "* OK", 4) == 0;
}

/* False when the server ended instead. */
static bool await_listening(struct server *s, double start)
{
    while (!takes_connections(server_imap_port(s)) || !takes_connections(server_smtp_port(s))) {
        if (waitpid(s->pid, NULL, WNOHANG) == s->pid) {
            program_child_gone(s->pid);
            s->pid = 0;
            return false;
        }
        if (seconds_now() - start > PATIENCE_SECONDS)
            fail("the server does not listen: see %s/log", s->dir);
        (void)usleep(200);
    }
    s->listening_ms = (seconds_now() - start) * 1000;
    if (!greets(server_imap_port(s)))
        fail("the server does not greet: see %s/log", s->dir);
    s->greeting_ms = (seconds_now() - start) * 1000;
    return true;
}

static bool try_start(struct server *s)
{
    double start = seconds_now();
    s->pid = program_fork();
    if (s->pid == 0)
        become_server(s);
    return await_listening(s, start);
}

static void say_why(const struct server *s)
{
    char command[sizeof s->dir + 32];
    (void)snprintf(command, sizeof command, "tail -n 5 '%s/log' >&2", s->dir);
    if (system(command) != 0)
        (void)fputs("there is no log\n", stderr);
    fail("%s does not start", s->mox);
}

void server_start(struct server *s)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        if (try_start(s))
            return;
        (void)usleep(100000); /* somebody else has a port of ours, for a moment */
    }
    say_why(s);
}

void server_open(struct server *s, const char *mox, const char *preload)
{
    static const int offsets[] = {SMTP, IMAP, 465, 587, IMAPS};
    static unsigned count;
    *s = (struct server){.mox = mox, .preload = preload};
    for (int i = 0; i < ATTEMPTS; i++) {
        (void)snprintf(s->dir, sizeof s->dir, "%s/server%u", program_folder(), count++);
        if (mkdir(s->dir, 0700) < 0)
            die(s->dir);
        if (preload != NULL)
            map_counter(s);
        s->base = tcp_free_base(offsets, sizeof offsets / sizeof offsets[0]);
        if (try_start(s))
            return;
    }
    say_why(s);
}

/* ---- end ---- */

void server_stop(struct server *s)
{
    int status = 0;
    if (s->pid == 0)
        return;
    (void)kill(s->pid, SIGTERM);
    if (waitpid(s->pid, &status, 0) != s->pid)
        die("waitpid");
    program_child_gone(s->pid);
    s->pid = 0;
    if (!WIFEXITED(status))
        fail("the server ended by signal %d: see %s/log", WTERMSIG(status), s->dir);
}

void server_close(struct server *s)
{
    server_stop(s);
    if (s->syncs != NULL)
        (void)munmap((void *)(uintptr_t)s->syncs, sizeof *s->syncs);
    s->syncs = NULL;
    (void)program_remove(s->dir);
}

int server_smtp_port(const struct server *s)
{
    return s->base + SMTP;
}

int server_imap_port(const struct server *s)
{
    return s->base + IMAP;
}

int server_imaps_port(const struct server *s)
{
    return s->base + IMAPS;
}

/* ---- what it costs ---- */

static FILE *open_proc(const struct server *s, const char *name)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)s->pid, name);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        die(path);
    return f;
}

/* The number behind `key` at the start of a line. */
static unsigned long proc_number(const struct server *s, const char *name, const char *key)
{
    char line[1024];
    FILE *f = open_proc(s, name);
    while (fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) {
            (void)fclose(f);
            return strtoul(line + strlen(key), NULL, 10);
        }
    }
    fail("/proc/%d/%s has no %s", (int)s->pid, name, key);
}

double server_cpu_seconds(const struct server *s)
{
    char line[1024];
    unsigned long user = 0, system = 0;
    FILE *f = open_proc(s, "stat");
    const char *rest = fgets(line, sizeof line, f) == NULL ? NULL : strrchr(line, ')');
    (void)fclose(f);
    if (rest == NULL || sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                               &user, &system) != 2)
        fail("cannot read the server's CPU time");
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

uint64_t server_written_bytes(const struct server *s)
{
    return proc_number(s, "io", "write_bytes:");
}

long server_rss_kib(const struct server *s)
{
    return (long)proc_number(s, "status", "VmRSS:");
}

long server_pss_kib(const struct server *s)
{
    return (long)proc_number(s, "smaps_rollup", "Pss:");
}

static uint64_t data_bytes; /* nftw() hands nothing to its callback */

static int add_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)path;
    (void)ftw;
    if (type == FTW_F)
        data_bytes += (uint64_t)st->st_blocks * 512;
    return 0;
}

uint64_t server_data_bytes(const struct server *s)
{
    char data[sizeof s->dir + 16];
    (void)snprintf(data, sizeof data, "%s/mox/data", s->dir);
    data_bytes = 0;
    if (nftw(data, add_one, 16, FTW_PHYS) != 0)
        die(data);
    return data_bytes;
}
