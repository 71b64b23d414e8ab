/* SPDX-License-Identifier: MIT */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include <mox/checks.h>

#include "command.h"

/* What `mox check` found, on its way out. */
struct check_result {
    const struct mox_checks_query *query;
    const struct mox_checks_verdict *verdict;
    const struct mox_dns_answers *answers;
    const char *authentication_results, *received_spf; /* with CRLF */
};

/* For people: check_text.c. */
void check_print_text(const struct check_result *r);
/* One object: check_json.c. */
enum exit_code check_print_json(const struct check_result *r);

/* What `mox dmarc verify` shows of it: DMARC and what it rests on. */
void check_print_dmarc_text(const struct check_result *r);
enum exit_code check_print_dmarc_json(const struct check_result *r);

/* In words of one each: "strict", "pass" … */
const char *check_validation_name(enum mox_validation validation);

#endif
