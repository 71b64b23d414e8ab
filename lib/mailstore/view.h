/* SPDX-License-Identifier: MIT */
#ifndef MAILSTORE_VIEW_H
#define MAILSTORE_VIEW_H

#include <mox/view.h>

/* For a store that keeps a pointer to a view without a reference: takes one unless the last is gone
 * already. The memory is there until `released` returns, so hold the lock that `released` takes. */
bool mox__view_try_ref(struct mox_view *view);

#endif
