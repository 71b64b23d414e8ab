/* SPDX-License-Identifier: MIT */
#ifndef CLI_REPORTS_H
#define CLI_REPORTS_H

#include <jansson.h>

#include <mox/dmarc_report.h>
#include <mox/tls_report.h>

/* Reports of others, for people (reports_text.c) and for programs (reports_json.c). */

#define REPORTS_TIME_MAX 32
/* "2016-04-01T00:00:00Z" */
const char *reports_time(int64_t seconds, char out[REPORTS_TIME_MAX]);

/* False: out of memory. */
bool reports_print_dmarc(const struct mox_dmarc_report *report);
bool reports_print_tls(const struct mox_tls_report *report);

/* With the names and the shape that they have on their way: the elements of RFC 7489 appendix C, the
 * keys of RFC 8460 §4.4. Texts that are absent are left out. NULL: out of memory. */
json_t *reports_dmarc_json(const struct mox_dmarc_report *report);
json_t *reports_tls_json(const struct mox_tls_report *report);

#endif
