/* SPDX-License-Identifier: MIT */
#ifndef DNS_PACKET_H
#define DNS_PACKET_H

#include <mox/dns.h>
#include <mox/dns_answers.h>

#include "base/arena.h"

/* Messages of the DNS on the wire (RFC 1035 §4): packet_wire.c reads headers, names and the frames of
 * records, packet_data.c what is in a record, packet.c finds the answer to a question. */

#define DNS_PACKET_MAX 65535 /* RFC 1035 §4.2.2 */
#define DNS_HEADER     12

enum {
    DNS_QR = 0x8000,
    DNS_OPCODE = 0x7800,
    DNS_AA = 0x0400,
    DNS_TC = 0x0200,
    DNS_RD = 0x0100,
    DNS_RCODE = 0x000f
};

enum { DNS_CLASS_IN = 1, DNS_TYPE_SOA = 6, DNS_TYPE_OPT = 41 };

enum { DNS_NOERROR = 0, DNS_NXDOMAIN = 3 };

struct dns_header {
    uint16_t id, flags;
    uint16_t questions, answers, authorities, additionals;
};

/* A place in a packet; everything is read at it, and moves it on. */
struct dns_cursor {
    struct mox_slice packet;
    size_t at; /* at most packet.len */
};

/* A name as text. A label with a dot or a NUL cannot be written so: then it is empty, and equal to none. */
struct dns_name {
    char text[MOX_DOMAIN_MAX + 1];
    bool is_text;
};

/* The frame of a record (RFC 1035 §4.1.3). */
struct dns_frame {
    size_t name; /* where the owner's name begins */
    uint16_t type, class;
    uint32_t ttl;
    size_t data, end; /* RDATA */
};

/* false: the packet ends before, or it breaks the format. */
bool mox__dns_read_header(struct dns_cursor *c, struct dns_header *h);
bool mox__dns_read_u16(struct dns_cursor *c, uint16_t *out);
bool mox__dns_read_name(struct dns_cursor *c, struct dns_name *out);
bool mox__dns_skip_name(struct dns_cursor *c);
bool mox__dns_read_frame(struct dns_cursor *c, struct dns_frame *f);

/* What a record of a type that has a name here says. *is_kept: it has no name that cannot be text.
 * Texts are in the packet or in the arena.
 * MOX_ESYNTAX: the data does not have the form of its type; MOX_ENOMEM */
MOX_MUST_USE int mox__dns_read_data(struct arena *a, struct mox_slice packet,
                                    const struct dns_frame *f, struct mox_dns_record *r,
                                    bool *is_kept);

#endif
