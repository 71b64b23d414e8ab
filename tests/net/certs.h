/* SPDX-License-Identifier: MIT */
#ifndef NET_CERTS_H
#define NET_CERTS_H

#include <mbedtls/md.h>
#include <mbedtls/pk.h>

/* Certificates as other people's tools make them: signed by themselves, for the year 2020 alone. */

enum cert_key { CERT_ECDSA, CERT_RSA_2048, CERT_RSA_1024 };

/* Writes both as PEM files. */
void make_cert(enum cert_key kind, mbedtls_md_type_t md, const char *cert_file,
               const char *key_file);

#endif
