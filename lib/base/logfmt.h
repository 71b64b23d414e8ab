/* SPDX-License-Identifier: MIT */
#ifndef BASE_LOGFMT_H
#define BASE_LOGFMT_H

#include <mox/env.h>

#include "base/priv.h"

/* Writes one line with its LF into out, cut (but still ended by LF) when it does not fit; returns
 * its length. logfmt: `l=info m="new connection" err=… pkg=smtpserver cid=1f key=value`; plain:
 * `info: message: error (key: value; …)`. */
MOX_PRIV size_t mox__logfmt(const struct mox_log_line *line, bool plain, char *out, size_t size);

#endif
