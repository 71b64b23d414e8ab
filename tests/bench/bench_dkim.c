/* SPDX-License-Identifier: MIT */

/* A message of 100 KB with one signature of RSA-2048: verified and signed, beside what cannot be saved:
 * SHA-256 of as many bytes, and one operation with the key. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/dkim.h>

#include "base/pubkey.h"
#include "base/text.h"
#include "mailauth/dkim_key.h"
#include "mailauth/dkim_key_record.h"
#include "program.h"
#include "report.h"

#define MESSAGE_BYTES 100000
#define ROUNDS        50
#define REPEATS       15
#define BITS          2048

static struct mox_env env;
static struct report report;

/* What is measured, and with what. */
static struct bench {
    struct mox_dkim_key *key;
    struct mox_dkim_signer signer;
    char *text, *signed_text;
    size_t signed_len;
    char record[1024];
    struct rsa_key *public;
    uint8_t digest[HASH_MAX], signature[SIGNATURE_MAX];
    size_t signature_len;
} b;

static struct mox_dns_answers *answers_with_key(void)
{
    struct mox_dns_answers *answers;
    struct mox_dns_record record = {.data.txt = slice_of(b.record)};
    const struct mox_dns_answer answer = {
        .question = {"sel._domainkey.example.com", MOX_DNS_TXT},
        .status = MOX_DNS_FOUND,
        .records = &record,
        .count = 1,
    };
    if (mox_dns_answers_new(&answers, &env) != MOX_OK || mox_dns_put(answers, &answer) != MOX_OK)
        fail("no answers");
    return answers;
}

static void verify(void)
{
    struct mox_signed_message *m;
    struct mox_dkim_verify *v;
    struct mox_dkim_config config;
    struct mox_dns_answers *answers = answers_with_key();
    mox_dkim_config_init(&config);
    if (mox_signed_message_new(&m, &env, slice(b.signed_text, b.signed_len)) != MOX_OK ||
        mox_dkim_verify_new(&v, &env, m, &config) != MOX_OK ||
        mox_dkim_verify_run(v, answers) != MOX_OK ||
        mox_dkim_result_at(v, 0)->status != MOX_DKIM_PASS)
        fail("the signature does not hold");
    mox_dkim_verify_free(v);
    mox_signed_message_free(m);
    mox_dns_answers_free(answers);
}

static void sign(void)
{
    struct mox_signed_message *m;
    char *field;
    if (mox_signed_message_new(&m, &env, slice_of(b.text)) != MOX_OK ||
        mox_dkim_sign(&field, &env, m, &b.signer, NULL) != MOX_OK)
        fail("not signed");
    mox_text_free(&env, field);
    mox_signed_message_free(m);
}

static void hash(void)
{
    uint8_t digest[HASH_MAX];
    mox__hash(HASH_SHA256, slice(b.signed_text, b.signed_len), digest);
}

static void rsa_verify(void)
{
    if (!mox__rsa_verify(b.public, HASH_SHA256, b.digest, slice(b.signature, b.signature_len)))
        fail("the raw signature does not hold");
}

static void rsa_sign(void)
{
    if (mox__private_sign(mox__dkim_private(b.key), HASH_SHA256, b.digest, b.signature,
                          &b.signature_len) != MOX_OK)
        fail("no raw signature");
}

/* Microseconds for one. */
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
    return values[0]; /* the lowest: what others do meanwhile is in none of the ratios */
}

/* Lines of 60 bytes and more: of words with as much space in front as is said. */
static void make_text(const char *word, bool relaxed)
{
    static const char head[] = "From: a@example.com\r\nTo: b@example.org\r\nSubject: figures\r\n"
                               "Date: Fri, 11 Jul 2003 21:00:37 -0700\r\n\r\n";
    size_t column = 0;
    char *at = b.text;
    at += snprintf(at, sizeof head, "%s", head);
    while (at - b.text < MESSAGE_BYTES) {
        size_t len = strlen(word);
        memcpy(at, word, len);
        at += len;
        column += len;
        if (column >= 60) {
            memcpy(at, "\r\n", 2);
            at += 2;
            column = 0;
        }
    }
    memcpy(at, "\r\n", 3);
    b.signer.relaxed_header = b.signer.relaxed_body = relaxed;
    struct mox_signed_message *m;
    char *field;
    if (mox_signed_message_new(&m, &env, slice_of(b.text)) != MOX_OK ||
        mox_dkim_sign(&field, &env, m, &b.signer, NULL) != MOX_OK)
        fail("not signed");
    b.signed_len = (size_t)snprintf(b.signed_text, 2 * MESSAGE_BYTES, "%s%s", field, b.text);
    mox_text_free(&env, field);
    mox_signed_message_free(m);
}

static void prepare(void)
{
    struct dkim_key_record record;
    const char *problem;
    unsigned bits;
    mox_env_system(&env);
    b.text = must_malloc(2 * MESSAGE_BYTES);
    b.signed_text = must_malloc(2 * MESSAGE_BYTES);
    mox_dkim_signer_init(&b.signer);
    if (mox_dkim_key_generate(&b.key, &env, MOX_DKIM_RSA, BITS) != MOX_OK ||
        mox_dkim_key_record(b.key, b.record, sizeof b.record) != MOX_OK ||
        mox__dkim_key_record_parse(&record, slice_of(b.record), &problem) != MOX_OK ||
        mox__rsa_parse(&b.public, &env, slice(record.key, record.key_len), &bits) != MOX_OK)
        fail("no key");
    b.signer.key = b.key;
    b.signer.domain = "example.com";
    b.signer.selector = "sel";
    rsa_sign();
}

int main(void)
{
    static const struct {
        const char *params, *word;
        bool relaxed;
    } texts[] = {{"text=words canon=simple", " words", false},
                 {"text=words canon=relaxed", " words", true},
                 {"text=double-spaces canon=relaxed", "  words", true}};
    program_start();
    report_open(&report, "dkim");
    prepare();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        make_text(texts[i].word, texts[i].relaxed);
        double raw_hash = measure("SHA-256 alone", texts[i].params, hash);
        double raw_verify = measure("RSA verify alone", texts[i].params, rsa_verify);
        double raw_sign = measure("RSA sign alone", texts[i].params, rsa_sign);
        double verified = measure("verify", texts[i].params, verify);
        double made = measure("sign", texts[i].params, sign);
        report_value(&report, "verify / (hash + RSA)", texts[i].params,
                     verified / (raw_hash + raw_verify), "", NULL);
        report_value(&report, "sign / (hash + RSA)", texts[i].params, made / (raw_hash + raw_sign),
                     "", NULL);
    }
    mox__rsa_free(b.public);
    mox_dkim_key_free(b.key);
    free(b.text);
    free(b.signed_text);
    report_close(&report);
    return 0;
}
