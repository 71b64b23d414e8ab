/* SPDX-License-Identifier: MIT */

/* How fast messages are parsed: bytes per second of large bodies, and microseconds for a typical
 * one with all that a delivery keeps of it (ENVELOPE, BODY, BODYSTRUCTURE, structure). */

#include <mox/message.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "baseline.h"
#include "message/structure.h"
#include "message/text.h"
#include "message/wire.h"
#include "program.h"
#include "report.h"

#define LARGE (64u << 20)

static struct report report;

static int64_t now_us(const struct mox_env *env)
{
    return env->monotonic_us(env->user);
}

/* `head`, then lines of 76 bytes up to `size` bytes. */
static struct mox_slice large_message(const char *head, size_t size)
{
    uint8_t *data = malloc(size);
    if (data == NULL)
        abort();
    size_t len = strlen(head);
    memcpy(data, head, len);
    for (size_t i = 0; len + i < size; i++)
        data[len + i] = i % 78 == 77 ? '\n' : i % 78 == 76 ? '\r' : (uint8_t)('A' + i % 26);
    return slice(data, size);
}

static void parse_large(const struct mox_env *env, const char *what, const char *head)
{
    struct mox_slice s = large_message(head, LARGE);
    int64_t best = INT64_MAX;
    for (unsigned i = 0; i < 5; i++) {
        struct mox_message *m = NULL;
        int64_t start = now_us(env);
        if (mox_message_parse(&m, env, s) < 0)
            abort();
        int64_t took = now_us(env) - start;
        best = took < best ? took : best;
        mox_message_free(m);
    }
    report_value(&report, "parse", what, (double)LARGE / (double)best, "MB/s", "memcpy");
    free((void *)(uintptr_t)s.data);
}

static int ignore(void *user, struct mox_slice piece)
{
    *(size_t *)user += piece.len;
    return MOX_OK;
}

static void decode_large(const struct mox_env *env, const char *what, const char *head)
{
    bool text = strstr(head, "octet-stream") == NULL;
    struct mox_slice s = large_message(head, LARGE);
    struct mox_message *m = NULL;
    if (mox_message_parse(&m, env, s) < 0)
        abort();
    size_t bytes = 0;
    int64_t start = now_us(env);
    if ((text ? mox__part_text(NULL, mox_message_root(m), s, ignore, &bytes)
              : mox__part_decode(mox_message_root(m), s, ignore, &bytes)) < 0)
        abort();
    report_value(&report, "decode", what, (double)LARGE / (double)(now_us(env) - start), "MB/s",
                 "memcpy");
    mox_message_free(m);
    free((void *)(uintptr_t)s.data);
}

#define TYPICAL_HEAD                                                                               \
    "Return-Path: <alice@sender.example>\r\n"                                                      \
    "Received: from mail.sender.example (mail.sender.example [192.0.2.25])\r\n"                    \
    "\tby mx.receiver.example with ESMTPS id 41A2C80D73C (using TLSv1.3)\r\n"                      \
    "\tfor <bob@receiver.example>; Tue, 29 Aug 2023 16:20:12 +0000\r\n"                            \
    "Received: from laptop.local ([198.51.100.7]) by mail.sender.example with ESMTPSA\r\n"         \
    "\tid b16-20020aa7; Tue, 29 Aug 2023 16:20:10 +0000\r\n"                                       \
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=sender.example; s=s1;\r\n"            \
    "\th=from:to:subject:date:message-id; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n"    \
    "\tb=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZVoG4ZHRNiYzRd5Bb6l4yDFHVRy0a\r\n"     \
    "\t0123456789abcdefABCDEF0123456789abcdefABCDEF0123456789abcdefABCDEF==\r\n"                   \
    "From: =?utf-8?q?Alice_=C3=84?= <alice@sender.example>\r\n"                                    \
    "To: Bob <bob@receiver.example>, \"Carol, C.\" <carol@receiver.example>\r\n"                   \
    "Cc: dave@other.example\r\nSubject: Re: the minutes of the last meeting\r\n"                   \
    "Date: Tue, 29 Aug 2023 18:20:09 +0200\r\nMessage-ID: <1234.5678@sender.example>\r\n"          \
    "In-Reply-To: <8765.4321@receiver.example>\r\nReferences: <1@x.example> "                      \
    "<8765.4321@r.example>\r\n"                                                                    \
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_b1\"\r\n\r\n"                \
    "--=_b1\r\nContent-Type: multipart/alternative; boundary=\"=_b2\"\r\n\r\n"                     \
    "--=_b2\r\nContent-Type: text/plain; charset=utf-8\r\n"                                        \
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
#define TYPICAL_HTML                                                                               \
    "\r\n--=_b2\r\nContent-Type: text/html; charset=utf-8\r\n"                                     \
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
#define TYPICAL_FILE                                                                               \
    "\r\n--=_b2--\r\n--=_b1\r\nContent-Type: application/pdf; name=\"minutes.pdf\"\r\n"            \
    "Content-Disposition: attachment; filename=\"minutes.pdf\"\r\n"                                \
    "Content-Transfer-Encoding: base64\r\n\r\n"

