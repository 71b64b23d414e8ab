/* SPDX-License-Identifier: MIT */
#include "baseline.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sqlite3.h>

#include "program.h"
#include "tcp.h"

#define CHUNK (64 * 1024)
#define PING  64

static void must(int ok, const char *what)
{
    if (!ok)
        die(what);
}

/* ---- the disk ---- */

double baseline_sqlite_commits(const char *dir, double seconds)
{
    char path[4096], file[4200];
    sqlite3 *db;
    sqlite3_stmt *insert;
    (void)snprintf(path, sizeof path, "%s/baseline.db", dir);
    must(sqlite3_open(path, &db) == SQLITE_OK, path);
    must(sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(a)",
                      NULL, NULL, NULL) == SQLITE_OK,
         "baseline table");
    must(sqlite3_prepare_v2(db, "INSERT INTO t VALUES(1)", -1, &insert, NULL) == SQLITE_OK,
         "insert");
    double start = seconds_now(), elapsed;
    long n = 0;
    do {
        must(sqlite3_step(insert) == SQLITE_DONE, "baseline commit");
        must(sqlite3_reset(insert) == SQLITE_OK, "baseline commit");
        n++;
    } while ((elapsed = seconds_now() - start) < seconds);
    (void)sqlite3_finalize(insert);
    (void)sqlite3_close(db);
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
        (void)unlink(file);
    }
    return (double)n / elapsed;
}

double baseline_append_syncs(const char *dir, double seconds)
{
    char path[4096], block[4096];
    (void)snprintf(path, sizeof path, "%s/baseline.bin", dir);
    memset(block, 'x', sizeof block);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0, path);
    double start = seconds_now(), elapsed;
    long n = 0;
    do {
        must(write(fd, block, sizeof block) == (ssize_t)sizeof block, "baseline write");
        must(fdatasync(fd) == 0, "baseline sync");
        n++;
    } while ((elapsed = seconds_now() - start) < seconds);
    (void)close(fd);
    (void)unlink(path);
    return (double)n / elapsed;
}

double baseline_file_bytes(const char *dir, double seconds)
{
    static char chunk[CHUNK];
    enum { CHUNKS = 64 };
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/baseline.bin", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0, path);
    for (int i = 0; i < CHUNKS; i++)
        must(write(fd, chunk, CHUNK) == CHUNK, "baseline write");
    double start = seconds_now(), elapsed;
    long n = 0;
    do {
        must(pread(fd, chunk, CHUNK, n % CHUNKS * CHUNK) == CHUNK, "baseline read");
        n++;
    } while ((elapsed = seconds_now() - start) < seconds);
    (void)close(fd);
    (void)unlink(path);
    return (double)n * CHUNK / elapsed;
}

/* ---- the network ---- */

struct peer {
    int fd;
    bool echo; /* each ping comes back; otherwise bytes are sent until nobody takes them */
};

static void *be_peer(void *arg)
{
    const struct peer *p = arg;
    char chunk[CHUNK] = "";
    ssize_t n;
    while (p->echo && (n = read(p->fd, chunk, PING)) > 0) {
        if (write(p->fd, chunk, (size_t)n) != n)
            break;
    }
    while (!p->echo && send(p->fd, chunk, CHUNK, MSG_NOSIGNAL) > 0)
        continue;
    (void)close(p->fd);
    return NULL;
}

/* Another thread at the other end of a connection to ourselves. */
static int start_peer(struct peer *p, pthread_t *thread)
{
    int port, listener = tcp_listen(&port);
    int fd = tcp_connect(port);
    must(fd >= 0, "connect");
    p->fd = accept(listener, NULL, NULL);
    must(p->fd >= 0, "accept");
    (void)close(listener);
    tcp_no_delay(p->fd);
    must(pthread_create(thread, NULL, be_peer, p) == 0, "thread");
    return fd;
}

static void stop_peer(int fd, pthread_t thread)
{
    (void)close(fd);
    (void)pthread_join(thread, NULL);
}

double baseline_loopback_bytes(double seconds)
{
    static char chunk[CHUNK];
    struct peer p = {.echo = false};
    pthread_t thread;
    int fd = start_peer(&p, &thread);
    double start = seconds_now(), elapsed, bytes = 0;
    do {
        ssize_t n = read(fd, chunk, CHUNK);
        must(n > 0, "baseline read");
        bytes += (double)n;
    } while ((elapsed = seconds_now() - start) < seconds);
    stop_peer(fd, thread);
    return bytes / elapsed;
}

double baseline_loopback_round_trips(double seconds)
{
    char ping[PING] = "";
    struct peer p = {.echo = true};
    pthread_t thread;
    int fd = start_peer(&p, &thread);
    double start = seconds_now(), elapsed;
    long n = 0;
    do {
        must(write(fd, ping, PING) == PING, "baseline ping");
        must(recv(fd, ping, PING, MSG_WAITALL) == PING, "baseline pong");
        n++;
    } while ((elapsed = seconds_now() - start) < seconds);
    stop_peer(fd, thread);
    return (double)n / elapsed;
}

/* ---- all ---- */

void baseline_report(struct report *r, const char *dir, unsigned set, double seconds)
{
    if (set & MACHINE_DISK) {
        report_machine(r, "commits", baseline_sqlite_commits(dir, seconds), "/s");
        report_machine(r, "syncs", baseline_append_syncs(dir, seconds), "/s");
    }
    if (set & MACHINE_NETWORK) {
        report_machine(r, "loopback", baseline_loopback_bytes(seconds) / 1e6, "MB/s");
        report_machine(r, "round-trips", baseline_loopback_round_trips(seconds), "/s");
    }
    if (set & MACHINE_MEMORY)
        report_machine(r, "pread", baseline_file_bytes(dir, seconds) / 1e6, "MB/s");
}
