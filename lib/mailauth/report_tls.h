/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_REPORT_TLS_H
#define MAILAUTH_REPORT_TLS_H

#include <mox/error.h>

/* What report_tls.c wants to know of text before it becomes a value. */

/* Whether the JSON is as small as mox/tls_report.h says, before memory is spent on it. It need not be
 * well-formed. MOX_ELIMIT has its text. */
int mox__tls_report_scan(struct mox_slice json, const char *form, struct mox_error *err);

/* A time of RFC 3339 §5.6, in seconds since 1970; without a zone it is in UTC. */
bool mox__tls_report_time(struct mox_slice text, int64_t *out);

#endif
