/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_CHARSET_NAMES_H
#define MESSAGE_CHARSET_NAMES_H

#include <mox/types.h>

/* What iconv_open() calls the charset that mail calls `name`; NULL: it is UTF-8 or ASCII, or none that mail is
 * in. */
const char *mox__charset_converter(struct mox_slice name);

#endif
