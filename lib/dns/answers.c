/* SPDX-License-Identifier: MIT */
#include <mox/dns_answers.h>

#include <stdlib.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "base/text.h"
#include "dns/question.h"

/* Every question that was asked or answered is an entry, in the order in which it came. Names and records
 * are in the arena; what a second answer replaces stays there until the set goes, which the arena's
 * bound limits. */
struct entry {
    uint64_t hash; /* of the name: most others need no comparison */
    struct mox_dns_answer answer;
    bool is_answered;
};

struct mox_dns_answers {
    struct mox_env env;
    struct arena arena;
    struct entry **entries; /* in the arena: answers that were given out stay where they are */
    size_t count, cap;
    struct mox_dns_question *wanted; /* what mox_dns_wanted() shows, and `wanted_count` of it are */
    size_t wanted_count;
    const struct mox_dns_answer **answered; /* what mox_dns_answer_at() shows */
    size_t answered_count;
};

int mox_dns_answers_new(struct mox_dns_answers **out, const struct mox_env *env)
{
    struct mox_dns_answers *a = mem_new(env, struct mox_dns_answers, 1);
    *out = a;
    if (a == NULL)
        return MOX_ENOMEM;
    a->env = *env;
    mox__arena_init(&a->arena, &a->env, MOX_DNS_BYTES_MAX);
    return MOX_OK;
}

void mox_dns_answers_free(struct mox_dns_answers *a)
{
    if (a == NULL)
        return;
    struct mox_env env = a->env;
    mox__arena_reset(&a->arena);
    mox__mem_free(&env, a->entries);
    mox__mem_free(&env, a->wanted);
    mox__mem_free(&env, a->answered);
    mox__mem_free(&env, a);
}

static struct entry *find(const struct mox_dns_answers *a, uint64_t hash, const char *name,
                          enum mox_dns_type type)
{
    for (size_t i = 0; i < a->count; i++) {
        struct entry *e = a->entries[i];
        if (e->hash == hash && e->answer.question.type == type &&
            strcmp(e->answer.question.name, name) == 0)
            return e;
    }
    return NULL;
}

/* Room in all three lists for one more, so that nothing later can fail. */
static int reserve(struct mox_dns_answers *a)
{
    if (a->count == MOX_DNS_ANSWERS_MAX)
        return MOX_ELIMIT;
    if (a->count < a->cap)
        return MOX_OK;
    size_t cap = a->cap == 0 ? 16 : 2 * a->cap;
    void *entries = mox__realloc(&a->env, a->entries, cap, sizeof *a->entries);
    if (entries == NULL)
        return MOX_ENOMEM;
    a->entries = entries;
    void *wanted = mox__realloc(&a->env, a->wanted, cap, sizeof *a->wanted);
    if (wanted == NULL)
        return MOX_ENOMEM;
    a->wanted = wanted;
    void *answered = mox__realloc(&a->env, a->answered, cap, sizeof *a->answered);
    if (answered == NULL)
        return MOX_ENOMEM;
    a->answered = answered;
    a->cap = cap;
    return MOX_OK;
}

static int add(struct mox_dns_answers *a, uint64_t hash, const char *name, enum mox_dns_type type,
               struct entry **out)
{
    int rc = reserve(a);
    if (rc < 0)
        return rc;
    struct entry *e = arena_new(&a->arena, struct entry, 1);
    char *copy = mox__arena_strndup(&a->arena, name, strlen(name));
    if (e == NULL || copy == NULL)
        return MOX_ENOMEM;
    *e = (struct entry){.hash = hash, .answer.question = {copy, type}};
    a->entries[a->count++] = *out = e;
    return MOX_OK;
}

/* Made anew after each change. */
static void list(struct mox_dns_answers *a)
{
    a->wanted_count = a->answered_count = 0;
    for (size_t i = 0; i < a->count; i++)
        if (a->entries[i]->is_answered)
            a->answered[a->answered_count++] = &a->entries[i]->answer;
        else
            a->wanted[a->wanted_count++] = a->entries[i]->answer.question;
}

int mox_dns_ask(struct mox_dns_answers *a, struct mox_slice text, enum mox_dns_type type,
                const struct mox_dns_answer **out)
{
    static const struct mox_dns_answer no_name = {.question.name = "", .status = MOX_DNS_NXDOMAIN};
    char name[MOX_DOMAIN_MAX + 1];
    *out = &no_name;
    if (!mox__dns_name(text, name))
        return MOX_OK;
    uint64_t hash = mox__hash64(slice_of(name));
    struct entry *e = find(a, hash, name, type);
    if (e == NULL) {
        int rc = add(a, hash, name, type, &e);
        if (rc < 0)
            return rc;
        list(a);
    }
    if (!e->is_answered)
        return MOX_NEED_DNS;
    *out = &e->answer;
    return MOX_OK;
}

