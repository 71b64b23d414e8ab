/* SPDX-License-Identifier: MIT */
#ifndef MOX_DNS_PACKET_H
#define MOX_DNS_PACKET_H

#include <mox/dns_answers.h>

MOX_BEGIN_DECLS

/** For programs that have a socket of their own to a resolver: what is sent there, and whether what comes
 *  back is the answer. mox_dns_put_packet() reads it. Over UDP, with one question:
 *
 *      uint8_t query[MOX_DNS_QUERY_MAX], reply[MOX_DNS_UDP_BYTES];
 *      size_t len = mox_dns_query_write(query, &question, id, false);
 *      if (send(fd, query, len, 0) < 0)
 *          return MOX_EIO;
 *      struct mox_slice packet = {reply, 0};
 *      do {
 *          ssize_t n = recv(fd, reply, sizeof reply, 0);
 *          if (n < 0)
 *              return MOX_EIO;
 *          packet.len = (size_t)n;
 *      } while (!mox_dns_is_reply(packet, &question, id));
 *      return mox_dns_put_packet(answers, &question, packet, false);
 *
 *  Take ids that nobody can guess, and a connected socket with a port of its own (RFC 5452 §9.2). */

/** The longest query: header, name, type and class, OPT. */
#define MOX_DNS_QUERY_MAX 282
/** What a query says that UDP may bring: more would be cut into fragments by some networks. */
#define MOX_DNS_UDP_BYTES 1232

/**
 * Writes a query that asks for recursion (RFC 1035 §4.1), with EDNS (RFC 6891).
 *
 * @param dnssec  ask for signatures too (RFC 3225): a resolver then says whether it has verified the answer
 * @return its length, or 0 if the question has no name that could be asked
 */
MOX_API size_t mox_dns_query_write(uint8_t out[MOX_DNS_QUERY_MAX],
                                   const struct mox_dns_question *question, uint16_t id,
                                   bool dnssec);

/** Whether a packet answers this query: the id, and the question if it has one. Others are to be ignored:
 *  they come late, or from a forger. */
MOX_API bool mox_dns_is_reply(struct mox_slice packet, const struct mox_dns_question *question,
                              uint16_t id);

/** Whether the reply was cut to fit into UDP (RFC 1035 §4.1.1, TC): ask again over TCP, where each packet
 *  has its length in front, two bytes. */
MOX_API bool mox_dns_is_cut(struct mox_slice packet);

MOX_END_DECLS

#endif
