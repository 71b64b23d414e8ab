/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "mailauth/signed_message.h"

/* The body in canonical form (RFC 6376 §3.4.3, §3.4.4) goes through the hashes in one pass for each form.
 * Nothing is copied: mail that has no white space at ends of lines and no runs of it, which is most, is
 * hashed in large pieces. */

/* One form of the body on its way into the hashes that need it. */
struct pass {
    struct mox_signed_message *m;
    enum canon canon;
    struct hash_state states[BODY_HASHES_MAX];
    uint64_t done; /* canonical bytes so far */
};

static bool takes_part(const struct pass *p, size_t i)
{
    const struct body_hash *h = &p->m->hashes[i];
    return !h->is_known && h->canon == p->canon;
}

static void emit(struct pass *p, struct mox_slice piece)
{
    for (size_t i = 0; i < p->m->hash_count; i++) {
        uint64_t limit = p->m->hashes[i].limit;
        if (!takes_part(p, i) || p->done >= limit)
            continue;
        size_t len = piece.len < limit - p->done ? piece.len : (size_t)(limit - p->done);
        mox__hash_update(&p->states[i], slice(piece.data, len));
    }
    p->done += piece.len;
}

static bool ends_in_crlf(struct mox_slice s)
{
    return s.len >= 2 && s.data[s.len - 2] == '\r' && s.data[s.len - 1] == '\n';
}

/* Empty lines at the end count as one line end; an empty body is one too. */
static void simple(struct pass *p)
{
    struct mox_slice body = p->m->body;
    while (ends_in_crlf(body))
        body.len -= 2;
    emit(p, body);
    emit(p, slice_of("\r\n"));
}

static bool is_wsp(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* The place of the next run of white space from `at` on that is not one space within a line. The finders
 * remember what they found: each goes over the body once. */
struct runs {
    struct mox_slice body;
    size_t tab, twice, end; /* of the next tab, two spaces, space with a line end; body.len: none */
};

static size_t search(struct mox_slice body, size_t at, const char *what)
{
    const uint8_t *found =
        at < body.len ? memmem(body.data + at, body.len - at, what, strlen(what)) : NULL;
    return found == NULL ? body.len : (size_t)(found - body.data);
}

static struct runs runs_of(struct mox_slice body)
{
    return (struct runs){body, search(body, 0, "\t"), search(body, 0, "  "),
                         search(body, 0, " \r\n")};
}

static size_t next_run(struct runs *r, size_t at)
{
    if (r->tab < at)
        r->tab = search(r->body, at, "\t");
    if (r->twice < at)
        r->twice = search(r->body, at, "  ");
    if (r->end < at)
        r->end = search(r->body, at, " \r\n");
    size_t next = r->tab < r->twice ? r->tab : r->twice;
    next = r->end < next ? r->end : next;
    /* A space in front of a tab belongs to its run. */
    return next > at && next < r->body.len && r->body.data[next - 1] == ' ' ? next - 1 : next;
}

/* Without the lines at the end that have nothing but white space, and without the last line end. */
static struct mox_slice without_empty_end(struct mox_slice body)
{
    for (;;) {
        size_t len = body.len;
        while (len > 0 && is_wsp(body.data[len - 1]))
            len--;
        if (len > 0 && !ends_in_crlf(slice(body.data, len)))
            return slice(body.data, len);
        if (len == 0)
            return slice(NULL, 0);
        body.len = len - 2;
    }
}

static void relaxed(struct pass *p)
{
    struct mox_slice body = without_empty_end(p->m->body);
    size_t at = 0;
    if (body.len == 0)
        return;
    struct runs r = runs_of(body);
    while (at < body.len) {
        size_t run = next_run(&r, at);
        emit(p, slice(body.data + at, run - at));
        for (at = run; at < body.len && is_wsp(body.data[at]); at++)
            ;
        bool at_line_end = body.len - at >= 2 && memcmp(body.data + at, "\r\n", 2) == 0;
        if (at > run && !at_line_end)
            emit(p, slice_of(" "));
    }
    emit(p, slice_of("\r\n"));
}

static void run_pass(struct mox_signed_message *m, enum canon canon)
{
    struct pass p = {.m = m, .canon = canon};
    bool any = false;
    for (size_t i = 0; i < m->hash_count; i++)
        if (takes_part(&p, i)) {
            mox__hash_start(&p.states[i], m->hashes[i].hash);
            any = true;
        }
    if (!any)
        return;
    if (canon == CANON_SIMPLE)
        simple(&p);
    else
        relaxed(&p);
    for (size_t i = 0; i < m->hash_count; i++)
        if (takes_part(&p, i)) {
            struct body_hash *h = &m->hashes[i];
            mox__hash_finish(&p.states[i], h->digest);
            h->is_short = h->limit != UINT64_MAX && p.done < h->limit;
            h->is_known = true;
        }
}

int mox__body_hash_want(struct mox_signed_message *m, enum hash hash, enum canon canon,
                        uint64_t limit, size_t *index)
{
    for (*index = 0; *index < m->hash_count; ++*index) {
        const struct body_hash *h = &m->hashes[*index];
        if (h->hash == hash && h->canon == canon && h->limit == limit)
            return MOX_OK;
    }
    if (m->hash_count == BODY_HASHES_MAX)
        return MOX_ELIMIT;
    m->hashes[m->hash_count++] = (struct body_hash){.hash = hash, .canon = canon, .limit = limit};
    return MOX_OK;
}

void mox__body_hash_run(struct mox_signed_message *m)
{
    run_pass(m, CANON_SIMPLE);
    run_pass(m, CANON_RELAXED);
}
