/* SPDX-License-Identifier: MIT */
#include <mox/delivery.h>

#include <stdatomic.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/text.h"
#include "delivery/prefix.h"
#include "delivery/unicode.h"

/* The header lines of one copy, but for what checks found. */
#define PREFIX_MAX 8192
/* All that is kept for one delivery; a copy takes about 1 KiB. */
#define ARENA_MAX (64 * 1024 * 1024)

struct copy {
    struct mox_append append; /* write.user is the delivery */
    struct mox_mailstore store;
    struct mox_delivery_facts facts;
    struct copy *next;
};

struct mox_delivery {
    struct mox_env env;
    const struct mox_smtp_envelope *envelope;
    enum mox_smtp_mode mode;
    struct mox_spool *spool;
    struct mox_slice lines;
    const struct mox_checks_verdict *checks; /* NULL: nobody checked */
    struct mox_slice checks_lines;
    struct arena arena;
    struct copy *first, **end;
    int64_t received_us;
    int status; /* of what happens before the stores are asked */
    /* Copies that have not answered, and one for mox_delivery_start(): who takes it to zero says
     * so. */
    atomic_size_t waiting;
    void (*done)(void *user, struct mox_delivery *d);
    void *user;
};

int mox_delivery_new(struct mox_delivery **out, const struct mox_env *env,
                     const struct mox_smtp_envelope *envelope, enum mox_smtp_mode mode,
                     struct mox_spool *spool)
{
    *out = NULL;
    struct mox_delivery *d = mem_new(env, struct mox_delivery, 1);
    if (d == NULL)
        return MOX_ENOMEM;
    d->env = *env;
    d->envelope = envelope;
    d->mode = mode;
    d->spool = spool;
    d->end = &d->first;
    d->received_us = env->wall_us(env->user);
    atomic_init(&d->waiting, 0);
    mox__arena_init(&d->arena, &d->env, ARENA_MAX);
    *out = d;
    return MOX_OK;
}

void mox_delivery_free(struct mox_delivery *d)
{
    if (d == NULL)
        return;
    mox__arena_reset(&d->arena);
    const struct mox_env env = d->env;
    mox__mem_free(&env, d);
}

void mox_delivery_set_lines(struct mox_delivery *d, struct mox_slice lines)
{
    d->lines = lines;
}

void mox_delivery_set_checks(struct mox_delivery *d, const struct mox_checks_verdict *verdict,
                             struct mox_slice lines)
{
    d->checks = verdict;
    d->checks_lines = lines;
}

/* What the dialogue tells for reputation. Texts live as long as the envelope. */
static struct mox_delivery_facts facts_of(const struct mox_smtp_envelope *e,
                                          const struct mox_smtp_path *recipient)
{
    const struct mox_smtp_path *from = &e->mail_from;
    return (struct mox_delivery_facts){
        .size = sizeof(struct mox_delivery_facts),
        .remote_ip = e->peer->remote_ip,
        .ehlo_domain = e->hello_is_literal ? NULL : e->hello,
        .mail_from_localpart = from->localpart,
        .mail_from_domain = from->domain_unicode,
        .rcpt_to_localpart = recipient->localpart,
        .rcpt_to_domain = recipient->domain_unicode,
        .tls_version = e->tls && e->tls_info != NULL ? e->tls_info->version : NULL,
        .tls_cipher = e->tls && e->tls_info != NULL ? e->tls_info->cipher : NULL,
        .requiretls = e->requiretls,
    };
}

/* The domains that signed. Who forwards neither gains nor loses: its signature does not count. */
static int add_dkim_domains(struct mox_delivery *d, struct mox_delivery_facts *facts,
                            const char *forwarder)
{
    const struct mox_checks_verdict *v = d->checks;
    const char **domains = arena_new(&d->arena, const char *, v->dkim_domain_count + 1);
    if (domains == NULL)
        return MOX_ENOMEM;
    facts->dkim_domains = domains;
    for (size_t i = 0; i < v->dkim_domain_count; i++) {
        const char *domain = mox__in_unicode(&d->arena, v->dkim_domains[i]);
        if (domain == NULL)
            return MOX_ENOMEM;
        if (forwarder == NULL || strcmp(domain, forwarder) != 0)
            domains[facts->dkim_domain_count++] = domain;
    }
    return MOX_OK;
}

/* What checks of the sender tell. Texts live as long as the verdict, or the delivery. */
static int add_proofs(struct mox_delivery *d, struct mox_delivery_facts *facts,
                      const char *forwarder)
{
    const struct mox_checks_verdict *v = d->checks;
    facts->ehlo_validation = v->helo;
    facts->mail_from_validation = v->mail_from;
    facts->msg_from_validation = v->from;
    if (add_dkim_domains(d, facts, forwarder) < 0)
        return MOX_ENOMEM;
    if (v->from_domain[0] == '\0')
        return MOX_OK;
    facts->msg_from_localpart = v->from_localpart;
    facts->msg_from_domain = mox__in_unicode(&d->arena, v->from_domain);
    facts->msg_from_org_domain = mox__in_unicode(&d->arena, v->from_org_domain);
    return facts->msg_from_domain == NULL || facts->msg_from_org_domain == NULL ? MOX_ENOMEM
                                                                                : MOX_OK;
}

/* The name that leads back to the client, else the first that its address claims. */
static const char *reverse_name(const struct mox_checks_verdict *v)
{
    if (v == NULL || v->iprev->name_count == 0)
        return NULL;
    return v->iprev->name[0] != '\0' ? v->iprev->name : v->iprev->names[0];
}

