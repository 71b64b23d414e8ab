/* SPDX-License-Identifier: MIT */
#include "mailstore/memory.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

int mox__memory_message_new(struct message **out, const struct mox_env *env,
                            const struct mox_append *op, struct mox_error *err)
{
    *out = NULL;
    struct mox_slice content = {NULL, 0};
    int rc = mox_spool_bytes(op->spool, &content);
    if (rc < 0)
        return mox__fail(err, rc, "add message: cannot read what was received: %s",
                         mox_status_text(rc));
    struct message *message = NULL;
    if (op->prefix.len <= SIZE_MAX - sizeof *message - content.len)
        message = mox__calloc(env, 1, sizeof *message + op->prefix.len + content.len);
    if (message == NULL)
        return mox__fail(err, MOX_ENOMEM, "add message: out of memory");

    uint8_t *bytes = (uint8_t *)(message + 1);
    if (op->prefix.len > 0)
        memcpy(bytes, op->prefix.data, op->prefix.len);
    if (content.len > 0)
        memcpy(bytes + op->prefix.len, content.data, content.len);
    message->prefix = (struct mox_slice){bytes, op->prefix.len};
    message->content = (struct mox_slice){bytes + op->prefix.len, content.len};
    message->received_us = op->received_us != 0 ? op->received_us : env->wall_us(env->user);
    rc = mox__rendered_init(&message->rendered, env, message->prefix, message->content);
    if (rc < 0) {
        mox__memory_message_free(env, message);
        return mox__fail(err, rc, "add message: cannot take it apart: %s", mox_status_text(rc));
    }
    *out = message;
    return MOX_OK;
}

void mox__memory_message_free(const struct mox_env *env, struct message *message)
{
    if (message == NULL)
        return;
    mox__rendered_free(&message->rendered);
    mox__mem_free(env, message);
}
