/* SPDX-License-Identifier: MIT */
#include "mailauth/report.h"

#include "base/error.h"
#include "base/text.h"
#include "message/text.h"

/* The first leaf that holds a report. Only multiparts are looked into: what a message in the message
 * says is not said by who sent this one. */
static int find(const struct mox_part **out, const struct report_form *form,
                const struct mox_part *part, struct mox_slice content, struct mox_error *err)
{
    if (part->kind == MOX_PART_LEAF) {
        *out = part;
        return form->judge(part, content, err);
    }
    int rc = MOX_ENOTFOUND;
    if (part->kind == MOX_PART_MULTIPART) /* at most MOX_MESSAGE_DEPTH_MAX deep */
        for (const struct mox_part *p = part->children; p != NULL && rc == MOX_ENOTFOUND;
             p = p->next)
            rc = find(out, form, p, content, err);
    return rc;
}

int mox__report_decode(const struct mox_part *part, struct mox_slice content,
                       int (*sink)(void *user, struct mox_slice bytes), void *user)
{
    struct mox_part plain = *part;
    plain.type = slice_of("application");
    plain.subtype = slice_of("octet-stream");
    return mox__part_decode(&plain, content, sink, user);
}

static int keep(void *user, struct mox_slice piece)
{
    struct buf *b = user;
    mox__buf_slice(b, piece);
    return b->failed ? MOX_ENOMEM : MOX_OK;
}

/* Decodes the part and unpacks that. */
static int take(struct buf *out, const struct report_form *form, const struct mox_part *part,
                struct mox_slice content, struct mox_error *err)
{
    struct buf packed;
    mox__buf_init(&packed, out->env, form->message_max); /* decoding lengthens nothing */
    int rc = mox__report_decode(part, content, keep, &packed);
    if (rc != MOX_OK)
        rc = mox__fail(err, MOX_ENOMEM, "read %s: out of memory", form->name);
    else
        rc = mox__report_unpack(out, slice(packed.data, packed.len), form, err);
    mox__buf_free(&packed);
    return rc;
}

int mox__report_from_mail(struct buf *out, const struct report_form *form,
                          const struct mox_env *env, struct mox_slice content,
                          struct mox_error *err)
{
    struct mox_message *message = NULL;
    const struct mox_part *part = NULL;
    mox__buf_init(out, env, form->report_max);
    if (content.len > form->message_max)
        return mox__fail(err, MOX_ELIMIT, "read %s: the message has more than %zu bytes",
                         form->name, form->message_max);
    if (mox_message_parse(&message, env, content) != MOX_OK)
        return mox__fail(err, MOX_ENOMEM, "read %s: out of memory", form->name);
    int rc = find(&part, form, mox_message_root(message), content, err);
    if (rc == MOX_OK)
        rc = take(out, form, part, content, err);
    else if (rc == MOX_ENOTFOUND)
        rc = mox__fail(err, rc, "read %s: the message has no part that could be one", form->name);
    mox_message_free(message);
    return rc;
}
