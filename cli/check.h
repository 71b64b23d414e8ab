/* SPDX-License-Identifier: MIT */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include <mox/checks.h>

#include "command.h"
#include "names.h"

/* What `mox check` found, on its way out. */
struct check_result {
    const struct mox_checks_query *query;
    const struct mox_checks_verdict *verdict;
    const struct mox_dns_answers *answers;
    const char *authentication_results, *received_spf; /* with CRLF */
    const char *analysis; /* what an account would do; NULL: none was asked */
};

/* Whose account is asked about it: `mox check -account`. */
struct check_account {
    const struct check_result *result;
    struct cli_names *names;
    struct mox_slice content;
    const char *account, *recipient; /* "": its first address */
    bool tls, json;
};

/* Says what fails. *text is lines, or a JSON object; freed with free(), also after a failure. check_account.c */
enum exit_code check_account_ask(const struct cli *cli, const struct check_account *c, char **text);
/* What was asked and answered, as a zone: check_zone.c. *text is freed with free(). */
enum exit_code check_zone(const struct mox_dns_answers *answers, char **text, size_t *len);

/* INET6_ADDRSTRLEN */
#define CHECK_IP_MAX 46

/* Who gave a message to a server, as its header fields tell; in printable ASCII, "" for what is not told. */
struct check_client {
    char ip[CHECK_IP_MAX], helo[256], mail_from[512];
};

/* False: no field names an address. check_client.c */
bool check_client_find(struct check_client *out, struct mox_slice content);

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
