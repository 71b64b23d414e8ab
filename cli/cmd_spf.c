/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <mox/spf.h>

#include "command.h"
#include "json.h"
#include "names.h"

/* Who may send mail in the name of a domain (RFC 7208). */

/* ---- check ---- */

/* Cuts localpart@domain at its last @; no address is the null path. */
static void take_address(const char *address, char localpart[256], struct mox_spf_query *q)
{
    const char *at = strrchr(address, '@');
    int len = at == NULL ? 0 : (int)(at - address);
    (void)snprintf(localpart, 256, "%.*s", len, address);
    q->mail_from_localpart = localpart;
    q->mail_from_domain = at == NULL ? address : at + 1;
}

static void print_names(const struct mox_dns_answers *answers)
{
    for (size_t i = 0; i < mox_dns_answer_count(answers); i++) {
        const struct mox_dns_answer *a = mox_dns_answer_at(answers, i);
        (void)printf("  %-5s %-40s %s, %s\n", mox_dns_type_name(a->question.type), a->question.name,
                     mox_dns_status_name(a->status), a->secure ? "secure" : "insecure");
    }
}

static void print_verdict(const struct mox_spf_verdict *v, const struct mox_dns_answers *answers)
{
    static const char *const identities[] = {"nothing", "MAIL FROM", "EHLO"};
    (void)printf("result       %s\n", mox_spf_result_name(v->result));
    (void)printf("checked      %s %s\n", identities[v->identity], v->sender);
    if (v->mechanism[0] != '\0')
        (void)printf("decided by   %s\n", v->mechanism);
    if (v->explanation[0] != '\0')
        (void)printf("the domain says: %s\n", v->explanation);
    if (v->problem[0] != '\0')
        (void)printf("reason       %s\n", v->problem);
    (void)printf("look-ups     %u, %u of them in vain\n", v->lookups, v->void_lookups);
    (void)printf("names asked\n");
    print_names(answers);
}

static enum exit_code check(const struct cli *cli, const struct mox_spf_query *q,
                            struct cli_names *names)
{
    struct mox_dns_answers *answers = cli_names_answers(names);
    struct mox_spf_verdict v;
    int rc;
    while ((rc = mox_spf_check(q, answers, &v)) == MOX_NEED_DNS) {
        enum exit_code code = cli_names_answer(names);
        if (code != EXIT_OK)
            return code;
    }
    if (rc == MOX_EINVAL)
        return cli_usage(cli->command, "%s is no IP address", q->ip);
    if (rc < 0)
        return cli_fail("check SPF: %s", mox_status_text(rc));
    if (cli_has(cli, "json"))
        return cli_json_print(
            json_pack("{s:o,s:o}", "spf", cli_json_spf(&v), "dns", cli_json_dns(answers)));
    print_verdict(&v, answers);
    return EXIT_OK;
}

static enum exit_code run_check(struct cli *cli)
{
    struct cli_names *names = NULL;
    struct mox_spf_query q;
    char localpart[256];
    mox_spf_query_init(&q);
    q.ip = cli_flag(cli, "ip");
    q.helo = cli_has(cli, "helo") ? cli_flag(cli, "helo") : "";
    q.helo_is_literal = q.helo[0] == '[';
    q.now_us = cli->env.wall_us(cli->env.user);
    if (q.ip == NULL)
        return cli_usage(cli->command, "--ip is missing");
    take_address(cli_has(cli, "mailfrom") ? cli_flag(cli, "mailfrom") : "", localpart, &q);
    if (q.helo[0] == '\0' && q.mail_from_domain[0] == '\0')
        return cli_usage(cli->command, "--mailfrom or --helo is missing");
    enum exit_code code = cli_names_open(&names, cli);
    if (code == EXIT_OK)
        code = check(cli, &q, names);
    cli_names_close(names);
    return code;
}

/* ---- records, term by term ---- */

static void print_slice(struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        (void)putchar(s.data[i] >= ' ' && s.data[i] < 0x7f ? s.data[i] : '?');
}

/* What the term means, in words. */
static void explain(const struct mox_spf_term *t)
{
    static const struct {
        const char *name, *meaning;
    } meanings[] = {
        {"all", "any client"},
        {"include", "clients that pass the record of another domain"},
        {"a", "the addresses of the name"},
        {"mx", "the mail servers of the name"},
        {"ptr", "clients with a name below it (do not use, RFC 7208 §5.5)"},
        {"ip4", "a network"},
        {"ip6", "a network"},
        {"exists", "clients for which the name exists"},
        {"redirect", "if nothing matched, another domain's record decides"},
        {"exp", "where the text for those who fail is"},
        {"modifier", "ignored"},
    };
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (strcmp(t->name, meanings[i].name) == 0)
            (void)printf("%s", meanings[i].meaning);
}

