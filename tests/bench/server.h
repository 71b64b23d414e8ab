/* SPDX-License-Identifier: MIT */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The built daemon (`mox localserve`) on 127.0.0.1 with data of its own, and what it costs. */

#define SERVER_USER     "mox@localhost"
#define SERVER_PASSWORD "moxmoxmox"

struct server {
    const char *mox, *preload; /* preload: libcountsync.so, or NULL */
    char dir[4096];            /* the folder that holds its data and its log */
    int base;                  /* its ports are the standard ones plus this */
    pid_t pid;                 /* 0: it does not run */
    double listening_ms;       /* from fork() until it took a connection for SMTP and IMAP */
    double greeting_ms;        /* from fork() until it had greeted an IMAP client */
    bool limits;               /* with the limits and delays of a server on the internet */
    volatile uint64_t *syncs;  /* fsync and fdatasync so far; NULL without preload */
};

/* Starts it with new data in a folder below program_folder(). `preload` counts its syncs, at next to no
 * cost. Like all here, it ends the program when that fails. */
void server_open(struct server *s, const char *mox, const char *preload);
/* SIGTERM, and waits. The data stay, for server_start(). */
void server_stop(struct server *s);
/* Starts it again, over the same data and ports. */
void server_start(struct server *s);
/* Stops it and removes its data. */
void server_close(struct server *s);

int server_smtp_port(const struct server *s);
int server_imap_port(const struct server *s);
int server_imaps_port(const struct server *s);

double server_cpu_seconds(const struct server *s);     /* user and system, all threads */
uint64_t server_written_bytes(const struct server *s); /* to the disk (write_bytes of /proc) */
long server_rss_kib(const struct server *s);
long server_pss_kib(const struct server *s);
uint64_t server_data_bytes(const struct server *s); /* of all files, as the disk has them */

#endif
