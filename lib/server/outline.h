/* SPDX-License-Identifier: MIT */
#ifndef SERVER_OUTLINE_H
#define SERVER_OUTLINE_H

#include "base/buf.h"

/* An answer that both people and programs read, written once: values under keys, in groups and lists, as lines
 * of text or as one JSON object. Keys are ours. Values may be what strangers wrote: in text all but printable
 * ASCII is escaped, in JSON as well.
 *
 * As text a group is a line `key:` with its values indented below. An entry of a list is one line that begins
 * with a dash: its first value, then the others with their keys. */

#define OUTLINE_DEPTH_MAX 8

struct outline {
    struct buf *out; /* borrowed; look at its `failed` at the end */
    bool json;
    unsigned depth;
    bool in_entry;
    /* at each depth */
    bool has_values[OUTLINE_DEPTH_MAX], is_list[OUTLINE_DEPTH_MAX];
};

void mox__outline_begin(struct outline *o, struct buf *out, bool json);
void mox__outline_end(struct outline *o);

/* Each is ended by mox__outline_close(). An entry has values, no groups and lists. */
void mox__outline_group(struct outline *o, const char *key);
void mox__outline_list(struct outline *o, const char *key);
void mox__outline_entry(struct outline *o);
void mox__outline_close(struct outline *o);

/* NULL is written as "". */
void mox__outline_text(struct outline *o, const char *key, const char *text);
/* A header field's value or another text of several lines, on one line. */
void mox__outline_slice(struct outline *o, const char *key, struct mox_slice text);
void mox__outline_uint(struct outline *o, const char *key, uint64_t n);
/* 0 … 1, with four digits. */
void mox__outline_share(struct outline *o, const char *key, double share);
/* Of either sign, with three digits behind the point. */
void mox__outline_signed(struct outline *o, const char *key, double n);
/* In an entry of text only what is true is written, as the key alone. */
void mox__outline_bool(struct outline *o, const char *key, bool value);
void mox__outline_time(struct outline *o, const char *key, int64_t at_us);
/* At the end of an entry: what it says in words; its key is "text". */
void mox__outline_words(struct outline *o, const char *text);
/* A text in a list of texts. */
void mox__outline_item(struct outline *o, const char *text);

#endif
