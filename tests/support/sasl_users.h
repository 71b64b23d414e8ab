/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_SASL_USERS_H
#define SUPPORT_SASL_USERS_H

#include <mox/sasl.h>

/* Users for the questions of SASL exchanges. What they are is in how their names begin; the
 * password of all is `secret`:
 *
 *   u        have every record
 *   off      too, and may not log in: "This account is closed until Monday"
 *   old      have no record
 *   later    wait for an answer
 *   broken   MOX_EIO
 *
 * Nobody else exists. The certificate of sasl_users_tls() is u@example.org's; so is
 * the token `good`. */

/* Not for MOX_SASL_ASK_PASSWORD, which hosts of tests answer in their own ways. */
int sasl_users_answer(const struct mox_sasl_question *q, struct mox_sasl_answer *a);
/* The same for hosts that answer at once: nobody waits. */
int sasl_users_answer_now(const struct mox_sasl_question *q, struct mox_sasl_answer *a);
/* MOX_OK with the record of a user that waited for it. */
void sasl_users_record(const char *kind, struct mox_sasl_answer *a);
/* TLS with a tls-exporter, and with a certificate if `has_key`. */
void sasl_users_tls(struct mox_tls_info *info, bool has_key);

#endif
