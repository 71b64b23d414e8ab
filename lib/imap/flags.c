/* SPDX-License-Identifier: MIT */
#include "imap/flags.h"

#include "base/error.h"
#include "base/text.h"

#define NAME(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

/* By bit of enum mox_flag. */
static const struct {
    const char *text;
    size_t len;
} names_by_bit[] = {
    NAME("\\Seen"),     NAME("\\Answered"), NAME("\\Flagged"), NAME("\\Deleted"), NAME("\\Draft"),
    NAME("$Forwarded"), NAME("$Junk"),      NAME("$NotJunk"),  NAME("$Phishing"), NAME("$MDNSent"),
};

#define NAME_COUNT (sizeof names_by_bit / sizeof names_by_bit[0])

/* All names with a space each, \Recent and the parentheses. */
#define SYSTEM_LIST_MAX 128

_Static_assert(MOX_FLAG_ALL == (1 << NAME_COUNT) - 1, "each flag has its name");

uint32_t mox__flag_named(struct mox_slice name)
{
    for (size_t i = 0; i < NAME_COUNT; i++) {
        if (name.len == names_by_bit[i].len &&
            mox__slice_eq_nocase(name, slice(names_by_bit[i].text, name.len)))
            return UINT32_C(1) << i;
    }
    return 0;
}

static int add_keyword(struct flag_list *list, struct arena *a, struct mox_slice name,
                       struct mox_error *err)
{
    char *keyword = mox__arena_strndup(a, name.data, name.len);
    if (keyword == NULL)
        return mox__fail(err, MOX_ENOMEM, "out of memory");
    for (size_t i = 0; i < name.len; i++)
        keyword[i] = (char)to_lower(name.data[i]);
    if (!mox_keyword_is_valid(slice(keyword, name.len)))
        return mox__fail(err, MOX_ESYNTAX,
                         "a flag that cannot be stored; keywords are 1 to 100 ASCII characters "
                         "without spaces and any of (){%%*\"\\]");
    for (size_t i = 0; i < list->keyword_count; i++) {
        if (strcmp(list->keywords[i], keyword) == 0)
            return MOX_OK;
    }
    list->keywords[list->keyword_count++] = keyword;
    return MOX_OK;
}

static int add_name(struct flag_list *list, struct arena *a, struct mox_slice name,
                    struct mox_error *err)
{
    uint32_t bit = mox__flag_named(name);
    list->flags |= bit;
    if (bit != 0)
        return MOX_OK;
    if (name.len > 0 && name.data[0] == '\\')
        return mox__fail(err, MOX_ESYNTAX,
                         "a flag that cannot be set; there are \\Seen, \\Answered, \\Flagged, "
                         "\\Deleted, \\Draft and keywords");
    return add_keyword(list, a, name, err);
}

int mox__flags_parse(struct flag_list *out, struct arena *a, struct mox_slice text,
                     struct mox_error *err)
{
    *out = (struct flag_list){0};
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == ' ';
    if (count > FLAG_NAMES_MAX)
        return mox__fail(err, MOX_ELIMIT, "more than %d flags", FLAG_NAMES_MAX);
    out->keywords = arena_new(a, const char *, count);
    if (out->keywords == NULL)
        return mox__fail(err, MOX_ENOMEM, "out of memory");

    for (size_t at = 0; text.len > 0 && at <= text.len;) {
        const struct mox_slice rest = slice_from(text, at);
        const uint8_t *space = memchr(rest.data, ' ', rest.len);
        size_t len = space == NULL ? rest.len : (size_t)(space - rest.data);
        int rc = add_name(out, a, slice(rest.data, len), err);
        if (rc < 0)
            return rc;
        at += len + 1;
    }
    return MOX_OK;
}

static char *put(char *at, const char *text, size_t len)
{
    memcpy(at, text, len);
    at[len] = ' ';
    return at + len + 1;
}

void mox__flags_write(struct buf *out, uint32_t flags, uint64_t keywords, const char *const *names,
                      unsigned name_count, bool recent)
{
    char list[SYSTEM_LIST_MAX];
    char *at = list;
    *at++ = '(';
    for (size_t i = 0; flags >> i != 0 && i < NAME_COUNT; i++) {
        if (flags >> i & 1)
            at = put(at, names_by_bit[i].text, names_by_bit[i].len);
    }
    if (recent)
        at = put(at, "\\Recent", 7);
    size_t len = (size_t)(at - list);
    if (keywords == 0) {
        if (len > 1)
            len--; /* the last space */
        list[len++] = ')';
        mox__buf_append(out, list, len);
        return;
    }
    if (len > 1)
        len--;
    mox__buf_append(out, list, len);
    for (unsigned i = 0; i < name_count && keywords >> i != 0; i++) {
        if ((keywords >> i & 1) == 0)
            continue;
        if (len > 1)
            mox__buf_byte(out, ' ');
        mox__buf_text(out, names[i]);
        len = 2;
    }
    mox__buf_byte(out, ')');
}
