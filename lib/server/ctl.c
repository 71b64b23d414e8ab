/* SPDX-License-Identifier: MIT */
#include "server/ctl.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

/* A line holds an address, a password or a path. */
#define LINE_MAX_BYTES 8192
/* Streams are cut into pieces of this size. */
#define CHUNK_BYTES 16384
/* All series that a registry of metrics has, as text. */
#define ANSWER_MAX_BYTES (16 * 1024 * 1024)
#define OUTPUT_MAX_BYTES (CHUNK_BYTES + 4096)
/* A client that is a program does not think for long; this ends forgotten connections. */
#define IDLE_US (5 * 60 * INT64_C(1000000))

void mox__ctl_say(struct mox_ctl *c, const char *line)
{
    mox__buf_text(&c->out, line);
    mox__buf_byte(&c->out, '\n');
}

/* The text becomes one line that is not "ok". */
static void refuse(struct mox_ctl *c, const char *text)
{
    char line[sizeof(struct mox_error)];
    (void)snprintf(line, sizeof line, "%s", *text == '\0' ? "failed" : text);
    for (char *p = line; *p != '\0'; p++)
        if (*p == '\n' || *p == '\r')
            *p = ' ';
    mox__ctl_say(c, line);
    c->state = CLOSING;
}

static void forget_params(struct mox_ctl *c)
{
    for (size_t i = 0; i < c->param_count; i++) {
        mox__wipe(c->params[i], strlen(c->params[i]));
        mox__mem_free(&c->env, c->params[i]);
    }
    c->param_count = 0;
}

static void take_command(struct mox_ctl *c, struct mox_slice line)
{
    c->command = mox__ctl_command(line);
    if (c->command == NULL) {
        refuse(c, "unknown command; this server is of another version than its client");
        return;
    }
    c->state = c->command->params > 0 ? PARAMS : RUN;
}

/* All parameters are there. */
static void begin_command(struct mox_ctl *c)
{
    uint64_t len = 0;
    c->state = RUN;
    if (!c->command->uploads)
        return;
    if (!mox__slice_uint(slice_of(c->params[c->param_count - 1]), CTL_UPLOAD_MAX, &len)) {
        refuse(c, "too many bytes");
        return;
    }
    c->upload_len = (size_t)len;
    c->state = len > 0 ? UPLOAD : RUN;
}

/* Takes the bytes from the front of what came in; how many. */
static size_t take_upload(struct mox_ctl *c, struct mox_slice in)
{
    size_t due = c->upload_len - c->upload.len, n = in.len < due ? in.len : due;
    mox__buf_append(&c->upload, in.data, n);
    if (c->upload.failed)
        refuse(c, "out of memory");
    else if (n == due)
        c->state = RUN;
    return n;
}

static int take_param(struct mox_ctl *c, struct mox_slice line)
{
    if (line.len > 0 && memchr(line.data, '\0', line.len) != NULL) {
        refuse(c, "a NUL byte in a parameter");
        return MOX_OK;
    }
    char *param = mox__strndup(&c->env, line.data, line.len);
    if (param == NULL)
        return MOX_ENOMEM;
    c->params[c->param_count++] = param;
    if (c->param_count == c->command->params)
        begin_command(c);
    return MOX_OK;
}

/* The next piece of the stream, or its end. */
static void send_piece(struct mox_ctl *c)
{
    size_t len = c->answer.len - c->answer_at;
    if (len > CHUNK_BYTES)
        len = CHUNK_BYTES;
    mox__buf_uint(&c->out, len);
    mox__buf_byte(&c->out, '\n');
    if (len > 0) /* there may never have been anything */
        mox__buf_append(&c->out, c->answer.data + c->answer_at, len);
    c->answer_at += len;
    c->ack_due = len > 0;
    if (len == 0) {
        mox__buf_clear(&c->answer);
        c->answer_at = 0;
        c->state = c->leaving ? CLOSING : COMMAND;
    }
}

