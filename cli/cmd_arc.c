/* SPDX-License-Identifier: MIT */
#include <mox/arc.h>

#include <stdio.h>
#include <string.h>

#include "dkim.h"
#include "json.h"
#include "mailfile.h"
#include "names.h"
#include "when.h"

/* What forwarders say about a message (RFC 8617): judging it, and saying so too. */

/* A message and what is known of its chain. */
struct chain {
    struct mailfile mail;
    struct cli_names *names;
    struct mox_signed_message *message;
    struct mox_arc_verify *verify;
};

static enum exit_code judge(const struct cli *cli, struct chain *c)
{
    struct mox_dns_answers *answers = cli_names_answers(c->names);
    int rc = mox_arc_verify_run(c->verify, answers);
    if (rc == MOX_NEED_DNS) {
        enum exit_code code = cli_names_answer(c->names);
        if (code != EXIT_OK)
            return code;
        rc = mox_arc_verify_run(c->verify, answers);
    }
    return rc == MOX_OK ? EXIT_OK : cli_fail("%s: %s", cli->args[0], mox_status_text(rc));
}

static enum exit_code open_chain(const struct cli *cli, struct chain *c)
{
    struct mox_dkim_config config;
    *c = (struct chain){0};
    mox_dkim_config_init(&config);
    config.pedantic = cli_has(cli, "pedantic");
    enum exit_code code = when_now(cli, &config.now_us);
    if (code == EXIT_OK)
        code = cli_names_open(&c->names, cli);
    if (code == EXIT_OK)
        code = mailfile_read(&c->mail, cli->args[0]);
    if (code == EXIT_OK &&
        (mox_signed_message_new(&c->message, &cli->env, c->mail.content) != MOX_OK ||
         mox_arc_verify_new(&c->verify, &cli->env, c->message, &config) != MOX_OK))
        code = cli_fail("out of memory");
    return code == EXIT_OK ? judge(cli, c) : code;
}

static void close_chain(struct chain *c)
{
    mox_arc_verify_free(c->verify);
    mox_signed_message_free(c->message);
    mailfile_free(&c->mail);
    cli_names_close(c->names);
}

/* ---- verify ---- */

/* On one line; what is not printable ASCII becomes `?`. */
static void print_text(struct mox_slice text)
{
    bool space = false, begun = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            space = begun;
            continue;
        }
        if (space)
            (void)putchar(' ');
        (void)putchar(c > ' ' && c < 0x7f ? c : '?');
        space = false;
        begun = true;
    }
}

static void print_verdict(const struct mox_arc_verdict *v)
{
    (void)printf("%s\tsets=%zu", mox_arc_status_name(v->status), v->count);
    if (v->oldest_pass != 0)
        (void)printf(" oldest-pass=%u", v->oldest_pass);
    (void)printf(" dnssec=%s%s%s\n", v->secure ? "yes" : "no", v->reason[0] != '\0' ? ": " : "",
                 v->reason);
    for (size_t i = 0; i < v->count; i++) {
        const struct mox_arc_instance *set = &v->instances[i];
        (void)printf("\t%u: domain=%s selector=%s%s%s\n\t\t", set->instance, set->seal_domain,
                     set->seal_selector, set->reason[0] != '\0' ? ": " : "", set->reason);
        print_text(set->results);
        (void)putchar('\n');
    }
}

static enum exit_code run_verify(struct cli *cli)
{
    struct chain c;
    enum exit_code code = open_chain(cli, &c);
    if (code == EXIT_OK && cli_has(cli, "json"))
        code =
            cli_json_print(json_pack("{s:o, s:o}", "arc", cli_json_arc(mox_arc_verdict(c.verify)),
                                     "dns", cli_json_dns(cli_names_answers(c.names))));
    else if (code == EXIT_OK)
        print_verdict(mox_arc_verdict(c.verify));
    close_chain(&c);
    return code;
}

/* ---- seal ---- */

static struct mox_slice text_of(const char *text)
{
    return (struct mox_slice){(const uint8_t *)text, strlen(text)};
}

