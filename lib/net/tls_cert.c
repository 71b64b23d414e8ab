/* SPDX-License-Identifier: MIT */
#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/ip.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/tls_mbed.h"

#define PEM_MAX       4096
#define HOUR_SECONDS  INT64_C(3600)
#define VALID_SECONDS (4 * 365 * 24 * HOUR_SECONDS)
/* A subject alternative name extension whose lengths fit one byte (X.690 §8.1.3.4). */
#define ALT_NAMES_MAX 127

/* GeneralName (RFC 5280 §4.2.1.6), both with implicit tags. */
#define TAG_DNS_NAME   0x82
#define TAG_IP_ADDRESS 0x87
#define TAG_SEQUENCE   0x30

struct alt_names {
    uint8_t der[2 + ALT_NAMES_MAX];
    size_t len; /* of the names, behind tag and length */
};

static bool add_name(struct alt_names *a, uint8_t tag, const void *data, size_t len)
{
    if (len + 2 > ALT_NAMES_MAX - a->len)
        return false;
    uint8_t *at = a->der + 2 + a->len;
    at[0] = tag;
    at[1] = (uint8_t)len;
    memcpy(at + 2, data, len);
    a->len += 2 + len;
    return true;
}

static int collect_names(struct alt_names *a, const char *const *names, size_t count)
{
    *a = (struct alt_names){.der = {TAG_SEQUENCE}};
    for (size_t i = 0; i < count; i++) {
        struct ip ip;
        bool fits = mox__ip_parse(slice_of(names[i]), &ip)
                        ? add_name(a, TAG_IP_ADDRESS, ip.bytes, ip.v6 ? 16 : 4)
                        : add_name(a, TAG_DNS_NAME, names[i], strlen(names[i]));
        if (!fits)
            return MOX_ELIMIT;
    }
    a->der[1] = (uint8_t)a->len;
    return MOX_OK;
}

static int set_serial(mbedtls_x509write_cert *crt, const struct mox_env *env)
{
    uint8_t serial[16];
    env->random(env->user, serial, sizeof serial);
    serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40); /* positive, and 16 bytes long */
#if MBEDTLS_VERSION_NUMBER < 0x03000000
    mbedtls_mpi n;
    mbedtls_mpi_init(&n);
    int rc = mbedtls_mpi_read_binary(&n, serial, sizeof serial);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_serial(crt, &n);
    mbedtls_mpi_free(&n);
    return rc;
#else
    return mbedtls_x509write_crt_set_serial_raw(crt, serial, sizeof serial);
#endif
}

static int set_validity(mbedtls_x509write_cert *crt, const struct mox_env *env)
{
    time_t now = (time_t)(env->wall_us(env->user) / 1000000);
    time_t from = now - HOUR_SECONDS, to = now + VALID_SECONDS;
    struct tm tm;
    char from_text[16], to_text[16];
    if (gmtime_r(&from, &tm) == NULL ||
        strftime(from_text, sizeof from_text, "%Y%m%d%H%M%S", &tm) == 0 ||
        gmtime_r(&to, &tm) == NULL || strftime(to_text, sizeof to_text, "%Y%m%d%H%M%S", &tm) == 0)
        return MBEDTLS_ERR_X509_INVALID_DATE;
    return mbedtls_x509write_crt_set_validity(crt, from_text, to_text);
}

static int set_extensions(mbedtls_x509write_cert *crt, const struct alt_names *names)
{
    /* SEQUENCE { id-kp-serverAuth } (RFC 5280 §4.2.1.12) */
    static const uint8_t server_auth[] = {0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06,
                                          0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
    int rc = mbedtls_x509write_crt_set_basic_constraints(crt, 0, -1);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_key_usage(crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_extension(crt, MBEDTLS_OID_EXTENDED_KEY_USAGE,
                                                 MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE),
                                                 0, server_auth, sizeof server_auth);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_extension(crt, MBEDTLS_OID_SUBJECT_ALT_NAME,
                                                 MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0,
                                                 names->der, names->len + 2);
    return rc;
}

/* The certificate in PEM, NUL-terminated. */
static int compose(const struct mox_env *env, mbedtls_pk_context *key, const char *name,
                   const struct alt_names *names, uint8_t pem[PEM_MAX])
{
    char subject[300];
    (void)snprintf(subject, sizeof subject, "O=mox localserve,CN=%s", name);
    mbedtls_x509write_cert crt;
    mbedtls_x509write_crt_init(&crt);
    mbedtls_x509write_crt_set_version(&crt, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&crt, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&crt, key);
    mbedtls_x509write_crt_set_issuer_key(&crt, key);
    int rc = mbedtls_x509write_crt_set_subject_name(&crt, subject);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_issuer_name(&crt, subject);
    if (rc == 0)
        rc = set_serial(&crt, env);
    if (rc == 0)
        rc = set_validity(&crt, env);
    if (rc == 0)
        rc = set_extensions(&crt, names);
    struct mox_env random = *env;
    if (rc == 0)
        rc = mbedtls_x509write_crt_pem(&crt, pem, PEM_MAX, mox__tls_random, &random);
    mbedtls_x509write_crt_free(&crt);
    return rc;
}

static int new_key(const struct mox_env *env, mbedtls_pk_context *key)
{
    struct mox_env random = *env;
    int rc = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    if (rc == 0)
        rc = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), mox__tls_random,
                                 &random);
    return rc;
}

static int write_file(const char *path, const uint8_t *text, mode_t mode, struct mox_error *err)
{
    size_t len = strlen((const char *)text);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return mox__fail(err, mox__status_of_errno(errno), "create %s: %s", path, strerror(errno));
    bool ok = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    int problem = errno;
    if (close(fd) != 0 || !ok) {
        (void)unlink(path);
        return mox__fail(err, mox__status_of_errno(problem), "write %s: %s", path,
                         strerror(problem));
    }
    return MOX_OK;
}

int mox__tls_self_signed(const struct mox_env *env, const char *const *names, size_t name_count,
                         const char *cert_file, const char *key_file, struct mox_error *err)
{
    if (mox__crypto_init() < 0)
        return mox__fail(err, MOX_EIO, "make a TLS key: the crypto library refuses to start");
    struct alt_names alt_names;
    if (name_count == 0 || collect_names(&alt_names, names, name_count) < 0)
        return mox__fail(err, MOX_EINVAL, "make a certificate: too many or too long names");
    uint8_t cert_pem[PEM_MAX], key_pem[PEM_MAX];
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    int problem = new_key(env, &key);
    if (problem == 0)
        problem = mbedtls_pk_write_key_pem(&key, key_pem, sizeof key_pem);
    if (problem == 0)
        problem = compose(env, &key, names[0], &alt_names, cert_pem);
    mbedtls_pk_free(&key);

    int rc = MOX_OK;
    if (problem != 0) {
        char text[128];
        mox__tls_error_text(problem, text, sizeof text);
        rc = mox__fail(err, MOX_EIO, "make a certificate for %s: %s", names[0], text);
    }
    if (rc == MOX_OK)
        rc = write_file(key_file, key_pem, 0600, err);
    if (rc == MOX_OK && (rc = write_file(cert_file, cert_pem, 0644, err)) < 0)
        (void)unlink(key_file);
    mox__wipe(key_pem, sizeof key_pem);
    return rc;
}
