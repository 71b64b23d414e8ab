/* SPDX-License-Identifier: MIT */

/* Any bytes are a message: offsets nest, the pieces make up the whole, a stored tree comes back the
 * same, looking for boundaries takes few steps, and every part can be read. */

#include <mox/message.h>

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "message/decode.h"
#include "message/part.h"
#include "message/structure.h"
#include "message/text.h"
#include "support/part_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct mox_env env;

static int check_utf8(void *user, struct mox_slice piece)
{
    (void)user;
    assert(piece.len > 0 && mox__slice_is_utf8(piece));
    return MOX_OK;
}

static int check_piece(void *user, struct mox_slice piece)
{
    (void)user;
    assert(piece.len > 0 && piece.len <= DECODE_PIECE_MAX);
    return MOX_OK;
}

/* Appends the part as its pieces, and reads it. */
static void walk(struct buf *out, const struct mox_part *part, struct mox_slice content)
{
    struct buf text;
    mox__buf_init(&text, &env, SIZE_MAX / 2);
    assert(mox__part_decode(part, content, check_piece, NULL) == MOX_OK);
    assert(mox__part_text(NULL, part, content, check_utf8, NULL) == MOX_OK);
    mox__part_filename(&text, part);
    assert(!text.failed && mox__slice_is_utf8(slice(text.data, text.len)));
    mox__buf_free(&text);

    mox__buf_slice(out, mox_part_header(part, content));
    uint64_t at = part->body;
    for (const struct mox_part *c = part->children; c != NULL; c = c->next) {
        mox__buf_append(out, content.data + at, (size_t)(c->header - at));
        walk(out, c, content);
        at = c->end;
    }
    if (at < part->end)
        mox__buf_append(out, content.data + at, (size_t)(part->end - at));
}

static void store_and_load(const struct mox_message *m, struct mox_slice content)
{
    struct buf blob;
    struct arena a;
    const struct mox_part *root = NULL;
    mox__buf_init(&blob, &env, SIZE_MAX / 2);
    mox__arena_init(&a, &env, SIZE_MAX / 2);
    mox__structure_encode(m, &blob);
    assert(mox__structure_decode(slice(blob.data, blob.len), &a, &root) == MOX_OK);
    tree_check(root, content);
    tree_same(root, mox_message_root(m));
    mox__arena_reset(&a);
    mox__buf_free(&blob);
}

/* The same bytes taken for a stored tree. */
static void load(struct mox_slice blob)
{
    struct arena a;
    const struct mox_part *root = NULL;
    mox__arena_init(&a, &env, SIZE_MAX / 2);
    int rc = mox__structure_decode(blob, &a, &root);
    assert((rc == MOX_OK && root != NULL) || (rc == MOX_ECORRUPT && root == NULL));
    if (rc == MOX_OK)
        tree_check(root, slice(blob.data, SIZE_MAX));
    mox__arena_reset(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_slice content = {data, len};
    struct mox_message *m = NULL;
    struct buf again;
    mox_env_system(&env);
    assert(mox_message_parse(&m, &env, content) == MOX_OK);
    tree_check(mox_message_root(m), content);
    assert(mox__message_work(m) <= 4 * len);
    mox__buf_init(&again, &env, len);
    walk(&again, mox_message_root(m), content);
    assert(again.len == len && (len == 0 || memcmp(again.data, data, len) == 0));
    mox__buf_free(&again);
    store_and_load(m, content);
    mox_message_free(m);
    load(content);
    return 0;
}
