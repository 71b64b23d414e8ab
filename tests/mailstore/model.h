/* SPDX-License-Identifier: MIT */
#ifndef TEST_MAILSTORE_MODEL_H
#define TEST_MAILSTORE_MODEL_H

#include <mox/view.h>

#include "support/testenv.h"

#define ROWS_MAX 20000

/* What a view should show: an array. */
struct model {
    uint32_t count, uidnext;
    uint64_t modseq, seed;
    struct mox_view_row rows[ROWS_MAX];
};

/* Some UIDs and flags, always the same for a count. Free it. */
struct model *model_new(uint32_t count);
/* The next of its random numbers, below n. */
uint32_t below(struct model *m, uint32_t n);
struct mox_view_info info_of(const struct model *m);
struct mox_view *view_of(const struct test_env *t, const struct model *m);
void assert_shows(const struct mox_view *view, const struct model *m);
bool same_row(const struct mox_view_row *a, const struct mox_view_row *b);
/* A view of UIDs from 1 to count. */
struct mox_view *large_view(struct test_env *t, uint32_t count);

#endif
