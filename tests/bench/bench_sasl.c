/* SPDX-License-Identifier: MIT */

/* What logging in costs: a whole exchange of each mechanism with both sides in this program, and its parts:
 * the keys of a password (the client, and whoever sets a password), the proof (the server), Argon2id. */

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "baseline.h"
#include "program.h"
#include "report.h"
#include "sasl/credentials.h"
#include "sasl/exchange.h"

#define REPEATS 7
#define PASSES  3 /* as a store hashes */
#define MEMORY  (64u << 20)

static struct report report;

/* Runs `work` so often that it takes some milliseconds, REPEATS times. */
static void measure(const char *what, const char *params, unsigned rounds, double factor,
                    const char *unit, void (*work)(void *user), void *user)
{
    double values[REPEATS];
    for (size_t i = 0; i < REPEATS; i++) {
        double start = seconds_now();
        for (unsigned n = 0; n < rounds; n++)
            work(user);
        values[i] = (seconds_now() - start) / rounds * factor;
    }
    (void)quantile(values, REPEATS, 0.5); /* sorts */
    report_median(&report, what, params, values, REPEATS, unit, NULL);
}

/* ---- SCRAM's parts ---- */

struct keys {
    enum hash hash;
    unsigned iterations;
};

static void derive(void *user)
{
    const struct keys *k = user;
    struct scram_keys keys;
    mox__scram_keys(k->hash, slice_of("correct horse battery staple"), slice_of("twelve bytes"),
                    k->iterations, &keys);
}

static void bench_keys(void)
{
    static struct keys all[] = {{HASH_SHA256, 4096},
                                {HASH_SHA256, SCRAM_ITERATIONS_SHA256},
                                {HASH_SHA1, SCRAM_ITERATIONS_SHA1}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        char params[64];
        (void)snprintf(params, sizeof params, "hash=%s iterations=%u",
                       all[i].hash == HASH_SHA1 ? "sha-1" : "sha-256", all[i].iterations);
        measure("SCRAM keys of a password", params, 10, 1e3, "ms", derive, &all[i]);
    }
}

/* A proof of the length that a client's has; that it is wrong costs the same. */
static void verify(void *user)
{
    static char message[160];
    uint8_t proof[HASH_MAX] = {1}, signature[HASH_MAX];
    struct scram_record *r = user;
    memset(message, 'x', sizeof message);
    if (mox__scram_verify(r, slice(message, sizeof message), slice(proof, mox__hash_len(r->hash)),
                          signature))
        fail("a proof out of thin air is right");
}

static void bench_proofs(void)
{
    struct scram_record r;
    for (enum hash h = HASH_SHA1; h <= HASH_SHA256; h++) {
        mox__scram_derive(&r, h, slice_of("pencil"), slice_of("twelve bytes"), 1);
        measure("proof, the server's part", h == HASH_SHA1 ? "hash=sha-1" : "hash=sha-256", 10000,
                1e6, "us", verify, &r);
    }
}

/* ---- whole exchanges ---- */

struct login {
    struct exchange x;
    enum mox_sasl_mechanism m;
};

static void log_in(void *user)
{
    struct login *l = user;
    if (exchange_log_in(&l->x, l->m) != MOX_OK)
        fail("%s does not log in", mox_sasl_mechanism_name(l->m));
}

static void bench_log_in(enum mox_sasl_mechanism m, unsigned iterations)
{
    static struct login l;
    char params[64];
    l.m = m;
    exchange_init(&l.x);
    exchange_use_tls(&l.x);
    if (iterations > 0)
        exchange_set_iterations(&l.x, iterations);
    int len = snprintf(params, sizeof params, "mechanism=%s", mox_sasl_mechanism_name(m));
    if (iterations > 0)
        (void)snprintf(params + len, sizeof params - (size_t)len, " iterations=%u", iterations);
    measure("log-in, both sides", params, iterations > 0 ? 10 : 2000, 1e3, "ms", log_in, &l);
    exchange_done(&l.x);
}

/* ---- hashing ---- */

static const struct mox_env *env;
static const struct password_cost cost = {.passes = PASSES, .memory = MEMORY};

static void check_password(void *user)
{
    if (mox__password_verify(env, user, slice_of("correct horse battery staple")) != MOX_OK)
        fail("the password is not right");
}

static void set_password(void *user)
{
    if (mox__credentials_derive(user, env, slice_of("correct horse battery staple"), &cost) !=
        MOX_OK)
        fail("no password can be set");
}

static void bench_passwords(void)
{
    static char records[CREDENTIAL_COUNT][CREDENTIAL_MAX];
    measure("all records of a password", "passes=3 mebibytes=64", 1, 1e3, "ms", set_password,
            records);
    measure("Argon2id", "passes=3 mebibytes=64", 1, 1e3, "ms", check_password,
            records[CREDENTIAL_PASSWORD]);
}

int main(void)
{
    struct mox_env system;
    program_start();
    mox_env_system(&system);
    env = &system;
    report_open(&report, "sasl");
    report_machine(&report, "memcpy", baseline_memory_bytes(0.2) / 1e6, "MB/s");
    bench_keys();
    bench_proofs();
    bench_log_in(MOX_SASL_SCRAM_SHA_256, 4096);
    bench_log_in(MOX_SASL_SCRAM_SHA_256_PLUS, SCRAM_ITERATIONS_SHA256);
    bench_log_in(MOX_SASL_SCRAM_SHA_1, SCRAM_ITERATIONS_SHA1);
    bench_log_in(MOX_SASL_CRAM_MD5, 0);
    bench_log_in(MOX_SASL_PLAIN, 0);
    bench_passwords();
    report_close(&report);
    return 0;
}
