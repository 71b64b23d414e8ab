/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>

#include "imap/cmd_search.h"

/* A search program, up to a NUL, and behind it a message. What is judged with little of the message
 * known stays so with more of it, and all is known in the end. */

static struct mox_view *small_view(const struct mox_env *env)
{
    static const char *const keywords[] = {"blue", "red"};
    const struct mox_view_row rows[] = {{.uid = 3, .flags = MOX_FLAG_SEEN, .keywords = 1},
                                        {.uid = 7, .flags = MOX_FLAG_DELETED, .keywords = 2},
                                        {.uid = 8}};
    const struct mox_view_info info = {
        .size = sizeof info, .mailbox = 1, .uidnext = 9, .keywords = keywords, .keyword_count = 2};
    struct mox_view *view = NULL;
    if (mox_view_new(&view, env, &info, rows, 3) < 0)
        abort();
    return view;
}

static void judge(const struct mox_env *env, const struct search_program *p,
                  const struct mox_view *view, struct mox_slice content)
{
    const struct mox_message_data message = {
        .uid = 7, .bytes = content.len, .received_us = 1767323045000000, .content = content};
    struct search_context x = {.env = env, .program = p, .index = 1, .data = &message};
    enum search_verdict last = SEARCH_UNKNOWN;
    x.row = mox_view_row(view, 1);
    for (int level = SEARCH_VIEW; level <= SEARCH_TEXT; level++) {
        x.level = (enum search_level)level;
        x.texts_done = false;
        const enum search_verdict v = mox__search_eval(p->root, &x);
        assert(last == SEARCH_UNKNOWN || v == last);
        assert(v != SEARCH_UNKNOWN || x.level < p->level);
        last = v;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct arena arena;
    struct lexer l;
    struct search_program p;
    mox_env_system(&env);
    const uint8_t *nul = len > 0 ? memchr(data, 0, len) : NULL;
    const size_t text = nul != NULL ? (size_t)(nul - data) : len;
    const struct mox_slice content =
        nul != NULL ? slice(nul + 1, len - text - 1) : slice("A: b\r\n\r\nbody", 12);

    struct mox_view *view = small_view(&env);
    const struct mox_uid_range recent = {7, 8};
    const struct search_session session = {.view = view, .recent = &recent, .recent_count = 1};
    mox__arena_init(&arena, &env, 1 << 24);
    mox__lex_init(&l, slice(data, text), &arena);
    int rc = mox__search_parse(&p, &l, &session);
    assert(rc == MOX_OK || rc == MOX_ESYNTAX || rc == MOX_EUNSUPPORTED);
    if (rc == MOX_OK) {
        mox__search_find_keywords(&p, view);
        judge(&env, &p, view, content);
    }
    mox__arena_reset(&arena);
    mox_view_unref(view);
    return 0;
}
