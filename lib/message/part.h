/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_PART_H
#define MESSAGE_PART_H

#include <mox/message.h>

#include "base/priv.h"

/* The room, file by file. parse.c finds the parts of a message, with boundary.c for the lines
 * between them, header.c for fields and content.c for the values of Content-Type and its like;
 * structure.c keeps the tree for the store. envelope.c, bodystructure.c and wire.c write what IMAP
 * sends, with address.c (address_list.c for programs). text.c gives what a part says, with decode.c
 * for transfer encodings, charset.c for UTF-8 and words.c for headers. date.c reads and writes
 * dates; message_id.c and subject.c find what threads have in common. */

/* How many steps it took to look for boundaries, for tests: at most about one per byte. */
uint64_t mox__message_work(const struct mox_message *m);

/* message/rfc822 or message/global, whether it was taken apart or not. */
MOX_PRIV bool mox__part_is_message(const struct mox_part *part);

/* Whether a header of the part, or of any below it, has bytes of 0x80 or more. */
MOX_PRIV bool mox__part_has_utf8_header(const struct mox_part *part, struct mox_slice content);

/* The word of Content-Transfer-Encoding as written; empty when there is none. */
struct mox_slice mox__part_encoding(const struct mox_part *part);

#endif
