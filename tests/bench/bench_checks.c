/* SPDX-License-Identifier: MIT */

/* All checks of a message with one signature of RSA-2048, names known already: beside what cannot be saved,
 * SHA-256 of as many bytes and one operation with the key. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/checks.h>
#include <mox/dns_zone.h>

#include "base/pubkey.h"
#include "base/text.h"
#include "mailauth/dkim_key.h"
#include "mailauth/dkim_key_record.h"
#include "program.h"
#include "report.h"

#define MESSAGE_MAX (256 * 1024)
#define ROUNDS      50
#define REPEATS     15

static struct mox_env env;
static struct report report;

static struct bench {
    struct mox_dkim_signer signer;
    char *text, *message;
    struct mox_dns_zone *zone;
    struct mox_dns_answers *answers; /* all that the checks want, after the first */
    struct rsa_key *public;
    uint8_t digest[HASH_MAX], signature[SIGNATURE_MAX];
    size_t signature_len;
} b;

static void check(void)
{
    struct mox_checks *c;
    struct mox_checks_query query;
    char *results, *spf;
    mox_checks_query_init(&query);
    query.ip = "192.0.2.1";
    query.helo = "mail.example.com";
    query.mail_from_localpart = "a";
    query.mail_from_domain = "example.com";
    query.now_us = env.wall_us(env.user);
    if (mox_checks_new(&c, &env, &query, slice_of(b.message)) != MOX_OK)
        fail("no checks");
    int rc = mox_checks_run(c, b.answers);
    while (rc == MOX_NEED_DNS) {
        if (mox_dns_zone_answer(b.zone, b.answers) != MOX_OK)
            fail("no answers");
        rc = mox_checks_run(c, b.answers);
    }
    if (rc != MOX_OK || mox_checks_verdict(c)->dmarc->status != MOX_DMARC_PASS ||
        mox_checks_verdict(c)->dkim[0].status != MOX_DKIM_PASS ||
        mox_checks_headers(c, &results, &spf) != MOX_OK)
        fail("the message is not genuine");
    mox_text_free(&env, results);
    mox_text_free(&env, spf);
    mox_checks_free(c);
}

static void hash(void)
{
    uint8_t digest[HASH_MAX];
    mox__hash(HASH_SHA256, slice_of(b.message), digest);
}

static void rsa_verify(void)
{
    if (!mox__rsa_verify(b.public, HASH_SHA256, b.digest, slice(b.signature, b.signature_len)))
        fail("the raw signature does not hold");
}

/* Microseconds for one: the lowest, what others do meanwhile is in none of the ratios. */
static double measure(const char *what, const char *params, void (*run)(void))
{
    double values[REPEATS];
    run();
    for (size_t i = 0; i < REPEATS; i++) {
        double begin = seconds_now();
        for (unsigned n = 0; n < ROUNDS; n++)
            run();
        values[i] = (seconds_now() - begin) / ROUNDS * 1e6;
    }
    report_median(&report, what, params, values, REPEATS, "us", NULL);
    return values[0];
}

static void make_message(size_t bytes)
{
    static const char head[] = "From: a@example.com\r\nTo: b@example.org\r\nSubject: figures\r\n"
                               "Date: Fri, 11 Jul 2003 21:00:37 -0700\r\n\r\n";
    static const char line[] = "Lines of words, as people write them to each other in mails.\r\n";
    struct mox_signed_message *m;
    char *field;
    size_t len = (size_t)snprintf(b.text, MESSAGE_MAX, "%s", head);
    while (len < bytes)
        len += (size_t)snprintf(b.text + len, MESSAGE_MAX - len, "%s", line);
    if (mox_signed_message_new(&m, &env, slice_of(b.text)) != MOX_OK ||
        mox_dkim_sign(&field, &env, m, &b.signer, NULL) != MOX_OK)
        fail("not signed");
    (void)snprintf(b.message, MESSAGE_MAX, "%s%s", field, b.text);
    mox_text_free(&env, field);
    mox_signed_message_free(m);
}

static void prepare(void)
{
    struct dkim_key_record record;
    struct mox_error err;
    const char *problem;
    char published[1024], zone[2048];
    unsigned bits;
    mox_env_system(&env);
    b.text = must_malloc(MESSAGE_MAX);
    b.message = must_malloc(MESSAGE_MAX);
    mox_dkim_signer_init(&b.signer);
    if (mox_dkim_key_generate(&b.signer.key, &env, MOX_DKIM_RSA, 2048) != MOX_OK ||
        mox_dkim_key_record(b.signer.key, published, sizeof published) != MOX_OK ||
        mox__dkim_key_record_parse(&record, slice_of(published), &problem) != MOX_OK ||
        mox__rsa_parse(&b.public, &env, slice(record.key, record.key_len), &bits) != MOX_OK ||
        mox__private_sign(mox__dkim_private(b.signer.key), HASH_SHA256, b.digest, b.signature,
                          &b.signature_len) != MOX_OK)
        fail("no key");
    b.signer.domain = "example.com";
    b.signer.selector = "sel";
    (void)snprintf(zone, sizeof zone,
                   "example.com\tTXT\tv=spf1 ip4:192.0.2.0/24 -all\n"
                   "_dmarc.example.com\tTXT\tv=DMARC1; p=reject\n"
                   "sel._domainkey.example.com\tTXT\t%s\n"
                   "1.2.0.192.in-addr.arpa\tPTR\tmail.example.com\n"
                   "mail.example.com\tA\t192.0.2.1\n",
                   published);
    if (mox_dns_zone_parse(&b.zone, &env, slice_of(zone), "names", &err) != MOX_OK ||
        mox_dns_answers_new(&b.answers, &env) != MOX_OK)
        fail("no names");
}

int main(void)
{
    static const struct {
        const char *params;
        size_t bytes;
    } sizes[] = {{"bytes=4096", 4096}, {"bytes=100000", 100000}};
    program_start();
    report_open(&report, "checks");
    prepare();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        make_message(sizes[i].bytes);
        double raw = measure("SHA-256 alone", sizes[i].params, hash) +
                     measure("RSA verify alone", sizes[i].params, rsa_verify);
        double all = measure("all checks", sizes[i].params, check);
        report_value(&report, "all checks / (hash + RSA)", sizes[i].params, all / raw, "", NULL);
    }
    mox_dns_answers_free(b.answers);
    mox_dns_zone_free(b.zone);
    mox__rsa_free(b.public);
    mox_dkim_key_free(b.signer.key);
    free(b.text);
    free(b.message);
    report_close(&report);
    return 0;
}
