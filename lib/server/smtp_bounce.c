/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <mox/dsn.h>
#include <mox/header.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/text.h"
#include "server/smtp_handover.h"

/* When a message was delivered to some of its recipients its client is told so, and its sender gets a message
 * about the others (RFC 3464). There is no queue yet: it is put into the account of a sender who is one of
 * ours; for others the log has it. */

#define PREFIX_MAX 2000
/* Recipients that one such message names. */
#define NAMED_MAX 100

static const struct mox_metric errors = {
    .name = "mox_smtpserver_errors_total",
    .help = "What went wrong besides a delivery.",
    .labels = {"error"},
};

struct smtp_bounce {
    const struct mox_config_account *config; /* the sender's */
    const char *mailbox;
    struct mox_account *account;
    struct mox_spool *spool;
    struct mox_append append;
    struct mox_delivery_facts facts;
    struct mox_error error;
    char prefix[PREFIX_MAX];
    /* while it is composed: */
    char from[800], diagnostics[NAMED_MAX][600], statuses[NAMED_MAX][16];
    struct mox_dsn_recipient recipients[NAMED_MAX];
    size_t count;
};

static bool some_got_it(const struct handover *h)
{
    bool got = false, missed = false;
    for (size_t i = 0; i < h->session->recipient_count; i++) {
        got = got || h->verdicts[i].accepted;
        missed = missed || !h->verdicts[i].accepted;
    }
    return got && missed;
}

static void log_bounce(const struct handover *h, const char *message, const char *problem)
{
    log_line(mox__conn_env(h->session->conn), problem == NULL ? MOX_LOG_INFO : MOX_LOG_ERROR,
             "smtpserver", message, problem, F_TEXT("mailfrom", h->envelope.mail_from.address));
}

bool mox__bounce_is_due(const struct handover *h)
{
    const struct mox_smtp_path *from = &h->envelope.mail_from;
    struct mox_config_target sender;
    if (!some_got_it(h) || from->address[0] == '\0')
        return false;
    if (h->session->server->config.localserve || from->is_literal ||
        mox_config_lookup(h->session->server->files, slice_of(from->localpart),
                          slice_of(from->domain), MOX_CONFIG_RECIPIENT,
                          &sender) != MOX_CONFIG_FOUND ||
        sender.account == NULL) {
        log_bounce(h, "sender not told of failed recipients: there is no queue", NULL);
        return false;
    }
    return true;
}

static void name_failed(struct smtp_bounce *b, const struct handover *h)
{
    for (size_t i = 0; i < h->session->recipient_count && b->count < NAMED_MAX; i++) {
        const struct mox_smtp_reply *r = &h->verdicts[i].reply;
        char *diagnostic = b->diagnostics[b->count], *status = b->statuses[b->count];
        if (h->verdicts[i].accepted)
            continue;
        (void)snprintf(diagnostic, sizeof b->diagnostics[0], "%d %s %s", r->code, r->enhanced,
                       r->text);
        (void)snprintf(status, sizeof b->statuses[0], "5%s", r->enhanced + 1);
        if (b->count == 0)
            (void)snprintf(b->from, sizeof b->from, "postmaster@%s", mox__recipient_domain(h, i));
        b->recipients[b->count++] =
            (struct mox_dsn_recipient){.address = h->envelope.recipients[i].address,
                                       .original_address = "",
                                       .action = MOX_DSN_FAILED,
                                       .status = status,
                                       .diagnostic = diagnostic,
                                       .remote_mta = ""};
    }
}

static int compose(struct smtp_bounce *b, struct handover *h)
{
    const struct mox_smtp_envelope *e = &h->envelope;
    const struct mox_env *env = &h->session->server->env;
    struct mox_slice content;
    char id[300], client[400], *text = NULL;
    size_t len = 0;
    int rc = mox_spool_bytes(h->session->spool, &content);
    if (rc < 0)
        return rc;
    (void)snprintf(id, sizeof id, "%s.dsn@%s", e->received_id, e->hostname);
    (void)snprintf(client, sizeof client, "%s (%s)", e->hello, e->peer->remote_ip);
    const int64_t now_us = env->wall_us(env->user);
    const struct mox_dsn dsn = {.size = sizeof dsn,
                                .from = b->from,
                                .to = e->mail_from.address,
                                .subject = "",
                                .message_id = id,
                                .reporting_mta = e->hostname,
                                .received_from = client,
                                .envelope_id = "",
                                .arrived_us = now_us,
                                .now_us = now_us,
                                .recipients = b->recipients,
                                .recipient_count = b->count,
                                .original_headers = {content.data, mox_header_end(content)},
                                .smtputf8 = e->smtputf8};
    rc = mox_dsn_compose(&dsn, env, &text, &len);
    if (rc == MOX_OK)
        rc = mox_spool_new(&b->spool, env, NULL, len);
    if (rc == MOX_OK)
        rc = mox_spool_write(b->spool, slice(text, len));
    mox_text_free(env, text);
    return rc;
}

static void kept(struct mox_write *w)
{
    mox__handover_pass_on(w->user);
}

static void submit(struct smtp_bounce *b, struct handover *h)
{
    const struct mox_mailstore store = mox_account_mailstore(b->account);
    int len = snprintf(b->prefix, sizeof b->prefix, "Delivered-To: %s\r\nReturn-Path: <>\r\n",
                       h->envelope.mail_from.address);
    b->facts = (struct mox_delivery_facts){.size = sizeof b->facts, .dsn = true};
    b->append = (struct mox_append){.write = {.done = kept, .user = h},
                                    .mailbox_name = b->mailbox,
                                    .spool = b->spool,
                                    .facts = &b->facts};
    if (len > 0 && (size_t)len < sizeof b->prefix)
        b->append.prefix = slice(b->prefix, (size_t)len);
    store.ops->append(store.self, &b->append);
}

int mox__bounce_start(struct handover *h)
{
    struct mox_server *s = h->session->server;
    const struct mox_smtp_path *from = &h->envelope.mail_from;
    struct mox_config_target sender;
    struct smtp_bounce *b = mem_new(&s->env, struct smtp_bounce, 1);
    h->bounce = b;
    if (b == NULL || mox_config_lookup(s->files, slice_of(from->localpart), slice_of(from->domain),
                                       MOX_CONFIG_RECIPIENT, &sender) != MOX_CONFIG_FOUND)
        return MOX_ENOMEM;
    b->config = sender.account;
    b->mailbox = sender.mailbox;
    name_failed(b, h);
    int rc = compose(b, h);
    if (rc == MOX_OK)
        rc = mox__account_open(s, b->config->name, &b->account, &b->error);
    if (rc < 0)
        return rc;
    submit(b, h);
    return MOX_LATER;
}

void mox__bounce_ended(struct handover *h)
{
    struct mox_server *s = h->session->server;
    struct smtp_bounce *b = h->bounce;
    int rc = h->rc < 0 || b == NULL ? h->rc : b->append.write.status;
    if (rc == MOX_OK) {
        log_bounce(h, "sender told of failed recipients", NULL);
    } else {
        metric_count(&s->env, &errors, "queuedsn");
        log_bounce(h, "sender not told of failed recipients", mox_status_text(rc));
    }
    if (b == NULL)
        return;
    mox_spool_free(b->spool);
    if (b->account != NULL)
        mox__account_keep(s, b->config, b->account);
    mox__mem_free(&s->env, b);
    h->bounce = NULL;
}
