/* SPDX-License-Identifier: MIT */
#include <mox/message.h>

#include "base/mem.h"
#include "base/text.h"
#include "message/dsn.h"
#include "message/text.h"

/* Of the status: a recipient has 300 bytes or so. */
#define STATUS_MAX (1024 * 1024)
/* All that a report keeps: recipients, their texts, and the headers. */
#define ARENA_MAX (16u << 20)

struct parsed {
    struct mox_dsn_report report; /* first: this is what callers have */
    struct mox_env env;
    struct arena arena;
};

static bool is_type(const struct mox_part *part, const char *type, const char *subtype)
{
    return mox__slice_is_nocase(part->type, type) && mox__slice_is_nocase(part->subtype, subtype);
}

static bool is_status(const struct mox_part *part)
{
    return is_type(part, "message", "delivery-status") ||
           is_type(part, "message", "global-delivery-status");
}

static bool is_original(const struct mox_part *part)
{
    return is_type(part, "text", "rfc822-headers") || is_type(part, "message", "global-headers") ||
           is_type(part, "message", "rfc822") || is_type(part, "message", "global");
}

/* What is beyond the bound is cut off. */
static int collect(void *user, struct mox_slice piece)
{
    struct buf *out = user;
    size_t room = out->max - out->len;
    mox__buf_slice(out, slice(piece.data, piece.len < room ? piece.len : room));
    return out->failed ? MOX_ENOMEM : piece.len < room ? MOX_OK : MOX_ELIMIT;
}

/* The decoded body, up to `max` bytes. */
static int read_body(struct buf *out, const struct mox_env *env, const struct mox_part *part,
                     struct mox_slice content, size_t max)
{
    mox__buf_init(out, env, max);
    int rc = mox__part_decode(part, content, collect, out);
    return rc == MOX_ELIMIT ? MOX_OK : rc;
}

static int read_status(struct parsed *p, const struct mox_part *part, struct mox_slice content)
{
    struct buf text;
    int rc = read_body(&text, &p->env, part, content, STATUS_MAX);
    if (rc == MOX_OK)
        rc = mox__dsn_read_status(&p->report, &p->arena, slice(text.data, text.len));
    mox__buf_free(&text);
    return rc;
}

static int read_original(struct parsed *p, const struct mox_part *part, struct mox_slice content)
{
    struct buf text;
    int rc = read_body(&text, &p->env, part, content, DSN_HEADERS_MAX);
    struct mox_slice all = slice(text.data, text.len);
    all.len = all.len == 0 ? 0 : mox_header_end(all);
    char *copy =
        rc == MOX_OK && all.len > 0 ? mox__arena_strndup(&p->arena, all.data, all.len) : NULL;
    mox__buf_free(&text);
    if (rc == MOX_OK && all.len > 0 && copy == NULL)
        return MOX_ENOMEM;
    p->report.original_headers = slice(copy, copy == NULL ? 0 : all.len);
    return rc;
}

/* The multipart whose second part it is, at the top or one below: some gateways wrap what they pass on. */
static const struct mox_part *find_status(const struct mox_part *part, unsigned depth)
{
    for (const struct mox_part *c = part->children; c != NULL; c = c->next) {
        const struct mox_part *below =
            depth > 0 && c->kind == MOX_PART_MULTIPART ? find_status(c, depth - 1) : NULL;
        if (is_status(c))
            return c;
        if (below != NULL)
            return below;
    }
    return NULL;
}

static int parse(struct parsed *p, const struct mox_message *m)
{
    const struct mox_slice content = mox_message_content(m);
    const struct mox_part *root = mox_message_root(m), *status = find_status(root, 1);
    if (root->kind != MOX_PART_MULTIPART || status == NULL)
        return MOX_ENOTFOUND;
    int rc = read_status(p, status, content);
    for (const struct mox_part *c = status->next; rc == MOX_OK && c != NULL; c = c->next)
        if (is_original(c))
            return read_original(p, c, content);
    return rc;
}

int mox_dsn_parse(struct mox_dsn_report **out, const struct mox_env *env, struct mox_slice content)
{
    struct mox_message *m = NULL;
    *out = NULL;
    struct parsed *p = mem_new(env, struct parsed, 1);
    if (p == NULL)
        return MOX_ENOMEM;
    p->env = *env;
    mox__arena_init(&p->arena, &p->env, ARENA_MAX);
    int rc = mox_message_parse(&m, env, content);
    if (rc == MOX_OK)
        rc = parse(p, m);
    mox_message_free(m);
    if (rc < 0) {
        mox_dsn_report_free(&p->report);
        return rc;
    }
    *out = &p->report;
    return MOX_OK;
}

void mox_dsn_report_free(struct mox_dsn_report *report)
{
    if (report == NULL)
        return;
    struct parsed *p = container_of(report, struct parsed, report);
    mox__arena_reset(&p->arena);
    const struct mox_env env = p->env;
    mox__mem_free(&env, p);
}
