/* SPDX-License-Identifier: MIT */
#ifndef DNS_ZONE_H
#define DNS_ZONE_H

#include <mox/dns_zone.h>

#include "base/arena.h"

/* No bug report needs more, and a file that was given by mistake is not taken whole. */
#define ZONE_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define ZONE_LINES_MAX ((size_t)1000 * 1000)
#define ZONE_TXT_MAX                                                                               \
    65279 /* what fits into RDLENGTH, beside the 256 bytes of length of its strings */

struct zone_line {
    const char *name; /* in the arena */
    uint32_t type;
    enum mox_dns_status status; /* of all lines with this name and type */
    size_t index;               /* of its record, until they are sorted */
    size_t number;              /* in the file */
};

/* Lines sorted by name, type and number. Those that say that a name does not exist come after all others. records[i] belongs to lines[i]. */
struct mox_dns_zone {
    struct mox_env env;
    struct arena arena; /* of names and texts */
    struct zone_line *lines;
    struct mox_dns_record *records;
    size_t count, cap;
    size_t existing; /* lines before the first !NXDOMAIN */
};

/* The first line of `from` … `to` that is not before the name and type. */
size_t mox__zone_find(const struct mox_dns_zone *z, size_t from, size_t to, const char *name,
                      uint32_t type);

/* Reads the value of a line into *r. The texts are copied into the arena. On failure *help says what would
 * be right. */
MOX_MUST_USE int mox__zone_value(struct arena *a, enum mox_dns_type type, struct mox_slice value,
                                 struct mox_dns_record *r, const char **help);

#endif