static enum exit_code print_set(const struct cli *cli, const struct chain *c,
                                const struct mox_arc_sealer *sealer)
{
    struct mox_error err = {0};
    char *set;
    if (mox_arc_seal(&set, &cli->env, c->message, c->verify, sealer, &err) != MOX_OK)
        return cli_fail("%s: %s", cli->args[0], err.text);
    size_t len = strlen(set), body = cli_has(cli, "message") ? c->mail.content.len : 0;
    bool ok =
        fwrite(set, 1, len, stdout) == len && fwrite(c->mail.content.data, 1, body, stdout) == body;
    mox_text_free(&cli->env, set);
    return ok ? EXIT_OK : cli_fail("cannot write to standard output");
}

static enum exit_code seal(const struct cli *cli, struct mox_arc_sealer *sealer)
{
    struct chain c;
    enum exit_code code = dkim_read_key(cli, cli_flag(cli, "key"), &sealer->key);
    if (code != EXIT_OK)
        return code;
    code = open_chain(cli, &c);
    if (code == EXIT_OK)
        code = print_set(cli, &c, sealer);
    close_chain(&c);
    mox_dkim_key_free(sealer->key);
    return code;
}

static enum exit_code run_seal(struct cli *cli)
{
    struct mox_arc_sealer sealer;
    const char *authserv_id = cli_flag(cli, "authserv-id"), *results = cli_flag(cli, "results");
    mox_arc_sealer_init(&sealer);
    sealer.domain = cli_flag(cli, "domain");
    sealer.selector = cli_flag(cli, "selector");
    if (sealer.domain == NULL || sealer.selector == NULL || cli_flag(cli, "key") == NULL)
        return cli_usage(cli->command, "-domain, -selector and -key are needed");
    sealer.authserv_id = authserv_id != NULL ? authserv_id : sealer.domain;
    sealer.results = text_of(results != NULL ? results : "none");
    enum exit_code code = when_now(cli, &sealer.now_us);
    return code == EXIT_OK ? seal(cli, &sealer) : code;
}

/* ---- The table ---- */

static const struct flag verify_flags[] = {
    CLI_NAMES_FLAGS,
    {"json", NULL, "one JSON object instead of lines"},
    WHEN_FLAG,
    {NULL, NULL, NULL},
};

static const struct flag seal_flags[] = {
    {"domain", "name", "the domain that seals (d=); needed"},
    {"selector", "name", "where below _domainkey its key is published (s=); needed"},
    {"key", "file", "the private key in PEM, - for standard input; needed"},
    {"results", "text", "what was found out, as in Authentication-Results; default none"},
    {"authserv-id", "name", "who found it out; default the domain"},
    {"message", NULL, "print the whole sealed message, with CRLF"},
    CLI_NAMES_FLAGS,
    WHEN_FLAG,
    {NULL, NULL, NULL},
};

static const struct command commands[] = {
    {.words = "arc verify",
     .args = "message.eml",
     .summary = "judge what forwarders of a message say",
     .help = "Checks the chain of ARC sets (RFC 8617) of the message, - for standard input. The "
             "first line\n"
             "has none, pass, fail or temperror, how many sets there are, and from which on the "
             "message is\n"
             "what it was; then each set, with what its server found out. Whether these servers "
             "can be\n"
             "trusted is for the reader to say. Exit code 0 says that there is a verdict, whatever "
             "it is.\n"
             "\n"
             "    mox arc verify --zone dns.tsv mail.eml\n"
             "    mox arc verify --zone dns.tsv --json - <mail.eml | jq .arc.result",
     .flags = verify_flags,
     .min_args = 1,
     .max_args = 1,
     .run = run_verify},
    {.words = "arc seal",
     .args = "message.eml",
     .summary = "add to what forwarders of a message say",
     .help =
         "Checks the message, - for standard input, as arc verify does, and prints a further set "
         "of ARC\n"
         "fields to be put in front of it. A broken chain gets a set that says so, and after that "
         "no\n"
         "more.\n"
         "\n"
         "    mox arc seal --zone dns.tsv --domain example.com --selector 2026b --key 2026b.pem "
         "\\\n"
         "        --results 'spf=pass smtp.mailfrom=example.org; dkim=none' mail.eml",
     .flags = seal_flags,
     .min_args = 1,
     .max_args = 1,
     .run = run_seal},
};

const struct command_group arc_group = {"Signatures of forwarders", commands,
                                        sizeof commands / sizeof commands[0]};
