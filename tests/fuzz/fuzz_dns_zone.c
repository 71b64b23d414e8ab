/* SPDX-License-Identifier: MIT */

/* A zone answers every question, and like one that is looked through line by line; a file that is not
 * taken is refused with its name and a line. */

#include <mox/dns_zone.h>

#include <stdlib.h>

#include "dns/question.h"
#include "fuzz/input.h"

/* What lines say that have this name and type: how many records, or which outcome. */
struct found {
    size_t lines, records;
    enum mox_dns_status status;
};

static enum mox_dns_status outcome(struct mox_slice value)
{
    static const char *const words[] = {"",         "!NODATA",   "!NXDOMAIN",
                                        "!TIMEOUT", "!SERVFAIL", "!BOGUS"};
    if (value.len > 0 && value.data[value.len - 1] == '\r')
        value.len--;
    for (int i = 1; i < 6; i++)
        if (mox__slice_is(value, words[i]))
            return (enum mox_dns_status)i;
    return MOX_DNS_FOUND;
}

/* Looks through the whole text. *exists: a line says so of the name. */
static struct found look(struct mox_slice text, const char *name, enum mox_dns_type type,
                         bool *exists)
{
    struct found f = {0};
    struct input in = {text};
    *exists = false;
    while (in.rest.len > 0) {
        struct input line = {input_until(&in, '\n')};
        if (mox__slice_trim(line.rest).len == 0 || line.rest.data[0] == '#')
            continue;
        char owner[MOX_DOMAIN_MAX + 1];
        enum mox_dns_type line_type;
        bool ok = mox__dns_name(input_until(&line, '\t'), owner);
        ok = ok && mox_dns_type_parse(input_until(&line, '\t'), &line_type);
        assert(ok);
        enum mox_dns_status status = outcome(line.rest);
        bool same = strcmp(owner, name) == 0;
        *exists = *exists || (status != MOX_DNS_NXDOMAIN && same);
        if (!same || line_type != type)
            continue;
        f.lines++;
        f.records += status == MOX_DNS_FOUND;
        f.status = status;
    }
    return f;
}

static void check_answer(struct mox_slice text, const struct mox_dns_answer *a)
{
    bool exists, has_alias;
    struct found f = look(text, a->question.name, a->question.type, &exists);
    assert(!a->secure && (a->count > 0) == (a->status == MOX_DNS_FOUND));
    if (f.lines > 0) {
        assert(a->status == f.status);
        assert(a->count == (f.records < MOX_DNS_RECORDS_MAX ? f.records : MOX_DNS_RECORDS_MAX));
        return;
    }
    f = look(text, a->question.name, MOX_DNS_CNAME, &has_alias);
    if (f.records > 0)
        return; /* followed: the targets are asked too */
    if (f.lines > 0 && mox_dns_is_temporary(f.status))
        assert(a->status == f.status);
    else
        assert(a->status == (exists ? MOX_DNS_NODATA : MOX_DNS_NXDOMAIN));
}

/* Asks for what the lines name, for what is above and below it, and what aliases lead to. */
static void ask(struct mox_dns_answers *set, struct mox_slice text, enum mox_dns_type type)
{
    struct input in = {text};
    const struct mox_dns_answer *a;
    for (int lines = 0; in.rest.len > 0 && lines < 50; lines++) {
        struct input line = {input_until(&in, '\n')};
        struct mox_slice name = input_until(&line, '\t');
        (void)!mox_dns_ask(set, name, type, &a);
        (void)!mox_dns_ask(set, name, MOX_DNS_CNAME, &a);
        struct input labels = {name};
        (void)input_until(&labels, '.');
        (void)!mox_dns_ask(set, labels.rest, type, &a);
        (void)input_until(&line, '\t');
        (void)!mox_dns_ask(set, line.rest, type, &a);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const enum mox_dns_type types[] = {MOX_DNS_A, MOX_DNS_TXT, MOX_DNS_MX, MOX_DNS_CNAME};
    struct input in = {{data, len}};
    enum mox_dns_type type = types[input_below(&in, 4)];
    struct mox_env env;
    mox_env_system(&env);
    struct mox_error err = {0};
    struct mox_dns_zone *zone;
    int rc = mox_dns_zone_parse(&zone, &env, in.rest, "zone", &err);
    assert(rc == MOX_OK || (rc == MOX_ESYNTAX && strncmp(err.text, "zone:", 5) == 0));
    if (rc < 0)
        return 0;
    struct mox_dns_answers *set;
    rc = mox_dns_answers_new(&set, &env);
    assert(rc == MOX_OK);
    ask(set, in.rest, type);
    rc = mox_dns_zone_answer(zone, set);
    assert(rc == MOX_OK || rc == MOX_ELIMIT);
    mox_dns_zone_free(zone); /* answers have copies */
    const struct mox_dns_question *q;
    assert(rc != MOX_OK || mox_dns_wanted(set, &q) == 0);
    for (size_t i = 0; i < mox_dns_answer_count(set); i++)
        check_answer(in.rest, mox_dns_answer_at(set, i));
    mox_dns_answers_free(set);
    return 0;
}
