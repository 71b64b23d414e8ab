/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/smtp_names.h"
#include "server/smtp_session.h"

/* Whether who sends exists: nobody can be told what became of a message whose sender takes no mail, and a host
 * without an address is none of a mail server. */

#define HOSTS_MAX 10 /* that are looked at, of those which take a domain's mail */

enum existence { EXISTS, DOES_NOT_EXIST, UNKNOWN };

struct existing {
    struct smtp_names names;
    const char *name; /* borrowed of the engine */
    enum existence existence;
    void (*say)(enum existence existence, struct mox_smtp_reply *reply);
};

/* ---- the DNS ---- */

/* @return MOX_OK; MOX_NEED_DNS; another failure */
static int look_for_host(struct mox_dns_answers *answers, const char *name, enum existence *out)
{
    static const enum mox_dns_type types[] = {MOX_DNS_A, MOX_DNS_AAAA};
    int rc = MOX_OK;
    *out = DOES_NOT_EXIST;
    for (size_t i = 0; i < 2; i++) { /* both are asked at once */
        const struct mox_dns_answer *a;
        int asked = mox_dns_ask(answers, slice_of(name), types[i], &a);
        if (asked == MOX_OK && a->status == MOX_DNS_FOUND) {
            *out = EXISTS;
            return MOX_OK;
        }
        if (asked != MOX_OK)
            rc = asked;
        else if (mox_dns_is_temporary(a->status))
            *out = UNKNOWN;
    }
    return rc;
}

static bool is_null_mx(const struct mox_dns_answer *mx)
{
    return mx->count == 1 && mx->records[0].data.mx.host[0] == '\0'; /* RFC 7505 */
}

/* RFC 5321 §5.1. One host that exists is enough. */
static int look_for_hosts(struct mox_dns_answers *answers, const struct mox_dns_answer *mx,
                          enum existence *out)
{
    *out = DOES_NOT_EXIST;
    for (size_t i = 0; i < mx->count && i < HOSTS_MAX; i++) {
        enum existence host;
        int rc = look_for_host(answers, mx->records[i].data.mx.host, &host);
        if (rc != MOX_OK || host == EXISTS) {
            *out = host;
            return rc;
        }
        if (host == UNKNOWN)
            *out = UNKNOWN;
    }
    return MOX_OK;
}

static int look_for_domain(struct smtp_names *n, struct mox_dns_answers *answers)
{
    struct existing *e = container_of(n, struct existing, names);
    const struct mox_dns_answer *mx;
    int rc = mox_dns_ask(answers, slice_of(e->name), MOX_DNS_MX, &mx);
    if (rc != MOX_OK)
        return rc;
    if (mx->status == MOX_DNS_FOUND && !is_null_mx(mx))
        return look_for_hosts(answers, mx, &e->existence);
    if (mx->status == MOX_DNS_NODATA)
        return look_for_host(answers, e->name, &e->existence);
    e->existence = mox_dns_is_temporary(mx->status) ? UNKNOWN : DOES_NOT_EXIST;
    return MOX_OK;
}

static int look_for_name(struct smtp_names *n, struct mox_dns_answers *answers)
{
    struct existing *e = container_of(n, struct existing, names);
    return look_for_host(answers, e->name, &e->existence);
}

/* ---- the replies ---- */

static void say_of_domain(enum existence existence, struct mox_smtp_reply *reply)
{
    if (existence == UNKNOWN)
        mox_smtp_reply_set(reply, 451, "4.4.0",
                           "cannot look up the sender's domain now; try again later");
    else
        mox_smtp_reply_set(reply, 550, "5.7.27", "the sender's domain takes no mail");
}

static void say_of_host(enum existence existence, struct mox_smtp_reply *reply)
{
    (void)existence;
    mox_smtp_reply_set(reply, 550, "5.5.0",
                       "no such host: use HELO with a name that has an address");
}

/* What becomes of the command, and frees. What could not be looked up is no reason to refuse a host. */
static int conclude(struct existing *e, int rc, struct mox_smtp_reply *reply)
{
    struct smtp_session *ss = e->names.session;
    const enum existence existence = rc != MOX_OK ? UNKNOWN : e->existence;
    const bool refuses =
        existence == DOES_NOT_EXIST || (existence == UNKNOWN && e->say == say_of_domain);
    if (refuses)
        e->say(existence, reply);
    if (refuses && rc != MOX_EBUSY) /* else nobody is there to be told */
        log_line(mox__conn_env(ss->conn), MOX_LOG_INFO, "smtpserver", "sender refused", NULL,
                 F_TEXT("reason", reply->text), F_TEXT("name", e->name));
    mox__mem_free(&ss->server->env, e);
    return refuses ? MOX_EREFUSED : MOX_OK;
}

static void done(struct smtp_names *n, int rc)
{
    struct smtp_session *ss = n->session;
    struct mox_smtp_reply reply;
    rc = conclude(container_of(n, struct existing, names), rc, &reply);
    mox__smtp_answer_pending(ss, rc, rc == MOX_OK ? NULL : &reply);
}

static bool looks(const struct mox_server *s)
{
    const bool own_names = s->config.localserve && s->config.resolver == NULL && s->unbound == NULL;
    return s->config.check_senders && !own_names;
}

static int look(struct smtp_session *ss, const struct existing *what, struct mox_smtp_reply *reply)
{
    if (!looks(ss->server))
        return MOX_OK;
    struct existing *e = mem_new(&ss->server->env, struct existing, 1);
    if (e == NULL)
        return MOX_ENOMEM;
    *e = *what;
    e->names.session = ss;
    e->names.done = done;
    int rc = mox__smtp_names_start(&e->names);
    if (rc != MOX_LATER)
        return conclude(e, rc, reply);
    ss->pending = true;
    return rc;
}

int mox__smtp_check_sender(struct smtp_session *ss, const char *domain,
                           struct mox_smtp_reply *reply)
{
    if (ss->server->config.localserve && strcmp(domain, "localhost") == 0)
        return MOX_OK;
    return look(
        ss, &(struct existing){.names.run = look_for_domain, .name = domain, .say = say_of_domain},
        reply);
}

int mox__smtp_check_host(struct smtp_session *ss, const char *name, struct mox_smtp_reply *reply)
{
    return look(ss,
                &(struct existing){.names.run = look_for_name, .name = name, .say = say_of_host},
                reply);
}
