/* SPDX-License-Identifier: MIT */
#include <mox/store.h>

int mox_account_classify(struct mox_account *account, struct mox_slice content,
                         struct mox_junk_verdict *verdict, struct mox_error *err)
{
    (void)account;
    (void)content;
    (void)verdict;
    (void)err;
    return MOX_EUNSUPPORTED;
}
