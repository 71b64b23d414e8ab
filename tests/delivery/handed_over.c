/* SPDX-License-Identifier: MIT */
#include "delivery/handed_over.h"

#include <mox/delivery.h>
#include <semaphore.h>
#include <stdio.h>

#include "base/text.h"
#include "support/cm.h"

static const struct mox_smtp_path recipient = {.address = "mjl@mail.example",
                                               .localpart = "mjl",
                                               .domain = "mail.example",
                                               .domain_unicode = "mail.example"};

static void fill_envelope(struct mox_smtp_envelope *e, struct mox_peer *peer,
                          const struct handed_over *h)
{
    *peer = (struct mox_peer){.size = sizeof *peer, .local_ip = "192.0.2.1"};
    (void)snprintf(peer->remote_ip, sizeof peer->remote_ip, "%s", h->remote_ip);
    *e = (struct mox_smtp_envelope){.hello = h->ehlo_domain,
                                    .esmtp = true,
                                    .peer = peer,
                                    .hostname = "mx.mail.example",
                                    .received_id = "received",
                                    .mail_from = h->mail_from,
                                    .recipients = &recipient,
                                    .recipient_count = 1};
}

const char *handed_over_to(const struct mox_judgement *v)
{
    return v->analysis->accept ? v->mailbox : "Rejects";
}

/* The account has a mailbox for rejects, and forgets the oldest. */
static void fill_copy(struct mox_delivery_copy *c, const struct mox_judgement *v)
{
    mox_delivery_copy_init(c);
    c->recipient = &recipient;
    c->mailbox = handed_over_to(v);
    c->destined = v->destined;
    c->is_reject = !v->analysis->accept || v->is_reject;
    c->is_intro = v->analysis->accept && v->is_intro;
    c->flags = c->is_reject ? MOX_FLAG_SEEN : 0;
    c->rejects_mailbox = v->is_reject ? NULL : "Rejects";
    c->is_mailing_list = v->is_mailing_list;
    c->dsn = v->dsn;
    c->forwarder = v->forwarder;
}

static void wake(void *user, struct mox_delivery *d)
{
    (void)d;
    (void)sem_post(user);
}

static uint32_t last_uid(struct world *w, const char *mailbox)
{
    struct mox_view *view = NULL;
    const uint64_t id = box_id(&w->f, mailbox);
    assert_int_equal(w->f.mail.ops->view(w->f.mail.self, id, &view, NULL), MOX_OK);
    const uint32_t uid = mox_view_row(view, mox_view_count(view) - 1)->uid;
    mox_view_unref(view);
    return uid;
}

uint32_t hand_over(struct world *w, const struct handed_over *h, const struct mox_judgement *v)
{
    struct mox_smtp_envelope envelope;
    struct mox_peer peer;
    struct mox_delivery *d;
    struct mox_delivery_copy copy;
    sem_t done;
    bool left_out;
    assert_int_equal(sem_init(&done, 0, 0), 0);
    fill_envelope(&envelope, &peer, h);
    fill_copy(&copy, v);
    copy.store = &w->f.mail;
    assert_int_equal(mox_delivery_new(&d, &w->f.t.env, &envelope, MOX_SMTP_DELIVERY, h->spool),
                     MOX_OK);
    mox_delivery_set_checks(d, h->checks, slice(NULL, 0));
    assert_int_equal(mox_delivery_add(d, &copy), MOX_OK);
    mox_delivery_start(d, wake, &done);
    assert_int_equal(sem_wait(&done), 0);
    if (mox_delivery_copy_status(d, 0, &left_out) < 0)
        fail_msg("%s", mox_delivery_problem(d));
    mox_delivery_free(d);
    (void)sem_destroy(&done);
    return left_out ? 0 : last_uid(w, copy.mailbox);
}
