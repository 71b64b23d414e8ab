/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/address.h>

#include "check.h"
#include "mailfile.h"
#include "names.h"
#include "when.h"

/* Who sent a message: the verdict that the server reaches, without the server. */

const char *check_validation_name(enum mox_validation validation)
{
    static const char *const names[] = {"unknown", "strict",   "dmarc",     "relaxed",
                                        "pass",    "neutral",  "temperror", "permerror",
                                        "fail",    "softfail", "none"};
    return names[validation];
}

/* How a command shows the verdict. */
struct printer {
    void (*text)(const struct check_result *r);
    enum exit_code (*json)(const struct check_result *r);
};

/* What the flags say; texts of `query` are in here, or those of the command line. */
struct sender {
    const struct printer *printer;
    struct mox_checks_query query;
    struct check_client client; /* what the message says, without -ip */
    struct mox_domain helo, domain;
    char localpart[512];
};

static struct mox_slice text_slice(const char *text)
{
    return (struct mox_slice){(const uint8_t *)text, strlen(text)};
}

static bool copy_localpart(struct sender *s, struct mox_slice localpart)
{
    if (localpart.len == 0 || localpart.len >= sizeof s->localpart)
        return false;
    memcpy(s->localpart, localpart.data, localpart.len);
    s->localpart[localpart.len] = '\0';
    s->query.mail_from_localpart = s->localpart;
    return true;
}

static bool take_address(struct sender *s, const struct mox_address_list *list)
{
    const struct mox_address *a =
        mox_address_list_count(list) == 1 ? mox_address_list_at(list, 0) : NULL;
    if (a == NULL || a->kind != MOX_ADDRESS_MAILBOX || !copy_localpart(s, a->mailbox) ||
        mox_domain_parse(&s->domain, a->host, MOX_DOMAIN_UNDERSCORES) != MOX_OK)
        return false;
    s->query.mail_from_domain = s->domain.ascii;
    return true;
}

/* A flag, or else what the message says; or NULL. */
static const char *flag_or(const struct cli *cli, const char *name, const char *said)
{
    const char *text = cli_flag(cli, name);
    return text != NULL || said[0] == '\0' ? text : said;
}

/* --mailfrom; "" or <> is the null path, as when it is not given. */
static enum exit_code read_mail_from(struct sender *s, const struct cli *cli)
{
    const char *text = flag_or(cli, "mailfrom", s->client.mail_from);
    struct mox_address_list *list;
    if (text == NULL || text[0] == '\0' || strcmp(text, "<>") == 0)
        return EXIT_OK;
    if (mox_address_list_parse(&list, &cli->env, text_slice(text)) != MOX_OK)
        return cli_fail("out of memory");
    bool fine = take_address(s, list);
    mox_address_list_free(list);
    if (!fine && text == s->client.mail_from) { /* such as <MAILER-DAEMON> */
        s->client.mail_from[0] = '\0';
        s->query.mail_from_localpart = s->client.mail_from;
        return EXIT_OK;
    }
    return fine ? EXIT_OK
                : cli_usage(cli->command,
                            "-mailfrom is an address, or \"\" for the null path, not "
                            "\"%s\"",
                            text);
}

/* --helo: any text, for clients say anything; a name in its ASCII form. */
static void read_helo(struct sender *s, const struct cli *cli)
{
    const char *text = flag_or(cli, "helo", s->client.helo);
    if (text == NULL)
        return;
    s->query.helo = text;
    s->query.helo_is_literal = text[0] == '[';
    if (mox_domain_parse(&s->helo, text_slice(text), MOX_DOMAIN_UNDERSCORES) == MOX_OK)
        s->query.helo = s->helo.ascii;
}

/* Without --ip the message tells who sent it, as far as flags do not. */
static bool find_client(struct sender *s, const struct cli *cli, struct mox_slice content)
{
    s->query.ip = cli_flag(cli, "ip");
    if (s->query.ip != NULL)
        return true;
    s->query.ip = s->client.ip;
    return check_client_find(&s->client, content);
}

/* For people who do not expect it, and on the way to flags of their own. */
static void tell_client(const struct sender *s, const struct cli *cli)
{
    const char *helo = flag_or(cli, "helo", s->client.helo);
    const char *mail_from = flag_or(cli, "mailfrom", s->client.mail_from);
    if (s->query.ip == s->client.ip)
        (void)fprintf(stderr, "mox: as its header says: -ip %s -helo \"%s\" -mailfrom \"%s\"\n",
                      s->query.ip, helo == NULL ? "" : helo, mail_from == NULL ? "" : mail_from);
}

