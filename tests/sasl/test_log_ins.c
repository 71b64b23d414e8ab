/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "exchange.h"
#include "support/cm.h"

/* Our client and our server talk to each other, with all mechanisms. */

static const enum mox_sasl_mechanism all[] = {
    MOX_SASL_PLAIN,
    MOX_SASL_LOGIN,
    MOX_SASL_CRAM_MD5,
    MOX_SASL_SCRAM_SHA_1,
    MOX_SASL_SCRAM_SHA_256,
    MOX_SASL_SCRAM_SHA_1_PLUS,
    MOX_SASL_SCRAM_SHA_256_PLUS,
    MOX_SASL_EXTERNAL,
    MOX_SASL_OAUTHBEARER,
};
#define MECHANISMS (sizeof all / sizeof all[0])

static bool is_scram(enum mox_sasl_mechanism m)
{
    return strncmp(mox_sasl_mechanism_name(m), "SCRAM", 5) == 0;
}

static void the_right_user_is_let_in(void **state)
{
    struct exchange *x = *state;
    exchange_use_tls(x);
    for (size_t i = 0; i < MECHANISMS; i++) {
        print_message("%s\n", mox_sasl_mechanism_name(all[i]));
        assert_int_equal(exchange_log_in(x, all[i]), MOX_OK);
        assert_success(x, "user");
        assert_string_equal(mox_sasl_server_text(x->server), "");
        assert_int_equal(mox_sasl_server_mechanism(x->server), all[i]);
    }
}

static void wrong_secrets_are_refused(void **state)
{
    struct exchange *x = *state;
    exchange_use_tls(x);
    x->client.password = "crayon";
    x->client.token = "token";
    for (size_t i = 0; i < MECHANISMS; i++) {
        if (all[i] == MOX_SASL_EXTERNAL)
            continue;
        print_message("%s\n", mox_sasl_mechanism_name(all[i]));
        assert_int_equal(exchange_log_in(x, all[i]), MOX_EDENIED);
        assert_failed(x, MOX_SASL_FAILED_CREDENTIALS);
        assert_int_equal(x->asked[MOX_SASL_ASK_ADMIT], 0);
        assert_false(mox_sasl_server_is_harmless(x->server));
    }
}

static void unknown_users_are_refused(void **state)
{
    struct exchange *x = *state;
    exchange_use_tls(x);
    x->client.username = x->client.authorize = "nobody";
    for (size_t i = 0; i < MECHANISMS; i++) {
        print_message("%s\n", mox_sasl_mechanism_name(all[i]));
        assert_int_equal(exchange_log_in(x, all[i]), MOX_EDENIED);
        assert_failed(x, MOX_SASL_FAILED_CREDENTIALS);
        assert_string_equal(mox_sasl_server_username(x->server), "nobody");
    }
}

static bool saw_signature;

static struct mox_slice look_for_signature(struct exchange *x, bool from_server,
                                           struct mox_slice message)
{
    (void)x;
    saw_signature = saw_signature || (from_server && message.len > 2 && message.data[0] == 'v');
    return message;
}

static void disabled_users_are_told_so_and_get_no_signature(void **state)
{
    struct exchange *x = *state;
    exchange_use_tls(x);
    x->admits = MOX_EREFUSED;
    x->alter = look_for_signature;
    saw_signature = false;
    for (size_t i = 0; i < MECHANISMS; i++) {
        print_message("%s\n", mox_sasl_mechanism_name(all[i]));
        assert_int_equal(exchange_log_in(x, all[i]), MOX_EDENIED);
        assert_failed(x, MOX_SASL_FAILED_DISABLED);
        assert_string_equal(mox_sasl_server_text(x->server), "no log-in today");
    }
    assert_false(saw_signature);
    x->client.password = "crayon"; /* only who proved to be the user is told */
    x->client.token = "token";
    for (size_t i = 0; i < MECHANISMS; i++)
        if (all[i] != MOX_SASL_EXTERNAL) {
            assert_int_equal(exchange_log_in(x, all[i]), MOX_EDENIED);
            assert_failed(x, MOX_SASL_FAILED_CREDENTIALS);
        }
}

