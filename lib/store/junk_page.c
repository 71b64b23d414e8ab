/* SPDX-License-Identifier: MIT */
#include "store/junk_page.h"

#include "base/text.h"

#define REST_BYTES 7 /* of a key */
#define REST_MASK  ((UINT64_C(1) << JUNK_PAGE_SHIFT) - 1)

struct junk_page mox__junk_page(uint64_t number, struct mox_slice bytes)
{
    return (struct junk_page){.rest = bytes, .number = number};
}

/* A count of up to 31 bits. */
static bool take_count(struct mox_slice *s, int32_t *out)
{
    uint64_t n = 0;
    for (unsigned shift = 0; shift <= 28 && s->len > 0; shift += 7) {
        const uint8_t byte = s->data[0];
        *s = slice_from(*s, 1);
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = (int32_t)(n & INT32_MAX);
            return n <= INT32_MAX;
        }
    }
    return false;
}

static bool take_row(struct junk_page *page, struct junk_row *row)
{
    uint64_t rest = 0;
    for (size_t i = 0; i < REST_BYTES; i++)
        rest = rest << 8 | page->rest.data[i];
    if (rest > REST_MASK)
        return false;
    page->rest = slice_from(page->rest, REST_BYTES);
    row->key = page->number << JUNK_PAGE_SHIFT | rest;
    return take_count(&page->rest, &row->hams) && take_count(&page->rest, &row->spams) &&
           (row->hams != 0 || row->spams != 0);
}

bool mox__junk_page_next(struct junk_page *page, struct junk_row *row)
{
    if (page->damaged || page->rest.len == 0)
        return false;
    const bool first = page->last == 0;
    page->damaged = page->rest.len < REST_BYTES + 2 || !take_row(page, row) ||
                    (!first && row->key <= page->last);
    page->last = row->key;
    return !page->damaged;
}

bool mox__junk_page_find(struct junk_page *page, uint64_t key, struct junk_row *row)
{
    while (mox__junk_page_next(page, row))
        if (row->key >= key)
            return row->key == key;
    return false;
}

static void put_count(struct buf *out, int32_t count)
{
    uint32_t n = (uint32_t)count;
    for (; n >= 0x80; n >>= 7)
        mox__buf_byte(out, (uint8_t)(0x80 | (n & 0x7f)));
    mox__buf_byte(out, (uint8_t)n);
}

void mox__junk_page_put(struct buf *out, const struct junk_row *row)
{
    uint8_t rest[REST_BYTES];
    uint64_t key = row->key & REST_MASK;
    for (size_t i = REST_BYTES; i-- > 0; key >>= 8)
        rest[i] = (uint8_t)key;
    mox__buf_append(out, rest, sizeof rest);
    put_count(out, row->hams);
    put_count(out, row->spams);
}

static int32_t changed(int32_t n, int32_t by, uint64_t *missed)
{
    const int64_t sum = (int64_t)n + by;
    *missed += sum < 0;
    return sum < 0 ? 0 : sum > INT32_MAX ? INT32_MAX : (int32_t)sum;
}

static void put_changed(struct buf *out, const struct junk_row *row, const struct junk_row *change,
                        uint64_t *missed)
{
    const struct junk_row sum = {.key = change->key,
                                 .hams = changed(row->hams, change->hams, missed),
                                 .spams = changed(row->spams, change->spams, missed)};
    if (sum.hams != 0 || sum.spams != 0)
        mox__junk_page_put(out, &sum);
}

bool mox__junk_page_merge(struct buf *out, struct junk_page page, const struct junk_row *changes,
                          size_t count, uint64_t *missed)
{
    struct junk_row row = {0};
    const struct junk_row none = {0};
    bool more = mox__junk_page_next(&page, &row);
    for (size_t i = 0; i < count; i++) {
        for (; more && row.key < changes[i].key; more = mox__junk_page_next(&page, &row))
            mox__junk_page_put(out, &row);
        const bool known = more && row.key == changes[i].key;
        put_changed(out, known ? &row : &none, &changes[i], missed);
        if (known)
            more = mox__junk_page_next(&page, &row);
    }
    for (; more; more = mox__junk_page_next(&page, &row))
        mox__junk_page_put(out, &row);
    return !page.damaged;
}
