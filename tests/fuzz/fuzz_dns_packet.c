/* SPDX-License-Identifier: MIT */

/* Whatever a packet holds, its question is answered: with records of the type, or with none and a reason.
 * Names have the one form that questions have. A packet that is cut never says what the whole did not. */

#include <mox/dns_packet.h>

#include <stdlib.h>

#include "dns/question.h"
#include "fuzz/input.h"

static const enum mox_dns_type types[] = {MOX_DNS_A,    MOX_DNS_NS,  MOX_DNS_CNAME,
                                          MOX_DNS_PTR,  MOX_DNS_MX,  MOX_DNS_TXT,
                                          MOX_DNS_AAAA, MOX_DNS_SRV, MOX_DNS_TLSA};

static void check_name(const char *name)
{
    char form[MOX_DOMAIN_MAX + 1];
    bool is_name = mox__dns_name(slice_of(name), form);
    assert(is_name && strcmp(form, name) == 0);
}

static void check_record(const struct mox_dns_record *r, enum mox_dns_type type, size_t len)
{
    assert(r->ttl <= INT32_MAX);
    if (type == MOX_DNS_NS || type == MOX_DNS_CNAME || type == MOX_DNS_PTR)
        check_name(r->data.name);
    else if (type == MOX_DNS_MX)
        check_name(r->data.mx.host);
    else if (type == MOX_DNS_SRV)
        check_name(r->data.srv.target);
    else if (type == MOX_DNS_TXT)
        assert(r->data.txt.len < len);
    else if (type == MOX_DNS_TLSA)
        assert(r->data.tlsa.data.len > 0 && r->data.tlsa.data.len < len);
}

static void check_answer(const struct mox_dns_answer *a, size_t len)
{
    assert((a->status == MOX_DNS_FOUND) == (a->count > 0));
    assert(a->status != MOX_DNS_TIMEOUT && a->status != MOX_DNS_BOGUS);
    assert((a->status == MOX_DNS_SERVFAIL) == (a->problem != NULL));
    assert(a->secure == (a->status != MOX_DNS_SERVFAIL));
    assert(a->count <= MOX_DNS_RECORDS_MAX && a->count <= len / 12);
    for (size_t i = 0; i < a->count; i++)
        check_record(&a->records[i], a->question.type, len);
}

static enum mox_dns_status read_packet(const struct mox_dns_question *q, struct mox_slice packet)
{
    struct mox_env env;
    mox_env_system(&env);
    struct mox_dns_answers *answers;
    const struct mox_dns_answer *a;
    int rc = mox_dns_answers_new(&answers, &env);
    assert(rc == MOX_OK);
    rc = mox_dns_put_packet(answers, q, packet, true);
    assert(rc == MOX_OK);
    rc = mox_dns_ask(answers, slice_of(q->name), q->type, &a);
    assert(rc == MOX_OK);
    check_answer(a, packet.len);
    enum mox_dns_status status = a->status;
    mox_dns_answers_free(answers);
    return status;
}

/* A query of ours is no reply, and becomes one with a bit; then it says that there is nothing. */
static void check_query(const struct mox_dns_question *q)
{
    uint8_t query[MOX_DNS_QUERY_MAX];
    size_t len = mox_dns_query_write(query, q, 7, true);
    struct mox_slice packet = slice(query, len);
    assert(len > 0 && !mox_dns_is_reply(packet, q, 7));
    assert(read_packet(q, packet) == MOX_DNS_SERVFAIL);
    query[2] |= 0x80;
    assert(mox_dns_is_reply(packet, q, 7) && !mox_dns_is_reply(packet, q, 8));
    assert(read_packet(q, packet) == MOX_DNS_NODATA);
}

/* The type, the question's name up to a zero, and a packet. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct input in = {{data, len}};
    enum mox_dns_type type = types[input_below(&in, sizeof types / sizeof types[0])];
    size_t cut = input_byte(&in);
    char name[MOX_DOMAIN_MAX + 1];
    if (!mox__dns_name(input_until(&in, 0), name))
        return 0;
    struct mox_dns_question q = {name, type};
    enum mox_dns_status whole = read_packet(&q, in.rest);
    if (whole != MOX_DNS_SERVFAIL)
        assert(mox_dns_is_reply(in.rest, &q, (uint16_t)(in.rest.data[0] << 8 | in.rest.data[1])));
    if (cut > 0 && cut <= in.rest.len) {
        struct mox_slice part = slice(in.rest.data, in.rest.len - cut);
        if (whole != MOX_DNS_SERVFAIL)
            assert(read_packet(&q, part) == MOX_DNS_SERVFAIL);
        else
            (void)read_packet(&q, part);
    }
    check_query(&q);
    return 0;
}
