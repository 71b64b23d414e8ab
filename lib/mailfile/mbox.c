/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <mox/date.h>
#include <mox/header.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "mailfile/mailfile.h"

/*
 * An mbox is read in pieces of lines: a piece ends behind an LF, or where the window does. A message
 * begins at a line "From …" at the start or behind an empty line; that empty line belongs to neither
 * message, and the one in front of the end neither. `blank` is an empty line that may be such a one.
 */

/* Only the begin of a longer line is looked at. */
#define WINDOW (64 * 1024)
/* What is kept of a line "From …" behind its first word. */
#define FROM_MAX 200
/* Words of X-Keywords that are looked at in one message: a mailbox has no more than 64 keywords. */
#define WORDS_MAX 200

struct mbox {
    const struct mox_env *env;
    const char *name;
    struct source source;
    uint64_t line;      /* of the piece that was read last */
    uint64_t from_line; /* where the next message begins; 0: not known yet */
    size_t at, end;     /* what is left in the window */
    size_t from_len;
    bool eof;        /* of the source */
    bool within;     /* the last piece did not end its line */
    bool blank;      /* an empty line that was not written yet */
    bool from_found; /* the line in front of the next message was read */
    bool has_times;  /* in such a line, the first one */
    uint8_t from[FROM_MAX];
    uint8_t window[WINDOW];
};

/* A piece of a line. */
struct piece {
    struct mox_slice text;
    bool begins; /* its line */
};

int mox__mbox_new(struct mbox **out, const struct mox_env *env, const char *name,
                  struct source source)
{
    struct mbox *m = *out = mem_new(env, struct mbox, 1);
    if (m == NULL)
        return MOX_ENOMEM;
    m->env = env;
    m->name = name;
    m->source = source;
    return MOX_OK;
}

void mox__mbox_free(struct mbox *m)
{
    if (m != NULL)
        mox__mem_free(m->env, m);
}

/* ---- pieces ---- */

static int fill(struct mbox *m)
{
    size_t n = 0;
    memmove(m->window, m->window + m->at, m->end - m->at);
    m->end -= m->at;
    m->at = 0;
    int rc = m->source.read(m->source.user, m->window + m->end, WINDOW - m->end, &n);
    m->end += n;
    m->eof = rc == MOX_OK && n == 0;
    return rc;
}

/* An empty piece is the end. */
static int next_piece(struct mbox *m, struct piece *out)
{
    const uint8_t *lf = NULL;
    size_t seen = 0; /* of the window, without an LF */
    int rc = MOX_OK;
    for (;;) {
        const size_t len = m->end - m->at;
        lf = len == seen ? NULL : memchr(m->window + m->at + seen, '\n', len - seen);
        seen = len;
        if (lf != NULL || m->eof || len == WINDOW)
            break;
        rc = fill(m);
        if (rc < 0)
            return rc;
    }
    const uint8_t *start = m->window + m->at;
    const size_t len = lf == NULL ? m->end - m->at : (size_t)(lf - start) + 1;
    *out = (struct piece){.text = slice(start, len), .begins = !m->within};
    m->line += out->begins && len > 0;
    m->within = lf == NULL && len > 0;
    m->at += len;
    return MOX_OK;
}

static bool is_blank(const struct piece *p)
{
    return p->begins && (mox__slice_is(p->text, "\n") || mox__slice_is(p->text, "\r\n"));
}

static bool starts_from(struct mox_slice text)
{
    return text.len >= 5 && memcmp(text.data, "From ", 5) == 0;
}

static bool is_from(const struct piece *p)
{
    return p->begins && starts_from(p->text);
}

/* A line that begins with "From " behind one or more ">" has lost none of them yet. */
static struct mox_slice unquoted(const struct piece *p)
{
    size_t quotes = 0;
    if (!p->begins)
        return p->text;
    while (quotes < p->text.len && p->text.data[quotes] == '>')
        quotes++;
    return quotes > 0 && starts_from(slice_from(p->text, quotes)) ? slice_from(p->text, 1)
                                                                  : p->text;
}

/* ---- the line in front of a message ---- */

static int take_from(struct mbox *m, const struct piece *p)
{
    struct mox_slice rest = slice_from(p->text, 5);
    m->from_line = m->line;
    m->from_found = true;
    m->from_len = rest.len < FROM_MAX ? rest.len : FROM_MAX;
    memcpy(m->from, rest.data, m->from_len);
    struct piece more;
    while (m->within) { /* nobody writes such a line, but some text may look like one */
        int rc = next_piece(m, &more);
        if (rc < 0)
            return rc;
    }
    return MOX_OK;
}

/* Behind the sender, in one of the forms of asctime(). */
static void read_from(const struct mbox *m, struct item *item)
{
    struct mox_date date;
    const uint8_t *space = m->from_len == 0 ? NULL : memchr(m->from, ' ', m->from_len);
    if (space == NULL)
        return;
    struct mox_slice text = slice(space, m->from_len - (size_t)(space - m->from));
    if (mox_date_parse(mox__slice_trim(text), &date) == MOX_OK)
        item->pub.received_us = mox_date_unix(&date) * 1000000;
}

