/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/password.h"
#include "store/storefix.h"
#include "support/cm.h"

/* The nth allocation fails, for each n, in a life of a store from opening to closing. */

static struct mox_env plenty; /* for what the test itself allocates */

/* Mailboxes may be missing or left over since an earlier write failed. */
static void expect(int rc, const struct mox_error *err)
{
    if (rc != MOX_OK && rc != MOX_ENOMEM && rc != MOX_ENOTFOUND && rc != MOX_EEXISTS &&
        rc != MOX_ECHILDREN)
        fail_msg("%d: %s", rc, err->text);
    if (rc == MOX_ENOMEM)
        assert_true(err->text[0] != '\0');
}

static int ignore(void *user, const struct mox_message_data *d)
{
    (void)user;
    assert_true(d->content.len > 0);
    return 0;
}

static void ignore_change(struct mox_watch *w, uint64_t mailbox)
{
    (void)w;
    (void)mailbox;
}

static void ignore_problem(void *user, const char *text)
{
    (void)user;
    (void)text;
}

/* A message that somebody sent over SMTP, or that the user did. */
static const struct mox_delivery_facts *facts_of(bool is_reject)
{
    static const char *const domains[] = {"a.example", "b.example"};
    static struct mox_delivery_facts facts = {.size = sizeof facts,
                                              .remote_ip = "192.0.2.1",
                                              .ehlo_domain = "mx.example",
                                              .mail_from_localpart = "a",
                                              .mail_from_domain = "a.example",
                                              .msg_from_localpart = "a",
                                              .msg_from_domain = "a.example",
                                              .msg_from_org_domain = "example",
                                              .dkim_domains = domains,
                                              .dkim_domain_count = 2,
                                              .destined_mailbox = "Wanted",
                                              .rejects_mailbox = "made/on/arrival"};
    facts.is_reject = is_reject;
    facts.is_intro = !is_reject;
    return &facts;
}

static void append(struct storefix *f, uint64_t inbox, size_t len)
{
    static const char *const keywords[] = {"one", "two"};
    struct mox_env env = f->t.env;
    f->t.env = plenty;
    struct mox_spool *spool = mail_spool(f,
                                         "Subject: Re: x\r\nMessage-ID: <1@x.example>\r\n"
                                         "To: <b@b.example>, c@c.example\r\n"
                                         "References: <0@x.example>\r\n",
                                         len);
    f->t.env = env;
    struct mox_append op = {.mailbox = inbox,
                            .mailbox_name = "made/on/arrival",
                            .spool = spool,
                            .flags = MOX_FLAG_JUNK,
                            .facts = facts_of(len % 2 == 1),
                            .keywords = keywords,
                            .keyword_count = 2};
    expect(wait_append(f, &op), &op.write.error);
    mox_spool_free(spool);
}

static void use_names(struct storefix *f)
{
    static const struct mox_mailbox_change changes[] = {
        {.kind = MOX_MAILBOX_SUBSCRIBE, .name = "not/there"},
        {.kind = MOX_MAILBOX_UNSUBSCRIBE, .name = "not/there"},
        {.kind = MOX_MAILBOX_CREATE, .name = "roles", .special_use = MOX_USE_JUNK},
        {.kind = MOX_MAILBOX_USE, .name = "roles", .special_use = MOX_USE_TRASH},
        {.kind = MOX_MAILBOX_RENAME, .name = "Inbox", .new_name = "old inbox"},
        {.kind = MOX_MAILBOX_DELETE, .name = "old inbox"},
        {.kind = MOX_MAILBOX_DELETE, .name = "roles"},
        {.kind = MOX_MAILBOX_DELETE, .name = "made/on/arrival"},
        {.kind = MOX_MAILBOX_DELETE, .name = "made/on"},
        {.kind = MOX_MAILBOX_DELETE, .name = "made"}};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct mox_mailbox_change change = changes[i];
        expect(wait_change(f, &change), &change.write.error);
    }
}

static void use_password(struct storefix *f)
{
    struct mox_error err = {0};
    mox__store_password_cost(f->store, 1, 8192);
    expect(mox_account_set_password(f->account, "a password", &err), &err);
    int rc = mox_account_check_password(f->account, "a password", &err);
    if (rc != MOX_EDENIED) /* it could not be set */
        expect(rc, &err);
}

/* What a delivery asks. */
static void ask(struct storefix *f, uint64_t inbox)
{
    struct mox_history h;
    struct mox_error err = {0};
    struct mox_judged found[2];
    char key[MOX_SUBJECTPASS_KEY_LEN + 1];
    size_t count = 0;
    int64_t last = 0;
    int rc = mox_account_history_begin(&h, f->account, &err);
    expect(rc, &err);
    if (rc == MOX_OK) {
        expect(
            h.judged(h.user, MOX_SENDER_EHLO, NULL, "mx.example", inbox, 0, found, 2, &count, &err),
            &err);
        expect(h.wrote_to(h.user, MOX_ADDRESSEE_ORG_DOMAIN, NULL, "b.example", &last, &err), &err);
    }
    mox_account_history_end(&h);
    expect(mox_account_subjectpass_key(f->account, "mjl@mail.example", key, &err), &err);
    assert_true(key[0] == '\0' || strlen(key) == MOX_SUBJECTPASS_KEY_LEN);
}

static void send(struct storefix *f)
{
    static const char *const people[] = {"a@x.example", "b@x.example", "a@x.example"};
    struct mox_outgoing op = {
        .recipients = people, .recipient_count = 3, .max_recipients = 5, .max_first_time = 1};
    int rc = wait_outgoing(f, &op);
    if (rc != MOX_ELIMIT)
        expect(rc, &op.write.error);
}

