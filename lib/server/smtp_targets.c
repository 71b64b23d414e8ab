/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/text.h"
#include "server/smtp_handover.h"

/* Whose accounts a message is for: a recipient is one, or an alias, that is a list of some of ours. */

static size_t most_targets(const struct smtp_session *ss)
{
    size_t n = 0;
    for (size_t i = 0; i < ss->recipient_count; i++)
        n += ss->recipients[i].alias != NULL ? ss->recipients[i].member_count : 1;
    return n;
}

/* Who writes, if it is one of ours. */
static void find_author(const struct smtp_session *ss, const char *localpart, const char *domain,
                        struct mox_config_target *out)
{
    *out = (struct mox_config_target){.account = NULL};
    if (domain[0] == '\0' ||
        mox_config_lookup(ss->server->files, slice_of(localpart), slice_of(domain),
                          MOX_CONFIG_RECIPIENT, out) != MOX_CONFIG_FOUND)
        *out = (struct mox_config_target){.account = NULL};
}

static bool is_member(const struct mox_config_target *list,
                      const struct mox_config_destination *destination)
{
    for (size_t i = 0; destination != NULL && i < list->member_count; i++)
        if (list->members[i].destination == destination)
            return true;
    return false;
}

static bool may_post(const struct mox_config_target *list, const struct mox_config_target *author)
{
    if (author->alias == list->alias)
        return list->alias->allow_msg_from;
    return is_member(list, author->destination) || list->alias->post_public;
}

static bool is_recipient(const struct smtp_session *ss,
                         const struct mox_config_destination *destination)
{
    for (size_t i = 0; i < ss->recipient_count; i++)
        if (ss->recipients[i].alias == NULL && ss->recipients[i].destination == destination)
            return true;
    return false;
}

/* Nobody gets what he wrote, or a copy by a list besides his own. Each list has all of its other members, for they may
 * be the only ones who accept it: who is in two lists of one message gets it by both. */
static void add_members(struct handover *h, size_t recipient,
                        const struct mox_config_target *author)
{
    const struct smtp_session *ss = h->session;
    const struct mox_config_target *list = &ss->recipients[recipient];
    for (size_t i = 0; i < list->member_count; i++) {
        const struct mox_config_member *m = &list->members[i];
        if (m->destination == author->destination || is_recipient(ss, m->destination))
            continue;
        h->targets[h->target_count++] =
            (struct target){.recipient = recipient,
                            .config = m->account,
                            .destination = m->destination,
                            .rulesets = mox_config_member_rulesets(ss->server->files, m),
                            .mailbox = m->mailbox};
    }
}

static void add_account(struct handover *h, size_t recipient)
{
    const struct mox_config_target *r = &h->session->recipients[recipient];
    h->targets[h->target_count++] = (struct target){.recipient = recipient,
                                                    .config = r->account,
                                                    .destination = r->destination,
                                                    .rulesets = r->rulesets,
                                                    .dmarc_reports = r->dmarc_reports,
                                                    .tls_reports = r->tls_reports,
                                                    .mailbox = r->mailbox};
}

int mox__targets_find(struct handover *h, const char *from_localpart, const char *from_domain)
{
    const struct smtp_session *ss = h->session;
    struct mox_config_target author;
    find_author(ss, from_localpart, from_domain, &author);
    h->targets = mem_new(&ss->server->env, struct target, most_targets(ss) + 1);
    h->verdicts = mem_new(&ss->server->env, struct verdict, ss->recipient_count + 1);
    if (h->targets == NULL || h->verdicts == NULL)
        return MOX_ENOMEM;
    for (size_t i = 0; i < ss->recipient_count; i++) {
        const struct mox_config_target *r = &ss->recipients[i];
        struct verdict *v = &h->verdicts[i];
        v->first = h->target_count;
        v->accepted = true;
        v->reason = "";
        if (r->alias == NULL) {
            add_account(h, i);
        } else if (may_post(r, &author)) {
            add_members(h, i, &author);
        } else {
            v->accepted = false;
            v->reason = "alias-not-allowed";
            mox_smtp_reply_set(&v->reply, 550, "5.7.2", "not allowed to send to this list");
        }
        v->count = h->target_count - v->first;
    }
    return MOX_OK;
}

bool mox__targets_are_open(const struct handover *h)
{
    for (size_t i = 0; i < h->target_count; i++)
        if (h->targets[i].account == NULL &&
            !mox__account_is_open(h->session->server, h->targets[i].config))
            return false;
    return true;
}

void mox__targets_open(struct handover *h)
{
    for (size_t i = 0; i < h->target_count; i++) {
        struct target *t = &h->targets[i];
        if (t->account == NULL && t->rc == MOX_OK)
            t->rc = mox__account_open(h->session->server, t->config->name, &t->account, &t->error);
    }
}

void mox__targets_free(struct handover *h)
{
    struct mox_server *s = h->session->server;
    for (size_t i = 0; i < h->target_count; i++) {
        mox_judge_free(h->targets[i].judge);
        if (h->targets[i].account != NULL)
            mox__account_keep(s, h->targets[i].config, h->targets[i].account);
    }
    mox__mem_free(&s->env, h->targets);
    mox__mem_free(&s->env, h->verdicts);
}

/* RFC 5321 §4.5.1: a postmaster without a domain is that of this host. */
const char *mox__recipient_domain(const struct handover *h, size_t recipient)
{
    const struct mox_smtp_path *path = &h->envelope.recipients[recipient];
    return path->is_postmaster ? h->envelope.hostname : path->domain;
}
