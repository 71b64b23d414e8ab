/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "smtp/server.h"

/* From the stream to the host: read into `piece`, which the host is given when it is full or the
 * input runs out. What was refused is read to its end all the same, within bounds: the client may
 * only read our answer when it has sent everything. */

/* Bytes of input per step, and what is collected before the host is called. */
#define STEP_BYTES  16384
#define PIECE_BYTES 32768
#define PIECE_MAX   (PIECE_BYTES + DATA_READER_ROOM(STEP_BYTES))
/* How much of a refused message is read, in multiples of the limit. */
#define DRAIN_FACTOR 2

static const char too_large[] = "message is too large";

static uint64_t max_read(const struct mox_smtp_server *s)
{
    uint64_t max = s->config.max_message_bytes;
    return max > UINT64_MAX / DRAIN_FACTOR ? UINT64_MAX : DRAIN_FACTOR * max;
}

void mox__smtp_chunk_begin(struct mox_smtp_server *s, uint64_t len, bool last)
{
    s->content.is_chunk = true;
    s->content.is_last = last;
    s->content.is_stray = false;
    s->content.ended = len == 0;
    s->content.chunk_left = len;
    s->active_us = s->env.monotonic_us(s->env.user);
}

static enum data_mode mode(const struct mox_smtp_server *s)
{
    if (!s->content.is_chunk)
        return DATA_DOTS;
    return s->envelope.body == MOX_SMTP_BINARYMIME ? DATA_BINARY : DATA_TEXT;
}

void mox__smtp_content_refuse(struct mox_smtp_server *s)
{
    struct content *c = &s->content;
    c->refused = true;
    c->refused_us = s->env.monotonic_us(s->env.user);
    mox__buf_free(&c->piece);
}

static void refuse_size(struct mox_smtp_server *s)
{
    mox__smtp_prepare(s, 552, "5.3.4", too_large);
    mox__smtp_content_refuse(s);
}

void mox__smtp_content_continue(struct mox_smtp_server *s)
{
    const struct content *c = &s->content;
    s->reading = READ_CONTENT;
    s->data_refused = false;
    if (c->is_chunk && c->chunk_left > s->config.max_message_bytes - s->envelope.content_bytes)
        refuse_size(s); /* a chunk says how long it is: no need to wait for the end of it */
}

void mox__smtp_content_begin(struct mox_smtp_server *s)
{
    struct content *c = &s->content;
    c->reader = (struct data_reader){.mode = mode(s)};
    c->refused = false;
    c->read = 0;
    c->started_us = s->active_us = s->env.monotonic_us(s->env.user);
    mox__buf_free(&c->piece);
    mox__buf_init(&c->piece, &s->env, PIECE_MAX);
    if (!c->is_chunk) {
        c->is_last = true;
        c->is_stray = c->ended = false;
    }
    mox__smtp_content_continue(s);
}

static void refuse_smuggling(struct mox_smtp_server *s)
{
    mox__smtp_prepare(s, 500, "5.5.2",
                      "bare carriage return or line feed around a dot: smuggling is refused");
    mox__smtp_content_refuse(s);
}

/* The content is over: nobody waits for it any more. */
static void leave(struct mox_smtp_server *s)
{
    s->reading = READ_COMMAND;
    mox__buf_free(&s->content.piece);
}

static void refuse_for_good(struct mox_smtp_server *s)
{
    leave(s);
    mox__smtp_send(s, &s->reply);
    if (s->content.is_stray)
        return;
    s->bad_transactions++;
    mox__smtp_end_transaction(s);
}

/* What only the whole content can tell. False: s->reply says no. */
static bool is_acceptable(struct mox_smtp_server *s)
{
    const struct mox_smtp_envelope *e = &s->envelope;
    bool submission = s->config.mode == MOX_SMTP_SUBMISSION;
    if (s->content.reader.smuggled)
        refuse_smuggling(s);
    else if (s->content.refused)
        return false;
    else if (submission && !e->has_body)
        mox__smtp_prepare(s, 554, "5.6.0", "no empty line between headers and body");
    else if (submission && s->config.pedantic && e->has_8bit && e->body == MOX_SMTP_7BIT)
        mox__smtp_prepare(s, 500, "5.6.0", "8-bit content needs BODY=8BITMIME");
    else
        return true;
    return false;
}

static void finish(struct mox_smtp_server *s)
{
    const struct content *c = &s->content;
    s->envelope.has_8bit = c->reader.has_8bit;
    s->envelope.has_body = c->reader.has_body;
    if (c->is_chunk && !c->is_last && !c->refused) {
        s->reading = READ_COMMAND;
        mox__smtp_reply(s, 250, "2.0.0", "chunk received");
        return;
    }
    if (!is_acceptable(s)) {
        refuse_for_good(s);
        return;
    }
    leave(s);
    s->bad_transactions++; /* until it is delivered */
    mox__smtp_prepare(s, 451, "4.3.0", "not delivered, try again later");
    mox__smtp_answer(s, ASK_DELIVER, s->cb.deliver(s->user, &s->envelope, &s->reply));
}

