/* SPDX-License-Identifier: MIT */
#ifndef BENCH_BASELINE_H
#define BENCH_BASELINE_H

/* What the machine itself can do, measured in the same run and folder as what is compared with it.
 * Operations per second; `seconds` is how long to measure. */
double baseline_sqlite_commits(const char *dir, double seconds); /* one row each, WAL, FULL */
double baseline_append_syncs(const char *dir, double seconds);   /* 4 KiB and fdatasync */

double seconds_now(void); /* monotonic */

#endif
