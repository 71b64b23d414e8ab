/* SPDX-License-Identifier: MIT */
#include "support/transcript.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cm.h"
#include "support/corpora.h"

#define MAX_SESSIONS 10
/* An engine that wants RUN for ever is a mistake; no script needs this many steps in a row. */
#define MAX_STEPS 10000000

struct bytes {
    uint8_t *data;
    size_t len;
};

struct transcript_session {
    bool open;
    struct mox_engine engine;
    struct bytes to_server, from_server;
    atomic_bool woken;
    bool tls; /* the handshake that was asked for has not been done */
};

struct play {
    const struct transcript_host *host;
    const char *name;
    const size_t *pieces; /* sizes of reads, repeated; 0 ends the list */
    size_t next_piece;
    unsigned line;
    struct test_env env;
    struct transcript_session sessions[MAX_SESSIONS];
};

static void add_bytes(struct bytes *b, const void *data, size_t len)
{
    b->data = realloc(b->data, b->len + len + 1);
    assert_non_null(b->data);
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

static void drop_bytes(struct bytes *b, size_t len)
{
    memmove(b->data, b->data + len, b->len - len);
    b->len -= len;
}

void transcript_wake(struct transcript_session *s)
{
    atomic_store(&s->woken, true);
}

/* ---- the host's loop ---- */

static size_t piece(struct play *p, size_t have)
{
    size_t want = p->pieces[p->next_piece++];
    if (p->pieces[p->next_piece] == 0)
        p->next_piece = 0;
    want = want > MOX_INPUT_MAX ? MOX_INPUT_MAX : want;
    return want < have ? want : have;
}

/* One step of a session; whether anything happened. */
static bool step(struct play *p, struct transcript_session *s)
{
    const struct mox_engine_ops *ops = s->engine.ops;
    void *self = s->engine.self;
    if (atomic_exchange(&s->woken, false)) {
        (void)ops->woken(self);
        return true;
    }
    unsigned wants = ops->wants(self);
    if (wants & MOX_WANTS_WRITE) {
        const uint8_t *data = NULL;
        size_t len = ops->output(self, &data);
        assert_int_not_equal(len, 0);
        /* A slow network takes less than everything. */
        size_t n = p->pieces[0] == 1 && len > 1 ? (len + 1) / 2 : len;
        add_bytes(&s->from_server, data, n);
        ops->sent(self, n);
        return true;
    }
    if (wants & MOX_WANTS_CLOSE)
        return false;
    if (wants & MOX_WANTS_STARTTLS) {
        s->tls = true;
        return false;
    }
    if (wants & MOX_WANTS_RUN) {
        (void)ops->run(self);
        return true;
    }
    if ((wants & MOX_WANTS_READ) && s->to_server.len > 0) {
        size_t n = piece(p, s->to_server.len);
        uint8_t *copy = malloc(n); /* exactly as long, so that ASan sees a read beyond */
        assert_non_null(copy);
        memcpy(copy, s->to_server.data, n);
        drop_bytes(&s->to_server, n);
        (void)ops->input(self, copy, n);
        free(copy);
        return true;
    }
    return false;
}

static void pump(struct play *p)
{
    unsigned steps = 0;
    bool moved;
    do {
        moved = false;
        for (unsigned i = 0; i < MAX_SESSIONS; i++)
            if (p->sessions[i].open)
                moved |= step(p, &p->sessions[i]);
        if (++steps > MAX_STEPS)
            fail_msg("%s:%u: the engine never comes to rest", p->name, p->line);
    } while (moved);
}

/* ---- steps of the script ---- */

static void differ(const struct play *p, const struct transcript_session *s, const char *expected)
{
    fail_msg("%s:%u: expected <%s>, the server said <%.*s>", p->name, p->line, expected,
             (int)(s->from_server.len < 2000 ? s->from_server.len : 2000),
             s->from_server.data == NULL ? "" : (const char *)s->from_server.data);
}

/* Whether text matches pattern, where {*} stands for any run and a final * for any rest. */
static bool matches(const char *text, size_t len, const char *pattern)
{
    while (*pattern != '\0') {
        if (strcmp(pattern, "*") == 0)
            return true;
        if (strncmp(pattern, "{*}", 3) == 0) {
            for (size_t i = 0; i <= len; i++)
                if (matches(text + i, len - i, pattern + 3))
                    return true;
            return false;
        }
        if (len == 0 || *text != *pattern)
            return false;
        text++;
        len--;
        pattern++;
    }
    return len == 0;
}

static void expect_line(struct play *p, struct transcript_session *s, const char *pattern)
{
    pump(p);
    struct bytes *got = &s->from_server;
    const uint8_t *end = got->len == 0 ? NULL : memchr(got->data, '\n', got->len);
    size_t len = end == NULL ? got->len : (size_t)(end - got->data);
    if (end == NULL || len == 0 || got->data[len - 1] != '\r' ||
        !matches((const char *)got->data, len - 1, pattern))
        differ(p, s, pattern);
    drop_bytes(got, len + 1);
}

static int hex(char c)
{
    const char *digits = "0123456789abcdef", *at = c == '\0' ? NULL : strchr(digits, c | 0x20);
    return at == NULL ? -1 : (int)(at - digits);
}

/* Undoes the escapes in place; the length of what is left. */
static size_t unescape(const struct play *p, char *text)
{
    static const char codes[] = "r\rn\nt\t0\0\\\\";
    size_t len = 0;
    for (char *at = text; *at != '\0'; at++) {
        if (*at != '\\') {
            text[len++] = *at;
            continue;
        }
        at++;
        size_t i = 0;
        while (i < sizeof codes - 1 && codes[i] != *at)
            i += 2;
        if (i < sizeof codes - 1) {
            text[len++] = codes[i + 1];
        } else if (*at == 'x' && hex(at[1]) >= 0 && hex(at[2]) >= 0) {
            text[len++] = (char)(hex(at[1]) << 4 | hex(at[2]));
            at += 2;
        } else {
            fail_msg("%s:%u: unknown escape \\%c", p->name, p->line, *at);
        }
    }
    return len;
}

static void expect_bytes(struct play *p, struct transcript_session *s, char *text)
{
    pump(p);
    char *shown = strdup(text);
    size_t len = unescape(p, text);
    if (s->from_server.len < len || memcmp(s->from_server.data, text, len) != 0)
        differ(p, s, shown);
    free(shown);
    drop_bytes(&s->from_server, len);
}

static void expect_nothing(struct play *p, struct transcript_session *s)
{
    pump(p);
    if (s->from_server.len > 0)
        differ(p, s, "");
}

static void advance(struct play *p, const char *text)
{
    static const struct {
        const char *unit;
        int64_t us;
    } units[] = {{"us", 1},        {"ms", 1000},        {"s", 1000000},
                 {"m", 60000000}, {"h", 3600000000LL}, {"d", 86400000000LL}};
    char *unit;
    int64_t n = strtoll(text, &unit, 10);
    int64_t us = -1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(unit, units[i].unit) == 0)
            us = n * units[i].us;
    if (*text != '+' || us < 0)
        fail_msg("%s:%u: T: wants a time such as +5m", p->name, p->line);
    test_env_advance(&p->env, us);
    for (unsigned i = 0; i < MAX_SESSIONS; i++) {
        struct transcript_session *s = &p->sessions[i];
        if (s->open && s->engine.ops->deadline(s->engine.self) <= p->env.monotonic_us)
            (void)s->engine.ops->tick(s->engine.self);
    }
}

