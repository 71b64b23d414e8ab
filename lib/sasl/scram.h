/* SPDX-License-Identifier: MIT */
#ifndef SASL_SCRAM_H
#define SASL_SCRAM_H

#include <mox/sasl.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "sasl/channel.h"

/* SCRAM's messages (RFC 5802 §7), as both sides read and write them:
 *
 *   client-first  gs2-header n=user,r=nonce         server-first  r=nonces,s=salt,i=iterations
 *   client-final  c=binding,r=nonces,p=proof        server-final  v=signature  or  e=error
 *
 * Attributes have one letter and stand in this order; extensions may follow before the proof, and at
 * the end of the others. */

#define SCRAM_NONCE_MIN 8    /* characters of either side */
#define SCRAM_NONCE_MAX 1024 /* of both together; the RFC has no limit */
#define SCRAM_RANDOM    12   /* bytes of a nonce of ours, in base64 */

/* Takes "name=value" and the comma behind it from the front; the value has at least one byte. The
 * last attribute leaves rest->data NULL, one before a comma at the end does not. */
bool mox__scram_take(struct mox_slice *rest, uint8_t name, struct mox_slice *value);

enum scram_extensions { EXTENSIONS_FINE, EXTENSIONS_BAD, EXTENSIONS_MANDATORY };

/* Skips extensions that nobody must know, up to the attribute `end`, or all (0). A mandatory one
 * ("m=") nobody may skip (RFC 5802 §5.1). */
enum scram_extensions mox__scram_skip(struct mox_slice *rest, uint8_t end);

/* Printable ASCII without commas. */
bool mox__scram_is_nonce(struct mox_slice nonce);

/* Which hash, and whether it is -PLUS. */
enum hash mox__scram_hash(enum mox_sasl_mechanism m);
bool mox__scram_is_plus(enum mox_sasl_mechanism m);
/* The form of m with -PLUS. */
enum mox_sasl_mechanism mox__scram_plus(enum mox_sasl_mechanism m);

#endif
