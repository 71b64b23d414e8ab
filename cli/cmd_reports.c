/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "command.h"
#include "json.h"
#include "mailfile.h"
#include "reports.h"

/* What others report on mail in the name of one's domains, and on connections to their mail servers. */

/* Shows the report of one mail. */
typedef enum exit_code show_fn(const struct cli *cli, const struct mailfile *mail,
                               const char *path);

static enum exit_code show_dmarc(const struct cli *cli, const struct mailfile *mail,
                                 const char *path)
{
    struct mox_dmarc_report *report;
    struct mox_error err = {0};
    if (mox_dmarc_report_parse_message(&report, &cli->env, mail->content, &err) != MOX_OK)
        return cli_fail("%s: %s", path, err.text);
    enum exit_code code = EXIT_OK;
    if (cli_has(cli, "json"))
        code = cli_json_print(reports_dmarc_json(report));
    else if (!reports_print_dmarc(report))
        code = cli_fail("out of memory");
    mox_dmarc_report_free(report);
    return code;
}

static enum exit_code show_tls(const struct cli *cli, const struct mailfile *mail, const char *path)
{
    struct mox_tls_report *report;
    struct mox_error err = {0};
    if (mox_tls_report_parse_message(&report, &cli->env, mail->content, &err) != MOX_OK)
        return cli_fail("%s: %s", path, err.text);
    enum exit_code code = EXIT_OK;
    if (cli_has(cli, "json"))
        code = cli_json_print(reports_tls_json(report));
    else if (!reports_print_tls(report))
        code = cli_fail("out of memory");
    mox_tls_report_free(report);
    return code;
}

/* Each mail that was named, also when one before it could not be read. */
static enum exit_code show_all(const struct cli *cli, show_fn *show)
{
    enum exit_code worst = EXIT_OK;
    bool named = cli->arg_count > 1 && !cli_has(cli, "json");
    for (unsigned i = 0; i < cli->arg_count; i++) {
        struct mailfile mail;
        enum exit_code code = mailfile_read(&mail, cli->args[i]);
        if (code == EXIT_OK) {
            if (named)
                (void)printf("%s== %s\n", i == 0 ? "" : "\n", cli->args[i]);
            code = show(cli, &mail, cli->args[i]);
            mailfile_free(&mail);
        }
        if (code != EXIT_OK)
            worst = code;
    }
    return worst;
}

static enum exit_code run_dmarc(struct cli *cli)
{
    return show_all(cli, show_dmarc);
}

static enum exit_code run_tlsrpt(struct cli *cli)
{
    return show_all(cli, show_tls);
}

static const struct flag flags[] = {
    {"json", NULL, "one JSON object for each report, instead of a table"},
    {NULL, NULL, NULL},
};

#define FILES_MAX 100000 /* as many as a command line takes */

static const struct command commands[] = {
    {.words = "dmarc parsereportmsg",
     .args = "message.eml ...",
     .summary = "show aggregate reports of DMARC",
     .help = "Shows the aggregate report (RFC 7489) in each message, - for standard input: which "
             "servers\n"
             "sent mail in the name of a domain, how much, and what the receiver's checks of SPF "
             "and DKIM\n"
             "said. The report may be XML, in gzip, or in a zip of one file, anywhere in the "
             "message. What\n"
             "it says is its sender's word.\n"
             "\n"
             "In JSON, names and structure are those of the report itself; texts that are absent "
             "are left\n"
             "out.\n"
             "\n"
             "    mox dmarc parsereportmsg report.eml\n"
             "    mox dmarc parsereportmsg --json *.eml | jq '.record[].row'",
     .flags = flags,
     .min_args = 1,
     .max_args = FILES_MAX,
     .run = run_dmarc},
    {.words = "tlsrpt parsereportmsg",
     .args = "message.eml ...",
     .summary = "show reports on TLS of connections",
     .help = "Shows the TLS report (RFC 8460) in each message, - for standard input: how many "
             "connections\n"
             "to a domain's mail servers used TLS as its policy (MTA-STS, DANE) wants it, and how "
             "others\n"
             "failed. The report is the message, or a part of its multipart/report. What it says "
             "is its\n"
             "sender's word.\n"
             "\n"
             "In JSON, names and structure are those of the report itself; texts that are absent "
             "are left\n"
             "out.\n"
             "\n"
             "    mox tlsrpt parsereportmsg report.eml\n"
             "    mox tlsrpt parsereportmsg --json report.eml | jq '.policies[].summary'",
     .flags = flags,
     .min_args = 1,
     .max_args = FILES_MAX,
     .run = run_tlsrpt},
};

const struct command_group reports_group = {"Reports", commands,
                                            sizeof commands / sizeof commands[0]};
