/* SPDX-License-Identifier: MIT */
#include <mox/delivery.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

static const struct mox_peer peer = {
    .size = sizeof peer, .remote_ip = "192.0.2.1", .local_ip = "192.0.2.25"};
static const struct mox_smtp_path recipients[] = {
    {.address = "b@mx.example",
     .localpart = "b",
     .domain = "mx.example",
     .domain_unicode = "mx.example"},
    {.address = "c@mx.example",
     .localpart = "c",
     .domain = "mx.example",
     .domain_unicode = "mx.example"},
};

struct fixture {
    struct test_env t;
    struct mox_smtp_envelope envelope;
    struct mox_mailstore stores[2];
    struct mox_spool *spool;
    struct mox_delivery *d;
    unsigned done;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    test_env_init(&f->t);
    for (int i = 0; i < 2; i++)
        assert_int_equal(mox_memory_mailstore_new(&f->stores[i], &f->t.env), MOX_OK);
    f->envelope = (struct mox_smtp_envelope){
        .hello = "client.example",
        .peer = &peer,
        .hostname = "mx.example",
        .received_id = "id",
        .mail_from = {.address = "a@x.example",
                      .localpart = "a",
                      .domain = "x.example",
                      .domain_unicode = "x.example"},
        .recipients = recipients,
        .recipient_count = 2,
    };
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    mox_delivery_free(f->d);
    mox_spool_free(f->spool);
    for (int i = 0; i < 2; i++)
        mox_memory_mailstore_free(&f->stores[i]);
    test_env_done(&f->t);
    free(f);
    return 0;
}

static void fill(struct fixture *f, const char *dir, size_t lines)
{
    assert_int_equal(mox_spool_new(&f->spool, &f->t.env, dir, 1000000), MOX_OK);
    for (size_t i = 0; i < lines; i++)
        assert_int_equal(mox_spool_write(f->spool, slice_of("Subject: x\r\n\r\nhello\r\n")),
                         MOX_OK);
}

static void on_done(void *user, struct mox_delivery *d)
{
    struct fixture *f = user;
    assert_ptr_equal(d, f->d);
    f->done++;
}

static void begin(struct fixture *f)
{
    assert_int_equal(mox_delivery_new(&f->d, &f->t.env, &f->envelope, MOX_SMTP_DELIVERY, f->spool),
                     MOX_OK);
}

static int add(struct fixture *f, const struct mox_mailstore *store, const char *mailbox,
               int recipient, const char *address)
{
    struct mox_delivery_copy copy;
    mox_delivery_copy_init(&copy);
    copy.store = store;
    copy.mailbox = mailbox;
    copy.recipient = &recipients[recipient];
    copy.address = address;
    return mox_delivery_add(f->d, &copy);
}

static int look(void *user, const struct mox_message_data *data)
{
    struct mox_message_data *out = user;
    *out = *data;
    assert_true(data->prefix.len > 20);
    return 0;
}

/* The number of messages in a mailbox; checks that each has a prefix. */
static unsigned messages(const struct mox_mailstore *store, const char *name)
{
    const struct mox_mailboxes *list;
    struct mox_mailbox_status status = {0};
    struct mox_view *view;
    struct mox_message_data last;
    struct mox_error err;
    assert_int_equal(store->ops->mailboxes(store->self, &list, &err), MOX_OK);
    const struct mox_mailbox *mb = mox_mailboxes_find(list, name);
    if (mb != NULL) {
        const struct mox_uid_range all = {1, UINT32_MAX};
        assert_int_equal(store->ops->status(store->self, mb->id, &status, &err), MOX_OK);
        assert_int_equal(store->ops->view(store->self, mb->id, &view, &err), MOX_OK);
        assert_int_equal(
            store->ops->fetch(store->self, view, &all, 1, MOX_FETCH_CONTENT, look, &last, &err),
            MOX_OK);
        mox_view_unref(view);
    }
    mox_mailboxes_unref(list);
    return status.messages;
}

/* A store that keeps what it is told of one message. */
struct told {
    char prefix[2048];
    struct mox_delivery_facts facts;
};

static void keep_told(void *self, struct mox_append *op)
{
    struct told *told = self;
    told->facts = *op->facts;
    assert_true(op->prefix.len < sizeof told->prefix);
    memcpy(told->prefix, op->prefix.data, op->prefix.len);
    op->write.status = MOX_OK;
    op->write.done(&op->write);
}

