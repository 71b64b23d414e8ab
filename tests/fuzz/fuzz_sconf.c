/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include <mox/config.h>

#include "base/text.h"
#include "config/tables.h"

/* Two files, separated by a form feed; the second is what the first is to become. */

/* Whether both say the same, the entries of a map in any order. */
static bool same_meaning(const struct sconf_node *a, const struct sconf_node *b)
{
    const struct sconf_node *x = a->first, *y = b->first;
    if (!mox__slice_eq(a->value, b->value) || (a->first != NULL && a->is_list != b->is_list))
        return false;
    if (a->is_list && a->first != NULL)
        return mox__sconf_same(a, b);
    for (; x != NULL; x = x->next) {
        for (y = b->first; y != NULL && !mox__slice_eq(x->key, y->key); y = y->next)
            ;
        if (y == NULL || !same_meaning(x, y))
            return false;
    }
    for (x = a->first, y = b->first; x != NULL && y != NULL; x = x->next, y = y->next)
        ;
    return x == NULL && y == NULL;
}

static void check_copy(const struct sconf *tree, const struct mox_env *env, struct mox_slice text)
{
    struct buf out;
    mox__buf_init(&out, env, 1 << 20);
    mox__sconf_write(tree, &out);
    assert(mox__slice_eq(slice(out.data, out.len), text));
    mox__buf_free(&out);
}

/* A merged file says what it should, and can be read. */
static void check_merge(struct sconf *tree, const struct mox_env *env, struct mox_slice text,
                        const struct sconf *after)
{
    struct sconf before, again;
    struct buf out;
    int rc = mox__sconf_read(&before, env, "f", text, NULL);
    assert(rc == MOX_OK);
    rc = mox__sconf_merge(tree, &before, after);
    assert(rc == MOX_OK);
    assert(same_meaning(&tree->root, &after->root));
    mox__buf_init(&out, env, 1 << 20);
    mox__sconf_write(tree, &out);
    rc = mox__sconf_read(&again, env, "f", slice(out.data, out.len), NULL);
    assert(rc == MOX_OK && same_meaning(&again.root, &after->root));
    mox__buf_free(&out);
    mox__sconf_free(&before);
    mox__sconf_free(&again);
}

/* What is read as a config is written as one that means the same: written again, nothing changes. */
static void check_bind(const struct sconf *tree, const struct mox_env *env,
                       const struct value_type *type, unsigned depth, struct mox_slice expected)
{
    union {
        struct mox_config_static mox;
        struct mox_config_domains domains;
    } value;
    struct arena arena;
    struct buf out;
    struct sconf again;
    mox__arena_init(&arena, env, 64 << 20);
    mox__buf_init(&out, env, 1 << 20);
    struct bind b = {.tree = tree, .arena = &arena};
    int rc = mox__bind(&b, type, &value);
    assert(depth == 0 || rc == MOX_OK);
    if (rc == MOX_OK) {
        rc = mox__emit(&out, type, &value, EMIT_PLAIN, NULL);
        assert(rc == MOX_OK);
    }
    if (rc == MOX_OK && depth == 0) {
        rc = mox__sconf_read(&again, env, "f", slice(out.data, out.len), NULL);
        assert(rc == MOX_OK);
        check_bind(&again, env, type, 1, slice(out.data, out.len));
        mox__sconf_free(&again);
    } else if (rc == MOX_OK) {
        assert(mox__slice_eq(slice(out.data, out.len), expected));
    }
    mox__buf_free(&out);
    mox__arena_reset(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct sconf tree, other;
    struct mox_error err;
    mox_env_system(&env);
    const uint8_t *feed = len == 0 ? NULL : memchr(data, '\f', len);
    struct mox_slice first = slice(data, feed == NULL ? len : (size_t)(feed - data));
    struct mox_slice second = feed == NULL ? slice(data, 0) : slice(feed + 1, len - first.len - 1);
    int rc = mox__sconf_read(&tree, &env, "f", first, &err);
    assert(rc == MOX_OK || strncmp(err.text, "f:", 2) == 0);
    if (rc == MOX_OK) {
        check_copy(&tree, &env, first);
        check_bind(&tree, &env, &mox__config_static_type, 0, first);
        check_bind(&tree, &env, &mox__config_domains_type, 0, first);
        if (mox__sconf_read(&other, &env, "f", second, NULL) == MOX_OK)
            check_merge(&tree, &env, first, &other);
        mox__sconf_free(&other);
    }
    mox__sconf_free(&tree);
    return 0;
}
