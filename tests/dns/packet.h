/* SPDX-License-Identifier: MIT */
#ifndef TEST_DNS_PACKET_H
#define TEST_DNS_PACKET_H

#include <mox/dns_packet.h>

#include "support/testenv.h"

enum { QR = 0x8000, AA = 0x0400, TC = 0x0200, RA = 0x0080 };
enum { OK = QR | RA, NXDOMAIN = QR | RA | 3 };
enum { T_SOA = 6, T_OPT = 41, T_RRSIG = 46 };

/* A packet that is built piece by piece. The question's name is at offset 12. */
#define AT_QUESTION 12
struct packet {
    uint8_t data[70000];
    size_t len;
};
extern struct packet p;
extern size_t data_at; /* of the data of the last record */

void put8(unsigned n);
void put16(unsigned n);
void put_bytes(const void *data, size_t len);
void put_label(const char *text, size_t len);
/* Labels without the zero at the end. */
void put_labels(const char *name);
void put_name(const char *name);
void put_pointer(size_t at);
void begin(unsigned flags, const char *name, unsigned type, unsigned answers);
/* What follows the owner's name; end_data() writes the length of what comes then. */
void begin_data(unsigned type);
void end_data(void);
void put_a(unsigned last);
void put_cname(const char *owner, const char *target);

extern struct test_env env;
/* Reads the packet as the answer. It lives until the next call. */
const struct mox_dns_answer *answer_to(const char *name, enum mox_dns_type type);
void expect(const char *name, enum mox_dns_type type, enum mox_dns_status status, size_t count);
/* It is no answer, for this problem. */
void refused(const char *problem);

/* For cmocka. */
int packet_setup(void **state);
int packet_teardown(void **state);
#define PACKET_TEST(name) cmocka_unit_test_setup_teardown(name, packet_setup, packet_teardown)

#endif
