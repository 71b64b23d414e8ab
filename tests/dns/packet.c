/* SPDX-License-Identifier: MIT */
#include "dns/packet.h"

#include <string.h>

#include "base/text.h"
#include "support/cm.h"

struct packet p;

void put8(unsigned n)
{
    assert_true(p.len < sizeof p.data);
    p.data[p.len++] = (uint8_t)n;
}

void put16(unsigned n)
{
    put8(n >> 8 & 255);
    put8(n & 255);
}

void put_bytes(const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        put8(((const uint8_t *)data)[i]);
}

void put_label(const char *text, size_t len)
{
    put8((unsigned)len);
    put_bytes(text, len);
}

void put_labels(const char *name)
{
    while (*name != '\0') {
        size_t len = strcspn(name, ".");
        put_label(name, len);
        name += len + (name[len] == '.');
    }
}

void put_name(const char *name)
{
    put_labels(name);
    put8(0);
}

void put_pointer(size_t at)
{
    put16(0xc000 | (unsigned)at);
}

void begin(unsigned flags, const char *name, unsigned type, unsigned answers)
{
    p.len = 0;
    put16(0x1234);
    put16(flags);
    put16(1);
    put16(answers);
    put16(0);
    put16(0);
    put_name(name);
    put16(type);
    put16(1);
}

size_t data_at;

void begin_data(unsigned type)
{
    put16(type);
    put16(1);
    put16(0);
    put16(300);
    put16(0);
    data_at = p.len;
}

void end_data(void)
{
    size_t len = p.len - data_at;
    p.data[data_at - 2] = (uint8_t)(len >> 8);
    p.data[data_at - 1] = (uint8_t)len;
}

void put_a(unsigned last)
{
    begin_data(MOX_DNS_A);
    put16(0xc000);
    put8(2);
    put8(last);
    end_data();
}

void put_cname(const char *owner, const char *target)
{
    put_name(owner);
    begin_data(MOX_DNS_CNAME);
    put_name(target);
    end_data();
}

struct test_env env;
static struct mox_dns_answers *answers;

const struct mox_dns_answer *answer_to(const char *name, enum mox_dns_type type)
{
    struct mox_dns_question q = {name, type};
    const struct mox_dns_answer *a;
    mox_dns_answers_free(answers);
    assert_int_equal(mox_dns_answers_new(&answers, &env.env), MOX_OK);
    assert_int_equal(mox_dns_put_packet(answers, &q, slice(p.data, p.len), true), MOX_OK);
    assert_int_equal(mox_dns_ask(answers, slice_of(name), type, &a), MOX_OK);
    assert_true(a->secure == (a->status != MOX_DNS_SERVFAIL));
    assert_true((a->problem != NULL) == (a->status == MOX_DNS_SERVFAIL));
    assert_true((a->count > 0) == (a->status == MOX_DNS_FOUND));
    return a;
}

void expect(const char *name, enum mox_dns_type type, enum mox_dns_status status, size_t count)
{
    const struct mox_dns_answer *a = answer_to(name, type);
    if (a->status != status || a->count != count)
        fail_msg("%s: %s with %zu records (%s)", name, mox_dns_status_name(a->status), a->count,
                 a->problem != NULL ? a->problem : "");
}

void refused(const char *problem)
{
    const struct mox_dns_answer *a = answer_to("a.example", MOX_DNS_A);
    assert_int_equal(a->status, MOX_DNS_SERVFAIL);
    if (strstr(a->problem, problem) == NULL)
        fail_msg("\"%s\" instead of \"%s\"", a->problem, problem);
}

int packet_setup(void **state)
{
    (void)state;
    test_env_init(&env);
    return 0;
}

int packet_teardown(void **state)
{
    (void)state;
    mox_dns_answers_free(answers);
    answers = NULL;
    test_env_done(&env);
    return 0;
}
