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

/* Where to go on with one more byte taken by the last wildcard. */
struct retry {
    const char *pattern; /* behind the wildcard; NULL: none */
    const char *at;      /* what it has taken ends here */
};

/* A literal that fails lets the last % take one more byte of its level, and then the last * one
 * more of all: whatever an earlier % could take instead, its level ends at the same slash, and what
 * an earlier * could take, the last one can take as well. */
bool mox__pattern_matches(const char *pattern, const char *name, size_t len)
{
    const char *end = name + len;
    struct retry star = {NULL, NULL};
    struct retry percent = {NULL, NULL};
    for (;;) {
        if (*pattern == '*') {
            star = (struct retry){++pattern, name};
            percent.pattern = NULL;
        } else if (*pattern == '%') {
            percent = (struct retry){++pattern, name};
        } else if (name < end && *pattern == *name) {
            pattern++;
            name++;
        } else if (name == end && *pattern == '\0') {
            return true;
        } else if (percent.pattern != NULL && percent.at < end && *percent.at != '/') {
            pattern = percent.pattern;
            name = ++percent.at;
        } else if (star.pattern != NULL && star.at < end) {
            pattern = star.pattern;
            name = ++star.at;
            percent.pattern = NULL;
        } else {
            return false;
        }
    }
}
