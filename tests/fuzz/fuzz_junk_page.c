/* SPDX-License-Identifier: MIT */

/* A page of words that makes sense is written back as it was, and changes to it can be taken back; one that
 * does not is seen. Places of weights that make sense are written back the same. Input: the page. */

#include "fuzz/input.h"
#include "store/junk_page.h"
#include "store/junk_weights.h"

/* Whether more of the word would be more than can be counted: then it cannot be taken back. */
static bool is_full(struct mox_slice bytes, const struct junk_row *change)
{
    struct junk_page page = mox__junk_page(0, bytes);
    struct junk_row row;
    return mox__junk_page_find(&page, change->key, &row) &&
           (row.hams > INT32_MAX - change->hams || row.spams > INT32_MAX - change->spams);
}

static void page_comes_back(const struct mox_env *env, struct mox_slice bytes)
{
    struct buf same, more, less;
    uint64_t missed = 0;
    const struct junk_row change = {.key = 77, .hams = 3, .spams = 1};
    const struct junk_row back = {.key = 77, .hams = -3, .spams = -1};
    mox__buf_init(&same, env, SIZE_MAX / 2);
    mox__buf_init(&more, env, SIZE_MAX / 2);
    mox__buf_init(&less, env, SIZE_MAX / 2);
    if (mox__junk_page_merge(&same, mox__junk_page(0, bytes), NULL, 0, &missed)) {
        /* Counts may be written longer than they need to be: then as often as one likes. */
        assert(same.len <= bytes.len);
        bool good =
            mox__junk_page_merge(&more, mox__junk_page(0, buf_bytes(&same)), &change, 1, &missed);
        assert(good && missed == 0);
        good = mox__junk_page_merge(&less, mox__junk_page(0, buf_bytes(&more)), &back, 1, &missed);
        assert(good && missed == 0);
        if (!is_full(buf_bytes(&same), &change))
            assert_same(buf_bytes(&less), buf_bytes(&same));
    }
    mox__buf_free(&same);
    mox__buf_free(&more);
    mox__buf_free(&less);
}

static void places_come_back(const struct mox_env *env, struct mox_slice bytes)
{
    static uint32_t places[MOX_JUNK_WEIGHTS], same[MOX_JUNK_WEIGHTS];
    size_t count, same_count;
    if (bytes.len > MOX_JUNK_WEIGHTS || !mox__junk_places_decode(bytes, places, &count))
        return;
    struct buf again;
    mox__buf_init(&again, env, SIZE_MAX / 2);
    mox__junk_places_encode(&again, places, count);
    assert(again.len <= bytes.len);
    bool good = mox__junk_places_decode(buf_bytes(&again), same, &same_count);
    assert(good && same_count == count && memcmp(same, places, count * sizeof *same) == 0);
    mox__buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    mox_env_system(&env);
    page_comes_back(&env, slice(data, len));
    places_come_back(&env, slice(data, len));
    return 0;
}
