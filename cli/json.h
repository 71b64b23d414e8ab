/* SPDX-License-Identifier: MIT */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <jansson.h>

#include <mox/arc.h>
#include <mox/dkim.h>
#include <mox/dmarc.h>
#include <mox/iprev.h>
#include <mox/spf.h>

#include "command.h"

/* What --json prints. All that make objects return NULL when there is no memory, and have the keys that
 * `mox help check` names; one NULL inside makes an object NULL too. */

/* {result, domain, identity, mechanism, explanation, reason, secure} */
json_t *cli_json_spf(const struct mox_spf_verdict *v);
/* [{result, domain, selector, algorithm, reason, secure}] */
json_t *cli_json_dkim(const struct mox_dkim_result *results, size_t count);
/* {result, domain, policy, disposition, record_domain, reason, secure}; domain: of From */
json_t *cli_json_dmarc(const struct mox_dmarc_verdict *v, const char *from_domain);
/* {result, instances: [{instance, domain, selector, seal_domain, seal_selector, reason}], reason, secure} */
json_t *cli_json_arc(const struct mox_arc_verdict *v);
/* {result, names, reason, secure} */
json_t *cli_json_iprev(const struct mox_iprev_verdict *v);
/* [{name, type, status, secure}], what was asked, in the order of asking */
json_t *cli_json_dns(const struct mox_dns_answers *answers);

/* Text of a stranger as a string; bytes that are no UTF-8 become "?". */
json_t *cli_json_text(const char *text);

/* Prints the object, with a line end behind it, and takes it; NULL stands for one that there was no memory
 * for. All but ASCII is escaped: strangers' text may not reach a terminal. */
enum exit_code cli_json_print(json_t *object);

#endif
