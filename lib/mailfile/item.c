/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <mox/date.h>
#include <mox/header.h>

#include "base/error.h"
#include "base/text.h"
#include "mailfile/mailfile.h"

void mox__item_begin(struct item *i)
{
    i->pub = (struct mox_mailfile_item){.where = i->where, .keywords = i->keywords};
}

void mox__item_where(struct item *i, const char *path, uint64_t line)
{
    char number[24] = "";
    if (line > 0)
        (void)snprintf(number, sizeof number, ":%" PRIu64, line);
    /* of a long path the end is what tells files apart */
    size_t len = strlen(path), room = sizeof i->where - sizeof number;
    (void)snprintf(i->where, sizeof i->where, "%s%s", path + (len > room ? len - room : 0), number);
    mox__mailfile_clean(i->where);
}

static bool has_keyword(const struct item *i, const char *keyword)
{
    for (size_t k = 0; k < i->pub.keyword_count; k++)
        if (strcmp(i->keywords[k], keyword) == 0)
            return true;
    return false;
}

bool mox__item_mark(struct item *i, struct mox_slice word)
{
    const uint32_t flag = mox__keyword_flag(word);
    i->pub.flags |= flag;
    if (flag != 0)
        return true;
    if (word.len == 0 || word.len > KEYWORD_MAX)
        return false;
    char lower[KEYWORD_MAX + 1];
    for (size_t k = 0; k < word.len; k++)
        lower[k] = (char)to_lower(word.data[k]);
    lower[word.len] = '\0';
    if (!mox_keyword_is_valid(slice(lower, word.len)))
        return false;
    if (has_keyword(i, lower))
        return true;
    const size_t at = i->pub.keyword_count;
    if (at == MOX_KEYWORDS_MAX)
        return false;
    memcpy(i->text[at], lower, word.len + 1);
    i->keywords[at] = i->text[at];
    i->pub.keyword_count++;
    return true;
}

void mox__item_date(struct item *i, struct mox_slice headers)
{
    struct mox_slice value;
    struct mox_date date;
    if (i->pub.received_us == 0 && mox_header_find(headers, "Date", &value) &&
        mox_date_parse(value, &date) == MOX_OK)
        i->pub.received_us = mox_date_unix(&date) * 1000000;
}

int mox__item_fail(const struct item *i, int status, struct mox_error *err)
{
    return mox__fail(err, status, "%s: %s", i->where,
                     status == MOX_ELIMIT ? "the message is larger than messages may be"
                                          : mox_status_text(status));
}
