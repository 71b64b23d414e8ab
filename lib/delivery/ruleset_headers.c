/* SPDX-License-Identifier: MIT */
#include "delivery/ruleset_headers.h"

#include <mox/error.h>

#include "base/mem.h"
#include "base/text.h"
#include "delivery/lower.h"
#include "message/header.h"

/* RFC 5322 §3.6.8: printable ASCII without space and colon. */
static bool is_field_name(struct mox_slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] <= ' ' || name.data[i] > '~')
            return false;
    return name.len > 0;
}

bool mox__ruleset_headers_are_valid(struct mox_slice headers, size_t *count)
{
    struct mox_header_field field;
    size_t at = 0;
    *count = 0;
    while (mox_header_next(headers, &at, &field)) {
        if (!is_field_name(field.name) || *count == RULESET_FIELDS_MAX || at > RULESET_HEADERS_MAX)
            return false;
        (*count)++;
    }
    return true;
}

static void add(struct ruleset_headers *h, struct buf *line, const struct mox_header_field *field)
{
    struct ruleset_field *f = &h->fields[h->count++];
    mox__buf_clear(line);
    mox__header_unfold(line, field->value);
    f->name_at = h->text.len;
    mox__lower(&h->text, field->name);
    f->name_len = h->text.len - f->name_at;
    f->value_at = h->text.len;
    mox__lower(&h->text, slice(line->data, line->len));
    f->value_len = h->text.len - f->value_at;
    h->text.failed = h->text.failed || line->failed;
}

int mox__ruleset_headers_read(struct ruleset_headers *out, const struct mox_env *env,
                              struct mox_slice headers, size_t count)
{
    struct mox_header_field field;
    struct buf line;
    *out = (struct ruleset_headers){.fields = mem_new(env, struct ruleset_field, count + 1)};
    mox__buf_init(&out->text, env, 2 * RULESET_HEADERS_MAX); /* lower case is longer now and then */
    if (out->fields == NULL)
        return MOX_ENOMEM;
    mox__buf_init(&line, env, RULESET_HEADERS_MAX);
    for (size_t at = 0; out->count < count && mox_header_next(headers, &at, &field);)
        add(out, &line, &field);
    mox__buf_free(&line);
    return out->text.failed ? MOX_ENOMEM : MOX_OK;
}

void mox__ruleset_headers_free(struct ruleset_headers *h)
{
    if (h->text.env == NULL)
        return;
    mox__mem_free(h->text.env, h->fields);
    mox__buf_free(&h->text);
    *h = (struct ruleset_headers){0};
}
