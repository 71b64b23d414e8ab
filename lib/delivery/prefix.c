/* SPDX-License-Identifier: MIT */
#include "delivery/prefix.h"

#include <stdio.h>
#include <string.h>

#include <mox/date.h>

#include "base/text.h"
#include "mailauth/auth_results.h"
#include "message/fold.h"
#include "smtp/path.h"

/* The longest token: a path with quotes and brackets. */
#define TOKEN_MAX 2048

/* An address as RFC 5321 §4.1.3 writes it. */
static void put_literal(char *out, size_t size, const char *before, const char *ip,
                        const char *after)
{
    const char *tag = strchr(ip, ':') != NULL ? "IPv6:" : "";
    (void)snprintf(out, size, "%s[%s%s]%s", before, tag, ip, after);
}

/* Names from the DNS go into a comment: nothing that ends one. */
static bool is_plain_name(const char *name)
{
    for (; *name != '\0'; name++)
        if (!is_alpha((uint8_t)*name) && !is_digit((uint8_t)*name) && strchr("-._", *name) == NULL)
            return false;
    return true;
}

/* Who the client says it is, and who it is. Of our own users only that they are ours. */
static void put_from(struct fold *f, const struct delivery_prefix *p)
{
    const struct mox_smtp_envelope *e = p->envelope;
    const char *name = p->reverse_name;
    char ip[128];
    mox__fold_text(f, "from");
    if (p->mode == MOX_SMTP_SUBMISSION) {
        mox__fold_text(f, e->hostname);
        return;
    }
    mox__fold_text(f, e->hello);
    if (name == NULL || *name == '\0' || strcmp(name, e->hello) == 0 || !is_plain_name(name)) {
        put_literal(ip, sizeof ip, "(", e->peer->remote_ip, ")");
    } else {
        char shown[300];
        (void)snprintf(shown, sizeof shown, "(%s", name);
        mox__fold_text(f, shown);
        put_literal(ip, sizeof ip, "", e->peer->remote_ip, ")");
    }
    mox__fold_text(f, ip);
}

static void put_by(struct fold *f, const struct mox_smtp_envelope *e)
{
    char ip[128];
    put_literal(ip, sizeof ip, "(", e->peer->local_ip, ")");
    mox__fold_text(f, "by");
    mox__fold_text(f, e->hostname);
    mox__fold_text(f, ip);
    mox__fold_text(f, "via");
    mox__fold_text(f, "tcp");
}

/* RFC 3848 and RFC 6531 §4.3. */
static void put_with(struct fold *f, const struct mox_smtp_envelope *e)
{
    char with[16];
    const char *base = e->smtputf8 ? "UTF8SMTP" : e->esmtp ? "ESMTP" : "SMTP";
    (void)snprintf(with, sizeof with, "%s%s%s", base, e->tls ? "S" : "",
                   e->username != NULL ? "A" : "");
    mox__fold_text(f, "with");
    mox__fold_text(f, with);
    if (e->requiretls)
        mox__fold_text(f, "(requiretls)");
}

static void put_id(struct fold *f, const struct mox_smtp_envelope *e)
{
    mox__fold_text(f, "id");
    mox__fold_text(f, e->received_id);
    if (e->tls && e->tls_info != NULL && e->tls_info->version[0] != '\0') {
        char comment[96];
        (void)snprintf(comment, sizeof comment, "(%s %s)", e->tls_info->version,
                       e->tls_info->cipher);
        mox__fold_text(f, comment);
    }
}

/* <path> and what follows it, as one token. */
static void put_path(struct fold *f, const struct mox_smtp_path *path, const char *after)
{
    struct buf text;
    mox__buf_init(&text, f->out->env, TOKEN_MAX);
    mox__buf_byte(&text, '<');
    mox__smtp_path_write(&text, path);
    mox__buf_printf(&text, ">%s", after);
    mox__fold_token(f, slice(text.data, text.len));
    f->out->failed |= text.failed;
    mox__buf_free(&text);
}

void mox__delivery_received(struct buf *out, const struct delivery_prefix *p)
{
    const struct mox_smtp_envelope *e = p->envelope;
    char date[MOX_DATE_MAX];
    struct fold f;
    mox__fold_begin(&f, out, "Received");
    put_from(&f, p);
    put_by(&f, e);
    put_with(&f, e);
    put_id(&f, e);
    if (p->mode == MOX_SMTP_SUBMISSION && e->recipient_count > 1) {
        /* All copies are alike, and nobody reads here who else got one. */
        mox__buf_byte(out, ';');
        f.column++;
    } else {
        mox__fold_text(&f, "for");
        put_path(&f, p->recipient, ";");
    }
    mox_date_format(p->received_us / 1000000, 0, date);
    mox__fold_text(&f, date);
    mox__fold_end(&f);
}

/* RFC 8601 §2.7.4: who submitted it had to log in. */
static void put_authentication(struct buf *out, const struct mox_smtp_envelope *e)
{
    struct buf address;
    mox__buf_init(&address, out->env, TOKEN_MAX);
    mox__smtp_path_write(&address, &e->mail_from);
    mox__buf_byte(&address, '\0');
    if (!address.failed) {
        const struct mox_auth_method method = {
            .method = "auth",
            .result = "pass",
            .version = 1,
            .properties = {{"smtp", "mailfrom", (const char *)address.data, true}},
            .property_count = 1};
        mox__auth_results_put(out, &(struct mox_auth_results){e->hostname, 1, &method, 1});
    }
    out->failed |= address.failed;
    mox__buf_free(&address);
}

void mox__delivery_prefix(struct buf *out, const struct delivery_prefix *p)
{
    struct fold f;
    mox__buf_slice(out, p->top);
    mox__fold_begin(&f, out, "Delivered-To");
    if (p->delivered_to != NULL) {
        mox__fold_text(&f, p->delivered_to);
    } else {
        struct buf text;
        mox__buf_init(&text, out->env, TOKEN_MAX);
        mox__smtp_path_write(&text, p->recipient);
        mox__fold_token(&f, slice(text.data, text.len));
        out->failed |= text.failed;
        mox__buf_free(&text);
    }
    mox__fold_end(&f);
    mox__fold_begin(&f, out, "Return-Path");
    put_path(&f, &p->envelope->mail_from, "");
    mox__fold_end(&f);
    mox__buf_slice(out, p->checks);
    mox__delivery_received(out, p);
    mox__buf_slice(out, p->lines);
    if (p->mode == MOX_SMTP_SUBMISSION && p->envelope->username != NULL)
        put_authentication(out, p->envelope);
}
