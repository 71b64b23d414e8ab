/* SPDX-License-Identifier: MIT */
#include "support/part_tree.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "support/cm.h"

static char text[65536];
static size_t used;

static void put(const char *s, size_t len)
{
    assert_true(len < sizeof text - used);
    memcpy(text + used, s, len);
    text[used += len] = '\0';
}

static void put_lower(struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = (char)(s.data[i] >= 'A' && s.data[i] <= 'Z' ? s.data[i] + 32 : s.data[i]);
        put(&c, 1);
    }
}

static void put_part(const struct mox_part *part, struct mox_slice content)
{
    put_lower(part->type);
    put("/", 1);
    put_lower(part->subtype);
    char number[32];
    put(number, (size_t)snprintf(number, sizeof number, " %llu", (unsigned long long)part->lines));
    if (part->kind != MOX_PART_LEAF) {
        put("{", 1);
        for (const struct mox_part *c = part->children; c != NULL; c = c->next) {
            put_part(c, content);
            put("|", c->next != NULL);
        }
        put("}", 1);
        return;
    }
    struct mox_slice body = mox_part_body(part, content);
    put(" \"", 2);
    for (size_t i = 0; i < body.len; i++)
        if (body.data[i] == '\n')
            put("\\n", 2);
        else if (body.data[i] != '\r')
            put((const char *)body.data + i, 1);
    put("\"", 1);
}

const char *tree_text(const struct mox_part *root, struct mox_slice content)
{
    used = 0;
    put_part(root, content);
    return text;
}

void tree_check(const struct mox_part *root, struct mox_slice content)
{
    assert_true(root->header <= root->body && root->body <= root->end);
    assert_true(root->end <= content.len);
    assert_true(root->type.len > 0 && root->subtype.len > 0);
    assert_int_equal(root->child_count == 0, root->kind == MOX_PART_LEAF);
    assert_true(root->kind != MOX_PART_MESSAGE || root->child_count == 1);
    unsigned count = 0;
    uint64_t from = root->body;
    for (const struct mox_part *c = root->children; c != NULL; c = c->next, count++) {
        assert_ptr_equal(c->parent, root);
        assert_true(from <= c->header && c->end <= root->end);
        tree_check(c, content);
        from = c->end;
    }
    assert_int_equal(count, root->child_count);
}

static bool same_text(struct mox_slice a, struct mox_slice b)
{
    return mox__slice_eq(slice(a.data, a.len > 127 ? 127 : a.len),
                         slice(b.data, b.len > 127 ? 127 : b.len));
}

void tree_same(const struct mox_part *a, const struct mox_part *b)
{
    assert_true(a->header == b->header && a->body == b->body && a->end == b->end);
    assert_true(a->lines == b->lines && a->kind == b->kind && a->encoding == b->encoding);
    assert_true(a->child_count == b->child_count && a->attachment == b->attachment);
    assert_true(same_text(a->type, b->type) && same_text(a->subtype, b->subtype));
    assert_true(same_text(a->charset, b->charset));
    const struct mox_part *c = a->children, *d = b->children;
    for (; c != NULL && d != NULL; c = c->next, d = d->next)
        tree_same(c, d);
    assert_true(c == NULL && d == NULL);
}
