/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

const char *mox_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        {MOX_OK, "ok"},
        {MOX_LATER, "answer pending"},
        {MOX_NEED_DNS, "names must be looked up"},
        {MOX_NEED_FACTS, "facts must be found out"},
        {MOX_ENOMEM, "out of memory"},
        {MOX_EIO, "input/output error, look into the system's log"},
        {MOX_ELIMIT, "a limit was exceeded"},
        {MOX_ESYNTAX, "syntax error"},
        {MOX_EINVAL, "invalid argument"},
        {MOX_ENOTFOUND, "not found"},
        {MOX_EEXISTS, "exists already"},
        {MOX_ENOSPACE, "no space left on disk, make room"},
        {MOX_EQUOTA, "over quota"},
        {MOX_ECORRUPT, "stored data is damaged"},
        {MOX_EBUSY, "in use"},
        {MOX_EDENIED, "denied"},
        {MOX_EUNSUPPORTED, "not supported"},
        {MOX_EREFUSED, "refused"},
        {MOX_EGONE, "was removed"},
        {MOX_ECHILDREN, "has children"},
        {MOX_ETOOMANY, "too many"},
        {MOX_EREADONLY, "read-only, make it writable"},
        {MOX_EFILES, "too many open files, raise their limit"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "unknown status";
}

int mox__fail(struct mox_error *err, int status, const char *format, ...)
{
    if (err == NULL)
        return status;
    err->status = status;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return status;
}

int mox__status_of_errno(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return MOX_ENOSPACE;
    case EROFS:
        return MOX_EREADONLY;
    case EMFILE:
    case ENFILE:
        return MOX_EFILES;
    case ENOMEM:
        return MOX_ENOMEM;
    case ENOENT:
        return MOX_ENOTFOUND;
    case EEXIST:
        return MOX_EEXISTS;
    default:
        return MOX_EIO;
    }
}
