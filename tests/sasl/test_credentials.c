/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "sasl/credentials.h"
#include "sasl/md5.h"
#include "support/cm.h"
#include "support/testenv.h"

static const struct password_cost cheap = {.passes = 1, .memory = 8192};

static struct mox_slice decode(struct buf *b, const char *base64)
{
    mox__buf_clear(b);
    assert_int_equal(mox__base64_decode(b, slice_of(base64)), MOX_OK);
    return slice(b->data, b->len);
}

/* The exchanges that the RFCs print, user "user", password "pencil". */
static const struct {
    enum hash hash;
    const char *salt, *auth_message, *proof, *signature;
} scram_vectors[] = {
    {HASH_SHA1, "QSXCR+Q6sek8bf92", /* RFC 5802 §5 */
     "n=user,r=fyko+d2lbbFgONRv9qkxdawL,"
     "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096,"
     "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j",
     "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "rmF9pqV8S7suAoZWja4dJRkFsKQ="},
    {HASH_SHA256, "W22ZaJ0SNY7soEsUEjb6gQ==", /* RFC 7677 §3 */
     "n=user,r=rOprNGfwEbeRWgbNEkqO,"
     "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
     "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
     "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
     "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
};

static void scram_agrees_with_the_rfcs(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct buf salt, proof, signature;
    mox__buf_init(&salt, &t.env, 100);
    mox__buf_init(&proof, &t.env, 100);
    mox__buf_init(&signature, &t.env, 100);
    for (size_t i = 0; i < 2; i++) {
        enum hash h = scram_vectors[i].hash;
        struct scram_record r;
        uint8_t ours[HASH_MAX];
        mox__scram_derive(&r, h, slice_of("pencil"), decode(&salt, scram_vectors[i].salt), 4096);
        struct mox_slice client = decode(&proof, scram_vectors[i].proof);
        assert_true(mox__scram_verify(&r, slice_of(scram_vectors[i].auth_message), client, ours));
        struct mox_slice server = decode(&signature, scram_vectors[i].signature);
        assert_int_equal(server.len, mox__hash_len(h));
        assert_memory_equal(ours, server.data, server.len);
        proof.data[3] ^= 1;
        assert_false(mox__scram_verify(&r, slice_of(scram_vectors[i].auth_message), client, ours));
        assert_false(mox__scram_verify(&r, slice_of(scram_vectors[i].auth_message),
                                       slice(client.data, client.len - 1), ours));
    }
    mox__buf_free(&salt);
    mox__buf_free(&proof);
    mox__buf_free(&signature);
    test_env_done(&t);
}

static void records_hold_what_was_derived(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    char records[CREDENTIAL_COUNT][CREDENTIAL_MAX];
    struct mox_slice password = slice_of("correct horse battery staple");
    assert_int_equal(mox__credentials_derive(records, &t.env, password, &cheap), MOX_OK);

    static const enum credential kinds[] = {CREDENTIAL_SCRAM_SHA1, CREDENTIAL_SCRAM_SHA256};
    static const enum hash hashes[] = {HASH_SHA1, HASH_SHA256};
    static const unsigned iterations[] = {8192, 10000};
    for (size_t i = 0; i < 2; i++) {
        struct scram_record r, again;
        assert_int_equal(mox__scram_parse(&r, hashes[i], records[kinds[i]]), MOX_OK);
        assert_int_equal(r.iterations, iterations[i]);
        assert_int_equal(r.salt_len, 12);
        mox__scram_derive(&again, hashes[i], password, slice(r.salt, r.salt_len), r.iterations);
        assert_memory_equal(&r, &again, sizeof r);
        for (size_t len = strlen(records[kinds[i]]); len-- > 0;) {
            records[kinds[i]][len] = '\0';
            struct scram_record cut;
            if (mox__scram_parse(&cut, hashes[i], records[kinds[i]]) == MOX_OK)
                assert_memory_equal(&cut, &r, sizeof r); /* only padding was cut */
        }
    }
    assert_int_equal(mox__password_verify(&t.env, records[CREDENTIAL_PASSWORD], password), MOX_OK);
    assert_int_equal(mox__password_verify(&t.env, records[CREDENTIAL_PASSWORD],
                                          slice_of("correct horse battery stapler")),
                     MOX_EDENIED);
    assert_null(strstr(records[CREDENTIAL_CRAM_MD5], "correct"));
    test_env_done(&t);
}

static void hosts_make_records_of_their_own(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    char record[MOX_SASL_RECORD_MAX];
    struct scram_record r;
    struct mox_error err = {0};
    assert_int_equal(mox_sasl_record(record, &t.env, "scram-sha-1", "pencil", &err), MOX_OK);
    assert_int_equal(mox__scram_parse(&r, HASH_SHA1, record), MOX_OK);
    assert_int_equal(r.iterations, 8192);
    assert_int_equal(mox_sasl_record(record, &t.env, "scram-sha-256", "pencil", &err), MOX_OK);
    assert_int_equal(mox__scram_parse(&r, HASH_SHA256, record), MOX_OK);
    assert_int_equal(r.iterations, 10000);
    assert_int_equal(mox_sasl_record(record, &t.env, "cram-md5", "pencil", &err), MOX_OK);
    assert_true(mox__cram_md5_is_record(record));
    assert_int_equal(mox_sasl_record(record, &t.env, "password", "pencil", &err), MOX_EINVAL);
    assert_int_equal(mox_sasl_record(record, &t.env, "cram-md5", "\x01", &err), MOX_EDENIED);
    assert_string_equal(record, "");
    test_env_done(&t);
}

/* RFC 2195 §2, and a password of more than one block of MD5. */
static void cram_md5_agrees_with_the_rfc(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    static const uint8_t digest[16] = {0xb9, 0x13, 0xa6, 0x02, 0xc7, 0xed, 0xa7, 0xa4,
                                       0x95, 0xb4, 0xe6, 0xe7, 0x33, 0x4d, 0x38, 0x90};
    struct mox_slice challenge = slice_of("<1896.697170952@postoffice.reston.mci.net>");
    char records[CREDENTIAL_COUNT][CREDENTIAL_MAX];
    assert_int_equal(mox__credentials_derive(records, &t.env, slice_of("tanstaaftanstaaf"), &cheap),
                     MOX_OK);
    assert_true(mox__cram_md5_verify(records[CREDENTIAL_CRAM_MD5], challenge, digest));
    assert_false(mox__cram_md5_verify(records[CREDENTIAL_CRAM_MD5], slice_of("<other>"), digest));
    assert_false(mox__cram_md5_verify("0123", challenge, digest));

    char long_password[101];
    memset(long_password, 'x', 100);
    long_password[100] = '\0';
    uint8_t mac[HASH_MAX];
    mox__hmac(HASH_MD5, slice_of(long_password), challenge, mac);
    assert_int_equal(mox__credentials_derive(records, &t.env, slice_of(long_password), &cheap),
                     MOX_OK);
    assert_true(mox__cram_md5_verify(records[CREDENTIAL_CRAM_MD5], challenge, mac));
    test_env_done(&t);
}

static void our_md5_agrees_with_the_library(void **state)
{
    (void)state;
    uint8_t data[300], ours[16], theirs[HASH_MAX];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    struct md5_state start;
    mox__md5_start(&start);
    for (size_t len = 0; len <= sizeof data; len++) {
        mox__md5_finish(&start, 0, slice(data, len), ours);
        mox__hash(HASH_MD5, slice(data, len), theirs);
        assert_memory_equal(ours, theirs, 16);
    }
}

static void bcrypt_records_of_others_are_verified(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    const char *record = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    assert_int_equal(mox__password_verify(&t.env, record, slice_of("U*U")), MOX_OK);
    assert_int_equal(mox__password_verify(&t.env, record, slice_of("U*V")), MOX_EDENIED);
    assert_int_equal(mox__password_verify(&t.env, "", slice_of("U*U")), MOX_EDENIED);
    assert_int_equal(mox__password_verify(&t.env, "*0", slice_of("U*U")), MOX_EDENIED);
    assert_int_equal(mox__password_verify(&t.env, "$argon2id$garbage", slice_of("U*U")),
                     MOX_EDENIED);
    char long_password[80];
    memset(long_password, 'x', 79);
    long_password[79] = '\0';
    assert_int_equal(mox__password_verify(&t.env, record, slice_of(long_password)), MOX_EDENIED);
    test_env_done(&t);
}

/* RFC 8265 §4.3. */
static const struct {
    const char *in, *out; /* NULL: refused */
} opaque[] = {
    {"correct horse battery staple", "correct horse battery staple"},
    {"Correct Horse Battery Staple", "Correct Horse Battery Staple"},
    {"", NULL},
    {"my cat is a \x09 by", NULL},
    {"\x7f", NULL},
    {"\xff", NULL}, /* no UTF-8 */
#ifdef MOX_HAVE_IDN
    {"\xcf\x80\xc3\x9f\xc3\xa5", "\xcf\x80\xc3\x9f\xc3\xa5"},
    {"Jack of \xe2\x99\xa6s", "Jack of \xe2\x99\xa6s"},
    {"foo\xe1\x9a\x80"
     "bar",
     "foo bar"},               /* OGHAM SPACE MARK */
    {"e\xcc\x81", "\xc3\xa9"}, /* NFC */
    {"a\xe2\x80\x8d"
     "b",
     NULL}, /* ZERO WIDTH JOINER without a virama */
    {"\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d", "\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d"},
    {"a\xc2\xad"
     "b",
     NULL},                     /* SOFT HYPHEN */
    {"\xe1\x84\x80", NULL},     /* old Hangul */
    {"\xef\xbf\xbe", NULL},     /* U+FFFE */
    {"\xee\x80\x80", NULL},     /* private use */
    {"\xd9\xa1\xdb\xb1", NULL}, /* both kinds of Arabic digits */
    {"l\xc2\xb7l", "l\xc2\xb7l"},
    {"a\xc2\xb7l", NULL},
    {"\xef\xbc\xa1", "\xef\xbc\xa1"}, /* full width stays */
    /* ZERO WIDTH NON-JOINER between letters that join, also with a mark; not behind one that does not */
    {"\xd9\x86\xe2\x80\x8c\xd8\xa7", "\xd9\x86\xe2\x80\x8c\xd8\xa7"},
    {"\xd9\x86\xd9\x8e\xe2\x80\x8c\xd9\x85", "\xd9\x86\xd9\x8e\xe2\x80\x8c\xd9\x85"},
    {"\xd8\xa7\xe2\x80\x8c\xd9\x86", NULL},
    {"\xd9\x86\xe2\x80\x8c", NULL},
    {"\xe2\x80\x8c\xd9\x86", NULL},
    {"\xd9\x86\xe2\x80\x8d\xd9\x86", NULL}, /* ZERO WIDTH JOINER there */
    {"\xe3\x83\xbb", NULL},                 /* KATAKANA MIDDLE DOT alone */
    {"a\xe3\x83\xbb\xe3\x82\xab", "a\xe3\x83\xbb\xe3\x82\xab"},
    {"\xcd\xb5\xce\xb1", "\xcd\xb5\xce\xb1"}, /* GREEK LOWER NUMERAL SIGN */
    {"\xcd\xb5z", NULL},
    {"\xd7\x90\xd7\xb3", "\xd7\x90\xd7\xb3"}, /* HEBREW PUNCTUATION GERESH */
    {"x\xd7\xb3", NULL},
    {"\xdb\xb1\xd9\xa1", NULL},   /* both kinds of Arabic digits, the other way round */
    {"\xe2\x84\xa6", "\xce\xa9"}, /* OHM SIGN is NFC's OMEGA */
    {"\xe1\x84\x80\xe1\x85\xa1", "\xea\xb0\x80"}, /* Hangul as macOS writes it */
#else
    {"\xcf\x80", NULL},
#endif
};

static void passwords_are_prepared(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    for (size_t i = 0; i < sizeof opaque / sizeof opaque[0]; i++) {
        struct buf out;
        struct mox_error err = {0};
        mox__buf_init(&out, &t.env, 1000);
        int rc = mox__password_prepare(&out, opaque[i].in, &err);
        print_message("case %zu\n", i);
        if (opaque[i].out == NULL) {
            assert_int_equal(rc, MOX_EDENIED);
            assert_true(err.text[0] != '\0');
        } else {
            assert_int_equal(rc, MOX_OK);
            assert_true(mox__slice_is(slice(out.data, out.len), opaque[i].out));
        }
        mox__buf_free(&out);
    }
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scram_agrees_with_the_rfcs),
        cmocka_unit_test(records_hold_what_was_derived),
        cmocka_unit_test(hosts_make_records_of_their_own),
        cmocka_unit_test(cram_md5_agrees_with_the_rfc),
        cmocka_unit_test(our_md5_agrees_with_the_library),
        cmocka_unit_test(bcrypt_records_of_others_are_verified),
        cmocka_unit_test(passwords_are_prepared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