static void trouble_of_the_host_is_nobodys_guess(void **state)
{
    struct exchange *x = *state;
    static const int troubles[] = {MOX_EIO, MOX_ENOMEM, MOX_EBUSY, MOX_ETOOMANY, MOX_LATER};
    exchange_use_tls(x);
    for (size_t i = 0; i < MECHANISMS * 5; i++) {
        x->trouble = troubles[i % 5];
        assert_int_equal(exchange_log_in(x, all[i / 5]), MOX_EDENIED);
        assert_failed(x, x->trouble == MOX_ENOMEM ? MOX_SASL_FAILED_MEMORY
                                                  : MOX_SASL_FAILED_TEMPORARY);
        assert_true(mox_sasl_server_is_harmless(x->server));
    }
}

static void nobody_acts_for_somebody_else(void **state)
{
    struct exchange *x = *state;
    exchange_use_tls(x);
    for (size_t i = 0; i < 7; i++) {
        if (all[i] == MOX_SASL_LOGIN || all[i] == MOX_SASL_CRAM_MD5)
            continue; /* they cannot say it */
        print_message("%s\n", mox_sasl_mechanism_name(all[i]));
        x->client.authorize = "other";
        assert_int_equal(exchange_log_in(x, all[i]), MOX_EDENIED);
        assert_failed(x, MOX_SASL_FAILED_AUTHORIZATION);
        x->client.authorize = "user";
        assert_int_equal(exchange_log_in(x, all[i]), MOX_OK);
    }
}

static void certificate_and_token_say_who_it_is(void **state)
{
    struct exchange *x = *state;
    exchange_use_tls(x);
    x->client.username = NULL;
    x->token_owner = "user@d.example";
    assert_int_equal(exchange_log_in(x, MOX_SASL_EXTERNAL), MOX_OK);
    assert_success(x, "user@d.example");
    assert_int_equal(exchange_log_in(x, MOX_SASL_OAUTHBEARER), MOX_OK);
    assert_success(x, "user@d.example");
    x->token_owner = ""; /* a host that forgets to say it */
    assert_int_equal(exchange_log_in(x, MOX_SASL_EXTERNAL), MOX_EDENIED);
    assert_failed(x, MOX_SASL_FAILED_TEMPORARY);
    assert_int_equal(exchange_log_in(x, MOX_SASL_OAUTHBEARER), MOX_EDENIED);
    assert_failed(x, MOX_SASL_FAILED_TEMPORARY);
    x->tls.has_client_key = false;
    assert_int_equal(exchange_log_in(x, MOX_SASL_EXTERNAL), MOX_EDENIED);
    assert_failed(x, MOX_SASL_FAILED_CREDENTIALS);
    assert_int_equal(x->asked[MOX_SASL_ASK_CERTIFICATE], 0);
}

#ifdef MOX_HAVE_IDN
/* Keyboards of one kind type é as two characters, others as one. */
static void names_and_passwords_are_the_same_in_any_form(void **state)
{
    struct exchange *x = *state;
    exchange_use_tls(x);
    x->client.username = "e\xcc\x81";
    for (size_t i = 0; i < MECHANISMS; i++) {
        x->client.authorize = all[i] == MOX_SASL_EXTERNAL ? x->client.username : NULL;
        assert_int_equal(exchange_log_in(x, all[i]), MOX_EDENIED);
        assert_failed(x, MOX_SASL_FAILED_CREDENTIALS);
        assert_string_equal(mox_sasl_server_username(x->server), "\xc3\xa9");
    }
}

static void servers_normalize_names_of_clear_text(void **state)
{
    struct exchange *x = *state;
    exchange_start(x, MOX_SASL_PLAIN);
    exchange_say_bytes(x, "e\xcc\x81\0e\xcc\x81\0secret", 14);
    assert_failed(x, MOX_SASL_FAILED_CREDENTIALS);
    assert_string_equal(mox_sasl_server_username(x->server), "\xc3\xa9");
    exchange_start(x, MOX_SASL_LOGIN);
    exchange_say(x, "e\xcc\x81");
    assert_string_equal(mox_sasl_server_username(x->server), "\xc3\xa9");
}
#endif

/* ---- nobody learns who exists ---- */

/* The messages of a dialogue with the characters of base64 made one. */
static char shape[8192];

static struct mox_slice draw(struct exchange *x, bool from_server, struct mox_slice message)
{
    (void)x;
    if (!from_server)
        return message;
    size_t len = strlen(shape);
    bool is_error = message.len > 2 && message.data[0] == 'e' && message.data[1] == '=';
    assert_true(len + message.len + 2 < sizeof shape);
    for (size_t i = 0; i < message.len; i++) {
        uint8_t c = message.data[i];
        bool any = !is_error && (is_alpha(c) || is_digit(c) || c == '/' || c == '+');
        shape[len++] = any ? 'x' : (char)c;
    }
    shape[len++] = '\n';
    shape[len] = '\0';
    return message;
}

