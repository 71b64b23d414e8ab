/* SPDX-License-Identifier: MIT */
#ifndef MOX_EXPLAIN_H
#define MOX_EXPLAIN_H

#include <mox/config.h>
#include <mox/store.h>

MOX_BEGIN_DECLS

/**
 * @file
 * Why a message is where it is, for people who ask and for their programs. `mox explain` prints it, and the
 * control socket of a running server gives it.
 */

/** In whose name is asked. Borrowed for the call. */
struct mox_explain {
    size_t size;                     /* sizeof(struct mox_explain) */
    const struct mox_config *config; /* what is configured for the account */
    struct mox_account *account;
    bool json; /* one JSON object, in ASCII, instead of lines */
};

/**
 * A stored message: what was decided when it came and on what grounds, and what its account would say now: whether
 * its sender is known, what the junk filter thinks and by which words, where it would go. Reads the disk.
 *
 * @param out  a text with its NUL, in printable ASCII; freed with mox_text_free()
 * @return MOX_ENOTFOUND: no such mailbox or message; MOX_EIO, MOX_ECORRUPT, MOX_ENOMEM
 */
MOX_API MOX_MUST_USE int mox_explain_stored(char **out, const struct mox_env *env,
                                            const struct mox_explain *explain, const char *mailbox,
                                            uint32_t uid, struct mox_error *err);

MOX_END_DECLS

#endif
