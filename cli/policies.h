/* SPDX-License-Identifier: MIT */
#ifndef CLI_POLICIES_H
#define CLI_POLICIES_H

#include <mox/dns.h>

#include "command.h"
#include "names.h"

/* What the commands that look up a domain's policies do. */
enum exit_code policies_run_dmarc_lookup(struct cli *cli);
enum exit_code policies_run_dmarc_reports(struct cli *cli);
enum exit_code policies_run_mtasts(struct cli *cli);
enum exit_code policies_run_tlsrpt(struct cli *cli);
enum exit_code policies_run_dnsbl(struct cli *cli);
enum exit_code policies_run_dnsbl_health(struct cli *cli);

/* A domain of the command line, and who answers. */
struct subject {
    struct mox_domain domain;
    struct cli_names *names;
    struct mox_dns_answers *answers; /* of `names` */
};

/* Reads the first argument. Says what is wrong. Ended with policies_end() also after a failure. */
enum exit_code policies_begin(struct subject *s, const struct cli *cli);
void policies_end(struct subject *s);

/* Goes on with what a look-up returned: true when it is to be called again. *code says how it ended. */
bool policies_again(struct subject *s, int rc, enum exit_code *code);

#endif
