/* SPDX-License-Identifier: MIT */
#ifndef BENCH_BASELINE_H
#define BENCH_BASELINE_H

#include "report.h"

/* What the machine itself can do, measured in the same run and folder as what is compared with it.
 * Operations per second; `seconds` is how long to measure. */
double baseline_sqlite_commits(const char *dir, double seconds); /* one row each, WAL, FULL */
double baseline_append_syncs(const char *dir, double seconds);   /* 4 KiB and fdatasync */
double baseline_loopback_bytes(double seconds);       /* one way over TCP on 127.0.0.1, by 64 KiB */
double baseline_loopback_round_trips(double seconds); /* 64 bytes there and back */
double baseline_memory_bytes(double seconds);         /* memcpy() of 1 MiB; needs no SQLite */
double baseline_file_bytes(const char *dir, double seconds); /* pread by 64 KiB, from the cache */

/* Measures and reports those of the disk ("commits", "syncs"), of the network ("loopback",
 * "round-trips") and of memory ("pread"). */
enum { MACHINE_DISK = 1 << 0, MACHINE_NETWORK = 1 << 1, MACHINE_MEMORY = 1 << 2 };
void baseline_report(struct report *r, const char *dir, unsigned set, double seconds);

#endif
