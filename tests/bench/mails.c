/* SPDX-License-Identifier: MIT */
#include "mails.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"
#include "support/corpora.h"

#define HEAD_ROOM      2048
#define REAL_BYTES_MAX (64 * 1024)
#define REAL_COUNT_MAX 1000

struct real_mail {
    char *text;
    size_t len;
};

static const char *const words[] = {
    "the",     "minutes",   "of",       "our",      "last",   "meeting", "are",   "attached",
    "please",  "read",      "them",     "before",   "we",     "meet",    "again", "on",
    "Tuesday", "and",       "send",     "what",     "you",    "would",   "like",  "changed",
    "to",      "everybody", "in",       "project",  "budget", "server",  "mail",  "archive",
    "release", "notes",     "tomorrow", "caf=C3=A9"};
#define WORDS (sizeof words / sizeof words[0])

/* A step of a linear congruential generator: the same mail in every run. */
static unsigned step(unsigned *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 16;
}

static void fill_text(struct mails *m)
{
    unsigned state = 1;
    size_t line = 0;
    while (m->text_len + 32 < m->bytes) {
        const char *word = words[step(&state) % WORDS];
        size_t len = strlen(word);
        memcpy(m->text + m->text_len, word, len);
        m->text_len += len;
        line += len + 1;
        memcpy(m->text + m->text_len, line > 66 ? "\r\n" : " ", 2);
        m->text_len += line > 66 ? 2 : 1;
        line = line > 66 ? 0 : line;
    }
    memcpy(m->text + m->text_len, "\r\n", 2);
    m->text_len += 2;
}

void mails_open(struct mails *m, size_t bytes, unsigned senders, bool multipart)
{
    *m = (struct mails){
        .bytes = bytes, .senders = senders, .multipart = multipart, .series = senders};
    m->text = must_malloc(bytes + 64);
    fill_text(m);
}

static void add_real(void *user, const char *path, struct mox_slice data)
{
    struct mails *m = user;
    const size_t len = strlen(path);
    if (len < 4 || strcmp(path + len - 4, ".eml") != 0 || data.len > REAL_BYTES_MAX / 2 ||
        data.len == 0 || memchr(data.data, '\0', data.len) != NULL ||
        m->real_count == REAL_COUNT_MAX)
        return;
    struct mox_slice lines = with_crlf(data);
    m->real[m->real_count++] =
        (struct real_mail){.text = (char *)(uintptr_t)lines.data, .len = lines.len};
}

bool mails_open_real(struct mails *m)
{
    const char *folder = corpus_path("mime");
    *m = (struct mails){.bytes = REAL_BYTES_MAX, .senders = 1};
    if (folder == NULL)
        return false;
    m->real = must_malloc(REAL_COUNT_MAX * sizeof *m->real);
    each_file(folder, add_real, m);
    if (m->real_count == 0)
        fail("no mail below %s", folder);
    return true;
}

void mails_close(struct mails *m)
{
    for (size_t i = 0; i < m->real_count; i++)
        free(m->real[i].text);
    free(m->real);
    free(m->text);
    *m = (struct mails){.bytes = 0};
}

size_t mails_room(const struct mails *m)
{
    return m->bytes + HEAD_ROOM;
}

void mails_sender(const struct mails *m, unsigned long n, char out[64])
{
    unsigned long who = m->senders > 1 ? n * 7919 % m->senders : 0;
    (void)snprintf(out, 64, "sender%lu@remote%lu.example", who, who / 10);
}

static size_t write_head(const struct mails *m, unsigned long n, char *out)
{
    char sender[64], answer[256] = "";
    mails_sender(m, n, sender);
    if (n % 3 == 2)
        (void)snprintf(answer, sizeof answer,
                       "In-Reply-To: <%lu.%u@remote.example>\r\n"
                       "References: <%lu.%u@remote.example>\r\n"
                       "\t<%lu.%u@remote.example>\r\n",
                       n / 2, m->series, n / 3, m->series, n / 2, m->series);
    return (size_t)snprintf(
        out, HEAD_ROOM / 2,
        "Received: from mail.remote.example (mail.remote.example [192.0.2.25])\r\n"
        "\tby mx.example.net with ESMTPS id %08lx for <mox@localhost>;\r\n"
        "\tMon, 2 Jan 2023 03:04:%02lu +0100\r\n"
        "From: Sender Number %lu <%s>\r\n"
        "To: Mox <mox@localhost>, \"List, the\" <list%lu@lists.example>\r\n"
        "Subject: %sReport %lu about %s %s\r\n"
        "Date: Mon, %lu Jan 2023 03:%02lu:%02lu +0100\r\n"
        "Message-Id: <%lu.%u@remote.example>\r\n%s"
        "MIME-Version: 1.0\r\n",
        n * 2654435761UL & 0xffffffff, n % 60, n, sender, n % 5, n % 3 == 2 ? "Re: " : "",
        n % 3 == 2 ? n / 2 : n, words[n % (WORDS - 1)], words[n / 7 % (WORDS - 1)], n % 28 + 1,
        n / 60 % 60, n % 60, n, m->series, answer);
}

#define TEXT "Content-Transfer-Encoding: quoted-printable\r\n\r\n"

static size_t put(char *out, const char *text, size_t len)
{
    memcpy(out, text, len);
    return len;
}

/* The end of the last whole line in the first `len` bytes of the text. */
static size_t whole_lines(const struct mails *m, size_t len)
{
    len = len < m->text_len ? len : m->text_len;
    while (len > 0 && m->text[len - 1] != '\n')
        len--;
    return len;
}

static size_t write_real(const struct mails *m, unsigned long n, char *out)
{
    const struct real_mail *mail = &m->real[n % m->real_count];
    size_t at = (size_t)snprintf(out, HEAD_ROOM, "X-Number: %lu\r\n", n);
    return at + put(out + at, mail->text, mail->len);
}

size_t mails_write(const struct mails *m, unsigned long n, char *out)
{
    static const char plain[] = "Content-Type: text/plain; charset=utf-8\r\n" TEXT;
    static const char both[] = "Content-Type: multipart/alternative; boundary=\"=_b\"\r\n\r\n"
                               "--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n" TEXT;
    static const char html[] =
        "--=_b\r\nContent-Type: text/html; charset=utf-8\r\n" TEXT "<html><body><p>\r\n";
    static const char end[] = "</p></body></html>\r\n--=_b--\r\n";
    if (m->real != NULL)
        return write_real(m, n, out);
    size_t at = write_head(m, n, out);
    size_t other = at + (m->multipart ? sizeof both + sizeof html + sizeof end : sizeof plain);
    size_t all = whole_lines(m, other < m->bytes ? m->bytes - other : 0);
    size_t first = m->multipart ? whole_lines(m, all / 2) : all;
    at += m->multipart ? put(out + at, both, sizeof both - 1)
                       : put(out + at, plain, sizeof plain - 1);
    at += put(out + at, m->text, first);
    if (m->multipart) {
        at += put(out + at, html, sizeof html - 1);
        at += put(out + at, m->text + first, all - first);
        at += put(out + at, end, sizeof end - 1);
    }
    return at;
}
