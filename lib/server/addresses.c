/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/server.h"

/* What differs between the services. */
static const struct service_info {
    const char *name;
    const char *pkg;
    uint16_t standard_port;
    bool implicit_tls;
    bool for_users; /* has tickets, on which a large sender fails at port 25; asks for certificates */
} infos[SERVICE_KINDS] = {
    [SERVE_SMTP] = {"smtp", "smtpserver", 25, false, false},
    [SERVE_SUBMISSION] = {"submission", "smtpserver", 587, false, true},
    [SERVE_SUBMISSIONS] = {"submissions", "smtpserver", 465, true, true},
    [SERVE_IMAP] = {"imap", "imapserver", 143, false, true},
    [SERVE_IMAPS] = {"imaps", "imapserver", 993, true, true},
};

static bool configured(const struct mox_config_listener *l, enum service_kind kind, uint16_t *port)
{
    const struct mox_config_service *others[SERVICE_KINDS] = {
        [SERVE_SUBMISSION] = &l->submission,
        [SERVE_SUBMISSIONS] = &l->submissions,
        [SERVE_IMAP] = &l->imap,
        [SERVE_IMAPS] = &l->imaps,
    };
    *port = kind == SERVE_SMTP ? l->smtp.port : others[kind]->port;
    return kind == SERVE_SMTP ? l->smtp.enabled : others[kind]->enabled;
}

static int read_certificates(struct mox_server *s, size_t index, struct mox_error *err)
{
    const struct mox_config_listener *l = &s->files->mox->listeners.items[index];
    if (l->tls == NULL)
        return MOX_OK;
    char cert[4096], key[4096];
    const struct mox_config_keycert *files = &l->tls->key_certs.items[0];
    if (mox_config_path(s->files, files->cert_file, cert, sizeof cert) < 0 ||
        mox_config_path(s->files, files->key_file, key, sizeof key) < 0)
        return mox__fail(err, MOX_ELIMIT, "listener %s: the path of a TLS file is too long",
                         l->name);
    bool asks = s->auth_db != NULL && !l->tls->client_auth_disabled;
    for (size_t i = 0; i < 2; i++) {
        struct tls_context_config config = {
            .cert_file = cert,
            .key_file = key,
            .tickets = i == 0,
            .knows_key = i == 0 && asks ? mox__client_key_is_known : NULL,
            .knows_user = s,
        };
        int rc = mox__tls_context_new(&s->contexts[2 * index + i], &s->env, &config, err);
        if (rc < 0)
            return rc;
    }
    return MOX_OK;
}

static void fill_service(struct mox_server *s, size_t index, enum service_kind kind)
{
    const struct mox_config_listener *l = &s->files->mox->listeners.items[index];
    const struct service_info *info = &infos[kind];
    struct service_endpoint *e = &s->services[index * SERVICE_KINDS + kind];
    bool no_tls = kind == SERVE_SMTP && l->smtp.no_starttls;
    e->server = s;
    e->listener = l;
    e->kind = kind;
    e->hostname = mox_config_hostname(s->files, l);
    e->first_time_sender_delay_us = s->config.limits ? l->smtp.first_time_sender_delay_us : 0;
    e->endpoint = (struct endpoint){
        .service = kind >= SERVE_IMAP ? &mox__imap_service : &mox__smtp_service,
        .user = e,
        .pkg = info->pkg,
        .tls = no_tls ? NULL : s->contexts[2 * index + (info->for_users ? 0 : 1)],
        .implicit_tls = info->implicit_tls,
    };
}

/* Binds one service on one address. A test server does without an address that the machine lacks.
 */
static int bind_one(struct mox_server *s, const struct service_endpoint *e, const char *ip,
                    uint16_t port, struct mox_error *err)
{
    struct bound_address *b = &s->bound[s->bound_count];
    struct mox_error why;
    int rc = mox__listener_open(&b->listener, s->net, ip, port, &e->endpoint, &why);
    if (rc == MOX_EUNSUPPORTED && s->config.localserve) {
        log_line(&s->env, MOX_LOG_INFO, e->endpoint.pkg, "not listening on an address", why.text,
                 F_TEXT("ip", ip));
        return MOX_OK;
    }
    if (rc < 0)
        return mox__fail(err, rc, "%s%s", why.text,
                         rc == MOX_EBUSY && s->config.localserve
                             ? "; end it, or choose other ports with -port-base N"
                             : "");
    b->service = e;
    b->ip = ip;
    s->bound_count++;
    return MOX_OK;
}