static void what_checks_found_is_above_received_and_beside_the_message(void **state)
{
    struct fixture *f = *state;
    static const struct mox_mailstore_ops ops = {.append = keep_told};
    static const char *const domains[] = {"x.example"};
    struct told told = {.prefix = ""};
    struct mox_mailstore store = {.ops = &ops, .self = &told};
    const struct mox_iprev_verdict iprev = {
        .name = "host.x.example", .names = {"other.x.example", "host.x.example"}, .name_count = 2};
    const struct mox_checks_verdict verdict = {.iprev = &iprev,
                                               .from_localpart = "a",
                                               .from_domain = "xn--b-eha.x.example",
                                               .from_org_domain = "x.example",
                                               .from = MOX_VALIDATION_DMARC,
                                               .mail_from = MOX_VALIDATION_SOFTFAIL,
                                               .dkim_domains = domains,
                                               .dkim_domain_count = 1};
    fill(f, NULL, 1);
    begin(f);
    mox_delivery_set_checks(f->d, &verdict, slice_of("Authentication-Results: mx.example\r\n"));
    assert_int_equal(add(f, &store, "Inbox", 0, NULL), MOX_OK);
    mox_delivery_start(f->d, on_done, f);
    assert_int_equal(f->done, 1);
    static const char expected[] = "Delivered-To: b@mx.example\r\n"
                                   "Return-Path: <a@x.example>\r\n"
                                   "Authentication-Results: mx.example\r\n"
                                   "Received: from client.example (host.x.example [192.0.2.1])";
    assert_memory_equal(told.prefix, expected, sizeof expected - 1);
#ifdef MOX_HAVE_IDN
    assert_string_equal(told.facts.msg_from_domain, "b\xc3\xbc.x.example");
#endif
    assert_string_equal(told.facts.msg_from_org_domain, "x.example");
    assert_int_equal(told.facts.msg_from_validation, MOX_VALIDATION_DMARC);
    assert_int_equal(told.facts.mail_from_validation, MOX_VALIDATION_SOFTFAIL);
    assert_int_equal(told.facts.ehlo_validation, MOX_VALIDATION_UNKNOWN);
    assert_int_equal(told.facts.dkim_domain_count, 1);
    assert_string_equal(told.facts.dkim_domains[0], "x.example");
}

static void each_recipient_gets_a_copy(void **state)
{
    struct fixture *f = *state;
    struct mox_smtp_reply reply = {0};
    fill(f, NULL, 1);
    begin(f);
    for (int i = 0; i < 2; i++)
        assert_int_equal(add(f, &f->stores[i], "Inbox", i, NULL),
                         MOX_OK);
    assert_int_equal(add(f, &f->stores[0], "Lists/Other", 1, "c@x"),
                     MOX_OK);
    mox_delivery_start(f->d, on_done, f);
    assert_int_equal(f->done, 1);
    assert_int_equal(mox_delivery_reply(f->d, &reply), MOX_OK);
    assert_int_equal(reply.code, 0);
    assert_int_equal(messages(&f->stores[0], "Inbox"), 1);
    assert_int_equal(messages(&f->stores[1], "Inbox"), 1);
    assert_int_equal(messages(&f->stores[0], "Lists/Other"), 1);
}

static void a_large_message_reaches_several_accounts(void **state)
{
    struct fixture *f = *state;
    char dir[] = "/tmp/mox-delivery.XXXXXX";
    assert_non_null(mkdtemp(dir));
    fill(f, dir, 20000);
    assert_true(mox_spool_fd(f->spool) >= 0);
    begin(f);
    for (int i = 0; i < 2; i++)
        assert_int_equal(add(f, &f->stores[i], "Inbox", i, NULL),
                         MOX_OK);
    mox_delivery_start(f->d, on_done, f);
    assert_int_equal(f->done, 1);
    assert_int_equal(mox_delivery_status(f->d), MOX_OK);
    assert_int_equal(messages(&f->stores[1], "Inbox"), 1);
    mox_spool_free(f->spool);
    f->spool = NULL;
    assert_int_equal(rmdir(dir), 0);
}

static void without_copies_it_is_done_at_once(void **state)
{
    struct fixture *f = *state;
    fill(f, NULL, 1);
    begin(f);
    mox_delivery_start(f->d, on_done, f);
    assert_int_equal(f->done, 1);
    assert_int_equal(mox_delivery_status(f->d), MOX_OK);
}

/* A store whose disk has a mind of its own. */
static void fail_full(void *self, struct mox_append *op)
{
    (void)self;
    op->write.status = MOX_ENOSPACE;
    op->write.done(&op->write);
}

