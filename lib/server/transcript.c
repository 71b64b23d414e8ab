/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "server/localserve.h"

/* Of one message so much is shown: its header, and how the body begins. */
#define SHOWN_MAX 4096
/* One line of output; longer ones are cut. */
#define LINE_MAX_BYTES 1024
/* Sessions whose data is counted; two with the same last digits at once share a count. */
#define SESSIONS 256

struct transcript {
    struct mox_env inner; /* where lines go besides */
    int fd;
    pthread_mutex_t lock; /* guards the sessions, and keeps lines whole */
    struct shown {
        uint64_t cid;
        uint64_t bytes, skipped;
    } sessions[SESSIONS];
};

struct dialogue {
    const char *protocol;
    uint64_t cid;
    char who; /* 'C', 'S', or '-' for what is not said by either */
    bool is_data;
    struct mox_slice text;
};

/* No control of a peer reaches the terminal: neither those of ASCII, nor U+0080 to U+009F, nor bytes that are
 * no UTF-8, which some terminals take for the latter. */
static size_t put_shown(char *out, struct mox_slice text)
{
    size_t len = 0;
    while (text.len > 0) {
        const uint8_t c = text.data[0];
        const size_t n = mox__utf8_sequence(text);
        const bool shown = n > 1 ? c != 0xc2 || text.data[1] >= 0xa0
                                 : n == 1 && (c >= ' ' || c == '\t') && c != 0x7f;
        if (shown)
            memcpy(out + len, text.data, n);
        else
            out[len] = '?';
        len += shown ? n : 1;
        text = slice_from(text, n == 0 ? 1 : n);
    }
    return len;
}

static void print(struct transcript *t, const struct dialogue *d, const char *mark,
                  struct mox_slice text)
{
    char line[LINE_MAX_BYTES + 64];
    int n = snprintf(line, sizeof line, "%s %04" PRIx64 " %c%s ", d->protocol, d->cid & 0xffff,
                     d->who, mark);
    if (n < 0)
        return;
    size_t len = (size_t)n, more = text.len < LINE_MAX_BYTES ? text.len : LINE_MAX_BYTES;
    len += put_shown(line + len, slice(text.data, more));
    line[len++] = '\n';
    for (size_t at = 0; at < len;) {
        ssize_t done = write(t->fd, line + at, len - at);
        if (done <= 0)
            return;
        at += (size_t)done;
    }
}

static void print_lines(struct transcript *t, const struct dialogue *d, const char *mark,
                        struct mox_slice text)
{
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.data);
        size_t shown = len > 0 && text.data[len - 1] == '\r' ? len - 1 : len;
        print(t, d, mark, slice(text.data, shown));
        text = slice_from(text, end == NULL ? len : len + 1);
    }
}

static void end_data(struct transcript *t, const struct dialogue *d, struct shown *s)
{
    char text[64];
    if (s->skipped > 0) {
        struct dialogue of_client = *d;
        of_client.who = 'C';
        int n = snprintf(text, sizeof text, "... %" PRIu64 " more bytes", s->skipped);
        print(t, &of_client, "|", slice(text, n < 0 ? 0 : (size_t)n));
    }
    s->bytes = s->skipped = 0;
}

static void show(struct transcript *t, const struct dialogue *d)
{
    struct shown *s = &t->sessions[d->cid % SESSIONS];
    if (s->cid != d->cid)
        *s = (struct shown){.cid = d->cid};
    if (!d->is_data) {
        end_data(t, d, s);
        print_lines(t, d, d->who == '-' ? "-" : ":", d->text);
        return;
    }
    uint64_t left = SHOWN_MAX - (s->bytes < SHOWN_MAX ? s->bytes : SHOWN_MAX);
    size_t now = d->text.len < left ? d->text.len : (size_t)left;
    print_lines(t, d, "|", slice(d->text.data, now));
    s->bytes += d->text.len;
    s->skipped += d->text.len - now;
}

/* -- from log lines to a dialogue ------------------------------------------------------------ */

static const struct mox_log_field *field(const struct mox_log_line *line, const char *key)
{
    for (size_t i = 0; i < line->field_count; i++)
        if (strcmp(line->fields[i].key, key) == 0)
            return &line->fields[i];
    return NULL;
}

/* The SMTP server logs "RC: text", the IMAP server "RC" and the text as a field. */
static bool said(const struct mox_log_line *line, struct dialogue *d)
{
    bool client = strncmp(line->message, "RC", 2) == 0;
    if (!client && strncmp(line->message, "LS", 2) != 0)
        return false;
    const struct mox_log_field *data = field(line, "data");
    d->who = client ? 'C' : 'S';
    d->is_data = line->level == MOX_LOG_TRACEDATA;
    if (data != NULL && data->type == MOX_LOG_BYTES)
        d->text = data->value.bytes;
    else
        d->text = slice_of(line->message[2] == ':' ? line->message + 4 : line->message + 2);
    return true;
}

static bool came_or_went(const struct mox_log_line *line, struct dialogue *d, char *text,
                         size_t size)
{
    bool came = strcmp(line->message, "new connection") == 0;
    if (!came && strcmp(line->message, "connection closed") != 0)
        return false;
    const struct mox_log_field *remote = field(line, "remote"), *service = field(line, "service");
    int n =
        came && remote != NULL && service != NULL
            ? snprintf(text, size, "%s connection from %s", service->value.text, remote->value.text)
            : snprintf(text, size, "closed");
    d->who = '-';
    d->text = slice(text, n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1);
    return true;
}

static const char *protocol_of(const char *pkg)
{
    if (strcmp(pkg, "smtpserver") == 0)
        return "smtp";
    return strcmp(pkg, "imapserver") == 0 ? "imap" : NULL;
}

static bool enabled(void *user, enum mox_log_level level, const char *pkg)
{
    struct transcript *t = user;
    /* Secrets only if the log shows them too. */
    if (protocol_of(pkg) != NULL && level != MOX_LOG_TRACEAUTH)
        return true;
    return t->inner.log_enabled != NULL && t->inner.log_enabled(t->inner.log_user, level, pkg);
}

static void take_line(void *user, const struct mox_log_line *line)
{
    struct transcript *t = user;
    const struct mox_log_field *cid = field(line, "cid");
    struct dialogue d = {.protocol = protocol_of(line->pkg), .cid = cid == NULL ? 0 : cid->value.u};
    char text[160];
    if (d.protocol != NULL && (said(line, &d) || came_or_went(line, &d, text, sizeof text))) {
        pthread_mutex_lock(&t->lock);
        show(t, &d);
        pthread_mutex_unlock(&t->lock);
    }
    if (t->inner.log_enabled != NULL &&
        t->inner.log_enabled(t->inner.log_user, line->level, line->pkg))
        t->inner.log(t->inner.log_user, line);
}

int mox__transcript_new(struct transcript **out, struct mox_env *env, int fd)
{
    *out = NULL;
    struct transcript *t = mem_new(env, struct transcript, 1);
    if (t == NULL)
        return MOX_ENOMEM;
    t->inner = *env;
    t->fd = fd;
    pthread_mutex_init(&t->lock, NULL);
    env->log_user = t;
    env->log_enabled = enabled;
    env->log = take_line;
    *out = t;
    return MOX_OK;
}

void mox__transcript_free(struct transcript *t)
{
    if (t == NULL)
        return;
    pthread_mutex_destroy(&t->lock);
    struct mox_env env = t->inner;
    mox__mem_free(&env, t);
}
