/* SPDX-License-Identifier: MIT */
#ifndef MOX_POLICY_RECORD_H
#define MOX_POLICY_RECORD_H

#include <mox/types.h>

MOX_BEGIN_DECLS

/** How the search for a domain's one record ended, of MTA-STS and of TLS reports. */
enum mox_policy_record_status {
    MOX_POLICY_RECORD_NONE, /* there is none, or several, which counts as none */
    MOX_POLICY_RECORD_FOUND,
    MOX_POLICY_RECORD_TEMPERROR, /* it may be there later */
    MOX_POLICY_RECORD_PERMERROR  /* there is one, and it is wrong: to be taken for none */
};

/** "none", "found", "temperror", "permerror". */
MOX_API const char *mox_policy_record_status_name(enum mox_policy_record_status status);

MOX_END_DECLS

#endif
