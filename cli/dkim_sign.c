/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dkim.h"
#include "mailfile.h"
#include "when.h"

#define US_PER_S INT64_C(1000000)
/* Names in --headers. */
#define NAMES_MAX 100
/* A hundred years, in hours. */
#define HOURS_MAX 876000L

struct options {
    struct mox_dkim_signer signer;
    char *names; /* of --headers, cut apart; owned */
    const char *list[NAMES_MAX + 1];
};

static bool read_canon(const char *text, bool *header, bool *body)
{
    static const char *const forms[] = {"simple/simple", "simple/relaxed", "relaxed/simple",
                                        "relaxed/relaxed"};
    for (unsigned i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (strcmp(text, forms[i]) == 0) {
            *header = (i & 2) != 0;
            *body = (i & 1) != 0;
            return true;
        }
    return false;
}

static enum exit_code read_headers(const struct cli *cli, struct options *o)
{
    const char *text = cli_flag(cli, "headers");
    size_t count = 0;
    if (text == NULL)
        return EXIT_OK;
    o->names = strdup(text);
    if (o->names == NULL)
        return cli_fail("out of memory");
    for (char *save, *name = strtok_r(o->names, ":", &save); name != NULL;
         name = strtok_r(NULL, ":", &save)) {
        if (count == NAMES_MAX)
            return cli_usage(cli->command, "-headers has at most %d names", NAMES_MAX);
        o->list[count++] = name;
    }
    o->signer.headers = o->list;
    return EXIT_OK;
}

static enum exit_code read_options(const struct cli *cli, struct options *o)
{
    struct mox_dkim_signer *s = &o->signer;
    const char *canon = cli_flag(cli, "canon"), *hours = cli_flag(cli, "expires");
    mox_dkim_signer_init(s);
    s->domain = cli_flag(cli, "domain");
    s->selector = cli_flag(cli, "selector");
    s->identity = cli_flag(cli, "identity");
    s->seal = !cli_has(cli, "no-seal");
    if (s->domain == NULL || s->selector == NULL || cli_flag(cli, "key") == NULL)
        return cli_usage(cli->command, "-domain, -selector and -key are needed");
    if (canon != NULL && !read_canon(canon, &s->relaxed_header, &s->relaxed_body))
        return cli_usage(cli->command,
                         "-canon is simple or relaxed for the header, then for the "
                         "body: relaxed/simple, not \"%s\"",
                         canon);
    enum exit_code code = when_now(cli, &s->now_us);
    if (code != EXIT_OK)
        return code;
    if (hours != NULL) {
        char *end;
        long n = strtol(hours, &end, 10);
        if (*end != '\0' || n < 1 || n > HOURS_MAX)
            return cli_usage(cli->command, "-expires is a number of hours, not \"%s\"", hours);
        s->expires_us = s->now_us + n * 3600 * US_PER_S;
    }
    return read_headers(cli, o);
}

static enum exit_code sign(const struct cli *cli, const struct mox_dkim_signer *signer,
                           struct mox_slice content)
{
    struct mox_signed_message *m;
    struct mox_error err = {0};
    char *field;
    if (mox_signed_message_new(&m, &cli->env, content) != MOX_OK)
        return cli_fail("out of memory");
    int rc = mox_dkim_sign(&field, &cli->env, m, signer, &err);
    mox_signed_message_free(m);
    if (rc != MOX_OK)
        return cli_fail("%s", err.text);
    (void)fputs(field, stdout);
    mox_text_free(&cli->env, field);
    if (cli_has(cli, "message"))
        (void)fwrite(content.data, 1, content.len, stdout);
    return EXIT_OK;
}

enum exit_code dkim_run_sign(struct cli *cli)
{
    struct options o = {.names = NULL};
    struct mailfile mail;
    enum exit_code code = read_options(cli, &o);
    if (code == EXIT_OK)
        code = dkim_read_key(cli, cli_flag(cli, "key"), &o.signer.key);
    if (code == EXIT_OK)
        code = mailfile_read(&mail, cli->args[0]);
    if (code == EXIT_OK) {
        code = sign(cli, &o.signer, mail.content);
        mailfile_free(&mail);
    }
    mox_dkim_key_free(o.signer.key);
    free(o.names);
    return code;
}
