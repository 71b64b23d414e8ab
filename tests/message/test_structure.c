/* SPDX-License-Identifier: MIT */
#include "message/structure.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/corpora.h"
#include "support/part_tree.h"
#include "support/testenv.h"

static const char nested[] =
    "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html; charset=koi8-r\n"
    "Content-Transfer-Encoding: base64\n\nAAAA\n--b\nContent-Type: message/rfc822\n\n"
    "Subject: x\nContent-Type: multipart/x; boundary=i\n\n--i\nContent-Disposition: "
    "attachment\n\n1\n"
    "--i\n\n2\n--i--\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: quoted-printable\n\n"
    "=20\n--b--\n";

/* Parses, encodes; the blob is freed with mox__buf_free(). */
static struct mox_message *encoded(const struct mox_env *env, struct mox_slice content,
                                   struct buf *blob)
{
    struct mox_message *m = NULL;
    assert_int_equal(mox_message_parse(&m, env, content), MOX_OK);
    mox__buf_init(blob, env, 1 << 24);
    mox__structure_encode(m, blob);
    assert_false(blob->failed);
    return m;
}

static void round_trip(const struct mox_env *env, struct mox_slice content)
{
    struct buf blob;
    struct arena a;
    const struct mox_part *root = NULL;
    struct mox_message *m = encoded(env, content, &blob);
    mox__arena_init(&a, env, 1 << 24);
    assert_int_equal(mox__structure_decode(slice(blob.data, blob.len), &a, &root), MOX_OK);
    tree_check(root, content);
    tree_same(mox_message_root(m), root);
    mox__arena_reset(&a);
    mox__buf_free(&blob);
    mox_message_free(m);
}

static void a_tree_survives_encoding(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    round_trip(&t.env, slice_of(nested));
    round_trip(&t.env, slice_of(""));
    test_env_done(&t);
}

static void a_part_takes_few_bytes(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct buf blob;
    mox_message_free(encoded(&t.env, slice_of(nested), &blob));
    assert_in_range(blob.len, 1, 7 * 25);
    mox__buf_free(&blob);
    test_env_done(&t);
}

static void damaged_bytes_are_refused_or_give_a_sound_tree(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct buf blob;
    mox_message_free(encoded(&t.env, slice_of(nested), &blob));
    struct mox_slice content = {blob.data, SIZE_MAX / 2}; /* only its length is looked at */
    for (size_t i = 0; i < blob.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct arena a;
            const struct mox_part *root = NULL;
            mox__arena_init(&a, &t.env, 1 << 20);
            blob.data[i] ^= (uint8_t)(1u << bit);
            int rc = mox__structure_decode(slice(blob.data, blob.len), &a, &root);
            blob.data[i] ^= (uint8_t)(1u << bit);
            assert_true(rc == MOX_OK || (rc == MOX_ECORRUPT && root == NULL));
            if (rc == MOX_OK && root->end < content.len)
                tree_check(root, content);
            mox__arena_reset(&a);
        }
    }
    mox__buf_free(&blob);
    test_env_done(&t);
}

static void cut_and_longer_blobs_are_refused(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct buf blob;
    mox_message_free(encoded(&t.env, slice_of(nested), &blob));
    mox__buf_byte(&blob, 0);
    struct arena a;
    const struct mox_part *root = NULL;
    mox__arena_init(&a, &t.env, 1 << 20);
    for (size_t len = 0; len <= blob.len; len++) {
        int rc = mox__structure_decode(slice(blob.data, len), &a, &root);
        assert_int_equal(rc, len == blob.len - 1 ? MOX_OK : MOX_ECORRUPT);
    }
    blob.data[0]++; /* a later version */
    assert_int_equal(mox__structure_decode(slice(blob.data, blob.len - 1), &a, &root),
                     MOX_ECORRUPT);
    mox__arena_reset(&a);
    mox__buf_free(&blob);
    test_env_done(&t);
}

static void running_out_of_memory_is_said(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct buf blob;
    mox_message_free(encoded(&t.env, slice_of(nested), &blob));
    t.allocations = 0;
    t.fail_at = 1;
    struct arena a;
    const struct mox_part *root = NULL;
    mox__arena_init(&a, &t.env, 1 << 20);
    assert_int_equal(mox__structure_decode(slice(blob.data, blob.len), &a, &root), MOX_ENOMEM);
    mox__arena_reset(&a);
    mox__buf_free(&blob);
    test_env_done(&t);
}

static void each_message(void *user, const char *path, struct mox_slice data)
{
    (void)path;
    struct mox_slice content = with_crlf(data);
    round_trip(user, content);
    free((void *)(uintptr_t)content.data);
}

static void real_trees_survive_encoding(void **state)
{
    (void)state;
    const char *folder = corpus_path("mime");
    if (folder == NULL)
        skip();
    struct test_env t;
    test_env_init(&t);
    each_file(folder, each_message, &t.env);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_survives_encoding),
        cmocka_unit_test(a_part_takes_few_bytes),
        cmocka_unit_test(damaged_bytes_are_refused_or_give_a_sound_tree),
        cmocka_unit_test(cut_and_longer_blobs_are_refused),
        cmocka_unit_test(running_out_of_memory_is_said),
        cmocka_unit_test(real_trees_survive_encoding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
