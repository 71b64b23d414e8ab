/* SPDX-License-Identifier: MIT */
#include "mailauth/arc_set.h"

#include <stdio.h>

#include "base/text.h"
#include "mailauth/tags.h"
#include "message/content.h"

static const char *const names[ARC_KINDS] = {"ARC-Authentication-Results", "ARC-Message-Signature",
                                             "ARC-Seal"};

const char *mox__arc_name(enum arc_kind kind)
{
    return names[kind];
}

static bool kind_of(struct mox_slice name, enum arc_kind *out)
{
    for (unsigned i = 0; i < ARC_KINDS; i++)
        if (mox__slice_is_nocase(name, names[i])) {
            *out = (enum arc_kind)i;
            return true;
        }
    return false;
}

void mox__arc_problem(struct arc_sets *a, unsigned instance, enum arc_kind kind, const char *what)
{
    if (a->problem[0] != '\0')
        return;
    if (instance == 0)
        (void)snprintf(a->problem, sizeof a->problem, "%s: %s", names[kind], what);
    else
        (void)snprintf(a->problem, sizeof a->problem, "%s of set %u: %s", names[kind], instance,
                       what);
}

/* instance of ARC-Authentication-Results (RFC 8617 §4.1.1): [CFWS] "i" [CFWS] "=" [CFWS] 1*2DIGIT [CFWS]
 * ";", before what RFC 8601 has. */
static bool results_instance(struct mox_slice value, struct mox_slice *i, struct mox_slice *results)
{
    size_t at = mox__skip_cfws(value, 0);
    if (at == value.len || value.data[at] != 'i')
        return false;
    at = mox__skip_cfws(value, at + 1);
    if (at == value.len || value.data[at] != '=')
        return false;
    size_t start = at = mox__skip_cfws(value, at + 1);
    while (at < value.len && is_digit(value.data[at]))
        at++;
    *i = slice(value.data + start, at - start);
    at = mox__skip_cfws(value, at);
    if (at == value.len || value.data[at] != ';')
        return false;
    *results = slice_from(value, at + 1);
    return true;
}

/* The tag i= of the other two. */
static bool tag_instance(struct mox_slice value, struct mox_slice *i)
{
    struct tag tag;
    while (mox__tag_next(&value, &tag) == TAG_FOUND)
        if (mox__slice_is(tag.name, "i")) {
            *i = tag.value;
            return true;
        }
    return false;
}

static void add(struct arc_sets *a, const struct signed_field *field)
{
    enum arc_kind kind;
    struct mox_slice text, results = {NULL, 0};
    uint64_t instance = 0;
    if (!kind_of(field->name, &kind))
        return;
    a->found = true;
    bool there = kind == ARC_RESULTS ? results_instance(field->value, &text, &results)
                                     : tag_instance(field->value, &text);
    if (!there) {
        mox__arc_problem(a, 0, kind, "no instance");
        return;
    }
    if (text.len > 2 || !mox__slice_uint(text, MOX_ARC_INSTANCES_MAX, &instance) || instance == 0) {
        mox__arc_problem(a, 0, kind, "an instance that is not from 1 to 50");
        return;
    }
    struct arc_set *set = &a->sets[instance - 1];
    if (set->fields[kind] != NULL) {
        mox__arc_problem(a, (unsigned)instance, kind, "there twice");
        return;
    }
    set->fields[kind] = field;
    if (kind == ARC_RESULTS)
        set->results = results;
    if (instance > a->count)
        a->count = (unsigned)instance;
}

void mox__arc_sets_read(struct arc_sets *a, const struct mox_signed_message *m)
{
    *a = (struct arc_sets){0};
    for (size_t i = 0; i < m->field_count; i++)
        add(a, &m->fields[i]);
    for (unsigned i = 0; i < a->count; i++)
        for (unsigned kind = 0; kind < ARC_KINDS; kind++)
            if (a->sets[i].fields[kind] == NULL)
                mox__arc_problem(a, i + 1, (enum arc_kind)kind, "missing");
}