static int take_line(struct mox_ctl *c, struct mox_slice line)
{
    if (c->state == PARAMS)
        return take_param(c, line);
    if (c->state == COMMAND) {
        take_command(c, line);
    } else if (!mox__slice_is(line, "ok")) {
        c->state = CLOSING; /* the client says that it failed */
    } else {
        c->ack_due = false;
        if (c->work == NULL) /* else the next piece is made on a worker */
            send_piece(c);
    }
    return MOX_OK;
}

static bool takes_lines(const struct mox_ctl *c)
{
    return c->state == COMMAND || c->state == PARAMS || (c->state == STREAM && c->ack_due);
}

/* Eats whole lines, and bytes behind them, as long as the state takes some; the rest waits. */
static int take_lines(struct mox_ctl *c)
{
    size_t at = 0;
    int rc = MOX_OK;
    while (rc == MOX_OK && (takes_lines(c) || c->state == UPLOAD) && at < c->in.len) {
        if (c->state == UPLOAD) {
            at += take_upload(c, slice(c->in.data + at, c->in.len - at));
            continue;
        }
        const uint8_t *start = c->in.data + at, *lf = memchr(start, '\n', c->in.len - at);
        if (lf == NULL)
            break;
        rc = take_line(c, slice(start, (size_t)(lf - start)));
        at = (size_t)(lf - c->in.data) + 1;
    }
    if (at > 0) {
        mox__wipe(c->in.data, at);
        mox__buf_consume(&c->in, at);
    }
    if (takes_lines(c) && c->in.len > LINE_MAX_BYTES)
        refuse(c, "line too long");
    return c->out.failed ? MOX_ENOMEM : rc;
}

static int failed(struct mox_ctl *c, int rc)
{
    if (rc < 0)
        c->state = CLOSING;
    return rc;
}

static void restart_timer(struct mox_ctl *c)
{
    c->deadline_us = c->env.monotonic_us(c->env.user) + IDLE_US;
}

static int input(void *self, const uint8_t *data, size_t len)
{
    struct mox_ctl *c = self;
    restart_timer(c);
    mox__buf_append(&c->in, data, len);
    if (c->in.failed) { /* more than a line and a whole input ahead of its answer */
        refuse(c, "too much input");
        return MOX_ELIMIT;
    }
    return failed(c, take_lines(c));
}

static size_t output(void *self, const uint8_t **data)
{
    struct mox_ctl *c = self;
    *data = c->out.data;
    return c->out.len;
}

static void sent(void *self, size_t len)
{
    struct mox_ctl *c = self;
    mox__buf_consume(&c->out, len);
}

/* Nobody will hear of it. To end it may wait for the disk, so a worker does. */
static bool work_is_in_vain(const struct mox_ctl *c)
{
    return c->work != NULL && (c->peer_closed || c->state == CLOSING);
}

static unsigned wants(void *self)
{
    struct mox_ctl *c = self;
    unsigned set = c->out.len > 0 ? MOX_WANTS_WRITE : 0;
    if (work_is_in_vain(c))
        return set | MOX_WANTS_RUN;
    if (c->state == CLOSING || (c->peer_closed && c->state != RUN))
        return set | MOX_WANTS_CLOSE;
    if (c->state == RUN || (c->state == STREAM && !c->ack_due))
        return set | MOX_WANTS_RUN;
    if (c->state == STOPPING)
        return set | MOX_WANTS_APP;
    return set | MOX_WANTS_READ;
}

static int64_t deadline(void *self)
{
    struct mox_ctl *c = self;
    return takes_lines(c) || c->state == UPLOAD ? c->deadline_us : INT64_MAX;
}

static int tick(void *self)
{
    struct mox_ctl *c = self;
    if ((takes_lines(c) || c->state == UPLOAD) && c->env.monotonic_us(c->env.user) >= c->deadline_us)
        c->state = CLOSING;
    return MOX_OK;
}

static void eof(void *self)
{
    ((struct mox_ctl *)self)->peer_closed = true;
}

static int run_command(struct mox_ctl *c)
{
    struct mox_error err = {0};
    c->state = COMMAND;
    log_line(&c->env, MOX_LOG_DEBUG, "ctl", "command", NULL, F_TEXT("command", c->command->name));
    int rc = c->command->run(c, &err);
    forget_params(c);
    mox__buf_free(&c->upload);
    if (rc < 0)
        refuse(c, *err.text != '\0' ? err.text : mox_status_text(rc));
    return MOX_OK;
}

