/* SPDX-License-Identifier: MIT */
#ifndef NET_TLS_MBED_H
#define NET_TLS_MBED_H

/* What tls.c and tls_cert.c share of mbedTLS, 2.28 and 3.x. */

#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/version.h>

#include <mox/env.h>

#if MBEDTLS_VERSION_NUMBER < 0x03000000
#define MBED_FIELD(name) name
#else
#define MBED_FIELD(name) MBEDTLS_PRIVATE(name)
#endif

/* mbedTLS's form of a source of randomness; `user` is a struct mox_env. */
int mox__tls_random(void *user, unsigned char *out, size_t len);
/* "Text of mbedTLS", without its module prefix where there is none. */
void mox__tls_error_text(int rc, char *out, size_t size);

#endif
