/* SPDX-License-Identifier: MIT */
#ifndef DNS_NFC_H
#define DNS_NFC_H

#include "base/buf.h"

/* Appends the text in Unicode Normalization Form C. ASCII is copied in every build; other text is
 * MOX_EUNSUPPORTED without Unicode tables, and MOX_ESYNTAX when it is not UTF-8. MOX_ENOMEM. */
MOX_PRIV MOX_MUST_USE int mox__nfc(struct buf *out, struct mox_slice text);

#endif
