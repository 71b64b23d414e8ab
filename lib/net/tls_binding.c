/* SPDX-License-Identifier: MIT */
#include "net/tls.h"

#include <string.h>

#include "base/mem.h"
#include "net/tls_mbed.h"

/* What SASL binds to (RFC 5056): the exporter of RFC 9266, and the hash of our certificate and the
 * first Finished of RFC 5929 §4 and §3. */

#define RANDOM_BYTES 32 /* of a hello (RFC 5246 §7.4.1.2) */
#define LABEL        "EXPORTER-Channel-Binding"

/* -- did we grant the extended master secret? ------------------------------------------------ */

/* No interface of the library tells, in any version; our ServerHello does, which goes out in clear. */

#define RECORD_HANDSHAKE          22
#define HANDSHAKE_SERVER_HELLO    2
#define EXTENSION_EXTENDED_MASTER 23 /* RFC 7627 §5.1 */

static bool skip(struct mox_slice *s, size_t len)
{
    if (s->len < len)
        return false;
    s->data += len;
    s->len -= len;
    return true;
}

static bool number(struct mox_slice *s, size_t bytes, size_t *out)
{
    if (s->len < bytes)
        return false;
    *out = 0;
    for (size_t i = 0; i < bytes; i++)
        *out = *out << 8 | s->data[i];
    return skip(s, bytes);
}

/* To the extensions of a ServerHello (RFC 5246 §§6.2.1, 7.4, 7.4.1.3) at the start of a record. */
static bool to_extensions(struct mox_slice *s)
{
    size_t record, handshake, session_id, n;
    return number(s, 1, &record) && record == RECORD_HANDSHAKE && skip(s, 2 + 2) &&
           number(s, 1, &handshake) && handshake == HANDSHAKE_SERVER_HELLO &&
           skip(s, 3 + 2 + RANDOM_BYTES) && number(s, 1, &session_id) && skip(s, session_id) &&
           skip(s, 2 + 1) && number(s, 2, &n);
}

void mox__tls_binding_sent_first(struct tls *t, struct mox_slice record)
{
    size_t type, len;
    if (!to_extensions(&record))
        return;
    while (number(&record, 2, &type) && number(&record, 2, &len) && skip(&record, len)) {
        if (type == EXTENSION_EXTENDED_MASTER)
            t->extended_master = true;
    }
}

/* A resumed session has the master secret of the first, which was an extended one: no other session
 * gets a ticket (tls_ticket.c), and RFC 7627 §5.3 forbids to go on with it otherwise. */
bool mox__tls_is_unique(const struct tls *t)
{
    return t->extended_master || strcmp(mbedtls_ssl_get_version(&t->ssl), "TLSv1.2") != 0;
}

/* -- the exporter ---------------------------------------------------------------------------- */

#if MBEDTLS_VERSION_NUMBER < 0x03000000

/* The library says the master secret once, in the handshake; it is not kept. RFC 5705 §4. */
static int master_known(void *user, const unsigned char *master, const unsigned char *keys,
                        size_t mac_len, size_t key_len, size_t iv_len,
                        const unsigned char client_random[RANDOM_BYTES],
                        const unsigned char server_random[RANDOM_BYTES], mbedtls_tls_prf_types prf)
{
    (void)keys, (void)mac_len, (void)key_len, (void)iv_len;
    enum { MASTER_BYTES = 48 };
    struct tls *t = user;
    uint8_t seed[2 * RANDOM_BYTES + 2] = {0}; /* its end: the length of an empty context */
    memcpy(seed, client_random, RANDOM_BYTES);
    memcpy(seed + RANDOM_BYTES, server_random, RANDOM_BYTES);
    t->has_exporter = mbedtls_ssl_tls_prf(prf, master, MASTER_BYTES, LABEL, seed, sizeof seed - 2,
                                          t->exporter, sizeof t->exporter) == 0 &&
                      mbedtls_ssl_tls_prf(prf, master, MASTER_BYTES, LABEL, seed, sizeof seed,
                                          t->exporter_empty, sizeof t->exporter_empty) == 0;
    return 0;
}

void mox__tls_binding_prepare(struct tls *t)
{
    mbedtls_ssl_conf_export_keys_ext_cb(&t->conf, master_known, t);
}

static void export_keys(struct tls *t, struct mox_tls_info *info)
{
    memcpy(info->exporter, t->exporter, sizeof info->exporter);
    memcpy(info->exporter_empty, t->exporter_empty, sizeof info->exporter_empty);
    info->has_exporter = t->has_exporter;
}

#else

void mox__tls_binding_prepare(struct tls *t)
{
    (void)t;
}

static void export_keys(struct tls *t, struct mox_tls_info *info)
{
#ifdef MBEDTLS_SSL_KEYING_MATERIAL_EXPORT
    static const unsigned char empty[1];
    info->has_exporter =
        mbedtls_ssl_export_keying_material(&t->ssl, info->exporter, sizeof info->exporter, LABEL,
                                           strlen(LABEL), NULL, 0, 0) == 0 &&
        mbedtls_ssl_export_keying_material(&t->ssl, info->exporter_empty,
                                           sizeof info->exporter_empty, LABEL, strlen(LABEL), empty,
                                           0, 1) == 0;
#else
    (void)t, (void)info;
#endif
}

#endif

/* -- tls-unique ------------------------------------------------------------------------------ */

/* The first Finished of the handshake (RFC 5929 §3.1): the client's, or ours when the session was
 * resumed. TLS 1.3 has none, and what the library keeps then is of another kind. */
static void first_finished(struct tls *t, struct mox_tls_info *info)
{
#ifdef MBEDTLS_SSL_RENEGOTIATION /* it keeps them for that, which we do not do */
    size_t len = t->ssl.MBED_FIELD(verify_data_len);
    if (strcmp(mbedtls_ssl_get_version(&t->ssl), "TLSv1.2") != 0 || len > sizeof info->unique)
        return;
    const char *finished =
        t->has_resumed ? t->ssl.MBED_FIELD(own_verify_data) : t->ssl.MBED_FIELD(peer_verify_data);
    memcpy(info->unique, finished, len);
    info->unique_len = len;
#else
    (void)t, (void)info;
#endif
}

void mox__tls_binding_info(struct tls *t, struct mox_tls_info *info)
{
    if (mox__tls_is_unique(t)) {
        export_keys(t, info);
        first_finished(t, info);
    }
    info->end_point_len = t->ctx->end_point_len;
    memcpy(info->end_point, t->ctx->end_point, t->ctx->end_point_len);
}

/* -- the hash of our certificate ------------------------------------------------------------- */

/* By the hash function of its signature, and nothing less than SHA-256 (RFC 5929 §4.1). */
void mox__tls_end_point(struct tls_context *ctx)
{
    mbedtls_md_type_t type = ctx->chain.MBED_FIELD(sig_md);
    if (type == MBEDTLS_MD_MD5 || type == MBEDTLS_MD_SHA1)
        type = MBEDTLS_MD_SHA256;
    const mbedtls_md_info_t *md = mbedtls_md_info_from_type(type);
    if (md != NULL && mbedtls_md_get_size(md) <= sizeof ctx->end_point &&
        mbedtls_md(md, ctx->chain.raw.p, ctx->chain.raw.len, ctx->end_point) == 0)
        ctx->end_point_len = mbedtls_md_get_size(md);
}
