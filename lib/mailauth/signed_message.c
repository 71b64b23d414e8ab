/* SPDX-License-Identifier: MIT */
#include "mailauth/signed_message.h"

#include <mox/header.h>

#include "base/mem.h"
#include "base/text.h"

/* Signatures name the fields that they cover, as often as they like: 20 signatures with a thousand names
 * in a header of 2000 fields must not cost 40 million comparisons. So names are hashed once, fields of one
 * name are a list, and a name of a signature finds its list in one step. */

struct field_group {
    uint64_t hash;
    size_t last; /* its field furthest down */
};

/* What the index of MOX_SIGNED_MESSAGE_FIELDS_MAX fields takes, and the hashes. */
#define ARENA_MAX (1024 * 1024)
#define NO_GROUP  SIZE_MAX

/* FNV-1a over the name in lower case: all that an attacker gains by collisions are some more steps, of
 * which the number of fields is the bound. */
static uint64_t name_hash(struct mox_slice name)
{
    uint64_t h = 0xcbf29ce484222325;
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ to_lower(name.data[i])) * 0x100000001b3;
    return h;
}

/* The bucket of the name: its group's, or the empty one where that would go. */
static size_t bucket_of(const struct mox_signed_message *m, uint64_t hash, struct mox_slice name)
{
    size_t at = hash & (m->bucket_count - 1);
    for (;; at = (at + 1) & (m->bucket_count - 1)) {
        if (m->buckets[at] == NO_GROUP)
            return at;
        const struct field_group *g = &m->groups[m->buckets[at]];
        if (g->hash == hash && mox__slice_eq_nocase(m->fields[g->last].name, name))
            return at;
    }
}

static void add_to_group(struct mox_signed_message *m, size_t index)
{
    struct signed_field *f = &m->fields[index];
    uint64_t hash = name_hash(f->name);
    size_t at = bucket_of(m, hash, f->name);
    f->above = NO_FIELD;
    if (m->buckets[at] == NO_GROUP) {
        m->buckets[at] = m->group_count++;
        m->groups[m->buckets[at]].hash = hash;
    } else {
        f->above = m->groups[m->buckets[at]].last;
    }
    f->group = m->buckets[at];
    m->groups[f->group].last = index;
}

/* RFC 5322 §2.2: printable ASCII without a colon; white space in front of the colon is obsolete (§4.5.8)
 * and was taken off already. */
static bool is_field(const struct mox_header_field *f)
{
    for (size_t i = 0; i < f->name.len; i++)
        if (f->name.data[i] <= ' ' || f->name.data[i] >= 0x7f)
            return false;
    return f->name.len > 0 && f->raw.data[0] != ' ' && f->raw.data[0] != '\t';
}

static size_t count_fields(struct mox_slice content)
{
    struct mox_header_field f;
    size_t at = 0, n = 0;
    while (n < MOX_SIGNED_MESSAGE_FIELDS_MAX && mox_header_next(content, &at, &f))
        n++;
    return n;
}

static void read_fields(struct mox_signed_message *m, size_t count)
{
    struct mox_header_field f;
    size_t at = 0;
    while (m->field_count < count && mox_header_next(m->content, &at, &f)) {
        if (!is_field(&f)) {
            m->problem = "the header has a line that is no field";
            return;
        }
        m->fields[m->field_count] = (struct signed_field){f.name, f.value, f.raw, 0, NO_FIELD};
        add_to_group(m, m->field_count++);
    }
    if (m->field_count == MOX_SIGNED_MESSAGE_FIELDS_MAX)
        m->too_long = "the header has 2000 fields or more";
}

static int index_fields(struct mox_signed_message *m)
{
    size_t count = count_fields(m->content);
    for (m->bucket_count = 8; m->bucket_count < 2 * count;)
        m->bucket_count *= 2;
    m->fields = arena_new(&m->arena, struct signed_field, count + 1);
    m->groups = arena_new(&m->arena, struct field_group, count + 1);
    m->next = arena_new(&m->arena, size_t, count + 1);
    m->buckets = arena_new(&m->arena, size_t, m->bucket_count);
    m->hashes = arena_new(&m->arena, struct body_hash, BODY_HASHES_MAX);
    if (m->fields == NULL || m->groups == NULL || m->next == NULL || m->buckets == NULL ||
        m->hashes == NULL)
        return MOX_ENOMEM;
    for (size_t i = 0; i < m->bucket_count; i++)
        m->buckets[i] = NO_GROUP;
    read_fields(m, count);
    return MOX_OK;
}

int mox_signed_message_new(struct mox_signed_message **out, const struct mox_env *env,
                           struct mox_slice content)
{
    struct mox_signed_message *m = mem_new(env, struct mox_signed_message, 1);
    *out = NULL;
    if (m == NULL)
        return MOX_ENOMEM;
    m->env = *env;
    mox__arena_init(&m->arena, &m->env, ARENA_MAX);
    m->content = content;
    m->body = slice_from(content, mox_header_end(content));
    if (index_fields(m) < 0) {
        mox_signed_message_free(m);
        return MOX_ENOMEM;
    }
    *out = m;
    return MOX_OK;
}

void mox_signed_message_free(struct mox_signed_message *m)
{
    if (m == NULL)
        return;
    struct mox_env env = m->env;
    mox__arena_reset(&m->arena);
    mox__mem_free(&env, m);
}

void mox__signed_rewind(struct mox_signed_message *m)
{
    for (size_t i = 0; i < m->group_count; i++)
        m->next[i] = m->groups[i].last;
}

const struct signed_field *mox__signed_take(struct mox_signed_message *m, struct mox_slice name)
{
    size_t group = m->buckets[bucket_of(m, name_hash(name), name)];
    if (group == NO_GROUP || m->next[group] == NO_FIELD)
        return NULL;
    const struct signed_field *f = &m->fields[m->next[group]];
    m->next[group] = f->above;
    return f;
}