static int bind_service(struct mox_server *s, size_t index, enum service_kind kind,
                        struct mox_error *err)
{
    const struct mox_config_listener *l = &s->files->mox->listeners.items[index];
    uint16_t port;
    if (!configured(l, kind, &port))
        return MOX_OK;
    fill_service(s, index, kind);
    const struct service_endpoint *e = &s->services[index * SERVICE_KINDS + kind];
    if (infos[kind].implicit_tls && e->endpoint.tls == NULL)
        return mox__fail(err, MOX_EINVAL, "listener %s: %s needs TLS with a certificate", l->name,
                         infos[kind].name);
    if (s->config.port_base != 0)
        port = (uint16_t)(s->config.port_base + infos[kind].standard_port);
    if (s->config.ip != NULL)
        return bind_one(s, e, s->config.ip, port, err);
    int rc = MOX_OK;
    for (size_t i = 0; rc == MOX_OK && i < l->ips.count; i++)
        rc = bind_one(s, e, l->ips.items[i], port, err);
    return rc;
}

static size_t most_addresses(const struct mox_server *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->files->mox->listeners.count; i++)
        n += SERVICE_KINDS * (s->files->mox->listeners.items[i].ips.count + 1);
    return n;
}

int mox__server_bind(struct mox_server *s, struct mox_error *err)
{
    size_t count = s->files->mox->listeners.count;
    s->services = mem_new(&s->env, struct service_endpoint, count * SERVICE_KINDS + 1);
    s->contexts = mem_new(&s->env, struct tls_context *, count * 2 + 1);
    s->bound = mem_new(&s->env, struct bound_address, most_addresses(s) + 1);
    if (s->services == NULL || s->contexts == NULL || s->bound == NULL)
        return mox__fail(err, MOX_ENOMEM, "start the server: out of memory");
    for (size_t i = 0; i < count; i++) {
        int rc = read_certificates(s, i, err);
        for (unsigned kind = 0; rc == MOX_OK && kind < SERVICE_KINDS; kind++)
            rc = bind_service(s, i, (enum service_kind)kind, err);
        if (rc < 0)
            return rc;
    }
    if (s->bound_count == 0)
        return mox__fail(err, MOX_EINVAL,
                         "start the server: no service is enabled on an address of this machine");
    return MOX_OK;
}

void mox__server_close_listeners(struct mox_server *s)
{
    for (size_t i = 0; i < s->bound_count; i++) {
        mox__listener_close(s->bound[i].listener);
        s->bound[i].listener = NULL;
    }
}

void mox__server_unbind(struct mox_server *s)
{
    mox__server_close_listeners(s);
    for (size_t i = 0; s->contexts != NULL && i < 2 * s->files->mox->listeners.count; i++)
        mox__tls_context_unref(s->contexts[i]);
    mox__mem_free(&s->env, s->contexts);
    mox__mem_free(&s->env, s->services);
    mox__mem_free(&s->env, s->bound);
}

size_t mox_server_address_count(const struct mox_server *s)
{
    return s->bound_count;
}

struct mox_server_address mox_server_address(const struct mox_server *s, size_t index)
{
    const struct bound_address *b = &s->bound[index];
    return (struct mox_server_address){
        .service = infos[b->service->kind].name,
        .ip = b->ip,
        .port = b->listener == NULL ? (uint16_t)0 : mox__listener_port(b->listener),
    };
}

const char *mox__service_name(const struct service_endpoint *e)
{
    return infos[e->kind].name;
}

void mox__log_connection(struct conn *c, const struct service_endpoint *e,
                         const struct mox_peer *peer)
{
    log_line(mox__conn_env(c), MOX_LOG_INFO, e->endpoint.pkg, "new connection", NULL,
             F_TEXT("remote", peer->remote_ip),
             F_TEXT("local", peer->local_ip), F_TEXT("service", mox__service_name(e)),
             F_TEXT("tls", peer->tls ? peer->tls_info.version : "no"),
             F_TEXT("listener", e->listener->name));
}
