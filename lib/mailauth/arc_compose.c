/* SPDX-License-Identifier: MIT */
#include "mailauth/arc_compose.h"

#include <stdio.h>

#include <mox/dns.h>

#include "base/error.h"
#include "base/text.h"
#include "mailauth/auth_results.h"
#include "mailauth/tags.h"
#include "message/fold.h"
#include "message/header.h"

/* Tags stand in the order of the alphabet, as other sealers have them, so that one key, one time and one
 * message make the same bytes everywhere. */

#define B_COLUMNS 72 /* of base64 on a line, `b=` included */
#define NAMES_MAX 200

/* What is signed unless the caller says otherwise: what people and programs see of a message, and who
 * signed it before. Fields that lists add to are not named once more than they are there. */
static const char *const default_headers[] = {
    "from",           "to",           "cc",           "reply-to",
    "subject",        "date",         "message-id",   "in-reply-to",
    "references",     "list-id",      "list-post",    "list-unsubscribe",
    "sender",         "mime-version", "content-type", "content-transfer-encoding",
    "dkim-signature",
};

/* ---- h= ---- */

static bool is_name(struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] <= ' ' || s.data[i] >= 0x7f || s.data[i] == ':' || s.data[i] == ';')
            return false;
    return s.len > 0;
}

static void add_name(struct arc_seal *s, const char *name)
{
    if (s->names.len > 0)
        mox__buf_byte(&s->names, ':');
    mox__buf_text(&s->names, name);
}

int mox__arc_take_names(struct arc_seal *s, const char *const *names, struct mox_error *err)
{
    bool has_from = false;
    for (size_t i = 0; names[i] != NULL; i++) {
        struct mox_slice name = slice_of(names[i]);
        if (i == NAMES_MAX || !is_name(name) || mox__slice_starts_nocase(name, "arc-"))
            return mox__fail(err, MOX_EINVAL, "seal: \"%s\" is no name for h=", names[i]);
        has_from |= mox__slice_is_nocase(name, "from");
        add_name(s, names[i]);
    }
    return has_from ? MOX_OK : mox__fail(err, MOX_EINVAL, "seal: h= must name From");
}

void mox__arc_take_default_names(struct arc_seal *s, const struct mox_signed_message *m)
{
    size_t total = 0;
    for (size_t i = 0; i < sizeof default_headers / sizeof default_headers[0]; i++) {
        size_t count = 0;
        for (size_t k = 0; k < m->field_count; k++)
            count += mox__slice_is_nocase(m->fields[k].name, default_headers[i]);
        if (i == 0 && count == 0)
            count = 1;
        for (; count > 0 && total < NAMES_MAX; count--, total++)
            add_name(s, default_headers[i]);
    }
}

/* ---- The fields ---- */

static void put_tag(struct fold *f, const char *name, const char *value, const char *end)
{
    char text[2 * MOX_DOMAIN_MAX];
    (void)snprintf(text, sizeof text, "%s=%s%s", name, value, end);
    mox__fold_text(f, text);
}

/* b= on lines of its own, and what follows on the next: it is folded alike whether the signature is there
 * already or not, which is what was signed. */
static void put_signature(struct fold *f, const struct arc_seal *s, struct mox_slice base64)
{
    mox__fold_line(f);
    mox__fold_text(f, "b=");
    if (s->sealer->unfolded) {
        mox__buf_slice(f->out, base64);
        base64.len = 0;
    }
    for (size_t columns = B_COLUMNS - 2; base64.len > 0; columns = B_COLUMNS) {
        struct mox_slice line = slice(base64.data, base64.len < columns ? base64.len : columns);
        mox__fold_more(f, line);
        base64 = slice_from(base64, line.len);
        if (base64.len > 0)
            mox__fold_line(f);
    }
    mox__buf_byte(f->out, ';');
    mox__fold_line(f);
}

static void put_names(struct fold *f, const struct arc_seal *s)
{
    struct mox_slice rest = slice(s->names.data, s->names.len), name;
    f->out->failed |= s->names.failed;
    mox__fold_text(f, "h=");
    while (mox__colon_next(&rest, &name))
        mox__fold_more(f, slice(name.data, name.len + (rest.data != NULL ? 1 : 0)));
    mox__buf_byte(f->out, ';'); /* column 77 at most: RFC 5322 §2.1.1 wants 78 */
    f->column++;
}

static void put_end(struct fold *f, const struct arc_seal *s)
{
    put_tag(f, "i", s->number, ";");
    put_tag(f, "s", s->sealer->selector, ";");
    put_tag(f, "t", s->time, "");
    mox__fold_end(f);
}

void mox__arc_compose_message_signature(struct arc_seal *s, struct mox_slice signature)
{
    struct buf *out = &s->fields[ARC_MESSAGE_SIGNATURE];
    struct fold f;
    mox__buf_clear(out);
    mox__fold_begin(&f, out, mox__arc_name(ARC_MESSAGE_SIGNATURE));
    put_tag(&f, "a", s->algorithm, ";");
    put_signature(&f, s, signature);
    put_tag(&f, "bh", s->body_hash, ";");
    put_tag(&f, "c", "relaxed/relaxed", ";");
    put_tag(&f, "d", s->sealer->domain, ";");
    put_names(&f, s);
    put_end(&f, s);
}

void mox__arc_compose_seal(struct arc_seal *s, struct mox_slice signature)
{
    struct buf *out = &s->fields[ARC_SEAL];
    struct fold f;
    mox__buf_clear(out);
    mox__fold_begin(&f, out, mox__arc_name(ARC_SEAL));
    put_tag(&f, "a", s->algorithm, ";");
    put_signature(&f, s, signature);
    put_tag(&f, "cv", s->chain, ";");
    put_tag(&f, "d", s->sealer->domain, ";");
    put_end(&f, s);
}

void mox__arc_compose_results(struct arc_seal *s)
{
    struct buf *out = &s->fields[ARC_RESULTS], text;
    struct fold f;
    mox__buf_init(&text, s->env, ARC_SET_MAX);
    mox__fold_begin(&f, out, mox__arc_name(ARC_RESULTS));
    put_tag(&f, "i", s->number, ";");
    mox__auth_value_put(&text, s->sealer->authserv_id, false);
    mox__buf_byte(&text, ';');
    mox__fold_words(&f, slice(text.data, text.len));
    out->failed |= text.failed;
    mox__buf_clear(&text);
    if (mox__slice_trim(s->sealer->results).len == 0)
        mox__buf_text(&text, "none");
    else
        mox__header_unfold(&text, s->sealer->results);
    mox__fold_words(&f, slice(text.data, text.len));
    mox__fold_end(&f);
    out->failed |= text.failed;
    mox__buf_free(&text);
}

struct signed_field mox__arc_as_field(const struct arc_seal *s, enum arc_kind kind)
{
    const struct buf *b = &s->fields[kind];
    size_t name = strlen(mox__arc_name(kind));
    return (struct signed_field){.name = slice(b->data, name),
                                 .value = slice(b->data + name + 1, b->len - name - 3),
                                 .raw = slice(b->data, b->len)};
}
