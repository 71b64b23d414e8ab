/* SPDX-License-Identifier: MIT */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stddef.h>

/* A program's figures: a table for people while it runs, and at the end the same as one line of JSON on
 * stdout and in $MOX_BENCH_JSON_DIR/<name>.json, when that is set:
 *
 *   {"bench":"delivery",
 *    "machine":{"commits":{"value":4800,"low":4700,"high":4900,"unit":"/s"},…},
 *    "figures":[{"what":"delivery","params":{"connections":10},"value":5000,"low":4900,"high":5100,
 *                "unit":"messages/s","of":"commits","ratio":1.04},…]}
 */

#define REPORT_MACHINE_MAX 8
#define REPORT_FIGURES_MAX 512

struct figure {
    const char *what;   /* "delivery" */
    const char *params; /* "connections=10 senders=many", or NULL: an object in JSON */
    double value;
    const char *unit;
    const char *of;   /* the machine's figure to divide by (report_machine()), or NULL */
    double low, high; /* of the repeats of which `value` is the median; 0: measured once */
};

struct report {
    const char *name;
    size_t machine_count, figure_count;
    struct machine {
        const char *what, *unit;
        double sum, low, high;
        unsigned times;
    } machine[REPORT_MACHINE_MAX];
    struct figure figures[REPORT_FIGURES_MAX]; /* texts are copies */
};

/* One per program, zero-initialized by this; it is large, so make it static. */
void report_open(struct report *r, const char *name);

/* What the machine can do. May be measured again between and after the figures: ratios in JSON are to
 * the mean of all, those in the table to the mean until then. `what` and `unit` are literals. */
void report_machine(struct report *r, const char *what, double value, const char *unit);
double report_machine_mean(const struct report *r, const char *what); /* 0: not measured */

/* Prints a line of the table and keeps it for the JSON. The texts of `f` are copied. */
void report_figure(struct report *r, const struct figure *f);

/* report_figure() with `value`, measured once. */
void report_value(struct report *r, const char *what, const char *params, double value,
                  const char *unit, const char *of);
/* report_figure() with the median, lowest and highest of `values`, which are sorted. */
void report_median(struct report *r, const char *what, const char *params, double *values,
                   size_t count, const char *unit, const char *of);

/* Prints what the machine did, if more than once, and the JSON. Exits with 1 if it cannot. */
void report_close(struct report *r);

/* Sorts, and gives the value below which `share` of them are. */
double quantile(double *values, size_t count, double share);

#endif
