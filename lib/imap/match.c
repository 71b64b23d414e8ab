/* SPDX-License-Identifier: MIT */
#include "imap/match.h"

#include <string.h>

#include <mox/error.h>

#include "base/text.h"

int mox__pattern_join(struct arena *a, const char *reference, const char *pattern, const char **out)
{
    size_t len = strlen(reference);
    size_t more = strlen(pattern);
    *out = NULL;
    if (len > PATTERN_MAX_BYTES || more > PATTERN_MAX_BYTES - len)
        return MOX_ELIMIT;
    if (*reference == '/' || *pattern == '/')
        return MOX_OK; /* no name starts with a slash */
    while (len > 0 && reference[len - 1] == '/')
        len--;
    char *joined = mox__arena_alloc(a, len + 1 + more + 1, 1);
    if (joined == NULL)
        return MOX_ENOMEM;
    memcpy(joined, reference, len);
    if (len > 0)
        joined[len++] = '/';
    memcpy(joined + len, pattern, more + 1);
    size_t level = strcspn(joined, "/");
    if (mox__slice_is_nocase(slice(joined, level), "inbox"))
        memcpy(joined, "Inbox", level);
    *out = joined;
    return MOX_OK;
}

/* The beginnings of the name that the pattern matches as far as it was read, by their lengths; all
 * are within from .. to. */
struct reach {
    bool *at;
    size_t from, to;
};

/* From the longest on, so that each is read before it is overwritten. Whether any is left. */
static bool take_byte(struct reach *r, const char *name, size_t len, char c)
{
    const size_t longest = r->to < len ? r->to + 1 : len;
    for (size_t i = longest; i > r->from; i--)
        r->at[i] = r->at[i - 1] && name[i - 1] == c;
    r->at[r->from] = false;
    r->to = longest;
    while (r->from < r->to && !r->at[r->from])
        r->from++;
    while (r->to > r->from && !r->at[r->to])
        r->to--;
    return r->from <= len && r->at[r->from];
}

static void take_wildcard(struct reach *r, const char *name, size_t len, bool whole_levels)
{
    for (size_t i = r->from + 1; i <= len; i++) {
        if (r->at[i - 1] && (whole_levels || name[i - 1] != '/'))
            r->at[i] = true;
        if (r->at[i] && i > r->to)
            r->to = i;
    }
}

size_t mox__pattern_match(const char *pattern, const char *name, size_t len, bool *matched)
{
    struct reach r = {.at = matched};
    size_t work = 0;
    memset(matched, 0, len + 1);
    matched[0] = true; /* nothing matches nothing */
    for (; *pattern != '\0'; pattern++) {
        const bool wild = *pattern == '*' || *pattern == '%';
        work += (wild ? len : r.to) - r.from + 1;
        if (wild)
            take_wildcard(&r, name, len, *pattern == '*');
        else if (!take_byte(&r, name, len, *pattern))
            break;
    }
    return work;
}
