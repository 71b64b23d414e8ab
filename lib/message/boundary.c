/* SPDX-License-Identifier: MIT */
#include "message/boundary.h"

#include <assert.h>

#include "base/text.h"

/* FNV-1a. */
#define HASH_START 2166136261u
#define HASH_STEP(hash, byte) (((hash) ^ (byte)) * 16777619u)

void mox__boundaries_init(struct boundaries *b)
{
    b->count = 0;
    for (unsigned i = 0; i < BOUNDARY_SLOTS; i++)
        b->slots[i] = -1;
}

unsigned mox__boundary_push(struct boundaries *b, struct mox_slice text)
{
    assert(b->count < MOX_MESSAGE_DEPTH_MAX && text.len > 0);
    uint32_t hash = HASH_START;
    for (size_t i = 0; i < text.len; i++)
        hash = HASH_STEP(hash, text.data[i]);
    unsigned index = b->count++;
    size_t before = index > 0 ? b->list[index - 1].longest : 0;
    b->list[index].text = text;
    b->list[index].longest = text.len > before ? text.len : before;
    b->list[index].hash = hash;
    b->list[index].next = b->slots[hash % BOUNDARY_SLOTS];
    b->slots[hash % BOUNDARY_SLOTS] = (int)index;
    return index;
}

void mox__boundary_pop(struct boundaries *b, unsigned keep)
{
    while (b->count > keep) {
        b->count--; /* the newest is the first of its slot */
        b->slots[b->list[b->count].hash % BOUNDARY_SLOTS] = b->list[b->count].next;
    }
}

/* The innermost boundary equal to text, or -1. */
static int look_up(const struct boundaries *b, uint32_t hash, struct mox_slice text)
{
    int i = b->slots[hash % BOUNDARY_SLOTS];
    while (i >= 0 && (b->list[i].hash != hash || !mox__slice_eq(b->list[i].text, text)))
        i = b->list[i].next;
    return i;
}

/* Whether a boundary may end in front of s, and how. */
static bool may_end(struct mox_slice s, bool *closing)
{
    *closing = s.len >= 2 && s.data[0] == '-' && s.data[1] == '-';
    return *closing || s.len == 0 || s.data[0] == ' ' || s.data[0] == '\t' || s.data[0] == '\r' ||
           s.data[0] == '\n';
}

bool mox__boundary_match(const struct boundaries *b, struct mox_slice in, size_t at,
                         struct delimiter *out)
{
    if (b->count == 0 || in.len - at < 3 || in.data[at] != '-' || in.data[at + 1] != '-')
        return false;
    struct mox_slice line = slice_from(in, at + 2);
    size_t longest = b->list[b->count - 1].longest;
    if (longest > line.len)
        longest = line.len;
    uint32_t hash = HASH_START;
    bool found = false, closing;
    for (size_t len = 1; len <= longest && line.data[len - 1] != '\n'; len++) {
        hash = HASH_STEP(hash, line.data[len - 1]);
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