static void draw_log_in(struct exchange *x, enum mox_sasl_mechanism m, char out[sizeof shape])
{
    shape[0] = '\0';
    assert_int_equal(exchange_log_in(x, m), MOX_EDENIED);
    assert_failed(x, MOX_SASL_FAILED_CREDENTIALS);
    memcpy(out, shape, sizeof shape);
}

static void unknown_users_look_like_wrong_passwords(void **state)
{
    struct exchange *x = *state;
    static char wrong[sizeof shape], unknown[sizeof shape], without[sizeof shape];
    exchange_use_tls(x);
    x->alter = draw;
    for (size_t i = 0; i < 7; i++) {
        enum hash h =
            strstr(mox_sasl_mechanism_name(all[i]), "256") != NULL ? HASH_SHA256 : HASH_SHA1;
        exchange_set_iterations(x,
                                h == HASH_SHA256 ? SCRAM_ITERATIONS_SHA256 : SCRAM_ITERATIONS_SHA1);
        x->client.username = "user";
        x->client.password = "crayon";
        draw_log_in(x, all[i], wrong);
        x->scram_sha_1 = x->scram_sha_256 = NULL;
        const char *record = x->cram_md5;
        x->cram_md5 = NULL;
        draw_log_in(x, all[i], without);
        x->cram_md5 = record;
        x->client.username = "nobo";
        draw_log_in(x, all[i], unknown);
        print_message("%s\n%s", mox_sasl_mechanism_name(all[i]), wrong);
        assert_string_equal(wrong, unknown);
        assert_string_equal(wrong, without);
        assert_true(!is_scram(all[i]) || strstr(wrong, "e=invalid-proof") != NULL);
    }
}

/* ---- changed messages ---- */

/* Which message is changed, and how. */
struct change {
    unsigned message, seen;
    size_t at;
    int kind;
    bool changed, from_server;
    uint8_t bytes[16384];
};

enum { FLIP_LOW, FLIP_CASE, FLIP_HIGH, DROP, DOUBLE, CUT, KINDS };

static struct mox_slice change(struct exchange *x, bool from_server, struct mox_slice message)
{
    struct change *c = x->alter_user;
    static const uint8_t masks[] = {0x01, 0x20, 0x80};
    if (c->seen++ != c->message || c->at >= message.len || message.len >= sizeof c->bytes)
        return message;
    c->changed = true;
    c->from_server = from_server;
    memcpy(c->bytes, message.data, message.len);
    switch (c->kind) {
    case DROP:
        memmove(c->bytes + c->at, c->bytes + c->at + 1, message.len - c->at - 1);
        return slice(c->bytes, message.len - 1);
    case DOUBLE:
        memmove(c->bytes + c->at + 1, c->bytes + c->at, message.len - c->at);
        return slice(c->bytes, message.len + 1);
    case CUT:
        return slice(c->bytes, c->at);
    default:
        c->bytes[c->at] ^= masks[c->kind];
        return slice(c->bytes, message.len);
    }
}

/* What may be changed without harm. PLAIN and LOGIN: what the server says. CRAM-MD5: the case of
 * hexadecimal digits. OAUTHBEARER: host, port and the case of "Bearer". EXTERNAL says nothing. */
static void changed_messages_never_let_in_with_scram(void **state)
{
    struct exchange *x = *state;
    struct change *c = calloc(1, sizeof *c);
    assert_non_null(c);
    exchange_use_tls(x);
    exchange_set_iterations(x, 2);
    x->client.min_iterations = 2;
    x->client.max_iterations = 99999;
    x->alter = change;
    x->alter_user = c;
    for (size_t i = 0; i < MECHANISMS; i++) {
        unsigned tried = 0;
        for (c->message = 0; c->message < 6; c->message++)
            for (c->kind = 0; c->kind < KINDS; c->kind++)
                for (c->at = 0;; c->at++) {
                    c->changed = false;
                    c->seen = 0;
                    int rc = exchange_log_in(x, all[i]);
                    if (!c->changed)
                        break;
                    tried++;
                    assert_true(x->step == MOX_SASL_SUCCESS || x->step == MOX_SASL_FAILURE);
                    assert_true(rc != MOX_OK || x->step == MOX_SASL_SUCCESS);
                    assert_true(rc != MOX_OK || !is_scram(all[i]));
                    if (rc == MOX_OK)
                        assert_string_equal(mox_sasl_server_username(x->server), "user");
                }
        print_message("%s: %u changes\n", mox_sasl_mechanism_name(all[i]), tried);
        assert_true(tried > 0 || all[i] == MOX_SASL_EXTERNAL);
    }
    free(c);
}

