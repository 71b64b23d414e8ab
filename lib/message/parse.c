/* SPDX-License-Identifier: MIT */
#include <mox/message.h>

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/text.h"
#include "message/boundary.h"
#include "message/content.h"
#include "message/header.h"
#include "message/part.h"

/*
 * One pass, line by line, without recursion:
 *
 *     header ──leaf──▶ body ──delimiter──▶ header of the next part
 *       ▲  │            ▲  └─close delimiter─▶ (epilogue: a body whose part is the multipart)
 *       │  ├─multipart──┘ (preamble)
 *       └──┴─message (its first line is a header again)
 *
 * A delimiter of any open multipart ends all parts inside of it, so a missing close delimiter of an
 * inner multipart costs only that one (RFC 2046 §5.1.2).
 */

/* For what the arena holds: each part, and copies of the few boundaries that have escapes. Never
 * reached, since both are bounded. */
#define TREE_BYTES_MAX (MOX_MESSAGE_PARTS_MAX * (sizeof(struct node) + BOUNDARY_MAX + 64))

/* A part while it is being found. */
struct node {
    struct mox_part part; /* first: a part is its node */
    struct node *parent, *last_child;
    struct params params; /* of its type */
    uint64_t newlines;    /* LFs in front of its body */
    unsigned depth;       /* of the root: 0 */
    bool digest;          /* multipart/digest */
};

struct mox_message {
    struct mox_env env;
    struct arena arena;
    struct mox_slice content;
    struct node *root;
    uint64_t work; /* of looking for boundaries */
};

struct parser {
    struct mox_message *m;
    struct mox_slice in;
    size_t at;         /* the start of a line */
    uint64_t newlines; /* LFs in front of it */
    struct node *current;
    unsigned parts;
    struct boundaries open;
    struct node *multipart[MOX_MESSAGE_DEPTH_MAX]; /* of open boundary i */
};

static const char *const field_names[MOX_FIELD_COUNT] = {
    [MOX_FIELD_TYPE] = "Content-Type",
    [MOX_FIELD_DISPOSITION] = "Content-Disposition",
    [MOX_FIELD_ENCODING] = "Content-Transfer-Encoding",
    [MOX_FIELD_ID] = "Content-ID",
    [MOX_FIELD_DESCRIPTION] = "Content-Description",
    [MOX_FIELD_MD5] = "Content-MD5",
    [MOX_FIELD_LANGUAGE] = "Content-Language",
    [MOX_FIELD_LOCATION] = "Content-Location",
};

static struct node *add_node(struct parser *p, struct node *parent)
{
    struct node *n = arena_new(&p->m->arena, struct node, 1);
    if (n == NULL)
        return NULL;
    n->part.header = n->part.body = n->part.end = p->at;
    n->parent = parent;
    p->parts++;
    p->current = n;
    if (parent == NULL)
        return n;
    n->depth = parent->depth + 1;
    n->part.parent = &parent->part;
    if (parent->last_child == NULL)
        parent->part.children = &n->part;
    else
        parent->last_child->part.next = &n->part;
    parent->last_child = n;
    parent->part.child_count++;
    return n;
}

/* The first field of a name counts, as in Dovecot: what a filter in front of us saw. */
static void note_field(struct mox_part *part, const struct mox_header_field *field)
{
    if (field->name.len < 8 || (field->name.data[0] | 0x20) != 'c')
        return;
    for (unsigned i = 0; i < MOX_FIELD_COUNT; i++) {
        if (part->fields[i].data == NULL && mox__slice_is_nocase(field->name, field_names[i])) {
            part->fields[i] = field->value;
            return;
        }
    }
}

/* Reads the header of n, which ends at a blank line, at a delimiter or with the content. */
static void take_header(struct parser *p, struct node *n)
{
    struct delimiter ignored;
    struct mox_header_field field;
    size_t start = p->at;
    bool cut = false;
    while (!(cut = mox__boundary_match(&p->open, p->in, p->at, &ignored)) &&
           mox_header_next(p->in, &p->at, &field))
        note_field(&n->part, &field);
    if (!cut && p->at < p->in.len)
        p->at += mox__blank_line(p->in, p->at);
    p->newlines += mox__count_newlines(slice(p->in.data + start, p->at - start));
    n->part.body = p->at;
    n->newlines = p->newlines;
}

