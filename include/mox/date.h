/* SPDX-License-Identifier: MIT */
#ifndef MOX_DATE_H
#define MOX_DATE_H

#include <mox/error.h>
#include <mox/types.h>

MOX_BEGIN_DECLS

/** A date as it was written, in its own zone. */
struct mox_date {
    int year;                      /* 1..9999 */
    unsigned month, day;           /* 1..12, 1..31; there is such a day */
    unsigned hour, minute, second; /* 0..23, 0..59, 0..60 */
    int zone_minutes;              /* east of UTC, less than a day; 0 when it is not known */
};

/**
 * Reads the value of a Date field (RFC 5322 §3.3): obsolete forms (§4.3), comments, and what is
 * seen in the wild: no seconds, no time, no zone, names of more zones, "1-Jul-2003", the orders of
 * asctime() and ISO 8601. The name of the day is not looked at. A zone of a day or more is taken
 * off, and the date is in UTC.
 *
 * @return MOX_OK, or MOX_ESYNTAX and *out is undefined
 */
MOX_API MOX_MUST_USE int mox_date_parse(struct mox_slice text, struct mox_date *out);

/** Seconds since 1970, UTC. */
MOX_API int64_t mox_date_unix(const struct mox_date *date);

/** The date of a moment in a zone; years are kept within 1..9999, zones within a day. */
MOX_API void mox_date_from_unix(int64_t unix_seconds, int zone_minutes, struct mox_date *out);

/** Room for a date as text, with its NUL. */
#define MOX_DATE_MAX 32

/** "Mon, 2 Jan 2006 15:04:05 -0700", as messages want it. */
MOX_API void mox_date_format(int64_t unix_seconds, int zone_minutes, char out[MOX_DATE_MAX]);

MOX_END_DECLS

#endif
