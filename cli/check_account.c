/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/explain.h>

#include "offline.h"
#include "place.h"

/* What an account would do with a message: the running server says it, over the names that we have found, or
 * the data directory when none runs. Lists of blocked addresses are asked when nothing else has decided. */

struct answer {
    char *text; /* NUL-terminated, of malloc() */
    size_t len;
};

static int add_piece(void *user, struct mox_slice piece)
{
    struct answer *a = user;
    char *text = realloc(a->text, a->len + piece.len + 1);
    if (text == NULL)
        return MOX_ENOMEM;
    memcpy(text + a->len, piece.data, piece.len);
    a->text = text;
    a->len += piece.len;
    a->text[a->len] = '\0';
    return MOX_OK;
}

/* ---- the running server ---- */

static int talk(struct mox_ctl_client *client, const char *const *lines, size_t count,
                struct mox_slice zone, struct mox_slice content, struct answer *out,
                struct mox_error *err)
{
    int rc = mox_ctl_send(client, lines, count, err);
    if (rc < 0)
        return rc;
    int sent = mox_ctl_send_bytes(client, zone, err);
    if (sent == MOX_OK)
        sent = mox_ctl_send_bytes(client, content, err);
    rc = mox_ctl_expect_ok(client, err); /* a server that refuses early says why */
    if (rc == MOX_OK)
        rc = sent;
    return rc == MOX_OK ? mox_ctl_receive(client, add_piece, out, err) : rc;
}

static enum exit_code ask_server(struct mox_ctl_client *client, const struct check_account *c,
                                 const char *listed_in, struct answer *out)
{
    const struct mox_checks_query *q = c->result->query;
    struct mox_error err = {0};
    char now[24], zone_bytes[24], bytes[24];
    char *zone = NULL;
    size_t zone_len = 0;
    enum exit_code code = check_zone(c->result->answers, &zone, &zone_len);
    (void)snprintf(now, sizeof now, "%lld", (long long)(q->now_us / 1000000));
    (void)snprintf(zone_bytes, sizeof zone_bytes, "%zu", zone_len);
    (void)snprintf(bytes, sizeof bytes, "%zu", zone_len + c->content.len);
    const char *const lines[] = {"check",
                                 c->account,
                                 c->recipient,
                                 c->json ? "json" : "text",
                                 q->ip,
                                 q->helo,
                                 q->mail_from_localpart,
                                 q->mail_from_domain,
                                 now,
                                 c->tls ? "yes" : "no",
                                 listed_in == NULL ? "?" : listed_in,
                                 zone_bytes,
                                 bytes};
    if (code == EXIT_OK &&
        talk(client, lines, sizeof lines / sizeof lines[0],
             (struct mox_slice){(const uint8_t *)zone, zone_len}, c->content, out, &err) < 0)
        code = cli_fail("%s", err.text);
    free(zone);
    return code;
}

/* ---- the data directory ---- */

static enum exit_code ask_account(const struct cli *cli, const struct check_account *c,
                                  const struct offline *o, const char *listed_in,
                                  struct answer *out)
{
    const struct mox_explain explain = {
        .size = sizeof explain, .config = o->config, .account = o->account, .json = c->json};
    struct mox_explain_incoming incoming;
    struct mox_error err = {0};
    char *text = NULL;
    mox_explain_incoming_init(&incoming);
    incoming.query = c->result->query;
    incoming.checks = c->result->verdict;
    incoming.content = c->content;
    incoming.recipient = c->recipient;
    incoming.tls = c->tls;
    incoming.listed_in = listed_in;
    incoming.limits = true; /* as of a server that is not for tests */
    int rc = mox_explain_received(&text, &cli->env, &explain, &incoming, &err);
    const char *said = rc == MOX_NEED_DNS ? MOX_CTL_ASK_LISTS : text;
    if (rc >= 0 && add_piece(out, (struct mox_slice){(const uint8_t *)said, strlen(said)}) < 0)
        rc = MOX_ENOMEM;
    mox_text_free(&cli->env, text);
    return rc < 0 ? cli_fail("%s", err.text[0] == '\0' ? mox_status_text(rc) : err.text) : EXIT_OK;
}

static enum exit_code ask_offline(const struct cli *cli, const struct check_account *c,
                                  const char *listed_in, struct answer *out)
{
    struct offline o;
    if (listed_in == NULL) /* the first time */
        (void)fputs("mox: no server is running; this is what one on the internet would do\n", stderr);
    enum exit_code code = offline_open(&o, cli, c->account, MOX_ACCOUNT_EXISTING);
    if (code == EXIT_OK)
        code = ask_account(cli, c, &o, listed_in, out);
    offline_close(&o);
    return code;
}

static enum exit_code ask(const struct cli *cli, const struct check_account *c,
                          const char *listed_in, struct answer *out)
{
    struct mox_ctl_client *client;
    enum exit_code code = place_find_server(cli, &client);
    if (code != EXIT_OK || client == NULL)
        return code == EXIT_OK ? ask_offline(cli, c, listed_in, out) : code;
    code = ask_server(client, c, listed_in, out);
    mox_ctl_client_free(client);
    return code;
}

/* ---- lists of blocked addresses ---- */

static enum exit_code ask_lists(const struct check_account *c, const struct mox_config *config,
                                const char **zone)
{
    struct mox_dns_answers *answers = cli_names_answers(c->names);
    int rc;
    while ((rc = mox_explain_lists(config, c->result->query->ip, answers, zone)) == MOX_NEED_DNS) {
        enum exit_code code = cli_names_answer(c->names);
        if (code != EXIT_OK)
            return code;
    }
    return rc == MOX_OK ? EXIT_OK : cli_fail("%s", mox_status_text(rc));
}

static enum exit_code ask_again(const struct cli *cli, const struct check_account *c,
                                struct answer *out)
{
    struct mox_config *config;
    const char *zone = "";
    out->len = 0;
    enum exit_code code = offline_config(&config, cli);
    if (code == EXIT_OK)
        code = ask_lists(c, config, &zone);
    if (code == EXIT_OK)
        code = ask(cli, c, zone, out);
    mox_config_free(config);
    return code;
}

enum exit_code check_account_ask(const struct cli *cli, const struct check_account *c, char **text)
{
    struct answer out = {.text = NULL};
    enum exit_code code = ask(cli, c, NULL, &out);
    if (code == EXIT_OK && out.text != NULL && strcmp(out.text, MOX_CTL_ASK_LISTS) == 0)
        code = ask_again(cli, c, &out);
    if (code == EXIT_OK && out.text == NULL)
        code = cli_fail("the server said nothing");
    *text = out.text;
    return code;
}
