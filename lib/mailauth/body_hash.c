/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "mailauth/signed_message.h"

/* The body in canonical form (RFC 6376 §3.4.3, §3.4.4) goes through the hashes in one pass for each form.
 * Mail that has no white space at ends of lines and no runs of it, which is most, is hashed where it
 * stands; what is left of other mail between such places is gathered, since each call of a hash costs. */

#define GATHER_BYTES 2048

/* One form of the body on its way into the hashes that need it. */
struct pass {
    struct mox_signed_message *m;
    enum canon canon;
    struct hash_state states[BODY_HASHES_MAX];
    uint64_t done; /* canonical bytes that went into them */
    uint8_t gathered[GATHER_BYTES];
    size_t gathered_len;
};

static bool takes_part(const struct pass *p, size_t i)
{
    const struct body_hash *h = &p->m->hashes[i];
    return !h->is_known && h->canon == p->canon;
}

static void hash_piece(struct pass *p, struct mox_slice piece)
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

static void flush(struct pass *p)
{
    hash_piece(p, slice(p->gathered, p->gathered_len));
    p->gathered_len = 0;
}

static void emit(struct pass *p, struct mox_slice piece)
{
    if (piece.len > GATHER_BYTES - p->gathered_len)
        flush(p);
    if (piece.len > GATHER_BYTES) {
        hash_piece(p, piece);
    } else if (piece.len > 0) {
        memcpy(p->gathered + p->gathered_len, piece.data, piece.len);
        p->gathered_len += piece.len;
    }
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

/* The high bit of each byte of `word` that is `c`. */
static uint64_t bytes_that_are(uint64_t word, char c)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t x = word ^ (uint64_t)c * UINT64_C(0x0101010101010101);
    return ~(((x & low) + low) | x | low);
}

static uint64_t eight_bytes(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Whether a run of white space that is not one space within a line may begin in the 8 bytes at `at`, of
 * which a ninth is there. */
static bool may_have_run(const uint8_t *at)
{
    uint64_t here = eight_bytes(at), behind = eight_bytes(at + 1);
    return (bytes_that_are(here, '\t') |
            (bytes_that_are(here, ' ') &
             (bytes_that_are(behind, ' ') | bytes_that_are(behind, '\t') |
              bytes_that_are(behind, '\r')))) != 0;
}

/* Where the next such run begins from `at` on; body.len: nowhere. */
static size_t next_run(struct mox_slice body, size_t at)
{
    for (;;) {
        while (body.len - at > 8 && !may_have_run(body.data + at))
            at += 8;
        for (size_t end = body.len - at > 8 ? at + 8 : body.len; at < end; at++) {
            uint8_t c = body.data[at], next = at + 1 < body.len ? body.data[at + 1] : '\r';
            if (c == '\t' || (c == ' ' && (is_wsp(next) || next == '\r')))
                return at;
        }
        if (at == body.len)
            return at;
    }
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
    while (at < body.len) {
        size_t run = next_run(body, at);
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
    flush(&p);
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
    size_t limited = 0;
    for (*index = 0; *index < m->hash_count; ++*index) {
        const struct body_hash *h = &m->hashes[*index];
        if (h->hash == hash && h->canon == canon && h->limit == limit)
            return MOX_OK;
        limited += h->limit != UINT64_MAX;
    }
    if (limit != UINT64_MAX && limited == LIMITED_HASHES_MAX)
        return MOX_ELIMIT;
    m->hashes[m->hash_count++] = (struct body_hash){.hash = hash, .canon = canon, .limit = limit};
    return MOX_OK;
}

void mox__body_hash_run(struct mox_signed_message *m)
{
    run_pass(m, CANON_SIMPLE);
    run_pass(m, CANON_RELAXED);
}