static void import(struct storefix *f)
{
    char path[100];
    struct mox_error err = {0};
    struct mox_import op = {.size = sizeof op, .path = path, .mailbox = "imported/mail"};
    (void)snprintf(path, sizeof path, "%s/box", f->dir);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    (void)fputs("From a\nX-Keywords: one\nTo: b@b.example\n\nx\n\nFrom b\nSubject: y\n\n", file);
    assert_int_equal(fclose(file), 0);
    expect(mox_account_import(f->account, &op, &err), &err);
}

static void use_account(struct storefix *f)
{
    struct mox_error err = {0};
    struct mox_uid_range all = {1, UINT32_MAX};
    uint64_t inbox = box_id(f, "Inbox"), archive = box_id(f, "Archive");
    struct mox_view *view = NULL;
    struct mox_watch watch = {.changed = ignore_change};
    f->mail.ops->watch(f->mail.self, &watch);
    append(f, inbox, 100);
    append(f, inbox, 101);
    append(f, inbox, 140000);
    append(f, box_id(f, "Sent"), 100);
    append(f, 0, 101);
    append(f, 0, 101);
    append(f, 0, 100);
    ask(f, inbox);
    expect(f->mail.ops->view(f->mail.self, inbox, &view, &err), &err);
    struct mox_set_flags flags = {.mailbox = inbox,
                                  .ranges = &all,
                                  .range_count = 1,
                                  .mode = MOX_FLAGS_ADD,
                                  .flags = MOX_FLAG_JUNK};
    expect(wait_set_flags(f, &flags), &flags.write.error);
    struct mox_copy copy = {
        .mailbox = inbox, .destination = archive, .ranges = &all, .range_count = 1, .move = true};
    expect(wait_copy(f, &copy), &copy.write.error);
    mox_copy_free(&copy);
    static const unsigned wants[] = {MOX_FETCH_CONTENT, MOX_FETCH_HEADER};
    for (size_t i = 0; i < 2 && view != NULL; i++)
        expect(f->mail.ops->fetch(f->mail.self, view, &all, 1, wants[i], ignore, NULL, &err), &err);
    mox_view_unref(view);
    struct mox_expunge expunge = {.mailbox = archive, .ranges = &all, .range_count = 1};
    expect(wait_expunge(f, &expunge), &expunge.write.error);
    struct mox_mailbox_change change = {.kind = MOX_MAILBOX_CREATE, .name = "a/b"};
    expect(wait_change(f, &change), &change.write.error);
    change = (struct mox_mailbox_change){.kind = MOX_MAILBOX_RENAME, .name = "a", .new_name = "c"};
    expect(wait_change(f, &change), &change.write.error);
    change = (struct mox_mailbox_change){.kind = MOX_MAILBOX_DELETE, .name = "c/b"};
    expect(wait_change(f, &change), &change.write.error);
    change.name = "c";
    expect(wait_change(f, &change), &change.write.error);
    use_names(f);
    use_password(f);
    send(f);
    import(f);
    f->mail.ops->unwatch(f->mail.self, &watch);
}

/* A file that could not be removed without memory goes at the next open. */
static void verify(struct storefix *f)
{
    storefix_start(f);
    storefix_stop(f);
    storefix_verify(f);
}

static void a_store_without_memory_says_so_and_stays_sound(void **state)
{
    (void)state;
    struct storefix f;
    storefix_init_fast(&f); /* hundreds of lives, thousands of syncs */
    mox_env_system(&plenty);
    bool failed = true;
    long n = 1;
    for (; failed; n++) {
        struct mox_error err = {0};
        f.t.allocations = 0;
        f.t.fail_at = n;
        int rc = mox_store_open(&f.store, &f.t.env, f.dir, &err);
        expect(rc, &err);
        if (rc == MOX_OK) {
            rc = mox_account_open(&f.account, f.store, "mjl", MOX_ACCOUNT_CREATE, NULL, &err);
            expect(rc, &err);
        }
        if (rc == MOX_OK) {
            f.mail = mox_account_mailstore(f.account);
            use_account(&f);
        }
        storefix_stop(&f);
        failed = f.t.allocations >= n;
        f.t.fail_at = 0;
        assert_int_equal(f.t.live, 0);
        if (n % 10 == 0)
            verify(&f);
    }
    print_message("%ld allocations failed\n", n - 2);
    verify(&f);
    storefix_done(&f);
}

static void verifying_without_memory_says_so(void **state)
{
    (void)state;
    struct storefix f;
    storefix_init_fast(&f);
    storefix_start(&f);
    mox_env_system(&plenty);
    append(&f, box_id(&f, "Inbox"), 101);
    append(&f, box_id(&f, "Inbox"), 140000);
    storefix_stop(&f);
    int rc = MOX_ENOMEM;
    long n = 1;
    for (; rc != MOX_OK; n++) {
        struct mox_error err = {0};
        f.t.allocations = 0;
        f.t.fail_at = n;
        rc = mox_store_verify(&f.t.env, f.dir, ignore_problem, NULL, &err);
        expect(rc, &err);
        if (f.t.allocations >= n)
            rc = MOX_ENOMEM; /* survived: go on with the next */
    }
    print_message("%ld allocations failed\n", n - 2);
    f.t.fail_at = 0;
    storefix_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_without_memory_says_so_and_stays_sound),
        cmocka_unit_test(verifying_without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