/* Who writes a time into one such line does so into all of them. Text like it is to be quoted, which not
 * all programs do. */
static void doubt_from(struct mbox *m, const struct item *item, bool is_first,
                       const struct mox_mailfile_config *config)
{
    const bool has_time = item->pub.received_us != 0;
    if (is_first)
        m->has_times = has_time;
    if (m->has_times && !has_time)
        mox__mailfile_warn(
            config,
            "%s: a message begins here, though its line \"From \" has no time; if it "
            "is text of the one before, put \">\" in front of it and import again",
            item->where);
}

/* The first message; false: there is none. */
static int find_first(struct mbox *m, struct item *item, struct mox_error *err)
{
    struct piece p;
    int rc = MOX_OK;
    do
        rc = next_piece(m, &p);
    while (rc == MOX_OK && is_blank(&p));
    mox__item_where(item, m->name, m->line);
    if (rc < 0)
        return mox__item_fail(item, rc, err);
    if (p.text.len == 0)
        return MOX_OK;
    if (!is_from(&p))
        return mox__fail(err, MOX_ESYNTAX,
                         "%s: this is no mbox, for its first line does not begin with \"From \"",
                         item->where);
    rc = take_from(m, &p);
    return rc < 0 ? mox__item_fail(item, rc, err) : MOX_OK;
}

/* ---- what programs note in headers ---- */

/* "O" of Status says nothing: not new. */
static void mark_letters(struct item *item, struct mox_slice value)
{
    static const struct {
        uint8_t letter;
        uint32_t flag;
    } letters[] = {{'R', MOX_FLAG_SEEN},
                   {'A', MOX_FLAG_ANSWERED},
                   {'F', MOX_FLAG_FLAGGED},
                   {'T', MOX_FLAG_DRAFT},
                   {'D', MOX_FLAG_DELETED}};
    for (size_t i = 0; i < value.len; i++)
        for (size_t k = 0; k < sizeof letters / sizeof letters[0]; k++)
            item->pub.flags |= value.data[i] == letters[k].letter ? letters[k].flag : 0;
}

/* `left`: how many more are looked at. */
static void mark_words(struct item *item, struct mox_slice value, size_t *left,
                       const struct mox_mailfile_config *config)
{
    size_t at = 0;
    while (*left > 0 && at < value.len) {
        size_t begin = at;
        while (at < value.len && value.data[at] != ',' && value.data[at] > ' ')
            at++;
        struct mox_slice word = slice(value.data + begin, at - begin);
        at++;
        if (word.len == 0)
            continue;
        if (--*left == 0)
            mox__mailfile_warn(config, "%s: more than %d keywords; the others are left out",
                               item->where, WORDS_MAX - 1);
        else if (!mox__item_mark(item, word))
            mox__mailfile_warn(config, "%s: \"%.*s\" is no keyword, or one too many; left out",
                               item->where, (int)(word.len < 100 ? word.len : 100),
                               (const char *)word.data);
    }
}

static void read_marks(struct item *item, struct mox_slice headers,
                       const struct mox_mailfile_config *config)
{
    struct mox_header_field field;
    size_t words = WORDS_MAX;
    for (size_t at = 0; mox_header_next(headers, &at, &field);) {
        if (mox__slice_is_nocase(field.name, "Status"))
            mark_letters(item, field.value);
        else if (mox__slice_is_nocase(field.name, "X-Status"))
            mark_letters(item, field.value);
        else if (mox__slice_is_nocase(field.name, "X-Keywords"))
            mark_words(item, field.value, &words, config);
    }
}

/* ---- a message ---- */

/* Up to the line in front of the next one. */
static int copy_content(struct mbox *m, struct crlf *to)
{
    m->blank = false;
    m->from_found = false;
    for (;;) {
        struct piece p;
        int rc = next_piece(m, &p);
        if (rc < 0 || p.text.len == 0)
            return rc;
        if (m->blank && is_from(&p))
            return take_from(m, &p);
        if (m->blank)
            mox__crlf_write(to, slice_of("\n"));
        m->blank = is_blank(&p);
        if (!m->blank)
            mox__crlf_write(to, unquoted(&p));
        if (to->status < 0)
            return to->status;
    }
}

int mox__mbox_next(struct mbox *m, struct crlf *to, struct item *item, bool *found,
                   const struct mox_mailfile_config *config, struct mox_error *err)
{
    struct mox_slice content;
    mox__item_begin(item);
    *found = false;
    const bool is_first = m->from_line == 0;
    if (is_first) {
        int rc = find_first(m, item, err);
        if (rc < 0)
            return rc;
    }
    if (!m->from_found)
        return MOX_OK;
    mox__item_where(item, m->name, m->from_line);
    read_from(m, item);
    doubt_from(m, item, is_first, config);
    int rc = copy_content(m, to);
    if (rc == MOX_OK)
        rc = mox__crlf_end(to);
    if (rc == MOX_OK)
        rc = mox_spool_bytes(to->to, &content);
    if (rc < 0)
        return mox__item_fail(item, rc, err);
    struct mox_slice headers = slice(content.data, mox_header_end(content));
    read_marks(item, headers, config);
    mox__item_date(item, headers);
    *found = true;
    return MOX_OK;
}
