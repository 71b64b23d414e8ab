/* SPDX-License-Identifier: MIT */
#ifndef FAULTS_CUT_H
#define FAULTS_CUT_H

#include "faults/record.h"

/* A power cut somewhere, and what it left. */
struct cut {
    const struct record *record;
    size_t at; /* after so many operations */
    const char *leaving;
    uint64_t seed;
    const char *dir;     /* the files that are left; removed afterwards */
    size_t acknowledged; /* so many steps must be there … */
    size_t submitted;    /* … and no more than these */
    bool killed;         /* nothing was lost but the process */
};

struct cut_counts {
    size_t points; /* operations that the power was cut after */
    size_t disks;  /* different disks that were left, and checked */
};

/* Cuts the power after each operation of a record and calls `check` for each different disk that
 * this may leave: with what was synced, with some of the rest ($MOX_CUT_SEEDS times, by default
 * `seeds`), and with all. */
void cut_everywhere(const struct record *r, unsigned seeds,
                    void (*check)(void *user, const struct cut *cut), void *user,
                    struct cut_counts *counts);
/* Fails the test from within a check. */
void cut_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* After a test that failed: says where the power was cut, and ends the record. */
int cut_teardown(void **state);
#define CUT_TEST(function) cmocka_unit_test_setup_teardown(function, NULL, cut_teardown)

#endif
