/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "policies.h"

/* What domains publish on mail in their name and mail to them, and lists of addresses. */

enum exit_code policies_begin(struct subject *s, const struct cli *cli)
{
    const char *text = cli->args[0];
    *s = (struct subject){.names = NULL};
    if (mox_domain_parse(&s->domain, (struct mox_slice){(const uint8_t *)text, strlen(text)},
                         MOX_DOMAIN_UNDERSCORES) != MOX_OK)
        return cli_usage(cli->command, "\"%s\" is no domain", text);
    enum exit_code code = cli_names_open(&s->names, cli);
    if (code == EXIT_OK)
        s->answers = cli_names_answers(s->names);
    return code;
}

void policies_end(struct subject *s)
{
    cli_names_close(s->names);
}

bool policies_again(struct subject *s, int rc, enum exit_code *code)
{
    *code = EXIT_OK;
    if (rc == MOX_NEED_DNS)
        *code = cli_names_answer(s->names);
    else if (rc != MOX_OK)
        *code = cli_fail("look up %s: %s", s->domain.ascii, mox_status_text(rc));
    return rc == MOX_NEED_DNS && *code == EXIT_OK;
}

static const struct flag flags[] = {
    CLI_NAMES_FLAGS,
    {NULL, NULL, NULL},
};

static const struct flag mtasts_flags[] = {
    CLI_NAMES_FLAGS,
    {"policy", "file", "the domain's policy, as it was fetched"},
    {NULL, NULL, NULL},
};

static const struct command commands[] = {
    {.words = "dmarc lookup",
     .args = "domain",
     .summary = "show the DMARC policy of a domain",
     .help = "Finds the DMARC record (RFC 7489) that holds for mail from the domain: its own, or "
             "that of its\n"
             "organization. Exit code 1 says that there is none, or a wrong one.\n"
             "\n"
             "    mox dmarc lookup example.com",
     .flags = flags,
     .min_args = 1,
     .max_args = 1,
     .run = policies_run_dmarc_lookup},
    {.words = "dmarc checkreportaddrs",
     .args = "domain",
     .summary = "see who accepts the reports that a domain asks for",
     .help = "Looks at each address of the domain's DMARC record (rua=, ruf=): other organizations "
             "get its\n"
             "reports only if they publish that they want them (RFC 7489, section 7.1). Exit code "
             "1 says that\n"
             "one does not.\n"
             "\n"
             "    mox dmarc checkreportaddrs example.com",
     .flags = flags,
     .min_args = 1,
     .max_args = 1,
     .run = policies_run_dmarc_reports},
    {.words = "mtasts lookup",
     .args = "domain",
     .summary = "show the MTA-STS record of a domain, and a policy",
     .help = "Shows the domain's MTA-STS record (RFC 8461): whether it has a policy, and the "
             "policy's id. With\n"
             "-policy the policy in that file is read and shown too, - for standard input. It is "
             "published at\n"
             "https://mta-sts.<domain>/.well-known/mta-sts.txt, and not fetched by this command.\n"
             "\n"
             "    curl https://mta-sts.example.com/.well-known/mta-sts.txt |\n"
             "        mox mtasts lookup --policy - example.com",
     .flags = mtasts_flags,
     .min_args = 1,
     .max_args = 1,
     .run = policies_run_mtasts},
    {.words = "tlsrpt lookup",
     .args = "domain",
     .summary = "show where reports on TLS to a domain go",
     .help = "Shows the domain's record for TLS reports (RFC 8460).\n"
             "\n"
             "    mox tlsrpt lookup example.com",
     .flags = flags,
     .min_args = 1,
     .max_args = 1,
     .run = policies_run_tlsrpt},
    {.words = "dnsbl check",
     .args = "list address",
     .summary = "ask a DNS blocklist about an address",
     .help = "Prints whether the list (RFC 5782), a zone in the DNS, has the address: pass, fail, "
             "or temperror,\n"
             "and what it says about it. Exit code 0 says that there is an answer, whatever it "
             "is.\n"
             "\n"
             "    mox dnsbl check bl.example.org 192.0.2.1",
     .flags = flags,
     .min_args = 2,
     .max_args = 2,
     .run = policies_run_dnsbl},
    {.words = "dnsbl checkhealth",
     .args = "list",
     .summary = "see whether a DNS blocklist works",
     .help = "A list that works has 127.0.0.2, and has not 127.0.0.1 (RFC 5782). Exit code 1 says "
             "that it does\n"
             "not work, or does not answer.\n"
             "\n"
             "    mox dnsbl checkhealth bl.example.org",
     .flags = flags,
     .min_args = 1,
     .max_args = 1,
     .run = policies_run_dnsbl_health},
};

const struct command_group policies_group = {"Policies and lists", commands,
                                             sizeof commands / sizeof commands[0]};
