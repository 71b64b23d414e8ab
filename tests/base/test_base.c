/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mox/log.h>
#include <mox/spool.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/ip.h"
#include "base/logfmt.h"
#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

/* The first and the last that there are. */
static void every_status_has_a_text(void **state)
{
    (void)state;
    assert_string_equal(mox_status_text(MOX_EFILES - 1), "unknown status");
    for (int status = MOX_EFILES; status <= MOX_NEED_FACTS; status++)
        assert_string_not_equal(mox_status_text(status), "unknown status");
    assert_string_equal(mox_status_text(MOX_NEED_FACTS + 1), "unknown status");
}

static void buf_that_overflowed_stays_failed(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct buf b;
    mox__buf_init(&b, &t.env, 10);
    mox__buf_text(&b, "12345678");
    mox__buf_text(&b, "90a");
    assert_true(b.failed);
    mox__buf_text(&b, "x");
    assert_int_equal(b.len, 8);
    mox__buf_clear(&b);
    mox__buf_printf(&b, "%s", "1234567890");
    assert_true(b.failed == (b.len != 10)); /* printf may want room for its NUL */
    mox__buf_free(&b);
    test_env_done(&t);
}

static void arena_gives_zeroed_memory_up_to_its_limit(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct arena a;
    mox__arena_init(&a, &t.env, 10000);
    assert_null(mox__arena_alloc(&a, SIZE_MAX / 2, 4));
    uint64_t *n = arena_new(&a, uint64_t, 3);
    assert_non_null(n);
    assert_int_equal(n[2], 0);
    assert_non_null(mox__arena_alloc(&a, 1, 9000));
    assert_null(mox__arena_alloc(&a, 1, 2000));
    assert_string_equal(mox__arena_strndup(&a, "abcdef", 3), "abc");
    mox__arena_reset(&a);
    assert_int_equal(t.live, 0);
    test_env_done(&t);
}

