/* SPDX-License-Identifier: MIT */
#ifndef MOX_SUBJECTPASS_H
#define MOX_SUBJECTPASS_H

#include <mox/env.h>
#include <mox/error.h>

MOX_BEGIN_DECLS

/*
 * A way in for people whose message looks like spam: the refusal asks them to send it again with a token in
 * the subject. The token is good for one address in From and one key, for a while.
 */

/** "(pass:", 22 characters and ")". */
#define MOX_SUBJECTPASS_LEN 29

/** Makes a token for the sender of a message.
 *
 *  @param headers  its From is looked at
 *  @param key      of the account and address that the message is for; a secret
 *  @param now_us   wall clock
 *  @param out      the token, a text
 *  @return MOX_OK; MOX_ENOTFOUND: From has not exactly one address with a domain; MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_subjectpass_generate(const struct mox_env *env,
                                                  struct mox_slice headers, struct mox_slice key,
                                                  int64_t now_us,
                                                  char out[MOX_SUBJECTPASS_LEN + 1]);

/** Whether the subject has what looks like a token: only then its key is worth a look-up. Also true when memory
 *  is short. */
MOX_API bool mox_subjectpass_is_there(const struct mox_env *env, struct mox_slice headers);

/** Whether the subject has a token that was made with this key for this From. Encoded words (RFC 2047) are
 *  decoded first, and the first token counts.
 *
 *  @param max_age_us  how long tokens are good; they know their time up to 256 seconds
 *  @return MOX_OK: it has; MOX_ENOTFOUND: there is no token, or no From to compare it with; MOX_EDENIED: it is
 *          not ours, of somebody else, or too old, *err says which; MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_subjectpass_verify(const struct mox_env *env, struct mox_slice headers,
                                                struct mox_slice key, int64_t max_age_us,
                                                int64_t now_us, struct mox_error *err);

MOX_END_DECLS

#endif
