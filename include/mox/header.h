/* SPDX-License-Identifier: MIT */
#ifndef MOX_HEADER_H
#define MOX_HEADER_H

#include <mox/types.h>

MOX_BEGIN_DECLS

/** One header field. All slices are borrowed from the headers that were read. */
struct mox_header_field {
    struct mox_slice name;  /* without white space; empty for a line without a colon */
    struct mox_slice value; /* all behind the colon, folds included, without the last line end */
    struct mox_slice raw;   /* the whole field with its line ends */
};

/**
 * The next field of headers (RFC 5322 §2.2), whose lines end in CRLF or LF.
 *
 * @param at  where to look, 0 at first; moved behind the field
 * @return false, with *at unmoved, at the end or at the blank line that ends headers: content with
 *         its headers may be given
 */
MOX_API bool mox_header_next(struct mox_slice headers, size_t *at, struct mox_header_field *field);

/** The value of the first field of this name, whatever its case. */
MOX_API bool mox_header_find(struct mox_slice headers, const char *name, struct mox_slice *value);

/** Where the body begins: behind the blank line, or at the end if there is none. */
MOX_API size_t mox_header_end(struct mox_slice content);

MOX_END_DECLS

#endif
