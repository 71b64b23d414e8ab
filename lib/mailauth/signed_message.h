/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_SIGNED_MESSAGE_H
#define MAILAUTH_SIGNED_MESSAGE_H

#include <mox/signed_message.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/crypto.h"

/* RFC 6376 §3.4, which ARC has too: signed_message.c finds the fields, canon.c writes them in canonical
 * form, body_hash.c hashes the body. */

enum canon { CANON_SIMPLE, CANON_RELAXED };

struct signed_field {
    struct mox_slice name;  /* as written, without white space */
    struct mox_slice value; /* behind the colon, without the last line end */
    struct mox_slice raw;   /* all of it */
    size_t group;           /* fields of the same name, whatever its case */
    size_t above;           /* the next of them further up; NO_FIELD */
};

#define NO_FIELD SIZE_MAX

/* A hash over the body, for all signatures that need this one. */
struct body_hash {
    enum hash hash;
    enum canon canon;
    uint64_t limit; /* l=: bytes of the canonical body; UINT64_MAX: all */
    bool is_known;
    bool is_short; /* the body has fewer than `limit` */
    uint8_t digest[HASH_MAX];
};

/* Two hashes in two canonical forms over all of the body, and of those over a part of it (l=) so many: each
 * costs a pass of its own, and whoever has keys can sign as many lengths as he likes. Few real messages
 * have one. */
#define LIMITED_HASHES_MAX 2
#define BODY_HASHES_MAX    (4 + LIMITED_HASHES_MAX)

/* Once so many bytes of header were hashed, no further signature is looked at: what each of 70 signatures
 * covers may be all of it. Real headers have less than 200 KB. */
#define HEADER_HASHED_MAX ((uint64_t)32 * 1024 * 1024)

struct field_group;

struct mox_signed_message {
    struct mox_env env;
    struct arena arena;
    struct mox_slice content, body;
    struct signed_field *fields; /* from the top */
    size_t field_count;
    const char *problem; /* why the header cannot be read (RFC 5322 §2.2); NULL: it can */
    const char
        *too_long; /* why no signature counts: fields may be behind those here; NULL: they do */
    struct field_group *groups;
    size_t group_count;
    size_t *buckets; /* names to groups; open addressing */
    size_t bucket_count;
    size_t *next; /* of each group: what mox__signed_take() gives next */
    struct body_hash *hashes;
    size_t hash_count;
    uint64_t header_hashed; /* bytes in canonical form, for all signatures together */
};

/* The fields that a signature names are taken from the bottom, each once (RFC 6376 §5.4.2): begin with the
 * first for each signature; NULL when there is none left. */
void mox__signed_rewind(struct mox_signed_message *m);
const struct signed_field *mox__signed_take(struct mox_signed_message *m, struct mox_slice name);

/* Notes that the hash is needed; *index is its place in `hashes`. MOX_ELIMIT: one over a part of the body, of
 * which there are enough. */
MOX_MUST_USE int mox__body_hash_want(struct mox_signed_message *m, enum hash hash, enum canon canon,
                                     uint64_t limit, size_t *index);
/* Computes those that are needed and not known yet, in one pass. */
void mox__body_hash_run(struct mox_signed_message *m);

/* Appends a field in canonical form (RFC 6376 §3.4.1, §3.4.2). */
void mox__canon_field(struct buf *out, enum canon canon, const struct signed_field *field);
/* The same for the field that carries the signature: without the bytes of `cut`, a part of its raw text,
 * and without the line end behind it (RFC 6376 §3.7). */
void mox__canon_signature(struct buf *out, enum canon canon, const struct signed_field *field,
                          struct mox_slice cut);

#endif
