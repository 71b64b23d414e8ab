/* SPDX-License-Identifier: MIT */
#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include <mox/dns_answers.h>

#include "command.h"

/* Where a command has names from: a set of answers, and who fills it: the file of -zone, or else the
 * network, by -resolver and -trust-anchor, mox.conf, or the system's resolver. */
struct cli_names;

/* Rows of a command's table of flags. */
#define CLI_NAMES_FLAGS                                                                            \
    {                                                                                              \
        "zone", "file", "answers instead of the DNS: lines of name, type and value with tabs between"     \
    }

/* Says what is wrong. Freed with cli_names_close() after EXIT_OK. */
enum exit_code cli_names_open(struct cli_names **out, const struct cli *cli);
/* NULL is fine. */
void cli_names_close(struct cli_names *names);

/* The set to ask. */
struct mox_dns_answers *cli_names_answers(struct cli_names *names);

/* Answers all that the set wants now; may wait. Says what is wrong. */
enum exit_code cli_names_answer(struct cli_names *names);

#endif
