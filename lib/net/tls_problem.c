/* SPDX-License-Identifier: MIT */
#include "net/tls_mbed.h"

/* Why a handshake failed, in words that are counted: each is one of ours, and there are few. */

/* Alerts that clients send while they shake hands (RFC 8446 §6, RFC 5246 §7.2), by number. */
static const struct {
    unsigned char number;
    const char *word;
} alerts[] = {
    {0, "alert-0-close-notify"},
    {10, "alert-10-unexpected-message"},
    {20, "alert-20-bad-record-mac"},
    {22, "alert-22-record-overflow"},
    {40, "alert-40-handshake-failure"},
    {42, "alert-42-bad-certificate"},
    {43, "alert-43-unsupported-certificate"},
    {44, "alert-44-certificate-revoked"},
    {45, "alert-45-certificate-expired"},
    {46, "alert-46-certificate-unknown"},
    {47, "alert-47-illegal-parameter"},
    {48, "alert-48-unknown-ca"},
    {49, "alert-49-access-denied"},
    {50, "alert-50-decode-error"},
    {51, "alert-51-decrypt-error"},
    {70, "alert-70-protocol-version"},
    {71, "alert-71-insufficient-security"},
    {80, "alert-80-internal-error"},
    {86, "alert-86-inappropriate-fallback"},
    {90, "alert-90-user-canceled"},
    {109, "alert-109-missing-extension"},
    {110, "alert-110-unsupported-extension"},
    {112, "alert-112-unrecognized-name"},
    {116, "alert-116-certificate-required"},
    {120, "alert-120-no-application-protocol"},
};

/* An alert is two bytes: its level, and its number. */
static const char *alert_word(const struct tls *t)
{
    const unsigned char *alert = t->ssl.MBED_FIELD(in_msg);
    for (size_t i = 0; alert != NULL && i < sizeof alerts / sizeof alerts[0]; i++)
        if (alerts[i].number == alert[1])
            return alerts[i].word;
    return "other";
}

const char *mox__tls_problem_word(const struct tls *t)
{
    switch (t->failure) {
    case MBEDTLS_ERR_SSL_CONN_EOF:
        return "eof";
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
        return alert_word(t);
    case MBEDTLS_ERR_SSL_INVALID_RECORD:
        return "nottls";
    case MOX_TLS_BAD_VERSION:
        return "unsupportedversions";
    default:
        return "other";
    }
}
