/* SPDX-License-Identifier: MIT */
#include "message/boundary.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

_Static_assert(BOUNDARY_SLOTS == 1 << 7, "SLOT() takes seven bits");

/* FNV-1a from a start that nobody outside knows. Its high bits choose the slot: they depend on all
 * of the state. */
#define HASH_STEP(hash, byte) (((hash) ^ (byte)) * 16777619u)
#define SLOT(hash)            ((hash) >> 25)

void mox__boundaries_init(struct boundaries *b, const struct mox_env *env)
{
    b->env = env;
    b->count = 0;
    b->work = 0;
}

/* Before the first boundary: most messages have none. */
static void start(struct boundaries *b)
{
    uint8_t seed[sizeof b->seed];
    b->env->random(b->env->user, seed, sizeof seed);
    memcpy(&b->seed, seed, sizeof seed);
    for (unsigned i = 0; i < BOUNDARY_SLOTS; i++)
        b->slots[i] = -1;
}

unsigned mox__boundary_push(struct boundaries *b, struct mox_slice text)
{
    assert(b->count < MOX_MESSAGE_DEPTH_MAX && text.len > 0);
    if (b->count == 0)
        start(b);
    uint32_t hash = b->seed;
    for (size_t i = 0; i < text.len; i++)
        hash = HASH_STEP(hash, text.data[i]);
    unsigned index = b->count++;
    size_t before = index > 0 ? b->list[index - 1].longest : 0;
    b->list[index].text = text;
    b->list[index].longest = text.len > before ? text.len : before;
    b->list[index].hash = hash;
    b->list[index].next = b->slots[SLOT(hash)];
    b->slots[SLOT(hash)] = (int)index;
    return index;
}

void mox__boundary_pop(struct boundaries *b, unsigned keep)
{
    while (b->count > keep) {
        b->count--; /* the newest is the first of its slot */
        b->slots[SLOT(b->list[b->count].hash)] = b->list[b->count].next;
    }
}

/* The innermost boundary equal to text, or -1. */
static int look_up(struct boundaries *b, uint32_t hash, struct mox_slice text)
{
    int i = b->slots[SLOT(hash)];
    for (; i >= 0; i = b->list[i].next, b->work++)
        if (b->list[i].hash == hash && mox__slice_eq(b->list[i].text, text))
            break;
    return i;
}

/* Whether a boundary may end in front of s, and how. */
static bool may_end(struct mox_slice s, bool *closing)
{
    *closing = s.len >= 2 && s.data[0] == '-' && s.data[1] == '-';
    return *closing || s.len == 0 || s.data[0] == ' ' || s.data[0] == '\t' || s.data[0] == '\r' ||
           s.data[0] == '\n';
}

bool mox__boundary_match(struct boundaries *b, struct mox_slice in, size_t at,
                         struct delimiter *out)
{
    if (b->count == 0 || in.len - at < 3 || in.data[at] != '-' || in.data[at + 1] != '-')
        return false;
    struct mox_slice line = slice_from(in, at + 2);
    size_t longest = b->list[b->count - 1].longest;
    if (longest > line.len)
        longest = line.len;
    uint32_t hash = b->seed;
    bool found = false, closing;
    for (size_t len = 1; len <= longest && line.data[len - 1] != '\n'; len++) {
        hash = HASH_STEP(hash, line.data[len - 1]);
        b->work++;
        if (!may_end(slice_from(line, len), &closing))
            continue;
        int index = look_up(b, hash, slice(line.data, len));
        if (index >= 0) {
            *out = (struct delimiter){.index = (unsigned)index, .closing = closing};
            found = true;
        }
    }
    return found;
}
