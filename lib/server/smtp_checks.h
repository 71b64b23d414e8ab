/* SPDX-License-Identifier: MIT */
#ifndef SERVER_SMTP_CHECKS_H
#define SERVER_SMTP_CHECKS_H

#include <mox/checks.h>

#include "base/buf.h"
#include "server/smtp_session.h"

/* What is found out about the sender of one message. Start with zeros. */
struct smtp_checks {
    struct mox_checks *checks;
    struct buf lines; /* the header fields that say it, after MOX_OK */
    int64_t begun_us;
    bool computes; /* the next run verifies signatures: milliseconds */
};

/* Goes as far as the answers reach. MOX_OK, MOX_NEED_DNS, or a failure. Any thread. */
MOX_MUST_USE int mox__smtp_checks_run(struct smtp_checks *c, const struct smtp_session *ss,
                                      const struct mox_smtp_envelope *envelope,
                                      struct mox_dns_answers *answers);
/* After MOX_OK. */
const struct mox_checks_verdict *mox__smtp_checks_verdict(const struct smtp_checks *c);
/* smtp_checks_told.c: logs and counts what was found; the loop's thread. */
void mox__smtp_checks_tell(const struct smtp_checks *c, const struct smtp_session *ss,
                           const struct mox_smtp_envelope *envelope);
void mox__smtp_checks_free(struct smtp_checks *c);

/* What SPF is to be asked about the sender. Texts are the envelope's. */
struct mox_spf_query mox__smtp_spf_query(const struct smtp_session *ss,
                                         const struct mox_smtp_envelope *envelope);

#endif