static int make_prefix(struct mox_delivery *d, const struct mox_delivery_copy *copy,
                       struct mox_slice *out)
{
    const struct delivery_prefix p = {.envelope = d->envelope,
                                      .recipient = copy->recipient,
                                      .mode = d->mode,
                                      .delivered_to = copy->address,
                                      .top = copy->lines,
                                      .reverse_name = reverse_name(d->checks),
                                      .checks = d->checks_lines,
                                      .lines = d->lines,
                                      .received_us = d->received_us};
    struct buf text;
    mox__buf_init(&text, &d->env, PREFIX_MAX + d->checks_lines.len + copy->lines.len);
    mox__delivery_prefix(&text, &p);
    char *bytes = text.failed ? NULL : mox__arena_strndup(&d->arena, text.data, text.len);
    *out = slice(bytes, text.len);
    mox__buf_free(&text);
    return bytes == NULL ? MOX_ENOMEM : MOX_OK;
}

static void settle(struct mox_delivery *d)
{
    if (atomic_fetch_sub(&d->waiting, 1) == 1)
        d->done(d->user, d);
}

static void append_done(struct mox_write *w)
{
    settle(w->user);
}

void mox_delivery_copy_init(struct mox_delivery_copy *copy)
{
    *copy = (struct mox_delivery_copy){.size = sizeof *copy, .mailbox = "Inbox"};
}

/* A copy of a text that may be NULL. */
static int keep(struct mox_delivery *d, const char *text, const char **out)
{
    *out = text == NULL ? NULL : mox__arena_strndup(&d->arena, text, strlen(text));
    return text != NULL && *out == NULL ? MOX_ENOMEM : MOX_OK;
}

static int fill_facts(struct mox_delivery *d, struct copy *c, const struct mox_delivery_copy *copy)
{
    c->facts = facts_of(d->envelope, copy->recipient);
    c->facts.is_reject = copy->is_reject;
    c->facts.is_intro = copy->is_intro;
    c->facts.is_forward = copy->forwarder != NULL;
    c->facts.is_mailing_list = copy->is_mailing_list;
    c->facts.dsn = copy->dsn;
    c->facts.keep_rejects = copy->keep_rejects;
    int rc = keep(d, copy->destined, &c->facts.destined_mailbox);
    if (rc == MOX_OK)
        rc = keep(d, copy->rejects_mailbox, &c->facts.rejects_mailbox);
    if (rc == MOX_OK && d->checks != NULL)
        rc = add_proofs(d, &c->facts, copy->forwarder);
    return rc;
}

int mox_delivery_add(struct mox_delivery *d, const struct mox_delivery_copy *copy)
{
    if (copy->store->ops->append == NULL)
        return MOX_EUNSUPPORTED;
    struct copy *c = arena_new(&d->arena, struct copy, 1);
    if (c == NULL)
        return MOX_ENOMEM;
    c->store = *copy->store;
    c->append.write.done = append_done;
    c->append.write.user = d;
    c->append.spool = d->spool;
    c->append.flags = copy->flags;
    c->append.received_us = d->received_us;
    c->append.facts = &c->facts;
    int rc = fill_facts(d, c, copy);
    if (rc == MOX_OK)
        rc = keep(d, copy->mailbox, &c->append.mailbox_name);
    if (rc == MOX_OK)
        rc = make_prefix(d, copy, &c->append.prefix);
    if (rc < 0)
        return rc;
    *d->end = c;
    d->end = &c->next;
    return MOX_OK;
}

void mox_delivery_start(struct mox_delivery *d, void (*done)(void *user, struct mox_delivery *d),
                        void *user)
{
    struct mox_slice all;
    size_t copies = 0;
    d->done = done;
    d->user = user;
    /* A file is mapped here: from now on several committers may read it at once. */
    d->status = mox_spool_bytes(d->spool, &all);
    for (struct copy *c = d->first; c != NULL; c = c->next)
        copies += d->status == MOX_OK;
    atomic_store(&d->waiting, copies + 1);
    for (struct copy *c = d->first; c != NULL && copies > 0; c = c->next, copies--)
        c->store.ops->append(c->store.self, &c->append);
    settle(d);
}

static bool is_full(int status)
{
    return status == MOX_ENOSPACE || status == MOX_EQUOTA;
}

/* The write that tells how the delivery went; NULL: the stores were not asked. */
static const struct mox_write *decisive(const struct mox_delivery *d)
{
    const struct mox_write *w = NULL;
    for (const struct copy *c = d->first; c != NULL && d->status == MOX_OK; c = c->next) {
        const struct mox_write *next = &c->append.write;
        if (w == NULL || w->status == MOX_OK || (is_full(next->status) && !is_full(w->status)))
            w = next;
    }
    return w;
}

int mox_delivery_status(const struct mox_delivery *d)
{
    const struct mox_write *w = decisive(d);
    return w == NULL ? d->status : w->status;
}

int mox_delivery_copy_status(const struct mox_delivery *d, size_t index, bool *left_out)
{
    const struct copy *c = d->first;
    for (; c != NULL && index > 0; index--)
        c = c->next;
    if (left_out != NULL)
        *left_out = c != NULL && c->append.left_out;
    return c == NULL || d->status < 0 ? d->status : c->append.write.status;
}

const char *mox_delivery_problem(const struct mox_delivery *d)
{
    const struct mox_write *w = decisive(d);
    int status = mox_delivery_status(d);
    if (status == MOX_OK)
        return NULL;
    return w != NULL && w->error.text[0] != '\0' ? w->error.text : mox_status_text(status);
}

int mox_delivery_reply(const struct mox_delivery *d, struct mox_smtp_reply *reply)
{
    int status = mox_delivery_status(d);
    if (is_full(status))
        mox_smtp_reply_set(reply, 452, "4.3.1", "no space left, try again later");
    else if (status < 0)
        mox_smtp_reply_set(reply, 451, "4.3.0", "not delivered, try again later");
    return status;
}