static void print_term(const struct mox_spf_term *t)
{
    (void)printf("  %-9s ", t->is_modifier ? "" : mox_spf_result_name(t->qualifier));
    print_slice(t->text);
    (void)printf("%*s", t->text.len < 36 ? (int)(36 - t->text.len) : 1, "");
    explain(t);
    (void)printf("\n");
}

static enum exit_code print_record(struct mox_slice record)
{
    struct mox_spf_term t;
    struct mox_error err;
    size_t at = 0;
    int rc;
    while ((rc = mox_spf_term_next(record, &at, &t, &err)) == MOX_OK)
        print_term(&t);
    return rc == MOX_ESYNTAX ? cli_fail("SPF record: %s", err.text) : EXIT_OK;
}

static enum exit_code run_parse(struct cli *cli)
{
    struct mox_slice record = {(const uint8_t *)cli->args[0], strlen(cli->args[0])};
    return print_record(record);
}

static enum exit_code show(const struct mox_dns_answer *answer)
{
    enum exit_code code = EXIT_OK;
    size_t count = 0;
    if (mox_dns_is_temporary(answer->status))
        return cli_fail("TXT of %s: %s", answer->question.name,
                        mox_dns_status_name(answer->status));
    for (size_t i = 0; i < answer->count; i++) {
        struct mox_slice text = answer->records[i].data.txt;
        if (!mox_spf_is_record(text))
            continue;
        count++;
        print_slice(text);
        (void)printf("\n");
        if (print_record(text) != EXIT_OK)
            code = EXIT_FAILED;
    }
    if (count == 0)
        return cli_fail("%s has no SPF record", answer->question.name);
    if (count > 1)
        return cli_fail("%s has %zu SPF records; with more than one all fail",
                        answer->question.name, count);
    (void)printf("%s\n", answer->secure ? "secure" : "insecure");
    return code;
}

static enum exit_code run_lookup(struct cli *cli)
{
    struct cli_names *names = NULL;
    const struct mox_dns_answer *answer;
    struct mox_domain domain;
    struct mox_slice text = {(const uint8_t *)cli->args[0], strlen(cli->args[0])};
    if (mox_domain_parse(&domain, text, MOX_DOMAIN_UNDERSCORES) != MOX_OK)
        return cli_usage(cli->command, "%s is no domain", cli->args[0]);
    text = (struct mox_slice){(const uint8_t *)domain.ascii, strlen(domain.ascii)};
    enum exit_code code = cli_names_open(&names, cli);
    if (code != EXIT_OK)
        return code;
    int rc = mox_dns_ask(cli_names_answers(names), text, MOX_DNS_TXT, &answer);
    if (rc == MOX_NEED_DNS) {
        code = cli_names_answer(names);
        if (code == EXIT_OK)
            rc = mox_dns_ask(cli_names_answers(names), text, MOX_DNS_TXT, &answer);
    }
    if (code == EXIT_OK)
        code = rc == MOX_OK ? show(answer) : cli_fail("look up: %s", mox_status_text(rc));
    cli_names_close(names);
    return code;
}

/* ---- the table ---- */

static const struct flag check_flags[] = {
    {"ip", "address", "of the client"},
    {"helo", "name", "what it said at EHLO"},
    {"mailfrom", "address", "of MAIL FROM; none is the null path, and EHLO is checked"},
    CLI_NAMES_FLAGS,
    {"json", NULL, "the verdict as JSON: spf, dns"},
    {NULL, NULL, NULL},
};

static const struct flag lookup_flags[] = {CLI_NAMES_FLAGS, {NULL, NULL, NULL}};

static const struct command commands[] = {
    {.words = "spf check",
     .args = "",
     .summary = "check whether a client may send for a domain",
     .help = "Evaluates SPF (RFC 7208) for a client and the address that it sends from, and says "
             "which\n"
             "term decided and which names were asked. Exit 0 whenever a verdict was reached.\n"
             "\n"
             "    mox spf check --ip 192.0.2.1 --helo mail.example.org --mailfrom me@example.org\n"
             "    mox spf check --ip 2001:db8::1 --helo mail.example.org --zone names.tsv --json",
     .flags = check_flags,
     .run = run_check},
    {.words = "spf lookup",
     .args = "domain",
     .summary = "show the SPF record of a domain",
     .help = "Looks up the record and shows it, and what each of its terms means. Exit 1 when "
             "there is\n"
             "none, several, or one that is wrong.",
     .flags = lookup_flags,
     .min_args = 1,
     .max_args = 1,
     .run = run_lookup},
    {.words = "spf parse",
     .args = "record",
     .summary = "explain an SPF record",
     .help = "Shows what each term of the record means, or what is wrong and where.\n"
             "\n"
             "    mox spf parse 'v=spf1 ip4:192.0.2.0/24 include:example.org -all'",
     .min_args = 1,
     .max_args = 1,
     .run = run_parse},
};

const struct command_group spf_group = {"SPF", commands, sizeof commands / sizeof commands[0]};
