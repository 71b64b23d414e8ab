/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <mox/dns.h>

#include "command.h"
#include "json.h"
#include "names.h"

/* Names of the DNS, as everything else here sees them. */

#define TEXT_MAX 66000 /* a record has at most 65535 bytes */

/* Strangers' text: what is not printable becomes `?`. */
static size_t put_text(char *out, struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        out[i] = s.data[i] >= ' ' && s.data[i] < 0x7f ? (char)s.data[i] : '?';
    out[s.len] = '\0';
    return s.len;
}

static void put_hex(char *out, struct mox_slice s)
{
    for (size_t i = 0; i < s.len && 2 * i + 3 < TEXT_MAX; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", s.data[i]);
}

/* As a zone file has the value, names without their final dot. */
static void write_record(char out[TEXT_MAX], enum mox_dns_type type, const struct mox_dns_record *r)
{
    out[0] = '\0';
    switch (type) {
    case MOX_DNS_A:
        (void)inet_ntop(AF_INET, r->data.a, out, TEXT_MAX);
        break;
    case MOX_DNS_AAAA:
        (void)inet_ntop(AF_INET6, r->data.aaaa, out, TEXT_MAX);
        break;
    case MOX_DNS_MX:
        (void)snprintf(out, TEXT_MAX, "%u %s", r->data.mx.preference,
                       r->data.mx.host[0] == '\0' ? "." : r->data.mx.host);
        break;
    case MOX_DNS_TXT:
        (void)put_text(out, r->data.txt);
        break;
    case MOX_DNS_SRV:
        (void)snprintf(out, TEXT_MAX, "%u %u %u %s", r->data.srv.priority, r->data.srv.weight,
                       r->data.srv.port, r->data.srv.target[0] == '\0' ? "." : r->data.srv.target);
        break;
    case MOX_DNS_TLSA:
        (void)snprintf(out, TEXT_MAX, "%u %u %u ", r->data.tlsa.usage, r->data.tlsa.selector,
                       r->data.tlsa.matching);
        put_hex(out + strlen(out), r->data.tlsa.data);
        break;
    case MOX_DNS_NS:
    case MOX_DNS_CNAME:
    case MOX_DNS_PTR:
        (void)put_text(out,
                       (struct mox_slice){(const uint8_t *)r->data.name, strlen(r->data.name)});
        break;
    }
}

static const char *security(const struct mox_dns_answer *a)
{
    return a->status == MOX_DNS_BOGUS ? "bogus" : a->secure ? "secure" : "insecure";
}

static enum exit_code print_json(const struct mox_dns_answer *a)
{
    static char text[TEXT_MAX];
    json_t *values = json_array();
    for (size_t i = 0; values != NULL && i < a->count; i++) {
        write_record(text, a->question.type, &a->records[i]);
        if (json_array_append_new(values, cli_json_text(text)) != 0) {
            json_decref(values);
            values = NULL;
        }
    }
    return cli_json_print(json_pack(
        "{s:o,s:s,s:s,s:b,s:s,s:o}", "name", cli_json_text(a->question.name), "type",
        mox_dns_type_name(a->question.type), "status", mox_dns_status_name(a->status), "secure",
        a->secure, "reason", a->problem != NULL ? a->problem : "", "records", values));
}

static void print(const struct mox_dns_answer *a)
{
    static char text[TEXT_MAX];
    for (size_t i = 0; i < a->count; i++) {
        write_record(text, a->question.type, &a->records[i]);
        (void)printf("%s\n", text);
    }
    (void)printf("%s, %s%s%s\n", mox_dns_status_name(a->status), security(a),
                 a->problem != NULL ? ": " : "", a->problem != NULL ? a->problem : "");
}

static enum exit_code look_up(const struct cli *cli, struct cli_names *names, struct mox_slice name,
                              enum mox_dns_type type)
{
    const struct mox_dns_answer *answer;
    int rc = mox_dns_ask(cli_names_answers(names), name, type, &answer);
    if (rc == MOX_NEED_DNS) {
        enum exit_code code = cli_names_answer(names);
        if (code != EXIT_OK)
            return code;
        rc = mox_dns_ask(cli_names_answers(names), name, type, &answer);
    }
    if (rc != MOX_OK)
        return cli_fail("look up: %s", mox_status_text(rc));
    enum exit_code code = EXIT_OK;
    if (cli_has(cli, "json"))
        code = print_json(answer);
    else
        print(answer);
    return code == EXIT_OK && answer->status != MOX_DNS_FOUND ? EXIT_FAILED : code;
}

static enum exit_code run_lookup(struct cli *cli)
{
    struct cli_names *names = NULL;
    enum mox_dns_type type;
    struct mox_domain domain;
    struct mox_slice word = {(const uint8_t *)cli->args[0], strlen(cli->args[0])},
                     name = {(const uint8_t *)cli->args[1], strlen(cli->args[1])};
    if (!mox_dns_type_parse(word, &type))
        return cli_usage(cli->command,
                         "%s is no type of records; use A, AAAA, CNAME, MX, NS, PTR, SRV, "
                         "TLSA or TXT",
                         cli->args[0]);
    if (name.len > 1 && name.data[name.len - 1] == '.')
        name.len--;
    if (mox_domain_parse(&domain, name, MOX_DOMAIN_UNDERSCORES) == MOX_OK) /* else as it is */
        name = (struct mox_slice){(const uint8_t *)domain.ascii, strlen(domain.ascii)};
    enum exit_code code = cli_names_open(&names, cli);
    if (code == EXIT_OK)
        code = look_up(cli, names, name, type);
    cli_names_close(names);
    return code;
}

static const struct flag flags[] = {
    CLI_NAMES_FLAGS,
    {"json", NULL, "name, type, status, secure, reason and records as JSON"},
    {NULL, NULL, NULL},
};

static const struct command commands[] = {
    {.words = "dns lookup",
     .args = "type name",
     .summary = "look up a name in the DNS",
     .help =
         "Prints the records, one a line, and behind them how it was answered: found, nodata,\n"
         "nxdomain, timeout, servfail or bogus; and whether that is secure (DNSSEC proves it),\n"
         "insecure (nobody signs it) or bogus (it is not what the owner signed), and why. Names "
         "may\n"
         "have Unicode. Exit 0 when there are records, else 1.\n"
         "\n"
         "    mox dns lookup mx example.org\n"
         "    mox dns lookup txt 2026a._domainkey.example.org\n"
         "    mox -resolver 127.0.0.1:5353 dns lookup tlsa _25._tcp.mail.example.org",
     .flags = flags,
     .min_args = 2,
     .max_args = 2,
     .run = run_lookup},
};

const struct command_group dns_group = {"DNS", commands, sizeof commands / sizeof commands[0]};
