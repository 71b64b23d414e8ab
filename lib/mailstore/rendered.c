/* SPDX-License-Identifier: MIT */
#include "mailstore/rendered.h"

#include "message/part.h"
#include "message/structure.h"
#include "message/wire.h"

int mox__rendered_init(struct rendered *r, const struct mox_env *env, struct mox_slice prefix,
                       struct mox_slice content)
{
    *r = (struct rendered){.utf8_headers = false};
    struct mox_message *m = NULL;
    int rc = mox_message_parse(&m, env, content);
    if (rc < 0)
        return rc;
    static void (*const forms[])(const struct mox_message *m, struct buf *out) = {
        mox__message_body, mox__message_bodystructure, mox__structure_encode};
    struct mox_slice *const slices[] = {&r->envelope, &r->body, &r->bodystructure, &r->structure};
    mox__buf_init(&r->text, env, RENDERED_MAX);
    mox__headers_envelope(prefix, mox_part_header(mox_message_root(m), content), &r->text);
    r->envelope.len = r->text.len;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        size_t before = r->text.len;
        forms[i](m, &r->text);
        slices[i + 1]->len = r->text.len - before;
    }
    r->utf8_headers = mox__part_has_utf8_header(mox_message_root(m), content);
    mox_message_free(m);
    if (r->text.failed) {
        mox__rendered_free(r);
        return MOX_ENOMEM;
    }
    const uint8_t *at = r->text.data; /* now that it does not move any more */
    for (size_t i = 0; i < sizeof slices / sizeof slices[0]; i++) {
        slices[i]->data = at;
        at += slices[i]->len;
    }
    return MOX_OK;
}

void mox__rendered_free(struct rendered *r)
{
    mox__buf_free(&r->text);
    *r = (struct rendered){.utf8_headers = false};
}