static void start_tls(struct play *p, struct transcript_session *s)
{
    pump(p);
    if (!s->tls)
        fail_msg("%s:%u: the server does not want to start TLS", p->name, p->line);
    struct mox_tls_info info = {.size = sizeof info,
                                .version = "TLS1.3",
                                .cipher = "TLS_AES_128_GCM_SHA256",
                                .sni = "mx.example"};
    s->tls = false;
    s->to_server.len = 0; /* sent in the clear: it went to the handshake, as tls_rest() did */
    s->engine.ops->tls_started(s->engine.self, &info);
}

static void expect_close(struct play *p, struct transcript_session *s)
{
    expect_nothing(p, s);
    if ((s->engine.ops->wants(s->engine.self) & MOX_WANTS_CLOSE) == 0)
        fail_msg("%s:%u: the server does not want to close", p->name, p->line);
}

static struct transcript_session *session(struct play *p, unsigned number)
{
    struct transcript_session *s = &p->sessions[number];
    if (!s->open) {
        p->host->open(p->host->user, number, s, &s->engine);
        s->open = true;
    }
    return s;
}

static void play_line(struct play *p, char *line)
{
    size_t word = strcspn(line, ":");
    if (*line == '#' || *line == '\0')
        return;
    if (line[word] == '\0')
        fail_msg("%s:%u: not a step: %s", p->name, p->line, line);
    unsigned number = 1;
    char *text = line + word + 1;
    text += *text == ' ';
    if (word > 1 && line[word - 1] >= '0' && line[word - 1] <= '9')
        number = (unsigned)(line[--word] - '0');
    line[word] = '\0';
    struct transcript_session *s = session(p, number);

    if (strcmp(line, "C") == 0) {
        add_bytes(&s->to_server, text, strlen(text));
        add_bytes(&s->to_server, "\r\n", 2);
    } else if (strcmp(line, "c") == 0) {
        size_t len = unescape(p, text);
        add_bytes(&s->to_server, text, len);
    } else if (strcmp(line, "S") == 0) {
        expect_line(p, s, text);
    } else if (strcmp(line, "s") == 0) {
        expect_bytes(p, s, text);
    } else if (strcmp(line, "N") == 0) {
        expect_nothing(p, s);
    } else if (strcmp(line, "T") == 0) {
        pump(p);
        advance(p, text);
    } else if (strcmp(line, "A") == 0) {
        pump(p);
        p->host->answer(p->host->user, number, text);
    } else if (strcmp(line, "TLS") == 0) {
        start_tls(p, s);
    } else if (strcmp(line, "EOF") == 0) {
        pump(p);
        s->engine.ops->eof(s->engine.self);
    } else if (strcmp(line, "DOWN") == 0) {
        pump(p);
        s->engine.ops->shutdown(s->engine.self);
    } else if (strcmp(line, "CLOSE") == 0) {
        expect_close(p, s);
    } else {
        fail_msg("%s:%u: not a step: %s", p->name, p->line, line);
    }
}