static void base64_follows_rfc4648(void **state)
{
    (void)state;
    static const char *const vectors[][2] = {
        {"", ""},         {"f", "Zg=="},         {"fo", "Zm8="},        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"},
    };
    static const char *const bad[] = {"Z", "Zg=", "Zh==", "Zm9=", "Z===", "Zm9v\n", "Z g="};
    struct test_env t;
    test_env_init(&t);
    struct buf b;
    mox__buf_init(&b, &t.env, 100);
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        mox__buf_clear(&b);
        mox__base64_encode(&b, slice_of(vectors[i][0]));
        assert_true(mox__slice_is(slice(b.data, b.len), vectors[i][1]));
        mox__buf_clear(&b);
        assert_int_equal(mox__base64_decode(&b, slice_of(vectors[i][1])), MOX_OK);
        assert_true(mox__slice_is(slice(b.data, b.len), vectors[i][0]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(mox__base64_decode(&b, slice_of(bad[i])), MOX_ESYNTAX);
    mox__buf_free(&b);
    test_env_done(&t);
}

static void assert_hex(const uint8_t *data, size_t len, const char *hex)
{
    char text[2 * HASH_MAX + 1];
    for (size_t i = 0; i < len; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", data[i]);
    assert_string_equal(text, hex);
}

static void hashes_match_published_vectors(void **state)
{
    (void)state;
    assert_int_equal(mox__crypto_init(), MOX_OK);
    uint8_t out[HASH_MAX];
    mox__hash(HASH_MD5, slice_of("abc"), out); /* RFC 1321 A.5 */
    assert_hex(out, 16, "900150983cd24fb0d6963f7d28e17f72");
    mox__hash(HASH_SHA1, slice_of("abc"), out); /* RFC 3174 §7.3 */
    assert_hex(out, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
    mox__hash(HASH_SHA256, slice_of("abc"), out); /* FIPS 180-2 B.1 */
    assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    mox__hash(HASH_SHA256, slice(NULL, 0), out);
    assert_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    mox__hmac(HASH_MD5, slice_of("Jefe"), slice_of("what do ya want for nothing?"), out);
    assert_hex(out, 16, "750c783e6ab0b503eaa86e310a5db738"); /* RFC 2202 §2 */
    mox__pbkdf2(HASH_SHA1, slice_of("password"), slice_of("salt"), 4096, out);
    assert_hex(out, 20, "4b007901b765489abead49d926f721d065a429c1");        /* RFC 6070 §2 */
    mox__pbkdf2(HASH_SHA256, slice_of("passwd"), slice_of("salt"), 1, out); /* RFC 7914 §11 */
    assert_hex(out, 32, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
    uint8_t
        key[131]; /* longer than a block: RFC 4231 §4.7, RFC 2202 §3 case 6 for 80 bytes of it */
    struct mox_slice data = slice_of("Test Using Larger Than Block-Size Key - Hash Key First");
    memset(key, 0xaa, sizeof key);
    mox__hmac(HASH_SHA256, slice(key, sizeof key), data, out);
    assert_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    mox__hmac(HASH_SHA1, slice(key, 80), data, out);
    assert_hex(out, 20, "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

/* Sanitizers take memory in advance, and end where there is none. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static void take_all_memory(void)
{
    const struct rlimit none = {.rlim_cur = 1, .rlim_max = 1};
    if (setrlimit(RLIMIT_AS, &none) != 0)
        _exit(2);
    for (size_t size = (size_t)1 << 20; size >= 16; size /= 2) {
        void *volatile taken;
        do
            taken = malloc(size);
        while (taken != NULL);
    }
}

/* A key of zeros in place of that of a password would let everybody in. */
static void hashes_need_no_memory(void **state)
{
    (void)state;
#ifdef SANITIZED
    skip();
#endif
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        uint8_t out[HASH_MAX] = {0}, mac[HASH_MAX] = {0};
        take_all_memory();
        mox__pbkdf2(HASH_SHA1, slice_of("password"), slice_of("salt"), 4096, out);
        mox__hmac(HASH_MD5, slice_of("Jefe"), slice_of("what do ya want for nothing?"), mac);
        _exit(out[0] == 0x4b && out[19] == 0xc1 && mac[0] == 0x75 && mac[15] == 0x38 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void received_id_block_is_reversible(void **state)
{
    (void)state;
    uint8_t key[16] = {1, 2, 3}, in[16] = "0123456789abcde", out[16], back[16];
    mox__aes128_encrypt_block(key, in, out);
    assert_memory_not_equal(in, out, 16);
    mox__aes128_decrypt_block(key, out, back);
    assert_memory_equal(in, back, 16);
}

static void ip_addresses_are_masked_by_class(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned class;
        const char *masked;
    } cases[] = {
        {"192.0.2.255", 1, "192.0.2.255"},    {"192.0.2.255", 2, "192.0.2.192"},
        {"192.0.255.255", 3, "192.0.248.0"},  {"2001:db8:1:2:3::4", 1, "2001:db8:1:2::"},
        {"2001:db8:1:2:3::4", 2, "2001:db8:1::"}, {"2001:db8:1::1", 3, "2001:db8::"},
        {"::ffff:192.0.2.1", 1, "192.0.2.1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ip ip, masked;
        char text[IP_TEXT_MAX];
        assert_true(mox__ip_parse(slice_of(cases[i].text), &ip));
        mox__ip_mask(&ip, cases[i].class, &masked);
        mox__ip_format(&masked, text);
        assert_string_equal(text, cases[i].masked);
    }
    struct ip ip;
    assert_false(mox__ip_parse(slice_of("192.0.2"), &ip));
    assert_false(mox__ip_parse(slice_of(""), &ip));
    assert_false(mox__ip_parse(slice("1.2.3.4\0x", 9), &ip));
}

static void quoted_strings_say_what_was_quoted(void **state)
{
    (void)state;
    static const struct {
        const char *text, *quoted;
    } cases[] = {{"", "\"\""}, {"a b", "\"a b\""}, {"\"", "\"\\\"\""}, {"\\a\\", "\"\\\\a\\\\\""}};
    char memory[40], plain[40];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf b = buf_over(memory, sizeof memory), back = buf_over(plain, sizeof plain);
        mox__buf_quoted(&b, slice_of(cases[i].text));
        assert_true(mox__slice_is(slice(b.data, b.len), cases[i].quoted));
        mox__buf_unquoted(&back, slice(b.data + 1, b.len - 2));
        assert_true(mox__slice_is(slice(back.data, back.len), cases[i].text));
    }
    struct buf folded = buf_over(memory, sizeof memory);
    mox__buf_unquoted(&folded, slice_of("a\r\n b\\"));
    assert_true(mox__slice_is(slice(folded.data, folded.len), "a b\\"));
    struct buf full = buf_over(memory, 3);
    mox__buf_quoted(&full, slice_of("ab"));
    assert_true(full.failed);
}

static void addresses_that_the_internet_has_are_told_from_others(void **state)
{
    (void)state;
    static const char *const is_public[] = {"8.8.8.8", "100.63.0.1", "100.128.0.1", "172.15.0.1",
                                            "172.32.0.1", "192.167.1.1", "223.255.255.255",
                                            "2001:db8::1", "::ffff:8.8.8.8"};
    static const char *const others[] = {"0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1",
                                         "169.254.1.1", "172.16.0.1", "172.31.255.1", "192.168.0.1",
                                         "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1",
                                         "fd00::1", "ff02::1", "::ffff:10.0.0.1"};
    struct ip ip;
    for (size_t i = 0; i < sizeof is_public / sizeof is_public[0]; i++)
        assert_true(mox__ip_parse(slice_of(is_public[i]), &ip) && mox__ip_is_public(&ip));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_true(mox__ip_parse(slice_of(others[i]), &ip) && !mox__ip_is_public(&ip));
        assert_int_equal(mox__ip_is_unspecified(&ip), i == 0 || i == 10);
    }
}

static void numbers_and_utf8_are_checked_to_the_end(void **state)
{
    (void)state;
    uint64_t n;
    assert_true(mox__slice_uint(slice_of("4294967295"), UINT32_MAX, &n));
    assert_false(mox__slice_uint(slice_of("4294967296"), UINT32_MAX, &n));
    assert_true(mox__slice_uint(slice_of("18446744073709551615"), UINT64_MAX, &n));
    assert_false(mox__slice_uint(slice_of("18446744073709551616"), UINT64_MAX, &n));
    assert_true(mox__slice_uint(slice_of("0"), 0, &n));
    assert_false(mox__slice_uint(slice_of("1"), 0, &n));
    assert_false(mox__slice_uint(slice_of("7"), 3, &n));
    assert_false(mox__slice_uint(slice_of("10"), 9, &n));
    assert_false(mox__slice_uint(slice_of("1x"), 99, &n));
    assert_false(mox__slice_uint(slice_of(""), 99, &n));
    assert_true(mox__slice_is_utf8(slice_of("h\xc3\xa9 \xe2\x98\xba \xf0\x9f\x98\x80")));
    static const char *const bad[] = {"\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80",
                                      "\xe2\x98", "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(mox__slice_is_utf8(slice_of(bad[i])));
}

static void log_values_are_quoted_when_needed(void **state)
{
    (void)state;
    const struct mox_log_field fields[] = {
        {.key = "a", .type = MOX_LOG_TEXT, .value = {.text = "plain"}},
        {.key = "b", .type = MOX_LOG_TEXT, .value = {.text = "two words"}},
        {.key = "c", .type = MOX_LOG_TEXT, .value = {.text = ""}},
        {.key = "d", .type = MOX_LOG_TEXT, .value = {.text = "x=\"\\\n"}},
        {.key = "cid", .type = MOX_LOG_HEX, .value = {.u = 31}},
        {.key = "t", .type = MOX_LOG_DURATION, .value = {.i = 1500000}},
        {.key = "w", .type = MOX_LOG_TIME, .value = {.i = 0}},
    };
    struct mox_log_line line = {MOX_LOG_TRACEAUTH, "pkg", "a message", "bad", fields, 7};
    char out[512];
    size_t len = mox__logfmt(&line, false, out, sizeof out);
    assert_true(mox__slice_is(slice(out, len),
                              "l=trace m=\"a message\" err=bad pkg=pkg a=plain b=\"two words\" c=\"\""
                              " d=\"x=\\\"\\\\\\n\" cid=1f t=1.500s w=1970-01-01T00:00:00Z\n"));
    len = mox__logfmt(&line, false, out, 10);
    assert_int_equal(len, 10);
    assert_int_equal(out[9], '\n');
}

static void package_levels_win_over_the_default(void **state)
{
    (void)state;
    struct mox_logger *logger;
    assert_int_equal(mox_logger_new(&logger, STDERR_FILENO), MOX_OK);
    struct mox_env env;
    mox_env_system(&env);
    mox_logger_attach(logger, &env);
    assert_true(env.log_enabled(env.log_user, MOX_LOG_INFO, "store"));
    assert_false(env.log_enabled(env.log_user, MOX_LOG_DEBUG, "store"));
    assert_int_equal(mox_logger_level(logger, "store", MOX_LOG_TRACE), MOX_OK);
    assert_true(env.log_enabled(env.log_user, MOX_LOG_TRACE, "store"));
    assert_false(env.log_enabled(env.log_user, MOX_LOG_TRACEAUTH, "store"));
    assert_false(env.log_enabled(env.log_user, MOX_LOG_DEBUG, "smtpserver"));
    assert_int_equal(mox_logger_level_clear(logger, "store"), MOX_OK);
    assert_int_equal(mox_logger_level_clear(logger, "store"), MOX_ENOTFOUND);
    assert_false(env.log_enabled(env.log_user, MOX_LOG_TRACE, "store"));
    mox_logger_free(logger);
}

static void spool_moves_to_a_file_and_stays_one_range(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    char dir[] = "/tmp/mox-test.XXXXXX", linked[64];
    assert_non_null(mkdtemp(dir));
    (void)snprintf(linked, sizeof linked, "%s/kept", dir);
    struct mox_spool *s;
    assert_int_equal(mox_spool_new(&s, &t.env, dir, 300000), MOX_OK);
    uint8_t chunk[1000];
    for (int i = 0; i < 200; i++) {
        memset(chunk, i, sizeof chunk);
        assert_int_equal(mox_spool_write(s, slice(chunk, sizeof chunk)), MOX_OK);
        assert_int_equal(mox_spool_fd(s) >= 0, i >= 131);
    }
    struct mox_slice all;
    assert_int_equal(mox_spool_bytes(s, &all), MOX_OK);
    assert_int_equal(all.len, 200000);
    for (size_t i = 0; i < all.len; i++)
        assert_int_equal(all.data[i], i / 1000);
    assert_int_equal(mox_spool_link(s, linked), MOX_OK);
    assert_int_equal(mox_spool_link(s, linked), MOX_EEXISTS);
    mox_spool_free(s);
    assert_int_equal(mox_spool_new(&s, &t.env, dir, 1500), MOX_OK);
    assert_int_equal(mox_spool_write(s, slice(chunk, sizeof chunk)), MOX_OK);
    assert_int_equal(mox_spool_write(s, slice(chunk, sizeof chunk)), MOX_ELIMIT);
    assert_int_equal(mox_spool_write(s, slice(chunk, 1)), MOX_ELIMIT); /* a failure sticks */
    assert_int_equal(mox_spool_size(s), 1000);
    mox_spool_free(s);
    assert_int_equal(unlink(linked), 0);
    assert_int_equal(rmdir(dir), 0);
    test_env_done(&t);
}

static void addresses_may_have_ports(void **state)
{
    (void)state;
    static const struct {
        const char *text, *ip; /* NULL: it is none */
        uint16_t port;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", 7},     {"192.0.2.1:53", "192.0.2.1", 53},
        {"2001:db8::1", "2001:db8::1", 7}, {"[2001:db8::1]", "2001:db8::1", 7},
        {"[::1]:5353", "::1", 5353},       {"::1", "::1", 7},
        {"", NULL, 0},                     {"1.2.3", NULL, 0},
        {"192.0.2.1:", NULL, 0},           {"192.0.2.1:0", NULL, 0},
        {"192.0.2.1:65536", NULL, 0},      {"[::1", NULL, 0},
        {"[::1]5353", NULL, 0},            {"[]:53", NULL, 0},
        {"localhost:53", NULL, 0},         {":53", NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ip ip;
        uint16_t port = 7;
        char text[IP_TEXT_MAX];
        bool is_one = mox__ip_port_parse(slice_of(cases[i].text), &ip, &port);
        if (is_one != (cases[i].ip != NULL))
            fail_msg("\"%s\"", cases[i].text);
        if (!is_one)
            continue;
        mox__ip_format(&ip, text);
        assert_string_equal(text, cases[i].ip);
        assert_int_equal(port, cases[i].port);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_may_have_ports),
        cmocka_unit_test(every_status_has_a_text),
        cmocka_unit_test(buf_that_overflowed_stays_failed),
        cmocka_unit_test(arena_gives_zeroed_memory_up_to_its_limit),
        cmocka_unit_test(base64_follows_rfc4648),
        cmocka_unit_test(hashes_match_published_vectors),
        cmocka_unit_test(hashes_need_no_memory),
        cmocka_unit_test(received_id_block_is_reversible),
        cmocka_unit_test(ip_addresses_are_masked_by_class),
        cmocka_unit_test(quoted_strings_say_what_was_quoted),
        cmocka_unit_test(addresses_that_the_internet_has_are_told_from_others),
        cmocka_unit_test(numbers_and_utf8_are_checked_to_the_end),
        cmocka_unit_test(log_values_are_quoted_when_needed),
        cmocka_unit_test(package_levels_win_over_the_default),
        cmocka_unit_test(spool_moves_to_a_file_and_stays_one_range),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
