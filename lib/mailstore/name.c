/* SPDX-License-Identifier: MIT */
#include <mox/mailstore.h>

#include <stdlib.h>
#include <string.h>

#ifdef MOX_HAVE_IDN
#include <uninorm.h>
#endif

#include "base/error.h"
#include "base/text.h"

#define KEYWORD_BYTES_MAX 100

#ifdef MOX_HAVE_IDN
#define NOT_NORMAL "is not in Unicode normalization form C"
#else
#define NOT_NORMAL "is not ASCII, and this build has no Unicode tables"
#endif

/* C0, DEL and C1 controls, and the line and paragraph separators U+2028 and U+2029: a name with one
 * could not be shown in a list. `s` is valid UTF-8. */
static bool has_control(struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        const uint8_t *c = s.data + i;
        if (*c < ' ' || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0) ||
            (*c == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9)))
            return true;
    }
    return false;
}

static bool is_nfc(struct mox_slice s)
{
    if (mox__slice_is_ascii(s))
        return true;
#ifdef MOX_HAVE_IDN
    size_t len = 0;
    uint8_t *normal = u8_normalize(UNINORM_NFC, s.data, s.len, NULL, &len);
    bool same = normal != NULL && len == s.len && memcmp(normal, s.data, len) == 0;
    free(normal);
    return same;
#else
    return false; /* without Unicode tables only ASCII is known to be normal */
#endif
}

static const char *level_problem(struct mox_slice level)
{
    if (level.len == 0)
        return "has an empty level: no '/' at the start or end, and no two in a row";
    if (mox__slice_is(level, ".") || mox__slice_is(level, ".."))
        return "has a level \".\" or \"..\"";
    return NULL;
}

static const char *levels_problem(struct mox_slice name)
{
    for (;;) {
        const uint8_t *slash = memchr(name.data, '/', name.len);
        size_t len = slash == NULL ? name.len : (size_t)(slash - name.data);
        const char *problem = level_problem(slice(name.data, len));
        if (problem != NULL || slash == NULL)
            return problem;
        name = slice_from(name, len + 1);
    }
}

static const char *name_problem(struct mox_slice name)
{
    if (name.len == 0)
        return "is empty";
    if (!mox__slice_is_utf8(name))
        return "is not UTF-8";
    if (has_control(name))
        return "has a control character";
    if (name.data[0] == '#')
        return "starts with '#'";
    if (!is_nfc(name))
        return NOT_NORMAL;
    return levels_problem(name);
}

int mox_mailbox_name_check(const char *name, char out[MOX_MAILBOX_NAME_MAX + 1],
                           struct mox_error *err)
{
    struct mox_slice s = slice_of(name);
    if (s.len > MOX_MAILBOX_NAME_MAX)
        return mox__fail(err, MOX_ELIMIT, "mailbox name is longer than %d bytes",
                         MOX_MAILBOX_NAME_MAX);
    const char *problem = name_problem(s);
    if (problem != NULL)
        return mox__fail(err, MOX_ESYNTAX, "mailbox name %s", problem);
    memmove(out, name, s.len + 1);
    if (mox__slice_starts_nocase(s, "inbox") && (s.len == 5 || s.data[5] == '/'))
        memcpy(out, "Inbox", 5);
    return MOX_OK;
}

bool mox_keyword_is_valid(struct mox_slice keyword)
{
    if (keyword.len == 0 || keyword.len > KEYWORD_BYTES_MAX)
        return false;
    for (size_t i = 0; i < keyword.len; i++) {
        uint8_t c = keyword.data[i];
        if (c <= ' ' || c > '~' || (c >= 'A' && c <= 'Z') || strchr("(){%*\"\\]", c) != NULL)
            return false;
    }
    return true;
}
