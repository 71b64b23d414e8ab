/* SPDX-License-Identifier: MIT */

/* What an mbox holds does not depend on how its bytes come; contents have CRLF line ends and no other LF; and what
 * was read, written again with its lines quoted, is read the same. */

#include <stdlib.h>

#include "input.h"
#include "mailfile/mailfile.h"
#include "support/testenv.h"

#define MESSAGES_MAX 20

struct steps {
    struct mox_slice text;
    size_t step;
};

static int read_step(void *user, uint8_t *to, size_t room, size_t *len)
{
    struct steps *s = user;
    *len = s->step < room ? s->step : room;
    *len = *len < s->text.len ? *len : s->text.len;
    if (*len > 0)
        memcpy(to, s->text.data, *len);
    s->text = slice_from(s->text, *len);
    return MOX_OK;
}

static void check_lines(struct mox_slice content)
{
    for (size_t i = 0; i < content.len; i++)
        assert(content.data[i] != '\n' || (i > 0 && content.data[i - 1] == '\r'));
    assert(content.len == 0 || content.data[content.len - 1] == '\n');
}

/* As an mboxrd has it. */
static void write_again(struct buf *out, struct mox_slice content)
{
    mox__buf_text(out, "From x\n");
    while (content.len > 0) {
        const uint8_t *lf = memchr(content.data, '\n', content.len);
        size_t len = (size_t)(lf - content.data) + 1, quotes = 0;
        while (quotes < len && content.data[quotes] == '>')
            quotes++;
        if (len - quotes >= 5 && memcmp(content.data + quotes, "From ", 5) == 0)
            mox__buf_byte(out, '>');
        mox__buf_append(out, content.data, len - 2);
        mox__buf_text(out,
                      content.len > 2 && len > 2 && content.data[len - 3] == '\r' ? "\r\n" : "\n");
        content = slice_from(content, len);
    }
    mox__buf_text(out, "\n");
}

static size_t read_all(const struct mox_env *env, struct mox_slice text, size_t step,
                       struct buf *all, struct buf *again)
{
    static struct item item;
    static struct crlf crlf;
    const struct mox_mailfile_config config = {.size = sizeof config};
    struct steps steps = {text, step};
    struct mbox *m;
    size_t count = 0;
    assert(mox__mbox_new(&m, env, "x", (struct source){read_step, &steps}) == MOX_OK);
    for (bool found = true; found && count < MESSAGES_MAX;) {
        struct mox_spool *spool;
        struct mox_slice content;
        struct mox_error err;
        assert(mox_spool_new(&spool, env, NULL, 1 << 20) == MOX_OK);
        mox__crlf_begin(&crlf, spool);
        if (mox__mbox_next(m, &crlf, &item, &found, &config, &err) < 0)
            found = false;
        if (found) {
            assert(mox_spool_bytes(spool, &content) == MOX_OK);
            check_lines(content);
            mox__buf_printf(all, "%s %x %zu ", item.pub.where, item.pub.flags,
                            item.pub.keyword_count);
            mox__buf_slice(all, content);
            if (again != NULL)
                write_again(again, content);
            count++;
        }
        mox_spool_free(spool);
    }
    mox__mbox_free(m);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct test_env t;
    struct buf whole, cut, again, third, fourth;
    struct input in = {slice(data, len)};
    size_t step = 1 + input_below(&in, 64);
    test_env_init(&t);
    mox__buf_init(&whole, &t.env, 1 << 26);
    mox__buf_init(&cut, &t.env, 1 << 26);
    mox__buf_init(&again, &t.env, 1 << 26);
    mox__buf_init(&third, &t.env, 1 << 26);
    mox__buf_init(&fourth, &t.env, 1 << 26);
    size_t count = read_all(&t.env, in.rest, SIZE_MAX, &whole, &again);
    assert(read_all(&t.env, in.rest, step, &cut, NULL) == count);
    assert_same(buf_bytes(&whole), buf_bytes(&cut));
    assert(read_all(&t.env, buf_bytes(&again), SIZE_MAX, &third, &fourth) == count);
    assert_same(buf_bytes(&again), buf_bytes(&fourth));
    mox__buf_free(&whole);
    mox__buf_free(&cut);
    mox__buf_free(&again);
    mox__buf_free(&third);
    mox__buf_free(&fourth);
    test_env_done(&t);
    return 0;
}
