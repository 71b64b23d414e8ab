/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_POLICY_RECORD_H
#define MAILAUTH_POLICY_RECORD_H

#include <mox/dns_answers.h>
#include <mox/policy_record.h>

#include "base/error.h"
#include "base/priv.h"

/* The records of MTA-STS (RFC 8461 §3.1) and of TLS reports (RFC 8460 §3) have one grammar: a version, and
 * fields behind it, `;` between. */

struct record_field {
    struct mox_slice name, value; /* as written */
};

/* Whether the record is of this kind: the version, white space, `;`. *rest is what is behind. */
bool mox__record_begins(struct mox_slice text, const char *version, struct mox_slice *rest);
/* Takes the next field. MOX_ENOTFOUND at the end, MOX_ESYNTAX. */
int mox__record_next(struct mox_slice *rest, struct record_field *out, struct mox_error *err);

/* Where a record is looked for, and how one is read: into *out of its kind, as mox_mtasts_record_parse(). */
struct record_search {
    const char *prefix; /* "_mta-sts" */
    const char *what;   /* "MTA-STS record" */
    int (*parse)(void *out, struct mox_slice text, struct mox_error *err);
    void *out;
};

/* Exactly one record of the kind counts. MOX_OK, MOX_NEED_DNS, MOX_ENOMEM. */
int mox__record_find(const struct record_search *search, const char *domain,
                     struct mox_dns_answers *answers, enum mox_policy_record_status *status,
                     bool *secure, char problem[256]);

#endif