size_t mox_dns_wanted(const struct mox_dns_answers *a, const struct mox_dns_question **out)
{
    *out = a->wanted;
    return a->wanted_count;
}

static bool copy_bytes(struct arena *a, struct mox_slice *s)
{
    char *copy = mox__arena_strndup(a, s->data, s->len);
    if (copy != NULL)
        *s = slice(copy, s->len);
    return copy != NULL;
}

static bool copy_text(struct arena *a, const char **text)
{
    char *copy = mox__arena_strndup(a, *text, strlen(*text));
    if (copy != NULL)
        *text = copy;
    return copy != NULL;
}

/* Gives the record texts of its own. */
static bool own(struct arena *a, enum mox_dns_type type, struct mox_dns_record *r)
{
    switch (type) {
    case MOX_DNS_NS:
    case MOX_DNS_CNAME:
    case MOX_DNS_PTR:
        return copy_text(a, &r->data.name);
    case MOX_DNS_TXT:
        return copy_bytes(a, &r->data.txt);
    case MOX_DNS_MX:
        return copy_text(a, &r->data.mx.host);
    case MOX_DNS_SRV:
        return copy_text(a, &r->data.srv.target);
    case MOX_DNS_TLSA:
        return copy_bytes(a, &r->data.tlsa.data);
    case MOX_DNS_A:
    case MOX_DNS_AAAA:
        break;
    }
    return true;
}

static int copy_records(struct arena *a, const struct mox_dns_answer *from,
                        struct mox_dns_answer *to)
{
    size_t count = from->count < MOX_DNS_RECORDS_MAX ? from->count : MOX_DNS_RECORDS_MAX;
    if (from->status != MOX_DNS_FOUND || count == 0)
        return MOX_OK;
    struct mox_dns_record *records = arena_new(a, struct mox_dns_record, count);
    bool ok = records != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        records[i] = from->records[i];
        ok = own(a, from->question.type, &records[i]);
    }
    to->records = records;
    to->count = count;
    return ok ? MOX_OK : MOX_ENOMEM;
}

/* The bytes that a copy of the record's texts takes. */
static size_t text_bytes(enum mox_dns_type type, const struct mox_dns_record *r)
{
    switch (type) {
    case MOX_DNS_NS:
    case MOX_DNS_CNAME:
    case MOX_DNS_PTR:
        return strlen(r->data.name);
    case MOX_DNS_TXT:
        return r->data.txt.len;
    case MOX_DNS_MX:
        return strlen(r->data.mx.host);
    case MOX_DNS_SRV:
        return strlen(r->data.srv.target);
    case MOX_DNS_TLSA:
        return r->data.tlsa.data.len;
    case MOX_DNS_A:
    case MOX_DNS_AAAA:
        break;
    }
    return 0;
}

/* Whether the set's bound has room; the entry itself and what alignment takes is covered by SPARE. */
static bool fits(const struct arena *a, const struct mox_dns_answer *answer)
{
    enum { SPARE = 1024 };
    size_t bytes = SPARE + (answer->problem != NULL ? strlen(answer->problem) : 0);
    for (size_t i = 0; i < answer->count && i < MOX_DNS_RECORDS_MAX; i++)
        bytes += sizeof answer->records[i] + SPARE / 32 +
                 text_bytes(answer->question.type, &answer->records[i]);
    return bytes <= a->max - a->used;
}

int mox_dns_put(struct mox_dns_answers *a, const struct mox_dns_answer *answer)
{
    char name[MOX_DOMAIN_MAX + 1];
    struct mox_dns_answer copy = {.status = answer->status, .secure = answer->secure};
    if (!mox__dns_name(slice_of(answer->question.name), name))
        return MOX_EINVAL;
    if (!fits(&a->arena, answer))
        return MOX_ELIMIT;
    uint64_t hash = mox__hash64(slice_of(name));
    struct entry *e = find(a, hash, name, answer->question.type);
    int rc = copy_records(&a->arena, answer, &copy);
    if (rc == MOX_OK && answer->problem != NULL) {
        copy.problem = answer->problem;
        rc = copy_text(&a->arena, &copy.problem) ? MOX_OK : MOX_ENOMEM;
    }
    if (rc == MOX_OK && e == NULL)
        rc = add(a, hash, name, answer->question.type, &e);
    if (rc < 0)
        return rc;
    if (copy.status == MOX_DNS_FOUND && copy.count == 0)
        copy.status = MOX_DNS_NODATA;
    copy.question = e->answer.question;
    e->answer = copy;
    e->is_answered = true;
    list(a);
    return MOX_OK;
}

size_t mox_dns_answer_count(const struct mox_dns_answers *a)
{
    return a->answered_count;
}

const struct mox_dns_answer *mox_dns_answer_at(const struct mox_dns_answers *a, size_t i)
{
    return a->answered[i];
}
