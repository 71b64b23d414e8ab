/* SPDX-License-Identifier: MIT */
#include "delivery/bcc.h"

#include <mox/error.h>

#include "base/text.h"

/* Pieces go through as they are, between what is dropped: nothing is copied but the first bytes of
 * a line that a piece cuts short. */

enum kind { UNKNOWN, BLANK, FOLD, BCC, OTHER };

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static size_t skip_blanks(struct mox_slice s, size_t at)
{
    while (at < s.len && is_blank(s.data[at]))
        at++;
    return at;
}

/* What is behind the name in `line`, whose white space was skipped up to `at`. */
static enum kind match_name(struct mox_slice line, size_t at, const char *name)
{
    for (; *name != '\0'; name++, at++) {
        if (at == line.len)
            return UNKNOWN;
        if (to_lower(line.data[at]) != (uint8_t)*name)
            return OTHER;
    }
    at = skip_blanks(line, at);
    if (at == line.len)
        return line.len < BCC_HELD_MAX ? UNKNOWN : BCC;
    return line.data[at] == ':' ? BCC : OTHER;
}

/* Of a line of which we may have the begin only. A field's name is what mox_header_next() takes for
 * it. */
static enum kind kind_of(struct mox_slice line)
{
    if (line.len > BCC_HELD_MAX)
        line.len = BCC_HELD_MAX;
    if (line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t'))
        return FOLD;
    if (mox__slice_starts_nocase(line, "\n") || mox__slice_starts_nocase(line, "\r\n"))
        return BLANK;
    size_t at = skip_blanks(line, 0);
    enum kind short_name = match_name(line, at, "bcc");
    enum kind long_name = match_name(line, at, "resent-bcc");
    if (short_name == BCC || long_name == BCC)
        return BCC;
    bool unknown = short_name == UNKNOWN || long_name == UNKNOWN;
    return unknown && line.len < BCC_HELD_MAX ? UNKNOWN : OTHER;
}

static void begin_line(struct bcc_filter *f, enum kind kind)
{
    f->at = kind == BLANK ? BCC_BODY : BCC_FIELD;
    if (kind != FOLD)
        f->dropping = kind == BCC;
}

static int keep_held(struct bcc_filter *f, bcc_keep *keep, void *user)
{
    struct mox_slice held = slice(f->held, f->held_len);
    f->held_len = 0;
    return held.len == 0 || f->dropping ? MOX_OK : keep(user, held);
}

/* Goes on with the line that the last piece cut short; how much of the piece was held, too. */
static size_t grow_held(struct bcc_filter *f, struct mox_slice piece)
{
    enum kind kind = UNKNOWN;
    size_t used = 0;
    for (; used < piece.len && kind == UNKNOWN; used++) {
        f->held[f->held_len] = piece.data[used];
        kind = kind_of(slice(f->held, f->held_len + 1));
        if (kind == UNKNOWN)
            f->held_len++;
        else
            begin_line(f, kind);
    }
    return kind == UNKNOWN ? used : used - 1; /* what told us is the line's next byte */
}

/* Looks at the begin of a line; how much of it was held. */
static size_t look(struct bcc_filter *f, struct mox_slice rest)
{
    enum kind kind = kind_of(rest);
    if (kind != UNKNOWN) {
        begin_line(f, kind);
        return 0;
    }
    memcpy(f->held, rest.data, rest.len); /* less than BCC_HELD_MAX, or it would be known */
    f->held_len = rest.len;
    return rest.len;
}

/* Where the line ends, or the piece. */
static size_t pass_line(struct bcc_filter *f, struct mox_slice piece, size_t at)
{
    const uint8_t *lf = memchr(piece.data + at, '\n', piece.len - at);
    if (lf == NULL)
        return piece.len;
    f->at = BCC_LINE;
    return (size_t)(lf - piece.data) + 1;
}

static int keep_range(struct mox_slice piece, size_t from, size_t to, bcc_keep *keep, void *user)
{
    return from == to ? MOX_OK : keep(user, slice(piece.data + from, to - from));
}

int mox__bcc_filter(struct bcc_filter *f, struct mox_slice piece, bcc_keep *keep, void *user)
{
    size_t at = 0;
    if (f->held_len > 0) {
        at = grow_held(f, piece);
        int rc = f->at == BCC_LINE ? MOX_OK : keep_held(f, keep, user);
        if (rc < 0)
            return rc;
    }
    size_t from = at; /* from..at is to be kept */
    while (at < piece.len && f->at != BCC_BODY) {
        if (f->at == BCC_FIELD) {
            at = pass_line(f, piece, at);
            from = f->dropping ? at : from;
            continue;
        }
        size_t held = look(f, slice_from(piece, at));
        if (held == 0 && !f->dropping)
            continue;
        int rc = keep_range(piece, from, at, keep, user);
        if (rc < 0)
            return rc;
        at += held;
        from = at;
    }
    return keep_range(piece, from, f->at == BCC_BODY ? piece.len : at, keep, user);
}

int mox__bcc_end(struct bcc_filter *f, bcc_keep *keep, void *user)
{
    f->dropping = false; /* what has no colon is no field */
    return keep_held(f, keep, user);
}
