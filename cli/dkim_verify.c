/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "dkim.h"
#include "json.h"
#include "mailfile.h"
#include "names.h"
#include "when.h"

/* ---- verify ---- */

static void print_result(const struct mox_dkim_result *r)
{
    static const struct {
        unsigned flag;
        const char *text;
    } flags[] = {{MOX_DKIM_BODY_LIMITED, "text may follow what was signed (l=)"},
                 {MOX_DKIM_SUBJECT_UNSIGNED, "Subject is not signed"},
                 {MOX_DKIM_WEAK_HASH, "SHA-1"},
                 {MOX_DKIM_TESTING, "the key is for tests"}};
    (void)printf("%s\tdomain=%s selector=%s algorithm=%s", mox_dkim_status_name(r->status),
                 r->domain, r->selector, r->algorithm);
    if (r->key_bits != 0)
        (void)printf(" bits=%u", r->key_bits);
    (void)printf(" dnssec=%s%s%s\n", r->secure ? "yes" : "no", r->reason[0] != '\0' ? ": " : "",
                 r->reason);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if ((r->flags & flags[i].flag) != 0)
            (void)printf("\tbut: %s\n", flags[i].text);
}

static void print_results(const struct mox_dkim_verify *v)
{
    const char *problem = mox_dkim_problem(v);
    for (size_t i = 0; i < mox_dkim_result_count(v); i++)
        print_result(mox_dkim_result_at(v, i));
    if (mox_dkim_result_count(v) == 0)
        (void)printf("none\t%s\n", problem != NULL ? problem : "the message has no signature");
}

static enum exit_code print_json(const struct mox_dkim_verify *v,
                                 const struct mox_dns_answers *answers)
{
    json_t *dkim = json_array();
    bool ok = dkim != NULL;
    for (size_t i = 0; ok && i < mox_dkim_result_count(v); i++) {
        json_t *one = cli_json_dkim(mox_dkim_result_at(v, i), 1);
        ok = one != NULL && json_array_extend(dkim, one) == 0;
        json_decref(one);
    }
    if (!ok) {
        json_decref(dkim);
        dkim = NULL;
    }
    return cli_json_print(json_pack("{s:o, s:o}", "dkim", dkim, "dns", cli_json_dns(answers)));
}

static enum exit_code judge(const struct cli *cli, struct mox_dkim_verify *v,
                            struct cli_names *names)
{
    struct mox_dns_answers *answers = cli_names_answers(names);
    int rc = mox_dkim_verify_run(v, answers);
    if (rc == MOX_NEED_DNS) {
        enum exit_code code = cli_names_answer(names);
        if (code != EXIT_OK)
            return code;
        rc = mox_dkim_verify_run(v, answers);
    }
    if (rc != MOX_OK)
        return cli_fail("verify: %s", mox_status_text(rc));
    if (cli_has(cli, "json"))
        return print_json(v, answers);
    print_results(v);
    return EXIT_OK;
}

static enum exit_code verify(const struct cli *cli, struct cli_names *names,
                             struct mox_slice content)
{
    struct mox_dkim_config config;
    struct mox_signed_message *m = NULL;
    struct mox_dkim_verify *v = NULL;
    mox_dkim_config_init(&config);
    config.pedantic = cli_has(cli, "pedantic");
    enum exit_code code = when_now(cli, &config.now_us);
    if (code == EXIT_OK && (mox_signed_message_new(&m, &cli->env, content) != MOX_OK ||
                            mox_dkim_verify_new(&v, &cli->env, m, &config) != MOX_OK))
        code = cli_fail("out of memory");
    if (code == EXIT_OK)
        code = judge(cli, v, names);
    mox_dkim_verify_free(v);
    mox_signed_message_free(m);
    return code;
}

enum exit_code dkim_run_verify(struct cli *cli)
{
    struct cli_names *names;
    struct mailfile mail;
    enum exit_code code = cli_names_open(&names, cli);
    if (code == EXIT_OK)
        code = mailfile_read(&mail, cli->args[0]);
    if (code == EXIT_OK) {
        code = verify(cli, names, mail.content);
        mailfile_free(&mail);
    }
    cli_names_close(names);
    return code;
}

/* ---- lookup ---- */

/* Text of a stranger: what is not printable ASCII is \xHH. */
static void print_text(struct mox_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] >= ' ' && text.data[i] < 0x7f)
            (void)putchar(text.data[i]);
        else
            (void)printf("\\x%02x", text.data[i]);
    (void)putchar('\n');
}

static enum exit_code print_records(const struct mox_dns_answer *answer, const char *name)
{
    if (answer->status != MOX_DNS_FOUND)
        return cli_fail("%s: %s%s%s", name, mox_dns_status_name(answer->status),
                        answer->problem != NULL ? ": " : "",
                        answer->problem != NULL ? answer->problem : "");
    for (size_t i = 0; i < answer->count; i++)
        print_text(answer->records[i].data.txt);
    (void)printf("dnssec=%s\n", answer->secure ? "yes" : "no");
    return EXIT_OK;
}

static enum exit_code look_up(struct cli_names *names, const char *name)
{
    struct mox_dns_answers *answers = cli_names_answers(names);
    const struct mox_dns_answer *answer = NULL;
    struct mox_slice asked = {(const uint8_t *)name, strlen(name)};
    int rc = mox_dns_ask(answers, asked, MOX_DNS_TXT, &answer);
    if (rc == MOX_NEED_DNS) {
        enum exit_code code = cli_names_answer(names);
        if (code != EXIT_OK)
            return code;
        rc = mox_dns_ask(answers, asked, MOX_DNS_TXT, &answer);
    }
    return rc == MOX_OK ? print_records(answer, name)
                        : cli_fail("look up %s: %s", name, mox_status_text(rc));
}

enum exit_code dkim_run_lookup(struct cli *cli)
{
    char name[2 * MOX_DOMAIN_MAX + 16];
    struct cli_names *names;
    struct mox_domain domain;
    const char *text = cli->args[1];
    if (mox_domain_parse(&domain, (struct mox_slice){(const uint8_t *)text, strlen(text)},
                         MOX_DOMAIN_UNDERSCORES) != MOX_OK)
        return cli_usage(cli->command, "\"%s\" is no domain", text);
    int len = snprintf(name, sizeof name, "%s._domainkey.%s", cli->args[0], domain.ascii);
    if (len < 0 || (size_t)len >= sizeof name)
        return cli_usage(cli->command, "the selector is too long");
    enum exit_code code = cli_names_open(&names, cli);
    if (code == EXIT_OK)
        code = look_up(names, name);
    cli_names_close(names);
    return code;
}
