/* SPDX-License-Identifier: MIT */

/* Any bytes that are a message are put together again from the sections of them that IMAP gives. */

#include <stdlib.h>

#include "fuzz/input.h"
#include "imap/assemble.h"

#define PREFIX "Return-Path: <>\r\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct mox_mailstore store;
    struct talk talk;
    struct assembly counts = {0};
    mox_env_system(&env);
    assert(mox_memory_mailstore_new(&store, &env) == MOX_OK);
    talk_append(store, &env, "Inbox", slice_of(PREFIX), slice(data, len), 0, 1);
    talk_open(&talk, &env, store);
    (void)talk_ok(&talk, "SELECT Inbox");
    struct mox_slice got = assemble(&talk, 1, &counts);
    assert(got.len == strlen(PREFIX) + len);
    assert_same(slice_from(got, strlen(PREFIX)), slice(data, len));
    free((void *)(uintptr_t)got.data);
    talk_close(&talk);
    mox_memory_mailstore_free(&store);
    return 0;
}
