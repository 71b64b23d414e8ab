/* SPDX-License-Identifier: MIT */
#ifndef MAILSTORE_VIEW_H
#define MAILSTORE_VIEW_H

#include <stdatomic.h>

#include <mox/view.h>

/* A view is a list of runs. A run is the first `count` rows of a chunk, and chunks are shared
 * between views: a change copies the chunks that it touches, and appending fills the free end of
 * the last chunk, which older views do not look at.
 *
 *   view 1:  [run 0: chunk A, 1024] [run 1: chunk B, 10]
 *   view 2:  [run 0: chunk A, 1024] [run 1: chunk B, 12]      two messages came
 *   view 3:  [run 0: chunk C, 1023] [run 1: chunk B, 12]      one of the first was removed
 *
 * Two neighbouring runs hold more than RUN_JOIN rows together, and a chunk has room for at most
 * twice the rows that it was made for, at least for CHUNK_MIN. So a view of n rows has at most
 * 1 + n / 256 runs, with room for 2 n rows and CHUNK_MIN per run. */
#define CHUNK_ROWS 1024
#define CHUNK_MIN  16
#define RUN_JOIN   (CHUNK_ROWS / 2)

struct chunk {
    atomic_uint refs;
    atomic_uint used; /* rows written; only grows. Who moves it on from `count` owns the new rows */
    uint32_t cap;
    struct mox_view_row rows[];
};

struct run {
    struct chunk *chunk;
    uint32_t start; /* index of the first row in the view */
    uint32_t count, unseen;
};

/* The names, shared by views until they change. */
struct keywords {
    atomic_uint refs;
    unsigned count;
    const char *names[MOX_KEYWORDS_MAX];
    char text[]; /* what names point to */
};

struct mox_view {
    struct mox_env env;
    atomic_uint refs;
    struct mox_view_info info;
    struct keywords *keywords;
    uint32_t count, run_count;
    struct run runs[]; /* none is empty */
};

static inline bool view_row_unseen(const struct mox_view_row *row)
{
    return (row->flags & MOX_FLAG_SEEN) == 0;
}

/* For a store that keeps a pointer to a view without a reference: takes one unless the last is gone
 * already. The memory is there until `released` returns, so hold the lock that `released` takes. */
bool mox__view_try_ref(struct mox_view *view);

#endif