static struct mox_slice typical_message(const struct mox_env *env, struct buf *b)
{
    mox__buf_init(b, env, 1 << 20);
    const char *const heads[] = {TYPICAL_HEAD, TYPICAL_HTML, TYPICAL_FILE};
    for (size_t i = 0; i < 3; i++) {
        mox__buf_text(b, heads[i]);
        for (unsigned line = 0; line < 8; line++)
            mox__buf_text(b,
                          "The quick brown fox jumps over the lazy dog, and then once more =\r\n");
    }
    mox__buf_text(b, "--=_b1--\r\n");
    return slice(b->data, b->len);
}

static void all_of(const struct mox_env *env, struct mox_slice s, struct buf *out)
{
    struct mox_message *m = NULL;
    if (mox_message_parse(&m, env, s) < 0)
        abort();
    mox__buf_clear(out);
    mox__message_envelope(m, out);
    mox__message_body(m, out);
    mox__message_bodystructure(m, out);
    mox__structure_encode(m, out);
    mox_message_free(m);
}

static void typical(const struct mox_env *env)
{
    const unsigned rounds = 20000;
    struct buf b, out;
    struct mox_slice s = typical_message(env, &b);
    mox__buf_init(&out, env, 1 << 20);
    int64_t start = now_us(env);
    for (unsigned i = 0; i < rounds; i++) {
        struct mox_message *m = NULL;
        if (mox_message_parse(&m, env, s) < 0)
            abort();
        mox_message_free(m);
    }
    int64_t parsed = now_us(env) - start;
    for (unsigned i = 0; i < rounds; i++)
        all_of(env, s, &out);
    int64_t all = now_us(env) - start - parsed;
    char params[32];
    (void)snprintf(params, sizeof params, "bytes=%zu", s.len);
    report_value(&report, "parse a typical message", params, (double)parsed / rounds, "us", NULL);
    report_value(&report, "parse a typical message", params, rounds * 1e6 / (double)parsed,
                 "msgs/s", NULL);
    report_value(&report, "all that is kept of it", params, (double)all / rounds, "us", NULL);
    report_value(&report, "all that is kept of it", params, rounds * 1e6 / (double)all, "msgs/s",
                 NULL);
    mox__buf_free(&b);
    mox__buf_free(&out);
}

#define OCTETS "Content-Type: application/octet-stream\r\n"

int main(void)
{
    struct mox_env env;
    program_start();
    report_open(&report, "message");
    report_machine(&report, "memcpy", baseline_memory_bytes(0.2) / 1e6, "MB/s");
    mox_env_system(&env);
    parse_large(&env, "content=one-part", "Subject: x\r\n\r\n");
    parse_large(&env, "content=multipart",
                "Content-Type: multipart/x; boundary=b\r\n\r\n--b\r\n\r\n");
    parse_large(&env, "content=all-header", "Subject: x\r\n");
    decode_large(&env, "content=text-of-UTF-8", "Subject: x\r\n\r\n");
    decode_large(&env, "content=base64", OCTETS "Content-Transfer-Encoding: base64\r\n\r\n");
    decode_large(&env, "content=quoted-printable",
                 OCTETS "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    decode_large(&env, "content=text-of-iso-8859-1",
                 "Content-Type: text/plain; charset=iso-8859-1\r\n\r\n");
    typical(&env);
    report_close(&report);
    return 0;
}