/* ---- memory ---- */

static void each_allocation_may_fail(void **state)
{
    struct exchange *x = *state;
    exchange_use_tls(x);
    exchange_set_iterations(x, 2);
    x->client.min_iterations = 2;
    x->client.username = x->client.authorize = "\xc3\xa9";
    for (size_t i = 0; i < MECHANISMS; i++) {
        int rc = MOX_ENOMEM;
        long before = x->t.live;
        for (long n = 1; rc != MOX_OK; n++) {
            assert_true(n < 100);
            x->t.allocations = 0;
            x->t.fail_at = n;
            rc = exchange_log_in(x, all[i]);
            bool failed = x->t.allocations >= n;
            x->t.fail_at = 0;
            if (!failed)
                break;
            assert_true(rc < 0);
            assert_int_not_equal(x->step, MOX_SASL_SUCCESS);
        }
        mox_sasl_server_free(x->server);
        x->server = NULL;
        assert_int_equal(x->t.live, before);
    }
}

/* Looks at each block that is freed or may move. */
static const uint8_t *secrets[4];
static size_t secret_lens[4];
static bool saw_secret;
#define OWN_HEADER 16

static void *watching(void *user, void *ptr, size_t size)
{
    (void)user;
    uint8_t *block = ptr == NULL ? NULL : (uint8_t *)ptr - OWN_HEADER;
    size_t old = 0;
    if (block != NULL)
        memcpy(&old, block, sizeof old);
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; secrets[k] != NULL && i + secret_lens[k] <= old; i++)
            saw_secret =
                saw_secret || memcmp(block + OWN_HEADER + i, secrets[k], secret_lens[k]) == 0;
    if (size == 0) {
        free(block);
        return NULL;
    }
    uint8_t *grown = calloc(1, size + OWN_HEADER);
    assert_non_null(grown);
    if (block != NULL)
        memcpy(grown + OWN_HEADER, ptr, old < size ? old : size);
    free(block);
    memcpy(grown, &size, sizeof size);
    return grown + OWN_HEADER;
}

static void secrets_are_wiped(void **state)
{
    struct exchange *x = *state;
    struct scram_record r;
    static char password[600];
    void *(*inner)(void *, void *, size_t) = x->t.env.realloc;
    exchange_use_tls(x);
    assert_int_equal(mox__scram_parse(&r, HASH_SHA256, x->scram_sha_256), MOX_OK);
    for (int round = 0; round < 2; round++) {
        if (round == 1) { /* wrong, and of a length for which buffers would grow */
            memset(password, 'x', sizeof password - 1);
            x->client.password = password;
        }
        secrets[0] = (const uint8_t *)x->client.password;
        secret_lens[0] = strlen(x->client.password);
        secrets[1] = (const uint8_t *)"t0ken";
        secret_lens[1] = 5;
        secrets[2] = r.server_key;
        secrets[3] = r.stored_key;
        secret_lens[2] = secret_lens[3] = 32;
        saw_secret = false;
        x->t.env.realloc = watching;
        for (size_t i = 0; i < MECHANISMS; i++) {
            (void)exchange_log_in(x, all[i]);
            mox_sasl_server_free(x->server);
            x->server = NULL;
            if (saw_secret)
                fail_msg("%s leaves a secret", mox_sasl_mechanism_name(all[i]));
        }
        x->t.env.realloc = inner;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SASL_TEST(the_right_user_is_let_in),
        SASL_TEST(wrong_secrets_are_refused),
        SASL_TEST(unknown_users_are_refused),
        SASL_TEST(disabled_users_are_told_so_and_get_no_signature),
        SASL_TEST(trouble_of_the_host_is_nobodys_guess),
        SASL_TEST(nobody_acts_for_somebody_else),
        SASL_TEST(certificate_and_token_say_who_it_is),
#ifdef MOX_HAVE_IDN
        SASL_TEST(names_and_passwords_are_the_same_in_any_form),
        SASL_TEST(servers_normalize_names_of_clear_text),
#endif
        SASL_TEST(unknown_users_look_like_wrong_passwords),
        SASL_TEST(changed_messages_never_let_in_with_scram),
        SASL_TEST(each_allocation_may_fail),
        SASL_TEST(secrets_are_wiped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
