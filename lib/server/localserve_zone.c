/* SPDX-License-Identifier: MIT */
#include "server/localserve.h"

/* The names of a server for tests: localhost, and the names that examples use, are this machine and
 * send from it. All others do not exist. */

#define LOOPBACK_SENDS "v=spf1 ip4:127.0.0.0/8 ip6:::1 -all\n"

#define HERE(name)                                                                                 \
    name "\tA\t127.0.0.1\n" name "\tAAAA\t::1\n" name "\tMX\t10 localhost\n" name                  \
         "\tTXT\t" LOOPBACK_SENDS

const char mox__localserve_zone[] =
    HERE("localhost") "1.0.0.127.in-addr.arpa\tPTR\tlocalhost\n"
                      "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6."
                      "arpa\tPTR\tlocalhost\n" HERE("example.com") HERE("example.net")
                          HERE("example.org") HERE("mox.example");
