/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PROGRAM_H
#define BENCH_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

/* The life of a program that measures: whatever ends it (return, exit(), a wrong answer, a signal), its
 * children are dead and its folder is gone afterwards. */

/* First in main(), before any thread. SIGINT, SIGTERM and SIGHUP clean up from here on. */
void program_start(void);

/* The program's own folder, made by the first call: in $MOX_BENCH_DIR, or in the folder that the
 * program is run in, since /tmp may be memory. An absolute path. */
const char *program_folder(void);

/* Removes a folder with all that is in it; false if some of it stays. */
bool program_remove(const char *folder);

/* fork(), with the child known: it dies with the program. The child has the usual signal mask. */
pid_t program_fork(void);
/* It was waited for. */
void program_child_gone(pid_t pid);

/* Wrong answers and what else makes figures worthless: says so on stderr and exits with 1. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, with the text of errno. */
_Noreturn void die(const char *what);
/* Makes a file of eight bytes, zero, in which a preloaded library counts, and maps it for reading. */
void *program_counter(const char *path);

/* The environment's MOX_BENCH_<name>, for other sizes than the default. */
long program_number(const char *name, long otherwise);

double seconds_now(void); /* monotonic */

/* The most memory that the program had so far; 0: nobody knows. */
double program_peak_mb(void);

/* malloc() that does not fail. */
void *must_malloc(size_t bytes);

#endif
