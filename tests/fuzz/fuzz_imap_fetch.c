/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>

#include "imap/cmd_fetch.h"

/* Items of FETCH, up to a NUL, and behind it a message: every section that is asked for is as long
 * as its size says, lies in the message, and reads the same from any place that a reader stopped
 * at. */

static bool lies_in(struct mox_slice piece, struct mox_slice whole)
{
    return piece.data >= whole.data && piece.len <= whole.len &&
           (size_t)(piece.data - whole.data) <= whole.len - piece.len;
}

static void read_section(const struct section *s, const struct mox_part *root,
                         struct mox_slice content)
{
    struct section_source src;
    struct section_reader r = {0};
    struct mox_slice piece, again;
    uint64_t sum = 0;
    if (!mox__section_find(&src, s, root, slice("X-Prefix: 1\r\n", 13), content))
        return;
    for (;;) {
        struct section_reader copy = r;
        if (!mox__section_next(&src, &r, &piece))
            break;
        assert(mox__section_next(&src, &copy, &again));
        assert(again.data == piece.data && again.len == piece.len);
        assert(piece.len > 0);
        assert(lies_in(piece, content) || piece.len == 13 || piece.len == 2);
        sum += piece.len;
    }
    assert(sum == mox__section_size(&src));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct arena arena;
    struct lexer l;
    struct fetch_program p;
    struct mox_message *m = NULL;
    mox_env_system(&env);
    const uint8_t *nul = len > 0 ? memchr(data, 0, len) : NULL;
    const size_t text = nul != NULL ? (size_t)(nul - data) : len;
    const struct mox_slice content =
        nul != NULL ? slice(nul + 1, len - text - 1) : slice("A: b\r\n\r\nbody", 12);

    mox__arena_init(&arena, &env, 1 << 24);
    mox__lex_init(&l, slice(data, text), &arena);
    int rc = mox__fetch_parse(&p, &l);
    assert(rc == MOX_OK || rc == MOX_ESYNTAX);
    assert(rc == MOX_OK || l.expected[0] != '\0');
    if (rc == MOX_OK && mox_message_parse(&m, &env, content) == MOX_OK) {
        assert(l.at == l.end && p.count <= FETCH_ITEMS_MAX);
        for (size_t i = 0; i < p.count; i++) {
            assert(p.items[i].label.len > 0);
            read_section(&p.items[i].section, mox_message_root(m), content);
        }
    }
    mox_message_free(m);
    mox__arena_reset(&arena);
    return 0;
}
