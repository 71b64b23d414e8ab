/* SPDX-License-Identifier: MIT */
#include <mox/reputation.h>

const char *mox_reputation_method_name(enum mox_reputation_method method)
{
    static const char *const names[] = {
        [MOX_REPUTATION_MSGFROMFULL] = "msgfromfull",
        [MOX_REPUTATION_MSGTOFULL] = "msgtofull",
        [MOX_REPUTATION_MSGFROMDOMAIN] = "msgfromdomain",
        [MOX_REPUTATION_MSGTODOMAIN] = "msgtodomain",
        [MOX_REPUTATION_MSGFROMORGDOMAIN] = "msgfromorgdomain",
        [MOX_REPUTATION_MSGTOORGDOMAIN] = "msgtoorgdomain",
        [MOX_REPUTATION_DKIMSPF] = "dkimspf",
        [MOX_REPUTATION_IP1] = "ip1",
        [MOX_REPUTATION_IP2] = "ip2",
        [MOX_REPUTATION_IP3] = "ip3",
        [MOX_REPUTATION_NONE] = "none",
    };
    return (unsigned)method < MOX_REPUTATION_METHODS ? names[method] : "none";
}

const char *mox_leaning_name(enum mox_leaning leaning)
{
    return leaning == MOX_LEANING_NOTJUNK ? "notjunk"
           : leaning == MOX_LEANING_JUNK  ? "junk"
                                          : "unknown";
}
