/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mailfile/mailfile.h"

void mox__mailfile_warn(const struct mox_mailfile_config *config, const char *format, ...)
{
    char text[WHERE_MAX + 400];
    if (config->warn == NULL)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    mox__mailfile_clean(text);
    config->warn(config->user, text);
}

uint32_t mox__keyword_flag(struct mox_slice word)
{
    static const struct {
        const char *name;
        uint32_t flag;
    } names[] = {
        {"forwarded", MOX_FLAG_FORWARDED}, {"junk", MOX_FLAG_JUNK},
        {"notjunk", MOX_FLAG_NOTJUNK},     {"nonjunk", MOX_FLAG_NOTJUNK},
        {"phishing", MOX_FLAG_PHISHING},   {"mdnsent", MOX_FLAG_MDNSENT},
    };
    if (word.len > 0 && word.data[0] == '$')
        word = slice_from(word, 1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (mox__slice_is_nocase(word, names[i].name))
            return names[i].flag;
    return 0;
}

/* "<0 to 25> <keyword>"; the reason why it is not. */
static const char *read_line(struct letters *l, struct mox_slice line)
{
    const uint8_t *space = line.len == 0 ? NULL : memchr(line.data, ' ', line.len);
    uint64_t index = 0;
    if (space == NULL)
        return "is not a number and a keyword";
    struct mox_slice word = slice_from(line, (size_t)(space - line.data) + 1);
    if (!mox__slice_uint(slice(line.data, (size_t)(space - line.data)), 25, &index))
        return "does not begin with a number from 0 to 25";
    if (word.len == 0 || word.len > KEYWORD_MAX)
        return "has no keyword, or one that is too long";
    if (l->word[index][0] != '\0')
        return "has a number that was there before";
    memcpy(l->word[index], word.data, word.len);
    l->word[index][word.len] = '\0';
    return NULL;
}

void mox__letters_read(struct letters *l, struct mox_slice file, const char *where,
                       const struct mox_mailfile_config *config)
{
    unsigned number = 0;
    while (file.len > 0) {
        const uint8_t *lf = memchr(file.data, '\n', file.len);
        size_t len = lf == NULL ? file.len : (size_t)(lf - file.data);
        struct mox_slice line = mox__slice_trim(slice(file.data, len));
        file = slice_from(file, len + (lf != NULL));
        number++;
        const char *problem = line.len == 0 ? NULL : read_line(l, line);
        if (problem != NULL)
            mox__mailfile_warn(config, "%s:%u: the line %s; skipped", where, number, problem);
    }
}