static enum exit_code read_flags(struct sender *s, const struct cli *cli, struct mox_slice content)
{
    mox_checks_query_init(&s->query);
    s->query.pedantic = cli_has(cli, "pedantic");
    /* The server may be one for tests, which needs the name of the key. For all others there is no such name. */
    s->query.localhost_signs = cli_has(cli, "account");
    if (!find_client(s, cli, content))
        return cli_usage(cli->command, "-ip is needed, the client's address: no Received field of "
                                       "the message names one");
    if (cli_has(cli, "authserv-id"))
        s->query.authserv_id = cli_flag(cli, "authserv-id");
    read_helo(s, cli);
    enum exit_code code = read_mail_from(s, cli);
    if (code != EXIT_OK)
        return code;
    tell_client(s, cli);
    return when_now(cli, &s->query.now_us);
}

static enum exit_code print_result(const struct cli *cli, const struct sender *s,
                                   const struct check_result *r)
{
    if (cli_has(cli, "json"))
        return s->printer->json(r);
    s->printer->text(r);
    return EXIT_OK;
}

/* With --account, what that would do with the message. */
static enum exit_code analyze(const struct cli *cli, const struct check_result *r,
                              struct mox_slice content, struct cli_names *names, char **text)
{
    const char *recipient = cli_flag(cli, "rcpt");
    const struct check_account c = {.result = r,
                                    .names = names,
                                    .content = content,
                                    .account = cli_flag(cli, "account"),
                                    .recipient = recipient != NULL ? recipient : "",
                                    .tls = !cli_has(cli, "plain"),
                                    .json = cli_has(cli, "json")};
    return c.account == NULL ? EXIT_OK : check_account_ask(cli, &c, text);
}

static enum exit_code print(const struct cli *cli, const struct sender *s,
                            const struct mox_checks *checks, struct mox_slice content,
                            struct cli_names *names)
{
    char *results, *spf, *analysis = NULL;
    if (mox_checks_headers(checks, &results, &spf) != MOX_OK)
        return cli_fail("out of memory");
    struct check_result r = {.query = &s->query,
                             .verdict = mox_checks_verdict(checks),
                             .answers = cli_names_answers(names),
                             .authentication_results = results,
                             .received_spf = spf};
    enum exit_code code = analyze(cli, &r, content, names, &analysis);
    r.analysis = analysis;
    if (code == EXIT_OK)
        code = print_result(cli, s, &r);
    free(analysis);
    mox_text_free(&cli->env, results);
    mox_text_free(&cli->env, spf);
    return code;
}

/* As many rounds as it takes. */
static enum exit_code run_checks(struct mox_checks *checks, struct cli_names *names)
{
    int rc;
    while ((rc = mox_checks_run(checks, cli_names_answers(names))) == MOX_NEED_DNS) {
        enum exit_code code = cli_names_answer(names);
        if (code != EXIT_OK)
            return code;
    }
    return rc == MOX_OK ? EXIT_OK : cli_fail("check: %s", mox_status_text(rc));
}

static enum exit_code check(const struct cli *cli, const struct sender *s, struct mox_slice content,
                            struct cli_names *names)
{
    struct mox_checks *checks;
    int rc = mox_checks_new(&checks, &cli->env, &s->query, content);
    if (rc == MOX_EINVAL)
        return cli_usage(cli->command, "-ip is an address, not \"%s\"", s->query.ip);
    if (rc != MOX_OK)
        return cli_fail("check: %s", mox_status_text(rc));
    enum exit_code code = run_checks(checks, names);
    if (code == EXIT_OK)
        code = print(cli, s, checks, content, names);
    mox_checks_free(checks);
    return code;
}

static enum exit_code run(const struct cli *cli, const struct printer *printer)
{
    struct sender s = {.printer = printer};
    struct mailfile mail;
    struct cli_names *names = NULL;
    enum exit_code code = mailfile_read(&mail, cli->args[0]);
    if (code != EXIT_OK)
        return code;
    code = read_flags(&s, cli, mail.content);
    if (code == EXIT_OK)
        code = cli_names_open(&names, cli);
    if (code == EXIT_OK)
        code = check(cli, &s, mail.content, names);
    cli_names_close(names);
    mailfile_free(&mail);
    return code;
}

static enum exit_code run_check(struct cli *cli)
{
    static const struct printer printer = {check_print_text, check_print_json};
    return run(cli, &printer);
}

static enum exit_code run_dmarc(struct cli *cli)
{
    static const struct printer printer = {check_print_dmarc_text, check_print_dmarc_json};
    return run(cli, &printer);
}

