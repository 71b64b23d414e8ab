/* SPDX-License-Identifier: MIT */
#include "config/sconf.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

struct reader {
    struct sconf *tree;
    struct mox_error *err;
    struct sconf_node *open;  /* the block that takes the next entry of its depth */
    struct sconf_node *entry; /* the entry read last, or NULL */
    unsigned depth;           /* of open's children, in tabs */
    unsigned line;
    size_t lead_at; /* where the comments above the next entry begin */
};

/* One physical line. */
struct line {
    struct mox_slice raw;  /* with its end */
    struct mox_slice text; /* without LF, CR and the tabs in front */
    unsigned tabs;
};

const char *mox__sconf_quote(struct mox_slice text, char out[SCONF_QUOTED_MAX])
{
    size_t max = SCONF_QUOTED_MAX - sizeof "\"...\"";
    size_t len = text.len < max ? text.len : max;
    size_t at = 0;
    out[at++] = '"';
    for (size_t i = 0; i < len; i++)
        out[at++] = text.data[i] < ' ' || text.data[i] == 0x7f ? '?' : (char)text.data[i];
    (void)memcpy(out + at, len < text.len ? "...\"" : "\"", len < text.len ? 5 : 2);
    return out;
}

int mox__sconf_order(struct mox_slice a, struct mox_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.data, b.data, len);
    if (order != 0)
        return order;
    return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

static int wrong(const struct reader *r, struct mox_slice about, const char *what,
                 const char *advice)
{
    char quoted[SCONF_QUOTED_MAX];
    return mox__fail(r->err, MOX_ESYNTAX, "%s:%u: %s %s; %s", r->tree->path, r->line, what,
                     mox__sconf_quote(about, quoted), advice);
}

static struct sconf_node *add_entry(struct reader *r, const struct line *l, size_t at,
                                    struct mox_slice key, struct mox_slice value)
{
    struct sconf_node *n = arena_new(&r->tree->arena, struct sconf_node, 1);
    if (n == NULL)
        return NULL;
    const uint8_t *text = l->raw.data - at;
    *n = (struct sconf_node){.parent = r->open, .prev = r->open->last, .key = key, .value = value,
                             .lead = slice(text + r->lead_at, at - r->lead_at), .raw = l->raw,
                             .line = r->line};
    if (n->prev != NULL)
        n->prev->next = n;
    else
        r->open->first = n;
    r->open->last = n;
    if (r->entry != NULL)
        r->entry->after = r->line;
    r->entry = n;
    r->lead_at = at + l->raw.len;
    return n;
}

static int by_key(const void *a, const void *b)
{
    const struct sconf_node *x = *(struct sconf_node *const *)a, *y = *(struct sconf_node *const *)b;
    int order = mox__sconf_order(x->key, y->key);
    return order != 0 ? order : x->line < y->line ? -1 : 1;
}

/* The second of two equal keys of a block is an error. Sorted, since a map of addresses is long. */
static int check_duplicates(struct reader *r, const struct sconf_node *block)
{
    size_t count = 0;
    for (const struct sconf_node *n = block->first; n != NULL; n = n->next)
        count++;
    if (block->is_list || count < 2)
        return MOX_OK;
    const struct mox_env *env = r->tree->arena.env;
    struct sconf_node **nodes = mem_new(env, struct sconf_node *, count);
    if (nodes == NULL)
        return MOX_ENOMEM;
    size_t at = 0;
    for (struct sconf_node *n = block->first; n != NULL; n = n->next)
        nodes[at++] = n;
    qsort(nodes, count, sizeof *nodes, by_key);
    int rc = MOX_OK;
    for (size_t i = 1; i < count && rc == MOX_OK; i++) {
        if (!mox__slice_eq(nodes[i - 1]->key, nodes[i]->key))
            continue;
        char quoted[SCONF_QUOTED_MAX];
        rc = mox__fail(r->err, MOX_ESYNTAX, "%s:%u: duplicate key %s, already on line %u; keep one",
                       r->tree->path, nodes[i]->line, mox__sconf_quote(nodes[i]->key, quoted),
                       nodes[i - 1]->line);
    }
    mox__mem_free(env, nodes);
    return rc;
}

static int close_block(struct reader *r)
{
    int rc = check_duplicates(r, r->open);
    r->open = r->open->parent;
    r->depth--;
    return rc;
}

/* Opens and closes blocks until the line's indentation fits. */
static int follow_indent(struct reader *r, const struct line *l)
{
    if (l->text.data[0] == ' ')
        return wrong(r, l->text, "spaces in front of", "indent with tabs only, one per level");
    if (l->tabs > r->depth) {
        if (r->open->last == NULL || r->entry != r->open->last || l->tabs > r->depth + 1)
            return wrong(r, l->text, "too much indentation in front of",
                         "indent by exactly one tab per level");
        if (r->entry->value.len > 0)
            return wrong(r, l->text, "unexpected indentation in front of",
                         "the line above has a value, so nothing can stand below it");
        if (r->depth == SCONF_MAX_DEPTH)
            return mox__fail(r->err, MOX_ELIMIT, "%s:%u: nested deeper than %d levels",
                             r->tree->path, r->line, SCONF_MAX_DEPTH);
        r->open = r->entry;
        r->depth++;
    }
    while (l->tabs < r->depth) {
        int rc = close_block(r);
        if (rc < 0)
            return rc;
    }
    return MOX_OK;
}

