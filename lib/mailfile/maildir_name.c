/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "mailfile/mailfile.h"
#include "mailstore/utf7.h"

/* Year 9999; what is later is no time. */
#define SECONDS_MAX UINT64_C(253402300799)

int64_t mox__maildir_name_time(const char *name)
{
    const char *dot = strchr(name, '.');
    uint64_t seconds = 0;
    if (dot == NULL || strchr(dot + 1, '.') == NULL ||
        !mox__slice_uint(slice(name, (size_t)(dot - name)), SECONDS_MAX, &seconds))
        return 0;
    return (int64_t)seconds;
}

const char *mox__maildir_name_flags(const char *name)
{
    const char *at = strstr(name, ":2,");
    if (at == NULL)
        at = strstr(name, "!2,");
    return at == NULL ? "" : at + 3;
}

uint32_t mox__maildir_flag(char letter)
{
    switch (letter) {
    case 'D':
        return MOX_FLAG_DRAFT;
    case 'F':
        return MOX_FLAG_FLAGGED;
    case 'P':
        return MOX_FLAG_FORWARDED; /* "passed": resent, forwarded or bounced */
    case 'R':
        return MOX_FLAG_ANSWERED;
    case 'S':
        return MOX_FLAG_SEEN;
    case 'T':
        return MOX_FLAG_DELETED;
    default:
        return 0;
    }
}

int mox__maildir_folder_name(const char *dir, char *out, size_t size)
{
    struct mox_slice name = slice_from(slice_of(dir), 1); /* without the dot in front */
    if (mox__utf7_decoded_max(name.len) + 1 > size)
        return MOX_ELIMIT;
    int rc = mox__utf7_decode(name, out);
    if (rc < 0)
        return rc;
    for (char *p = out; *p != '\0'; p++) {
        if (*p == '/')
            return MOX_ESYNTAX; /* it would be two levels */
        if (*p == '.')
            *p = '/';
    }
    return MOX_OK;
}
