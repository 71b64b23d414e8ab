/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_PRINTABLE_H
#define MAILAUTH_PRINTABLE_H

#include "base/priv.h"

/* A stranger's text for headers, logs and terminals: cut to fit, and what is not printable ASCII is a `?`. */
void mox__printable(char *out, size_t size, struct mox_slice text);

#endif
