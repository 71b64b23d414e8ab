/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "smtp/server.h"

/* bdat = "BDAT" SP chunk-size [SP "LAST"] CRLF, then the chunk            RFC 3030 §2
 *
 * The chunk is on its way before any answer, so it is read even when the command is refused: its
 * bytes must never be taken for commands. When its size cannot be read, only closing helps. */

static bool parse(struct mox_smtp_server *s, struct mox_slice args, uint64_t *size, bool *last)
{
    size_t digits = 1;
    while (digits < args.len && is_digit(args.data[digits]))
        digits++;
    struct mox_slice rest = slice_from(args, digits < args.len ? digits : args.len);
    bool good = args.len > 1 && args.data[0] == ' ' && digits <= 21 &&
                mox__slice_uint(slice(args.data + 1, digits - 1), UINT64_MAX, size);
    *last = mox__slice_starts_nocase(rest, " LAST");
    if (*last)
        rest = slice_from(rest, sizeof " LAST" - 1);
    if (good && mox__smtp_at_end(s, rest))
        return true;
    s->bad_commands++;
    mox__smtp_reply(s, 501, "5.5.4", "bad syntax: use BDAT size or BDAT size LAST");
    mox__smtp_close(s);
    return false;
}

void mox__smtp_cmd_bdat(struct mox_smtp_server *s, struct mox_slice args)
{
    uint64_t size;
    bool last;
    if (!parse(s, args, &size, &last))
        return;
    mox__smtp_chunk_begin(s, size, last);
    if (s->state == ST_BDAT) {
        mox__smtp_content_continue(s);
        return;
    }
    mox__smtp_prepare(s, 451, "4.3.0", "cannot take a message now, try again later");
    int rc = s->cb.data_begin == NULL ? MOX_OK : s->cb.data_begin(s->user, &s->envelope, &s->reply);
    mox__smtp_answer(s, ASK_BEGIN, rc);
}

void mox__smtp_bdat_out_of_order(struct mox_smtp_server *s, struct mox_slice args)
{
    uint64_t size;
    bool last;
    if (!parse(s, args, &size, &last))
        return;
    mox__smtp_chunk_begin(s, size, last);
    mox__smtp_content_begin(s);
    s->content.is_stray = true;
    mox__smtp_prepare(s, 503, "5.5.1", "send MAIL FROM and RCPT TO first");
    mox__smtp_content_refuse(s);
}