static void fail_io(void *self, struct mox_append *op)
{
    (void)self;
    op->write.status = MOX_EIO;
    op->write.done(&op->write);
}

static void one_failure_is_a_temporary_refusal(void **state)
{
    struct fixture *f = *state;
    static const struct mox_mailstore_ops broken = {.size = sizeof broken, .append = fail_io},
                                          full = {.size = sizeof full, .append = fail_full};
    static const struct {
        const struct mox_mailstore_ops *first, *second;
        int status, code;
        const char *enhanced;
    } cases[] = {
        {NULL, &broken, MOX_EIO, 451, "4.3.0"},
        {&full, NULL, MOX_ENOSPACE, 452, "4.3.1"},
        {&broken, &full, MOX_ENOSPACE, 452, "4.3.1"},
        {&full, &broken, MOX_ENOSPACE, 452, "4.3.1"},
    };
    fill(f, NULL, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_smtp_reply reply = {0};
        const struct mox_mailstore a = {cases[i].first, NULL}, b = {cases[i].second, NULL};
        begin(f);
        assert_int_equal(add(f, a.ops == NULL ? &f->stores[0] : &a, "Inbox", 0, NULL),
                         MOX_OK);
        assert_int_equal(add(f, b.ops == NULL ? &f->stores[1] : &b, "Inbox", 1, NULL),
                         MOX_OK);
        f->done = 0;
        mox_delivery_start(f->d, on_done, f);
        assert_int_equal(f->done, 1);
        assert_int_equal(mox_delivery_reply(f->d, &reply), cases[i].status);
        assert_int_equal(reply.code, cases[i].code);
        assert_string_equal(reply.enhanced, cases[i].enhanced);
        mox_delivery_free(f->d);
        f->d = NULL;
    }
}

static void *answer(void *op)
{
    struct mox_append *a = op;
    a->write.status = MOX_OK;
    a->write.done(&a->write);
    return NULL;
}

static pthread_t threads[64];
static unsigned started;

static void in_a_thread(void *self, struct mox_append *op)
{
    (void)self;
    assert_int_equal(pthread_create(&threads[started++], NULL, answer, op), 0);
}

static void answers_of_many_threads_make_one(void **state)
{
    struct fixture *f = *state;
    static const struct mox_mailstore_ops ops = {.size = sizeof ops, .append = in_a_thread};
    const struct mox_mailstore store = {&ops, NULL};
    fill(f, NULL, 1);
    begin(f);
    for (int i = 0; i < 64; i++)
        assert_int_equal(add(f, &store, "Inbox", i % 2, NULL), MOX_OK);
    mox_delivery_start(f->d, on_done, f);
    while (started > 0)
        assert_int_equal(pthread_join(threads[--started], NULL), 0);
    assert_int_equal(f->done, 1);
    assert_int_equal(mox_delivery_status(f->d), MOX_OK);
}

static void a_read_only_store_is_refused(void **state)
{
    struct fixture *f = *state;
    static const struct mox_mailstore_ops ops = {.size = sizeof ops};
    const struct mox_mailstore store = {&ops, NULL};
    fill(f, NULL, 1);
    begin(f);
    assert_int_equal(add(f, &store, "Inbox", 0, NULL),
                     MOX_EUNSUPPORTED);
}

static void running_out_of_memory_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    fill(f, NULL, 1);
    int rc = MOX_ENOMEM;
    for (long n = 1; rc == MOX_ENOMEM; n++) {
        assert_true(n < 100);
        f->t.allocations = 0;
        f->t.fail_at = n;
        rc = mox_delivery_new(&f->d, &f->t.env, &f->envelope, MOX_SMTP_DELIVERY, f->spool);
        if (rc == MOX_OK)
            rc = add(f, &f->stores[0], "Inbox", 0, NULL);
        if (rc == MOX_ENOMEM) {
            mox_delivery_free(f->d);
            f->d = NULL;
        }
    }
    f->t.fail_at = 0;
    assert_int_equal(rc, MOX_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_checks_found_is_above_received_and_beside_the_message),
        TEST(each_recipient_gets_a_copy),
        TEST(a_large_message_reaches_several_accounts),
        TEST(without_copies_it_is_done_at_once),
        TEST(one_failure_is_a_temporary_refusal),
        TEST(answers_of_many_threads_make_one),
        TEST(a_read_only_store_is_refused),
        TEST(running_out_of_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests_name("delivery-delivery", tests, NULL, NULL);
}
