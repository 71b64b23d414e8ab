/* SPDX-License-Identifier: MIT */

/* Any bytes are a list of addresses: groups are balanced and do not nest, and nothing gets longer
 * by being read. */

#include <mox/address.h>

#include <assert.h>

#include "base/text.h"
#include "message/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_list(const struct mox_env *env, struct mox_slice value)
{
    struct mox_address_list *list = NULL;
    assert(mox_address_list_parse(&list, env, value) == MOX_OK);
    size_t bytes = 0;
    bool in_group = false;
    for (size_t i = 0; i < mox_address_list_count(list); i++) {
        const struct mox_address *a = mox_address_list_at(list, i);
        assert(a->kind != MOX_ADDRESS_GROUP || !in_group);
        assert(a->kind != MOX_ADDRESS_GROUP_END || in_group);
        if (a->kind != MOX_ADDRESS_MAILBOX)
            in_group = a->kind == MOX_ADDRESS_GROUP;
        bytes += a->mailbox.len + a->host.len;
    }
    assert(!in_group);
    assert(bytes <= value.len);
    assert(mox_address_list_count(list) <= MOX_ADDRESS_LIST_MAX + 1);
    mox_address_list_free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct buf mailbox, host;
    mox_env_system(&env);
    check_list(&env, slice(data, len));
    mox__buf_init(&mailbox, &env, SIZE_MAX / 2);
    mox__buf_init(&host, &env, SIZE_MAX / 2);
    enum from_status status = mox__address_from(&env, slice(data, len), &mailbox, &host);
    assert(status != FROM_NOMEM);
    assert(status != FROM_ONE || (mailbox.len > 0 && host.len > 0));
    mox__buf_free(&mailbox);
    mox__buf_free(&host);
    return 0;
}
