/* SPDX-License-Identifier: MIT */
#include "dns/packet.h"

#include "base/text.h"

#define LABEL_MAX 63
/* A name has at most 127 labels, and no more jumps make sense than it has labels. */
#define JUMPS_MAX 127

/* The first two bits of a label's length (RFC 1035 §4.1.4). */
enum { POINTER = 0xc0 };

static size_t left(const struct dns_cursor *c)
{
    return c->packet.len - c->at;
}

bool mox__dns_read_u16(struct dns_cursor *c, uint16_t *out)
{
    if (left(c) < 2)
        return false;
    const uint8_t *p = c->packet.data + c->at;
    *out = (uint16_t)(p[0] << 8 | p[1]);
    c->at += 2;
    return true;
}

bool mox__dns_read_header(struct dns_cursor *c, struct dns_header *h)
{
    return mox__dns_read_u16(c, &h->id) && mox__dns_read_u16(c, &h->flags) &&
           mox__dns_read_u16(c, &h->questions) && mox__dns_read_u16(c, &h->answers) &&
           mox__dns_read_u16(c, &h->authorities) && mox__dns_read_u16(c, &h->additionals);
}

/* What stands at a place in a name. */
enum step { STEP_BAD, STEP_LABEL, STEP_POINTER, STEP_END };

/* *value is the label's length, or where the pointer leads. */
static enum step step_at(struct mox_slice packet, size_t at, size_t *value)
{
    if (at >= packet.len)
        return STEP_BAD;
    uint8_t first = packet.data[at];
    size_t behind = packet.len - at - 1;
    *value = first;
    if (first == 0)
        return STEP_END;
    if (first <= LABEL_MAX)
        return first <= behind ? STEP_LABEL : STEP_BAD;
    if ((first & POINTER) != POINTER || behind == 0)
        return STEP_BAD;
    *value = (size_t)(first & ~POINTER) << 8 | packet.data[at + 1];
    return STEP_POINTER;
}

bool mox__dns_skip_name(struct dns_cursor *c)
{
    for (;;) {
        size_t value;
        switch (step_at(c->packet, c->at, &value)) {
        case STEP_BAD:
            return false;
        case STEP_LABEL:
            c->at += 1 + value;
            break;
        case STEP_POINTER:
            c->at += 2;
            return true;
        case STEP_END:
            c->at += 1;
            return true;
        }
    }
}

/* Appends a label and the dot in front. false: the name gets too long. */
static bool add_label(struct dns_name *out, size_t *len, const uint8_t *label, size_t label_len)
{
    size_t dot = *len > 0;
    if (dot + label_len > MOX_DOMAIN_MAX - *len)
        return false;
    if (dot)
        out->text[(*len)++] = '.';
    for (size_t i = 0; i < label_len; i++) {
        out->is_text = out->is_text && label[i] != '.' && label[i] != '\0';
        out->text[(*len)++] = (char)to_lower(label[i]);
    }
    return true;
}

/* Labels from `at`. A pointer leads to before the labels that it ends: "a prior occurrence of the same
 * name" (RFC 1035 §4.1.4). So there are no loops. */
static bool read_labels(struct mox_slice packet, size_t at, struct dns_name *out)
{
    size_t begin = at, len = 0, value;
    for (size_t jumps = 0; jumps <= JUMPS_MAX;) {
        switch (step_at(packet, at, &value)) {
        case STEP_BAD:
            return false;
        case STEP_LABEL:
            if (!add_label(out, &len, packet.data + at + 1, value))
                return false;
            at += 1 + value;
            break;
        case STEP_POINTER:
            if (value < DNS_HEADER || value >= begin)
                return false;
            begin = at = value;
            jumps++;
            break;
        case STEP_END:
            out->text[out->is_text ? len : 0] = '\0';
            return true;
        }
    }
    return false;
}

bool mox__dns_read_name(struct dns_cursor *c, struct dns_name *out)
{
    size_t at = c->at;
    out->is_text = true;
    return mox__dns_skip_name(c) && read_labels(c->packet, at, out);
}

bool mox__dns_read_frame(struct dns_cursor *c, struct dns_frame *f)
{
    uint16_t high, low, len;
    f->name = c->at;
    if (!mox__dns_skip_name(c) || !mox__dns_read_u16(c, &f->type) ||
        !mox__dns_read_u16(c, &f->class) || !mox__dns_read_u16(c, &high) ||
        !mox__dns_read_u16(c, &low) || !mox__dns_read_u16(c, &len) || len > left(c))
        return false;
    f->ttl = (uint32_t)high << 16 | low;
    f->data = c->at;
    f->end = c->at += len;
    return true;
}