static enum mox_encoding encoding_of(const struct mox_part *part)
{
    static const struct {
        const char *name;
        enum mox_encoding encoding;
    } known[] = {
        {"7bit", MOX_ENCODING_IDENTITY},       {"8bit", MOX_ENCODING_IDENTITY},
        {"binary", MOX_ENCODING_IDENTITY},     {"base64", MOX_ENCODING_BASE64},
        {"quoted-printable", MOX_ENCODING_QP}, {"", MOX_ENCODING_IDENTITY},
    };
    struct mox_slice token = mox__part_encoding(part);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (mox__slice_is_nocase(token, known[i].name))
            return known[i].encoding;
    return MOX_ENCODING_UNKNOWN;
}

static void set_type(struct node *n, const char *type, const char *subtype)
{
    n->part.type = slice_of(type);
    n->part.subtype = slice_of(subtype);
    n->params = (struct params){0};
}

/* The type, or what stands in for one that is missing (RFC 2045 §5.2, RFC 2046 §5.1.5) or wrong. */
static void find_type(struct node *n)
{
    struct mox_part *part = &n->part;
    struct mox_slice value = mox__slice_trim(part->fields[MOX_FIELD_TYPE]);
    if (value.len == 0) {
        if (n->parent != NULL && n->parent->digest)
            set_type(n, "MESSAGE", "RFC822");
        else
            set_type(n, "TEXT", "PLAIN");
    } else if (!mox__content_type(value, &part->type, &part->subtype, &n->params)) {
        /* "Content-Type: text" is what System V mail wrote. */
        if (mox__slice_is_nocase(part->type, "text"))
            set_type(n, "TEXT", "PLAIN");
        else
            set_type(n, "APPLICATION", "OCTET-STREAM");
    }
}

/* The value of a parameter of n's type, copied only if it is encoded; empty when there is none or
 * it is longer than BOUNDARY_MAX. */
static int find_param(struct parser *p, const struct node *n, const char *name,
                      struct mox_slice *out)
{
    struct param param;
    *out = slice(NULL, 0);
    if (mox__param_find(n->params, name, &param) && !mox__param_is_escaped(&param)) {
        if (param.value.len <= BOUNDARY_MAX)
            *out = param.value;
        return MOX_OK;
    }
    struct buf text;
    struct mox_slice charset;
    mox__buf_init(&text, &p->m->env, n->params.text.len); /* nothing grows by decoding */
    bool found = mox__param_value(n->params, name, &text, &charset);
    int rc = text.failed ? MOX_ENOMEM : MOX_OK;
    if (rc == MOX_OK && found && text.len <= BOUNDARY_MAX) {
        const char *copy = mox__arena_strndup(&p->m->arena, text.data, text.len);
        *out = slice(copy, copy != NULL ? text.len : 0);
        rc = copy != NULL ? MOX_OK : MOX_ENOMEM;
    }
    mox__buf_free(&text);
    return rc;
}

static int find_details(struct parser *p, struct node *n)
{
    struct mox_part *part = &n->part;
    struct params at = {.text = part->fields[MOX_FIELD_DISPOSITION]};
    struct mox_slice disposition = mox__content_token(&at);
    part->attachment = disposition.len > 0 && !mox__slice_is_nocase(disposition, "inline");
    part->encoding = encoding_of(part);
    return mox_part_is_text(part) ? find_param(p, n, "charset", &part->charset) : MOX_OK;
}

/* Decides what n is, once its header is known. A message gets its child, as p->current. */
static int classify(struct parser *p, struct node *n)
{
    find_type(n);
    int rc = find_details(p, n);
    if (rc < 0)
        return rc;
    bool may_nest = n->depth + 1 < MOX_MESSAGE_DEPTH_MAX && p->parts < MOX_MESSAGE_PARTS_MAX;
    if (mox__slice_is_nocase(n->part.type, "multipart")) {
        struct mox_slice boundary;
        rc = find_param(p, n, "boundary", &boundary);
        if (rc < 0)
            return rc;
        if (!may_nest || boundary.len == 0) {
            set_type(n, "APPLICATION", "OCTET-STREAM");
            return MOX_OK;
        }
        n->part.kind = MOX_PART_MULTIPART;
        n->digest = mox__slice_is_nocase(n->part.subtype, "digest");
        p->multipart[mox__boundary_push(&p->open, boundary)] = n;
        return MOX_OK;
    }
    /* RFC 2046 §5.2.1 allows a nested message no encoding; one that has it stays a leaf. */
    if (mox__part_is_message(&n->part) && may_nest && n->part.encoding == MOX_ENCODING_IDENTITY) {
        n->part.kind = MOX_PART_MESSAGE;
        return add_node(p, n) == NULL ? MOX_ENOMEM : MOX_OK;
    }
    return MOX_OK;
}