static void play_once(const char *name, struct mox_slice script, const struct transcript_host *host,
                      const size_t *pieces)
{
    struct play *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->host = host;
    p->name = name;
    p->pieces = pieces;
    test_env_init(&p->env);
    if (host->begin != NULL)
        host->begin(host->user, &p->env);

    char *text = malloc(script.len + 1);
    assert_non_null(text);
    memcpy(text, script.data, script.len);
    text[script.len] = '\0';
    for (char *line = text, *next; line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        p->line++;
        play_line(p, line);
    }
    free(text);

    for (unsigned i = 0; i < MAX_SESSIONS; i++) {
        struct transcript_session *s = &p->sessions[i];
        if (!s->open)
            continue;
        expect_nothing(p, s);
        s->engine.ops->free(s->engine.self);
        s->open = false; /* the others are pumped once more */
        free(s->to_server.data);
        free(s->from_server.data);
    }
    if (host->end != NULL)
        host->end(host->user);
    test_env_done(&p->env);
    free(p);
}

void transcript_play(const char *name, const struct transcript_host *host)
{
    static const size_t whole[] = {MOX_INPUT_MAX, 0}, single[] = {1, 0},
                        odd[] = {3, 1, 7, 2, 16, 5, 0};
    char relative[512];
    (void)snprintf(relative, sizeof relative, "transcripts/%s", name);
    struct mox_slice script = read_file(tests_path(relative));
    play_once(name, script, host, whole);
    play_once(name, script, host, single);
    play_once(name, script, host, odd);
    free((void *)(uintptr_t)script.data);
}
