/* SPDX-License-Identifier: MIT */
#include <mox/dns_zone.h>

#include "dns/zone.h"

#include "base/mem.h"
#include "base/text.h"

/* RFC 1034 §3.6.2 wants chains of one link; resolvers follow about this many. */
#define CHAIN_MAX 16

void mox_dns_zone_free(struct mox_dns_zone *z)
{
    if (z == NULL)
        return;
    struct mox_env env = z->env;
    mox__arena_reset(&z->arena);
    mox__mem_free(&env, z->lines);
    mox__mem_free(&env, z->records);
    mox__mem_free(&env, z);
}

size_t mox__zone_find(const struct mox_dns_zone *z, size_t from, size_t to, const char *name,
                      uint32_t type)
{
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct zone_line *line = &z->lines[middle];
        int order = strcmp(line->name, name);
        if (order < 0 || (order == 0 && line->type < type))
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool line_is(const struct mox_dns_zone *z, size_t i, size_t end, const char *name)
{
    return i < end && strcmp(z->lines[i].name, name) == 0;
}

/* Fills *answer, but for its question, with what the zone has for the name and this very type.
 * false: no line says anything about it. */
static bool look_up(const struct mox_dns_zone *z, const char *name, enum mox_dns_type type,
                    struct mox_dns_answer *answer)
{
    size_t i = mox__zone_find(z, 0, z->existing, name, type), end = i;
    while (line_is(z, end, z->existing, name) && z->lines[end].type == type)
        end++;
    if (end > i) {
        answer->status = z->lines[i].status;
        answer->records = answer->status == MOX_DNS_FOUND ? &z->records[i] : NULL;
        answer->count = answer->status == MOX_DNS_FOUND ? end - i : 0;
        return true;
    }
    i = mox__zone_find(z, z->existing, z->count, name, type);
    answer->status = MOX_DNS_NXDOMAIN;
    return line_is(z, i, z->count, name) && z->lines[i].type == type;
}

/* What a name answers to a type that no line names. */
static enum mox_dns_status absent(const struct mox_dns_zone *z, const char *name)
{
    size_t i = mox__zone_find(z, 0, z->existing, name, 0);
    return line_is(z, i, z->existing, name) ? MOX_DNS_NODATA : MOX_DNS_NXDOMAIN;
}

static struct mox_dns_answer resolve(const struct mox_dns_zone *z,
                                     const struct mox_dns_question *question)
{
    const char *name = question->name;
    for (size_t links = 0; links <= CHAIN_MAX; links++) {
        struct mox_dns_answer answer = {.question = *question}, alias = answer;
        if (look_up(z, name, question->type, &answer))
            return answer;
        if (!look_up(z, name, MOX_DNS_CNAME, &alias) ||
            (alias.status != MOX_DNS_FOUND && !mox_dns_is_temporary(alias.status))) {
            answer.status = absent(z, name);
            return answer;
        }
        if (alias.status != MOX_DNS_FOUND)
            return alias;
        name = alias.records[0].data.name;
    }
    return (struct mox_dns_answer){.question = *question,
                                   .status = MOX_DNS_SERVFAIL,
                                   .problem = "CNAMEs make a loop, or too long a chain"};
}

int mox_dns_zone_answer(const struct mox_dns_zone *z, struct mox_dns_answers *answers)
{
    const struct mox_dns_question *wanted;
    while (mox_dns_wanted(answers, &wanted) > 0) {
        struct mox_dns_question question = wanted[0];
        struct mox_dns_answer answer = resolve(z, &question);
        int rc = mox_dns_put(answers, &answer);
        if (rc < 0)
            return rc;
    }
    return MOX_OK;
}

static void start(void *user, struct mox_dns_lookup *lookup)
{
    const struct mox_dns_zone *z = user;
    struct mox_dns_answer answer = resolve(z, &lookup->question);
    lookup->done(lookup, &answer);
}

/* Nothing is under way once start() has returned. */
static void cancel(void *user, struct mox_dns_lookup *lookup)
{
    (void)user;
    (void)lookup;
}

void mox_dns_zone_resolver(struct mox_resolver *out, const struct mox_dns_zone *zone)
{
    *out = (struct mox_resolver){
        .size = sizeof *out, .user = (void *)(uintptr_t)zone, .start = start, .cancel = cancel};
}
