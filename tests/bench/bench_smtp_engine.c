/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/smtp_server.h>

#include "baseline.h"
#include "program.h"
#include "report.h"
#include "smtp/data_reader.h"

/* Messages of 4 KiB through the SMTP server engine without sockets or storage, and the data reader
 * alone. */

#define MESSAGES     100000
#define READER_BYTES (500u * 1024 * 1024)

static struct report report;

static int rcpt(void *user, const struct mox_smtp_envelope *e, const struct mox_smtp_path *path,
                struct mox_smtp_reply *reply)
{
    (void)user;
    (void)e;
    (void)path;
    (void)reply;
    return MOX_OK;
}

static int data(void *user, struct mox_slice piece, struct mox_smtp_reply *reply)
{
    (void)reply;
    *(size_t *)user += piece.len;
    return MOX_OK;
}

static int deliver(void *user, const struct mox_smtp_envelope *e, struct mox_smtp_reply *reply)
{
    (void)user;
    (void)e;
    (void)reply;
    return MOX_OK;
}

static void drain(struct mox_smtp_server *s)
{
    const uint8_t *out;
    size_t len;
    while ((len = mox_smtp_server_output(s, &out)) > 0)
        mox_smtp_server_sent(s, len);
}

/* Lines of 72 bytes with CRLF. */
static size_t fill(uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = i % 72 == 70 ? '\r' : i % 72 == 71 ? '\n' : (uint8_t)('a' + i % 26);
    return len;
}

static void bench_engine(void)
{
    static uint8_t message[4200], text[8192];
    const struct mox_smtp_server_callbacks callbacks = {
        .size = sizeof callbacks, .rcpt = rcpt, .data = data, .deliver = deliver};
    const struct mox_peer peer = {.size = sizeof peer, .remote_ip = "192.0.2.1"};
    struct mox_smtp_server_config config;
    struct mox_smtp_server *s;
    struct mox_env env;
    size_t bytes = 0;
    mox_env_system(&env);
    mox_smtp_server_config_init(&config);
    config.hostname = "mx.example";
    if (mox_smtp_server_new(&s, &env, &config, &peer, &callbacks, &bytes) < 0 ||
        mox_smtp_server_input(s, (const uint8_t *)"EHLO x.example\r\n", 16) < 0)
        abort();
    size_t len = (size_t)snprintf((char *)text, sizeof text,
                                  "MAIL FROM:<sender@x.example>\r\nRCPT TO:<user@mx.example>\r\n"
                                  "DATA\r\n");
    size_t body = fill(message, 57 * 72);
    memcpy(text + len, message, body);
    len += body;
    memcpy(text + len, ".\r\n", 3);
    len += 3;
    double start = seconds_now();
    for (int i = 0; i < MESSAGES; i++) {
        if (mox_smtp_server_input(s, text, len) < 0)
            abort();
        drain(s);
    }
    double took = seconds_now() - start;
    report_value(&report, "SMTP engine", "bytes=4104", MESSAGES / took, "msgs/s", NULL);
    report_value(&report, "SMTP engine, per message", "bytes=4104", took / MESSAGES * 1e6, "us",
                 NULL);
    report_value(&report, "SMTP engine, bytes", "bytes=4104", (double)bytes / took / 1e6, "MB/s",
                 "memcpy");
    mox_smtp_server_free(s);
}

static void bench_reader(const char *name, const uint8_t *in, size_t len)
{
    static uint8_t out[DATA_READER_ROOM(16384)];
    struct data_reader r = {.mode = DATA_DOTS};
    size_t total = 0, written;
    double start = seconds_now();
    while (total < READER_BYTES)
        total += mox__data_read(&r, in, len, out, &written);
    double took = seconds_now() - start;
    report_value(&report, "data reader", name, (double)total / took / 1e6, "MB/s", "memcpy");
}

int main(void)
{
    static uint8_t in[16384];
    size_t len = fill(in, sizeof in / 72 * 72);
    program_start();
    report_open(&report, "smtp-engine");
    report_machine(&report, "memcpy", baseline_memory_bytes(0.2) / 1e6, "MB/s");
    bench_engine();
    bench_reader("input=lines-of-72-bytes", in, len);
    memset(in, 'a', sizeof in);
    bench_reader("input=one-line", in, sizeof in);
    for (size_t i = 0; i < sizeof in; i += 4)
        memcpy(in + i, "..\r\n", 4);
    bench_reader("input=stuffed-dots", in, sizeof in);
    memset(in, '\n', sizeof in);
    bench_reader("input=bare-LFs", in, sizeof in);
    memset(in, '\r', sizeof in);
    bench_reader("input=CRs", in, sizeof in);
    report_close(&report);
    return 0;
}