static const struct flag flags[] = {
    {"ip", "address", "the client's; else the message tells it, helo and mailfrom"},
    {"helo", "name", "what the client said in EHLO, literals with brackets"},
    {"mailfrom", "address", "the sender of MAIL FROM; with -ip and not given, or \"\": the null path"},
    {"authserv-id", "name", "our name in Authentication-Results; default localhost"},
    {"account", "name", "what that account would do with the message, too"},
    {"rcpt", "address", "its recipient, with -account; default: the first address of the account"},
    {"plain", NULL, "the client used no TLS, with -account"},
    CLI_NAMES_FLAGS,
    {"json", NULL, "one JSON object instead of lines"},
    WHEN_FLAG,
    {NULL, NULL, NULL},
};

static const struct flag dmarc_flags[] = {
    {"ip", "address", "the client's; else the message tells it, helo and mailfrom"},
    {"helo", "name", "what the client said in EHLO, literals with brackets"},
    {"mailfrom", "address", "the sender of MAIL FROM; with -ip and not given, or \"\": the null path"},
    CLI_NAMES_FLAGS,
    {"json", NULL, "one JSON object instead of lines"},
    WHEN_FLAG,
    {NULL, NULL, NULL},
};

static const struct command commands[] = {
    {.words = "check",
     .args = "message.eml",
     .summary = "find out who sent a message",
     .help =
         "Judges a message, - for standard input, as the server would on delivery: iprev (the "
         "client's\n"
         "address, and the name it claims), SPF (RFC 7208), each DKIM signature (RFC 6376), DMARC "
         "(RFC\n"
         "7489) and the chain of ARC (RFC 8617). Prints each result with its reason, what was "
         "asked "
         "of\n"
         "the DNS, and the header fields that the message would get. A signature that leaves too "
         "much\n"
         "unsigned is `policy`; DMARC's pct= spares nobody, unless it is 0. Exit code 0 says that "
         "there\n"
         "is a verdict, whatever it is.\n"
         "\n"
         "Without -ip, the client is the one that the first Received field names (other than this machine\n"
         "itself, if there is one), and MAIL FROM is that of Return-Path, for messages that a server has\n"
         "stored; what was taken from there is said.\n"
         "\n"
         "With -account, that account is asked what it would do if the message came now: which rules look\n"
         "at it and which one decides, whether the sender is known, what the junk filter thinks, and where\n"
         "it would go. Nothing is stored. The running server answers for itself: mox localserve does not mind\n"
         "that a client has no TLS and no name, and without its -limits there are none. When no server runs,\n"
         "the answer, from the data directory, is that of one on the internet. Limits on deliveries count by\n"
         "what came so far; reports that it may bring are left out.\n"
         "\n"
         "In JSON, the keys are iprev {result, names}, spf {result, domain, mechanism, "
         "explanation},\n"
         "dkim [{result, domain, selector, algorithm}], dmarc {result, domain, policy, "
         "disposition},\n"
         "arc {result, instances}, each with its reason and whether DNSSEC proves it (secure), "
         "from\n"
         "{domain, org_domain, validation}, dns [{name, type, status, secure}], and the texts\n"
         "authentication_results and received_spf; with -account also analysis {accepted, reason, reply,\n"
         "mailbox, rules [{name, decided, text}], reputation, junk_filter}.\n"
         "\n"
         "    mox check --ip 192.0.2.1 --helo mail.example.org --mailfrom a@example.org mail.eml\n"
         "    mox check --ip 192.0.2.1 --zone dns.tsv --json - <mail.eml | jq .dmarc.result\n"
         "    mox check --account alice --ip 192.0.2.1 --mailfrom a@example.org mail.eml\n"
         "    mox check --account alice stored.eml",
     .flags = flags,
     .min_args = 1,
     .max_args = 1,
     .run = run_check},
    {.words = "dmarc verify",
     .args = "message.eml",
     .summary = "judge a message by the policy of the domain in From",
     .help =
         "Judges a message, - for standard input, by DMARC (RFC 7489), with the SPF and DKIM that "
         "it rests\n"
         "on. pct= spares nobody, and a signature that leaves too much unsigned does not count. "
         "Exit code\n"
         "0 says that there is a verdict, whatever it is. Without -ip, the message tells who sent it, as for\n"
         "mox check.\n"
         "\n"
         "    mox dmarc verify --ip 192.0.2.1 --helo mail.example.org --mailfrom "
         "a@example.org mail.eml\n"
         "    mox dmarc verify --ip 192.0.2.1 --zone dns.tsv --json - <mail.eml | jq .dmarc",
     .flags = dmarc_flags,
     .min_args = 1,
     .max_args = 1,
     .run = run_dmarc},
};

const struct command_group check_group = {"Who sent a message", commands,
                                          sizeof commands / sizeof commands[0]};
