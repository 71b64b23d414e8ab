/* SPDX-License-Identifier: MIT */
#include <mox/dns_packet.h>

#include "base/buf.h"
#include "base/text.h"
#include "dns/packet.h"
#include "dns/question.h"

static void put_u16(struct buf *b, unsigned n)
{
    mox__buf_byte(b, (uint8_t)(n >> 8));
    mox__buf_byte(b, (uint8_t)n);
}

/* Each label with its length in front (RFC 1035 §3.1). */
static void put_name(struct buf *b, const char *name)
{
    while (*name != '\0') {
        size_t len = strcspn(name, ".");
        mox__buf_byte(b, (uint8_t)len);
        mox__buf_append(b, name, len);
        name += len + (name[len] == '.');
    }
    mox__buf_byte(b, 0);
}

/* OPT for the root: what UDP may bring, and flags where others have a TTL (RFC 6891 §6.1.2). */
static void put_opt(struct buf *b, bool dnssec)
{
    enum { DO = 0x8000 };
    mox__buf_byte(b, 0);
    put_u16(b, DNS_TYPE_OPT);
    put_u16(b, MOX_DNS_UDP_BYTES);
    put_u16(b, 0);
    put_u16(b, dnssec ? DO : 0);
    put_u16(b, 0);
}

size_t mox_dns_query_write(uint8_t out[MOX_DNS_QUERY_MAX], const struct mox_dns_question *question,
                           uint16_t id, bool dnssec)
{
    char name[MOX_DOMAIN_MAX + 1];
    if (!mox__dns_name(slice_of(question->name), name))
        return 0;
    struct buf b = buf_over(out, MOX_DNS_QUERY_MAX);
    put_u16(&b, id);
    put_u16(&b, DNS_RD);
    put_u16(&b, 1); /* questions, answers, authorities, additionals */
    put_u16(&b, 0);
    put_u16(&b, 0);
    put_u16(&b, 1);
    put_name(&b, name);
    put_u16(&b, question->type);
    put_u16(&b, DNS_CLASS_IN);
    put_opt(&b, dnssec);
    return b.failed ? 0 : b.len;
}

bool mox_dns_is_reply(struct mox_slice packet, const struct mox_dns_question *question, uint16_t id)
{
    struct dns_cursor c = {.packet = packet};
    struct dns_header h;
    struct dns_name name;
    uint16_t type;
    char asked[MOX_DOMAIN_MAX + 1];
    if (!mox__dns_read_header(&c, &h) || h.id != id || (h.flags & DNS_QR) == 0)
        return false;
    if (h.questions == 0) /* with FORMERR, say */
        return true;
    return mox__dns_read_name(&c, &name) && mox__dns_read_u16(&c, &type) && name.is_text &&
           mox__dns_name(slice_of(question->name), asked) && strcmp(name.text, asked) == 0 &&
           type == (unsigned)question->type;
}

bool mox_dns_is_cut(struct mox_slice packet)
{
    struct dns_cursor c = {.packet = packet};
    struct dns_header h;
    return mox__dns_read_header(&c, &h) && (h.flags & DNS_TC) != 0;
}