void mox__smtp_deliver_answered(struct mox_smtp_server *s, int rc)
{
    if (rc < 0) {
        mox__smtp_send(s, &s->reply);
    } else {
        s->bad_transactions--;
        s->good_transactions++;
        mox__smtp_accept(s, 250, "2.2.0", "it is done");
    }
    mox__smtp_end_transaction(s);
}

void mox__smtp_piece_answered(struct mox_smtp_server *s, int rc)
{
    s->active_us = s->env.monotonic_us(s->env.user); /* the client had to wait for us */
    mox__buf_clear(&s->content.piece);
    if (rc < 0)
        mox__smtp_content_refuse(s);
}

void mox__smtp_content_flush(struct mox_smtp_server *s)
{
    struct content *c = &s->content;
    if (c->piece.len == 0)
        return;
    mox__smtp_prepare(s, 451, "4.3.0", "cannot keep the message, try again later");
    mox__smtp_answer(s, ASK_PIECE,
                     s->cb.data(s->user, slice(c->piece.data, c->piece.len), &s->reply));
}

size_t mox__smtp_content_finish(struct mox_smtp_server *s)
{
    if (s->content.piece.len > 0)
        mox__smtp_content_flush(s);
    else
        finish(s);
    return 1;
}

/* Takes note of so many bytes read and written to the piece. */
static void account(struct mox_smtp_server *s, size_t read, size_t written)
{
    struct content *c = &s->content;
    c->read += read;
    if (c->is_chunk)
        c->chunk_left -= read;
    c->ended = c->is_chunk ? c->chunk_left == 0 : c->reader.done;
    if (c->refused)
        return;
    c->piece.len += written;
    s->envelope.content_bytes += written;
    if (s->envelope.content_bytes > s->config.max_message_bytes)
        refuse_size(s);
    else if (c->reader.smuggled)
        refuse_smuggling(s);
}

/* Whether there is more to come than is worth reading. */
static bool is_endless(const struct mox_smtp_server *s)
{
    const struct content *c = &s->content;
    uint64_t left = c->is_chunk ? c->chunk_left : 0, max = max_read(s);
    return !c->ended && (c->read > max || left > max - c->read);
}

static void give_up(struct mox_smtp_server *s)
{
    mox__smtp_prepare(s, 552, "5.3.4", too_large);
    leave(s);
    mox__smtp_send(s, &s->reply);
    mox__smtp_close(s);
}

/* How much of the source is read at once: not beyond the chunk, and to where it is endless but no
 * further, so that it does not matter how reads are split. */
static size_t step_bytes(const struct mox_smtp_server *s, struct mox_slice src)
{
    const struct content *c = &s->content;
    size_t len = src.len < STEP_BYTES ? src.len : STEP_BYTES;
    if (c->is_chunk && len > c->chunk_left)
        len = (size_t)c->chunk_left;
    if (!c->is_chunk && len > max_read(s) - c->read)
        len = (size_t)(max_read(s) - c->read) + 1;
    return len;
}

size_t mox__smtp_content_read(struct mox_smtp_server *s, struct mox_slice src)
{
    struct content *c = &s->content;
    size_t len = step_bytes(s, src), written = 0;
    if (is_endless(s)) { /* a chunk says so before it comes */
        give_up(s);
        return 0;
    }
    uint8_t *room = mox__buf_reserve(&c->piece, DATA_READER_ROOM(len));
    if (room == NULL) {
        s->failure = MOX_ENOMEM;
        mox__smtp_close(s);
        return 0;
    }
    size_t used = mox__data_read(&c->reader, src.data, len, room, &written);
    mox__smtp_trace_content(s, slice(src.data, used));
    account(s, used, written);
    if (is_endless(s))
        give_up(s);
    else if (c->piece.len >= PIECE_BYTES)
        mox__smtp_content_flush(s);
    return used;
}

int64_t mox__smtp_content_deadline(const struct mox_smtp_server *s)
{
    const struct content *c = &s->content;
    int64_t idle = s->active_us + s->config.data_us;
    int64_t total =
        c->refused ? c->refused_us + s->config.drain_us : c->started_us + s->config.data_total_us;
    return idle < total ? idle : total;
}

void mox__smtp_content_late(struct mox_smtp_server *s)
{
    bool refused = s->content.refused;
    leave(s);
    if (refused)
        mox__smtp_send(s, &s->reply);
    else
        mox__smtp_bye(s, 421, "4.4.2", "the message took too long");
    mox__smtp_close(s);
}
