/* SPDX-License-Identifier: MIT */
#ifndef MOX_MESSAGE_H
#define MOX_MESSAGE_H

#include <mox/env.h>
#include <mox/error.h>
#include <mox/header.h>

MOX_BEGIN_DECLS

/**
 * A message taken apart (RFC 5322, RFC 2045, RFC 2046): where its headers and bodies are. Nothing
 * is copied, and nothing in a message makes it fail: what breaks the grammar is kept as far as it
 * makes sense, and what makes none becomes application/octet-stream. Lines may end in CRLF or LF.
 *
 * Threads: read by any number at once.
 */
struct mox_message;

enum mox_part_kind {
    MOX_PART_LEAF,      /* no children */
    MOX_PART_MULTIPART, /* one child or more */
    MOX_PART_MESSAGE    /* message/rfc822 or message/global: one child, the root of that message */
};

/** Content-Transfer-Encoding (RFC 2045 §6). */
enum mox_encoding {
    MOX_ENCODING_IDENTITY, /* 7bit, 8bit, binary, or none named */
    MOX_ENCODING_BASE64,
    MOX_ENCODING_QP,
    MOX_ENCODING_UNKNOWN
};

/** The fields of a part's header that say what its content is. */
enum mox_part_field {
    MOX_FIELD_TYPE,
    MOX_FIELD_DISPOSITION,
    MOX_FIELD_ENCODING,
    MOX_FIELD_ID,
    MOX_FIELD_DESCRIPTION,
    MOX_FIELD_MD5,
    MOX_FIELD_LANGUAGE,
    MOX_FIELD_LOCATION,
    MOX_FIELD_COUNT
};

/**
 * One part, owned by its message. Offsets count bytes of the content that was parsed, at any depth.
 * The header, with its blank line, is header..body, the undecoded body is body..end. The line end
 * in front of a boundary belongs to the boundary (RFC 2046 §5.1.1). What lies between the children
 * of a multipart (preamble, boundaries, epilogue) belongs to no child.
 */
struct mox_part {
    uint64_t header, body, end; /* header <= body <= end; children lie within body..end */
    uint64_t lines;             /* lines begun in the body: one without a line end counts too */
    enum mox_part_kind kind;
    enum mox_encoding encoding;
    unsigned child_count;
    bool attachment; /* Content-Disposition is there and not "inline" (RFC 2183 §2.8) */
    const struct mox_part *parent, *children, *next; /* children: the first; next: its sibling */
    /** As written, so compare without case; "TEXT" "PLAIN" or, in multipart/digest, "MESSAGE"
     *  "RFC822" where no type is given. Never empty. */
    struct mox_slice type, subtype;
    struct mox_slice charset; /* the parameter's value; empty when there is none */
    /** Values as written behind the colon of the first field of each name; data is NULL when the
     *  part has none. All are NULL in a tree that comes from a store. */
    struct mox_slice fields[MOX_FIELD_COUNT];
};

/** How deep parts are nested in parts; what is deeper stays a leaf. Real mail reaches 10 or so
 *  (forwards of forwards); the bound keeps whoever walks the tree by recursion safe. */
#define MOX_MESSAGE_DEPTH_MAX 100
/** How many parts a message has; after that a multipart's further parts count as its epilogue. A
 *  digest of a busy list has hundreds. */
#define MOX_MESSAGE_PARTS_MAX 10000

/**
 * Takes a message apart in one pass.
 *
 * @param content  borrowed for the life of the message; a part of it that is missing (the rest of a
 *                 cut message) is no error
 * @return MOX_OK or MOX_ENOMEM
 */
MOX_API MOX_MUST_USE int mox_message_parse(struct mox_message **out, const struct mox_env *env,
                                           struct mox_slice content);
/** NULL is fine. */
MOX_API void mox_message_free(struct mox_message *m);

/** The part whose header is the message's. */
MOX_API const struct mox_part *mox_message_root(const struct mox_message *m);
/** What was parsed. */
MOX_API struct mox_slice mox_message_content(const struct mox_message *m);

/** Whether the part has a text type. */
MOX_API bool mox_part_is_text(const struct mox_part *part);
/** The part's header with its blank line, within the content that it came from. */
MOX_API struct mox_slice mox_part_header(const struct mox_part *part, struct mox_slice content);
/** The part's undecoded body. */
MOX_API struct mox_slice mox_part_body(const struct mox_part *part, struct mox_slice content);

MOX_END_DECLS

#endif
