/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "message/address.h"
#include "message/part.h"
#include "message/wire.h"

enum { DATE, SUBJECT, FROM, SENDER, REPLY_TO, TO, CC, BCC, IN_REPLY_TO, MESSAGE_ID, FIELDS };

static const char *const names[FIELDS] = {
    "Date", "Subject", "From", "Sender", "Reply-To", "To", "Cc", "Bcc", "In-Reply-To", "Message-ID",
};

/* A message has tens of fields, and few are of the envelope: their length rules most out. */
static const uint8_t name_lengths[FIELDS] = {4, 7, 4, 6, 8, 2, 2, 3, 11, 10};

struct found {
    struct mox_slice value; /* of the first field; data is NULL without one */
    unsigned count;
};

/* The header lines of a message: those that a server added, then its own. */
struct headers {
    struct mox_slice parts[2];
    size_t part, at;
};

static bool next_field(struct headers *h, struct mox_header_field *field)
{
    while (!mox_header_next(h->parts[h->part], &h->at, field)) {
        if (h->part == 1)
            return false;
        h->part = 1;
        h->at = 0;
    }
    return true;
}

static void find_fields(struct headers headers, struct found *found)
{
    struct mox_header_field field;
    while (next_field(&headers, &field)) {
        for (unsigned i = 0; i < FIELDS; i++) {
            if (field.name.len != name_lengths[i] || !mox__slice_is_nocase(field.name, names[i]))
                continue;
            if (found[i].count++ == 0)
                found[i].value = field.value;
            break;
        }
    }
}

/* A string, or NIL for an empty one. */
static void put_nstring(struct buf *out, struct mox_slice s)
{
    if (s.len == 0)
        mox__buf_text(out, "NIL");
    else
        mox__wire_string(out, s);
}

/* RFC 9051 §7.5.2: the begin of a group has its name for a mailbox and no host, its end has
 * neither; so an address that lacks one of the two has an empty string for it. */
static void put_address(struct buf *out, const struct address *a)
{
    mox__buf_byte(out, '(');
    if (a->kind == MOX_ADDRESS_GROUP) {
        mox__buf_text(out, "NIL NIL ");
        mox__wire_string(out, a->name);
        mox__buf_text(out, " NIL");
    } else if (a->kind == MOX_ADDRESS_GROUP_END) {
        mox__buf_text(out, "NIL NIL NIL NIL");
    } else {
        put_nstring(out, a->name);
        mox__buf_byte(out, ' ');
        put_nstring(out, a->route);
        mox__buf_byte(out, ' ');
        mox__wire_string(out, a->mailbox);
        mox__buf_byte(out, ' ');
        mox__wire_string(out, a->host);
    }
    mox__buf_byte(out, ')');
}

/* The addresses of one field; *count says how many came before, of other fields of that name. */
static void put_field(struct buf *out, struct addresses *list, struct mox_slice value,
                      unsigned *count)
{
    struct address address;
    bool in_group = false;
    mox__addresses_reset(list, value);
    while ((*count < MOX_ADDRESS_LIST_MAX || in_group) && mox__addresses_next(list, &address)) {
        if (*count >= MOX_ADDRESS_LIST_MAX && address.kind == MOX_ADDRESS_MAILBOX)
            continue; /* but the group is ended */
        if ((*count)++ == 0)
            mox__buf_byte(out, '(');
        put_address(out, &address);
        in_group = address.kind != MOX_ADDRESS_GROUP_END &&
                   (in_group || address.kind == MOX_ADDRESS_GROUP);
    }
    out->failed |= list->failed;
}

/* All addresses of all fields with the name of field i, or NIL. */
static void put_addresses(struct buf *out, struct addresses *list, struct headers headers,
                          const struct found *found, unsigned i)
{
    unsigned count = 0;
    struct mox_header_field field;
    if (found[i].count == 1)
        put_field(out, list, found[i].value, &count);
    else if (found[i].count > 1)
        while (next_field(&headers, &field))
            if (mox__slice_is_nocase(field.name, names[i]))
                put_field(out, list, field.value, &count);
    mox__buf_text(out, count > 0 ? ")" : "NIL");
}

/* Whether what begins at `start` is NIL. */
static bool is_nil(const struct buf *out, size_t start)
{
    return !out->failed && out->data[start] == 'N';
}

/* Appends a copy of bytes that `out` has already. */
static void put_again(struct buf *out, size_t start, size_t len)
{
    uint8_t *room = mox__buf_reserve(out, len);
    if (room == NULL)
        return;
    memcpy(room, out->data + start, len);
    out->len += len;
}

static void put_all(struct buf *out, struct addresses *list, struct headers headers,
                    const struct found *found)
{
    size_t from = 0, from_len = 0;
    for (unsigned i = 0; i < FIELDS; i++) {
        mox__buf_byte(out, i == 0 ? '(' : ' ');
        size_t start = out->len;
        if (i < FROM || i > BCC) {
            mox__wire_value(out, found[i].value);
            continue;
        }
        put_addresses(out, list, headers, found, i);
        if (i == FROM) {
            from = start;
            from_len = out->len - start;
        } else if ((i == SENDER || i == REPLY_TO) && is_nil(out, start)) {
            out->len = start; /* RFC 9051 §7.5.2: From stands in */
            put_again(out, from, from_len);
        }
    }
    mox__buf_byte(out, ')');
}

void mox__headers_envelope(struct mox_slice prefix, struct mox_slice own, struct buf *out)
{
    const struct headers headers = {.parts = {prefix, own}};
    struct found found[FIELDS] = {0};
    struct addresses list;
    find_fields(headers, found);
    mox__addresses_init(&list, out->env, slice(NULL, 0));
    put_all(out, &list, headers, found);
    mox__addresses_free(&list);
}

void mox__message_envelope(const struct mox_message *m, struct buf *out)
{
    mox__headers_envelope(slice(NULL, 0),
                          mox_part_header(mox_message_root(m), mox_message_content(m)), out);
}