void mox__ctl_work_end(struct mox_ctl *c)
{
    if (c->work == NULL)
        return;
    c->work->end(c);
    c->work = NULL;
    c->work_state = NULL;
}

/* What is streamed while it is made: nothing may be there yet. */
static void make_piece(struct mox_ctl *c)
{
    if (c->answer_at == c->answer.len) {
        mox__buf_clear(&c->answer);
        c->answer_at = 0;
        c->work->go_on(c);
    }
    if (c->answer_at < c->answer.len)
        send_piece(c);
}

static int run(void *self)
{
    struct mox_ctl *c = self;
    if (work_is_in_vain(c)) {
        mox__ctl_work_end(c);
        return MOX_OK;
    }
    if (c->state == RUN)
        (void)run_command(c);
    if (c->state == STREAM && !c->ack_due && c->work != NULL)
        make_piece(c);
    else if (c->state == STREAM && !c->ack_due)
        send_piece(c);
    restart_timer(c);
    return failed(c, take_lines(c)); /* what was pipelined */
}

static void shut_down(void *self)
{
    struct mox_ctl *c = self;
    if (c->state == STREAM && c->work == NULL)
        c->leaving = true; /* it is done: the client hears what came of it */
    else if (c->state != STOPPING && c->state != CLOSING)
        refuse(c, "the server is shutting down");
}

static size_t tls_rest(void *self, const uint8_t **data)
{
    (void)self;
    *data = NULL;
    return 0;
}

static void tls_started(void *self, const struct mox_tls_info *info)
{
    (void)self;
    (void)info;
}

static int woken(void *self)
{
    (void)self;
    return MOX_OK;
}

static unsigned pace(void *self)
{
    (void)self;
    return 0;
}

static void free_engine(void *self)
{
    mox_ctl_free(self);
}

static const struct mox_engine_ops ops = {
    .input = input,
    .output = output,
    .sent = sent,
    .wants = wants,
    .deadline = deadline,
    .tick = tick,
    .eof = eof,
    .tls_rest = tls_rest,
    .tls_started = tls_started,
    .run = run,
    .woken = woken,
    .shutdown = shut_down,
    .pace = pace,
    .free = free_engine,
};

int mox_ctl_new(struct mox_ctl **out, const struct mox_env *env,
                const struct mox_ctl_handlers *handlers, void *user)
{
    *out = NULL;
    struct mox_ctl *c = mem_new(env, struct mox_ctl, 1);
    if (c == NULL)
        return MOX_ENOMEM;
    c->env = *env;
    c->handlers = handlers;
    c->user = user;
    mox__buf_init(&c->in, &c->env, LINE_MAX_BYTES + MOX_INPUT_MAX);
    mox__buf_init(&c->out, &c->env, OUTPUT_MAX_BYTES);
    mox__buf_init(&c->answer, &c->env, ANSWER_MAX_BYTES);
    mox__buf_init(&c->upload, &c->env, CTL_UPLOAD_MAX);
    restart_timer(c);
    mox__ctl_say(c, "ctlv0");
    if (c->out.failed) {
        mox_ctl_free(c);
        return MOX_ENOMEM;
    }
    *out = c;
    return MOX_OK;
}

void mox_ctl_free(struct mox_ctl *ctl)
{
    if (ctl == NULL)
        return;
    mox__ctl_work_end(ctl);
    forget_params(ctl);
    mox__wipe(ctl->in.data, ctl->in.len);
    mox__buf_free(&ctl->in);
    mox__buf_free(&ctl->out);
    mox__buf_free(&ctl->answer);
    mox__buf_free(&ctl->upload);
    struct mox_env env = ctl->env;
    mox__mem_free(&env, ctl);
}

struct mox_engine mox_ctl_engine(struct mox_ctl *ctl)
{
    return (struct mox_engine){.ops = &ops, .self = ctl};
}

bool mox_ctl_is_stopping(const struct mox_ctl *ctl)
{
    return ctl->state == STOPPING;
}