/* Ends n in front of p->at: in front of the delimiter there, or at the end of the content. The line
 * end in front of a delimiter is the delimiter's, unless it is the blank line that ends the header
 * of n or of its last child. */
static void close_node(const struct parser *p, struct node *n, bool at_delimiter)
{
    struct mox_part *part = &n->part;
    uint64_t newlines = p->newlines - n->newlines;
    uint64_t least = n->last_child != NULL ? n->last_child->part.end : part->body;
    part->end = p->at;
    if (at_delimiter && part->end > least) {
        part->end--; /* lines are found by their LF */
        newlines--;
        if (part->end > least && p->in.data[part->end - 1] == '\r')
            part->end--;
    }
    bool unended = part->end > part->body && p->in.data[part->end - 1] != '\n';
    part->lines = newlines + (unended ? 1 : 0);
    if (part->kind == MOX_PART_MULTIPART && part->child_count == 0) {
        part->kind = MOX_PART_LEAF;
        set_type(n, "APPLICATION", "OCTET-STREAM");
    }
}

/* Ends the current part and those around it, up to but without `keep`. */
static void close_up_to(struct parser *p, const struct node *keep, bool at_delimiter)
{
    while (p->current != keep) {
        close_node(p, p->current, at_delimiter);
        p->current = p->current->parent;
    }
}

/* Looks for the next delimiter from p->at on; false: the content has ended there. */
static bool find_delimiter(struct parser *p, struct delimiter *d)
{
    if (p->open.count == 0) {
        p->newlines += mox__count_newlines(slice_from(p->in, p->at));
        p->at = p->in.len;
        return false;
    }
    while (p->at < p->in.len) {
        if (mox__boundary_match(&p->open, p->in, p->at, d))
            return true;
        const uint8_t *lf = memchr(p->in.data + p->at, '\n', p->in.len - p->at);
        p->newlines += lf != NULL;
        p->at = lf == NULL ? p->in.len : (size_t)(lf - p->in.data) + 1;
    }
    return false;
}

/* Behind the delimiter's line. */
static void skip_line(struct parser *p)
{
    const uint8_t *lf = memchr(p->in.data + p->at, '\n', p->in.len - p->at);
    p->newlines += lf != NULL;
    p->at = lf == NULL ? p->in.len : (size_t)(lf - p->in.data) + 1;
}

/* Reads all headers from here down to the next body. */
static int take_headers(struct parser *p)
{
    for (;;) {
        struct node *n = p->current;
        take_header(p, n);
        int rc = classify(p, n);
        if (rc < 0 || p->current == n)
            return rc;
    }
}

static int parse(struct parser *p)
{
    struct delimiter d;
    int rc = take_headers(p);
    while (rc == MOX_OK && find_delimiter(p, &d)) {
        struct node *multipart = p->multipart[d.index];
        close_up_to(p, multipart, true);
        mox__boundary_pop(&p->open, d.closing ? d.index : d.index + 1);
        skip_line(p);
        if (d.closing || p->parts >= MOX_MESSAGE_PARTS_MAX)
            continue;
        rc = add_node(p, multipart) == NULL ? MOX_ENOMEM : take_headers(p);
    }
    if (rc == MOX_OK)
        close_up_to(p, NULL, false);
    return rc;
}

int mox_message_parse(struct mox_message **out, const struct mox_env *env, struct mox_slice content)
{
    *out = NULL;
    struct mox_message *m = mem_new(env, struct mox_message, 1);
    if (m == NULL)
        return MOX_ENOMEM;
    m->env = *env;
    m->content = content.len > 0 ? content : slice_of(""); /* NULL takes no pointer arithmetic */
    mox__arena_init(&m->arena, &m->env, TREE_BYTES_MAX);

    struct parser p = {.m = m, .in = m->content};
    mox__boundaries_init(&p.open, &m->env);
    m->root = add_node(&p, NULL);
    int rc = m->root == NULL ? MOX_ENOMEM : parse(&p);
    m->work = p.open.work;
    if (rc < 0) {
        mox_message_free(m);
        return rc;
    }
    *out = m;
    return MOX_OK;
}

void mox_message_free(struct mox_message *m)
{
    if (m == NULL)
        return;
    struct mox_env env = m->env;
    mox__arena_reset(&m->arena);
    mox__mem_free(&env, m);
}

const struct mox_part *mox_message_root(const struct mox_message *m)
{
    return &m->root->part;
}

struct mox_slice mox_message_content(const struct mox_message *m)
{
    return m->content;
}

uint64_t mox__message_work(const struct mox_message *m)
{
    return m->work;
}
