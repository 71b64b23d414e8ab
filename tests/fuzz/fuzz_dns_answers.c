/* SPDX-License-Identifier: MIT */

/* A set of answers against a list: what is wanted is what was asked and not answered, in that order;
 * what is answered says what was put in last. */

#include <mox/dns_answers.h>

#include <stdio.h>

#include "fuzz/input.h"

enum { NAMES = 64, TYPES = 2 };

static const enum mox_dns_type types[TYPES] = {MOX_DNS_TXT, MOX_DNS_MX};

struct known {
    unsigned name, type;
    bool is_answered, secure;
    enum mox_dns_status status;
    size_t count;
    uint8_t first; /* of the first record: its text's byte, or its preference */
};

struct model {
    struct known list[NAMES * TYPES];
    size_t count;
};

/* One name in several spellings. */
static void spell(struct input *in, unsigned n, char out[40])
{
    static const char *const forms[] = {"n%u.example", "N%u.Example", "n%u.EXAMPLE.",
                                        "n%u.example."};
    (void)snprintf(out, 40, forms[input_below(in, 4)], n);
}

static struct known *find(struct model *m, unsigned name, unsigned type, bool add)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->list[i].name == name && m->list[i].type == type)
            return &m->list[i];
    if (!add)
        return NULL;
    struct known *k = &m->list[m->count++];
    *k = (struct known){.name = name, .type = type};
    return k;
}

static void put(struct mox_dns_answers *set, struct model *m, struct input *in)
{
    struct mox_dns_record records[4] = {0};
    uint8_t texts[4];
    char name[40];
    struct known k = {.name = input_below(in, NAMES), .type = input_below(in, TYPES)};
    spell(in, k.name, name);
    k.status = (enum mox_dns_status)input_below(in, 6);
    k.secure = input_below(in, 2) != 0;
    k.count = input_below(in, 5);
    for (size_t i = 0; i < k.count; i++) {
        texts[i] = input_byte(in);
        if (k.type == 0)
            records[i].data.txt = slice(&texts[i], 1);
        else {
            records[i].data.mx.preference = texts[i];
            records[i].data.mx.host = "MX.example.";
        }
    }
    struct mox_dns_answer a = {.question = {name, types[k.type]},
                               .status = k.status,
                               .secure = k.secure,
                               .records = records,
                               .count = k.count};
    int rc = mox_dns_put(set, &a);
    assert(rc == MOX_OK);
    if (k.status != MOX_DNS_FOUND)
        k.count = 0;
    else if (k.count == 0)
        k.status = MOX_DNS_NODATA;
    k.first = k.count > 0 ? texts[0] : 0;
    k.is_answered = true;
    *find(m, k.name, k.type, true) = k;
}

static void check_answer(const struct mox_dns_answer *a, const struct known *k)
{
    char name[40];
    (void)snprintf(name, sizeof name, "n%u.example", k->name);
    assert(strcmp(a->question.name, name) == 0 && a->question.type == types[k->type]);
    assert(a->status == k->status && a->secure == k->secure && a->count == k->count);
    if (k->count == 0)
        return;
    const struct mox_dns_record *r = &a->records[0];
    if (k->type == 0)
        assert(r->data.txt.len == 1 && r->data.txt.data[0] == k->first);
    else
        assert(r->data.mx.preference == k->first && strcmp(r->data.mx.host, "mx.example") == 0);
}

static void ask(struct mox_dns_answers *set, struct model *m, struct input *in)
{
    unsigned n = input_below(in, NAMES), type = input_below(in, TYPES);
    const struct mox_dns_answer *a;
    char name[40];
    spell(in, n, name);
    int rc = mox_dns_ask(set, slice_of(name), types[type], &a);
    const struct known *k = find(m, n, type, true);
    assert(rc == (k->is_answered ? MOX_OK : MOX_NEED_DNS));
    if (rc == MOX_OK)
        check_answer(a, k);
}

static void check_lists(const struct mox_dns_answers *set, const struct model *m)
{
    const struct mox_dns_question *q;
    size_t wanted = 0, answered = 0, count = mox_dns_wanted(set, &q);
    for (size_t i = 0; i < m->count; i++) {
        const struct known *k = &m->list[i];
        if (k->is_answered) {
            assert(answered < mox_dns_answer_count(set));
            check_answer(mox_dns_answer_at(set, answered++), k);
            continue;
        }
        char name[40];
        (void)snprintf(name, sizeof name, "n%u.example", k->name);
        assert(wanted < count && strcmp(q[wanted].name, name) == 0);
        assert(q[wanted++].type == types[k->type]);
    }
    assert(wanted == count && answered == mox_dns_answer_count(set));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct input in = {{data, len}};
    struct model m = {.count = 0};
    struct mox_env env;
    mox_env_system(&env);
    struct mox_dns_answers *set;
    int rc = mox_dns_answers_new(&set, &env);
    assert(rc == MOX_OK);
    while (in.rest.len > 0) {
        if (input_below(&in, 2) == 0)
            ask(set, &m, &in);
        else
            put(set, &m, &in);
        check_lists(set, &m);
    }
    mox_dns_answers_free(set);
    return 0;
}
