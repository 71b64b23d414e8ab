/* SPDX-License-Identifier: MIT */
#include "base/pubkey.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

/* An INTEGER of that many bits, an odd one. */
static void put_integer(struct buf *out, size_t bits)
{
    size_t len = bits / 8 + 1;
    mox__buf_byte(out, 0x02);
    mox__buf_byte(out, 0x82);
    mox__buf_byte(out, (uint8_t)(len >> 8));
    mox__buf_byte(out, (uint8_t)len);
    for (size_t i = 0; i < len; i++) {
        uint8_t first = (uint8_t)((1u << bits % 8) - 1);
        mox__buf_byte(out, i == 0 ? first : 0xff);
    }
}

/* RSAPublicKey (RFC 8017 §A.1.1) with numbers of these sizes. */
static int parse(size_t modulus_bits, size_t exponent_bits, unsigned *bits)
{
    uint8_t numbers[2000], der[2100];
    struct buf n = buf_over(numbers, sizeof numbers), d = buf_over(der, sizeof der);
    struct test_env t;
    struct rsa_key *key;
    test_env_init(&t);
    put_integer(&n, modulus_bits);
    put_integer(&n, exponent_bits);
    mox__buf_byte(&d, 0x30);
    mox__buf_byte(&d, 0x82);
    mox__buf_byte(&d, (uint8_t)(n.len >> 8));
    mox__buf_byte(&d, (uint8_t)n.len);
    mox__buf_append(&d, n.data, n.len);
    int rc = mox__rsa_parse(&key, &t.env, slice(d.data, d.len), bits);
    mox__rsa_free(key);
    test_env_done(&t);
    return rc;
}

static void keys_that_cost_much_are_not_computed_with(void **state)
{
    (void)state;
    unsigned bits;
    assert_int_equal(parse(2048, 17, &bits), MOX_OK);
    assert_int_equal(parse(RSA_BITS_MAX, RSA_EXPONENT_BITS_MAX, &bits), MOX_OK);
    assert_int_equal(parse(RSA_BITS_MAX + 8, 17, &bits), MOX_ELIMIT);
    assert_int_equal(bits, RSA_BITS_MAX + 8);
    assert_int_equal(parse(2048, RSA_EXPONENT_BITS_MAX + 1, &bits), MOX_ELIMIT);
    assert_int_equal(parse(2048, 2047, &bits), MOX_ELIMIT);
    assert_int_equal(bits, 2048);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_that_cost_much_are_not_computed_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
