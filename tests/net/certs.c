/* SPDX-License-Identifier: MIT */
#include "net/certs.h"

#include <stdio.h>
#include <string.h>

#include <mbedtls/ecp.h>
#include <mbedtls/rsa.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <mox/env.h>

#include "net/tls_mbed.h"
#include "support/cm.h"

static void make_key(mbedtls_pk_context *key, enum cert_key kind, struct mox_env *env)
{
    if (kind == CERT_ECDSA) {
        assert_int_equal(mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)), 0);
        assert_int_equal(mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key),
                                             mox__tls_random, env),
                         0);
        return;
    }
    unsigned bits = kind == CERT_RSA_1024 ? 1024 : 2048;
    assert_int_equal(mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA)), 0);
    assert_int_equal(mbedtls_rsa_gen_key(mbedtls_pk_rsa(*key), mox__tls_random, env, bits, 65537),
                     0);
}

static void set_serial(mbedtls_x509write_cert *crt)
{
#if MBEDTLS_VERSION_NUMBER < 0x03000000
    mbedtls_mpi n;
    mbedtls_mpi_init(&n);
    assert_int_equal(mbedtls_mpi_lset(&n, 7), 0);
    assert_int_equal(mbedtls_x509write_crt_set_serial(crt, &n), 0);
    mbedtls_mpi_free(&n);
#else
    unsigned char serial[] = {7};
    assert_int_equal(mbedtls_x509write_crt_set_serial_raw(crt, serial, sizeof serial), 0);
#endif
}

static void write_pem(const char *file, const unsigned char *pem)
{
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    assert_true(fputs((const char *)pem, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

void make_cert(enum cert_key kind, mbedtls_md_type_t md, const char *cert_file,
               const char *key_file)
{
    struct mox_env env;
    mox_env_system(&env);
    unsigned char pem[8192];
    mbedtls_pk_context key;
    mbedtls_x509write_cert crt;
    mbedtls_pk_init(&key);
    mbedtls_x509write_crt_init(&crt);
    make_key(&key, kind, &env);
    mbedtls_x509write_crt_set_version(&crt, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&crt, md);
    mbedtls_x509write_crt_set_subject_key(&crt, &key);
    mbedtls_x509write_crt_set_issuer_key(&crt, &key);
    assert_int_equal(mbedtls_x509write_crt_set_subject_name(&crt, "CN=whoever"), 0);
    assert_int_equal(mbedtls_x509write_crt_set_issuer_name(&crt, "CN=whoever"), 0);
    set_serial(&crt);
    assert_int_equal(mbedtls_x509write_crt_set_validity(&crt, "20200101000000", "20201231235959"),
                     0);
    assert_int_equal(mbedtls_x509write_crt_pem(&crt, pem, sizeof pem, mox__tls_random, &env), 0);
    write_pem(cert_file, pem);
    assert_int_equal(mbedtls_pk_write_key_pem(&key, pem, sizeof pem), 0);
    write_pem(key_file, pem);
    mbedtls_x509write_crt_free(&crt);
    mbedtls_pk_free(&key);
}
