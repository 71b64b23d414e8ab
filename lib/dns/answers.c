/* SPDX-License-Identifier: MIT */
#include "dns/answers.h"

#include "base/arena.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "base/text.h"
#include "dns/question.h"
#include "dns/record.h"

/* Every question that was asked or answered is an entry, in the order in which it came. Names and records
 * are in the arena; what a second answer replaces stays there until the set goes, which the arena's
 * bound limits. */
struct entry {
    uint64_t hash; /* of the name: most others need no comparison */
    struct mox_dns_answer answer;
    bool is_answered;
};

/* What an entry takes of the arena at most: itself, its name, and both aligned. */
#define ENTRY_BYTES (sizeof(struct entry) + MOX_DOMAIN_MAX + 1 + 32)

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

const struct mox_env *mox__dns_answers_env(const struct mox_dns_answers *a)
{
    return &a->env;
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
    if (ENTRY_BYTES > a->arena.max - a->arena.used)
        return MOX_ELIMIT;
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

/* There is no room for an answer. Who asked goes on with a failure; nobody waits for ever. */
static int do_without(struct mox_dns_answers *a, struct entry *e)
{
    if (e == NULL || e->is_answered)
        return MOX_ELIMIT;
    e->answer = (struct mox_dns_answer){.question = e->answer.question,
                                        .status = MOX_DNS_SERVFAIL,
                                        .problem = "the answers are too large together"};
    e->is_answered = true;
    list(a);
    return MOX_OK;
}

int mox_dns_put(struct mox_dns_answers *a, const struct mox_dns_answer *answer)
{
    char name[MOX_DOMAIN_MAX + 1];
    struct mox_dns_answer copy;
    if (!mox__dns_name(slice_of(answer->question.name), name))
        return MOX_EINVAL;
    uint64_t hash = mox__hash64(slice_of(name));
    struct entry *e = find(a, hash, name, answer->question.type);
    if (e == NULL && a->count == MOX_DNS_ANSWERS_MAX)
        return MOX_ELIMIT;
    if (ENTRY_BYTES + mox__dns_copy_bytes(answer) > a->arena.max - a->arena.used)
        return do_without(a, e);
    int rc = mox__dns_copy_answer(&a->arena, answer, &copy);
    if (rc == MOX_OK && e == NULL)
        rc = add(a, hash, name, answer->question.type, &e);
    if (rc < 0)
        return rc;
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