static bool looks_like_item(struct mox_slice text)
{
    return text.data[0] == '-' &&
           (text.len == 1 || text.data[1] == ' ' || memchr(text.data, ':', text.len) == NULL);
}

static int read_item(struct reader *r, const struct line *l, size_t at)
{
    if (l->text.data[0] != '-')
        return wrong(r, l->text, "expected a list item that starts with \"-\", found",
                     "one tab less ends the list");
    if (l->text.len > 1 && l->text.data[1] != ' ')
        return wrong(r, l->text, "no space behind the \"-\" of", "write \"- value\"");
    struct mox_slice value = slice_from(l->text, l->text.len > 1 ? 2 : 1);
    return add_entry(r, l, at, (struct mox_slice){0}, value) == NULL ? MOX_ENOMEM : MOX_OK;
}

static int read_key(struct reader *r, const struct line *l, size_t at)
{
    if (looks_like_item(l->text))
        return wrong(r, l->text, "expected \"Key: value\", found the list item",
                     "list items stand below a key, one tab deeper");
    const uint8_t *colon = memchr(l->text.data, ':', l->text.len);
    if (colon == NULL)
        return wrong(r, l->text, "no colon in",
                     "write \"Key: value\", and look for stray white space or spaces mixed with tabs");
    size_t len = (size_t)(colon - l->text.data);
    if (len == 0)
        return wrong(r, l->text, "empty key in", "write \"Key: value\"");
    struct mox_slice value = slice_from(l->text, len + 1);
    if (value.len > 0 && value.data[0] != ' ')
        return wrong(r, l->text, "no space behind the colon of", "write \"Key: value\"");
    if (value.len > 0)
        value = slice_from(value, 1);
    return add_entry(r, l, at, slice(l->text.data, len), value) == NULL ? MOX_ENOMEM : MOX_OK;
}

/* `at` is where the line begins. */
static int read_line(struct reader *r, const struct line *l, size_t at)
{
    if (memchr(l->text.data, '\0', l->text.len) != NULL)
        return wrong(r, l->text, "a NUL byte in", "the file must be text");
    if (memchr(l->text.data, '\r', l->text.len) != NULL) /* it could not be written back */
        return wrong(r, l->text, "a carriage return in", "end lines with LF, or CR LF");
    int rc = follow_indent(r, l);
    if (rc < 0)
        return rc;
    if (r->open->first == NULL && r->open != &r->tree->root)
        r->open->is_list = looks_like_item(l->text);
    return r->open->is_list ? read_item(r, l, at) : read_key(r, l, at);
}

static struct line next_line(struct mox_slice rest)
{
    const uint8_t *lf = memchr(rest.data, '\n', rest.len);
    struct line l = {.raw = slice(rest.data, lf == NULL ? rest.len : (size_t)(lf - rest.data) + 1)};
    l.text = slice(l.raw.data, l.raw.len - (lf != NULL));
    if (l.text.len > 0 && l.text.data[l.text.len - 1] == '\r')
        l.text.len--;
    while (l.text.len > 0 && l.text.data[0] == '\t') {
        l.text = slice_from(l.text, 1);
        l.tabs++;
    }
    return l;
}

static bool is_comment_or_blank(const struct line *l)
{
    size_t i = 0;
    while (i < l->text.len && (l->text.data[i] == ' ' || l->text.data[i] == '\t'))
        i++;
    return i == l->text.len || l->text.data[i] == '#';
}

static int read_lines(struct reader *r, struct mox_slice text)
{
    int rc = MOX_OK;
    size_t at = 0;
    while (rc == MOX_OK && at < text.len) {
        struct line l = next_line(slice_from(text, at));
        r->line++;
        if (r->line == 1)
            r->tree->crlf = l.raw.len > 1 && l.raw.data[l.raw.len - 2] == '\r';
        if (!is_comment_or_blank(&l))
            rc = read_line(r, &l, at);
        at += l.raw.len;
    }
    r->tree->lines = r->line > 0 ? r->line : 1;
    if (r->entry != NULL)
        r->entry->after = r->tree->lines;
    while (rc == MOX_OK && r->open != NULL)
        rc = close_block(r);
    r->tree->tail = slice_from(text, r->lead_at);
    return rc;
}

int mox__sconf_read(struct sconf *tree, const struct mox_env *env, const char *path,
                    struct mox_slice text, struct mox_error *err)
{
    *tree = (struct sconf){.lines = 1};
    mox__arena_init(&tree->arena, env, SIZE_MAX);
    if (text.len > SCONF_MAX_BYTES)
        return mox__fail(err, MOX_ELIMIT, "%s: larger than %u MiB", path, SCONF_MAX_BYTES >> 20);
    tree->path = mox__arena_strndup(&tree->arena, path, strlen(path));
    char *copy = mox__arena_strndup(&tree->arena, text.data, text.len);
    int rc = MOX_ENOMEM;
    if (tree->path != NULL && copy != NULL) {
        struct reader r = {.tree = tree, .err = err, .open = &tree->root};
        rc = read_lines(&r, slice(copy, text.len));
    }
    if (rc == MOX_ENOMEM)
        return mox__fail(err, rc, "%s: out of memory", path);
    return rc;
}

void mox__sconf_free(struct sconf *tree)
{
    mox__arena_reset(&tree->arena);
    tree->root = (struct sconf_node){0};
}
