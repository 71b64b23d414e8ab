/* SPDX-License-Identifier: MIT */
#ifndef STORE_PROBLEMS_H
#define STORE_PROBLEMS_H

#include "base/priv.h"

/* What verifying finds wrong. */
struct problems {
    void (*report)(void *user, const char *text);
    void *user;
    unsigned count;
    char about[300]; /* in front of each text: "account mjl: " */
};

/* What is looked at from now on. */
void mox__problems_about(struct problems *p, const char *format, ...) MOX_PRINTF(2, 3);
void mox__problem(struct problems *p, const char *format, ...) MOX_PRINTF(2, 3);

#endif
