/* SPDX-License-Identifier: MIT */
#include "baseline.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

double seconds_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(1);
}

double baseline_sqlite_commits(const char *dir, double seconds)
{
    char path[4096];
    sqlite3 *db;
    sqlite3_stmt *insert;
    (void)snprintf(path, sizeof path, "%s/baseline.db", dir);
    must(sqlite3_open(path, &db) == SQLITE_OK, path);
    must(sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(a)", NULL,
                      NULL, NULL) == SQLITE_OK,
         "baseline table");
    must(sqlite3_prepare_v2(db, "INSERT INTO t VALUES(1)", -1, &insert, NULL) == SQLITE_OK, "insert");
    double start = seconds_now(), elapsed;
    long n = 0;
    do {
        must(sqlite3_step(insert) == SQLITE_DONE, "baseline commit");
        must(sqlite3_reset(insert) == SQLITE_OK, "baseline commit");
        n++;
    } while ((elapsed = seconds_now() - start) < seconds);
    (void)sqlite3_finalize(insert);
    (void)sqlite3_close(db);
    (void)unlink(path);
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
