/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "mailstore/ops.h"

/* The names of the account. */

static const struct mox_uid_range all = {1, UINT32_MAX};

/* The list as text: "Inbox* a a/b* gone- "; * is subscribed, - only a subscription. */
static void assert_names(struct fixture *f, const char *want)
{
    char text[1024] = "";
    size_t at = 0;
    const struct mox_mailboxes *list = NULL;
    assert_int_equal(f->store.ops->mailboxes(f->store.self, &list, NULL), MOX_OK);
    for (size_t i = 0; i < list->count; i++) {
        const struct mox_mailbox *m = &list->list[i];
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s ", m->name,
                               m->id == 0      ? "-"
                               : m->subscribed ? "*"
                                               : "");
    }
    mox_mailboxes_unref(list);
    assert_string_equal(text, want);
    check_account(f);
}

static int subscribe(struct fixture *f, const char *name)
{
    struct mox_mailbox_change op = {.kind = MOX_MAILBOX_SUBSCRIBE, .name = name};
    return do_change(f, &op);
}

static int unsubscribe(struct fixture *f, const char *name)
{
    struct mox_mailbox_change op = {.kind = MOX_MAILBOX_UNSUBSCRIBE, .name = name};
    return do_change(f, &op);
}

static int use(struct fixture *f, const char *name, unsigned roles)
{
    struct mox_mailbox_change op = {.kind = MOX_MAILBOX_USE, .name = name, .special_use = roles};
    return do_change(f, &op);
}

static unsigned roles_of(struct fixture *f, const char *name)
{
    const struct mox_mailboxes *list = NULL;
    assert_int_equal(f->store.ops->mailboxes(f->store.self, &list, NULL), MOX_OK);
    const struct mox_mailbox *mailbox = mox_mailboxes_find(list, name);
    assert_non_null(mailbox);
    unsigned roles = mailbox->special_use;
    mox_mailboxes_unref(list);
    return roles;
}

static void create_makes_missing_parents(void **state)
{
    struct fixture *f = *state;
    struct mox_mailbox_change op = {.kind = MOX_MAILBOX_CREATE, .name = "a/b/c"};
    assert_int_equal(do_change(f, &op), MOX_OK);
    assert_true(op.write.modseq > 0);
    assert_names(f, "Inbox* a* a/b* a/b/c* ");
    assert_int_equal(status_of(f, mailbox_id(f, "a/b/c")).modseq, op.write.modseq);
    assert_int_equal(create_mailbox(f, "a/b"), MOX_EEXISTS);
    assert_int_equal(create_mailbox(f, "Inbox"), MOX_EEXISTS);
    assert_int_equal(create_mailbox(f, "a/d"), MOX_OK);
    assert_int_equal(create_mailbox(f, "a-b"), MOX_OK); /* '-' sorts before '/' */
    assert_int_equal(create_mailbox(f, "Inbox/\xc3\xa9t\xc3\xa9"), MOX_OK);
    assert_names(f, "Inbox* Inbox/\xc3\xa9t\xc3\xa9* a* a-b* a/b* a/b/c* a/d* ");
}

static void create_of_a_subscribed_name_keeps_the_subscription(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(subscribe(f, "x/y"), MOX_OK);
    assert_int_equal(subscribe(f, "x"), MOX_OK);
    assert_names(f, "Inbox* x- x/y- ");
    assert_int_equal(create_mailbox(f, "x/y"), MOX_OK);
    assert_names(f, "Inbox* x* x/y* ");
}

static void an_old_list_stays_as_it_was(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(create_mailbox(f, "a"), MOX_OK);
    const struct mox_mailboxes *before = NULL, *after = NULL, *same = NULL;
    assert_int_equal(f->store.ops->mailboxes(f->store.self, &before, NULL), MOX_OK);
    assert_int_equal(rename_mailbox(f, "a", "b"), MOX_OK);
    assert_int_equal(f->store.ops->mailboxes(f->store.self, &after, NULL), MOX_OK);
    assert_int_equal(f->store.ops->mailboxes(f->store.self, &same, NULL), MOX_OK);
    assert_true(after->version > before->version);
    assert_int_equal(after->version, same->version);
    assert_non_null(mox_mailboxes_find(before, "a"));
    assert_null(mox_mailboxes_find(before, "b"));
    assert_string_equal(mox_mailboxes_find_id(after, mox_mailboxes_find(before, "a")->id)->name,
                        "b");
    mox_mailboxes_unref(before);
    mox_mailboxes_unref(after);
    mox_mailboxes_unref(same);
}

static void delete_takes_leaves_only(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(create_mailbox(f, "a/b"), MOX_OK);
    assert_int_equal(create_mailbox(f, "a-c"), MOX_OK);
    assert_int_equal(create_mailbox(f, "Inbox/x"), MOX_OK);
    assert_int_equal(unsubscribe(f, "Inbox/x"), MOX_OK);
    assert_int_equal(delete_mailbox(f, "nothing"), MOX_ENOTFOUND);
    assert_int_equal(delete_mailbox(f, "a"), MOX_ECHILDREN);
    assert_int_equal(delete_mailbox(f, "a/b"), MOX_OK);
    assert_names(f, "Inbox* Inbox/x a* a-c* a/b- "); /* the subscription remains */
    assert_int_equal(delete_mailbox(f, "a/b"), MOX_ENOTFOUND);
    assert_int_equal(delete_mailbox(f, "a"), MOX_OK); /* a subscription is no child */
    assert_int_equal(delete_mailbox(f, "Inbox/x"), MOX_OK);
    assert_names(f, "Inbox* a- a-c* a/b- ");
    assert_int_equal(delete_mailbox(f, "Inbox"), MOX_EDENIED); /* every account has it */
    assert_names(f, "Inbox* a- a-c* a/b- ");
}

static void delete_removes_messages_but_not_their_copies(void **state)
{
    struct fixture *f = *state;
    uint64_t a = new_mailbox(f, "a");
    for (int i = 0; i < 3; i++)
        (void)add_message(f, a, 0);
    struct mox_copy op = {.mailbox = a, .destination = f->inbox, .ranges = &all, .range_count = 1};
    assert_int_equal(do_copy(f, &op), MOX_OK);
    mox_copy_free(&op);
    assert_int_equal(delete_mailbox(f, "a"), MOX_OK);
    struct fetched got = {0};
    struct mox_view *view = view_of(f, f->inbox);
    assert_int_equal(fetch_ranges(f, view, &all, 1, MOX_FETCH_CONTENT, &got), MOX_OK);
    assert_int_equal(got.count, 3);
    assert_string_equal(got.content[2], "Subject: s\r\n\r\nn\r\n");
    mox_view_unref(view);
    check_account(f);
}

static void a_name_made_again_is_another_mailbox(void **state)
{
    struct fixture *f = *state;
    uint64_t ids[4];
    uint32_t uidvalidity[4] = {status_of(f, f->inbox).uidvalidity};
    for (int i = 1; i < 4; i++) {
        ids[i] = new_mailbox(f, "a");
        uidvalidity[i] = status_of(f, ids[i]).uidvalidity;
        assert_true(uidvalidity[i] > uidvalidity[i - 1]);
        assert_true(i == 1 || ids[i] != ids[i - 1]);
        assert_int_equal(add_message(f, ids[i], 0), 1);
        assert_int_equal(delete_mailbox(f, "a"), MOX_OK);
    }
    struct mox_mailbox_status status;
    assert_int_equal(f->store.ops->status(f->store.self, ids[1], &status, NULL), MOX_EGONE);
}

static void rename_keeps_what_the_mailbox_is(void **state)
{
    struct fixture *f = *state;
    uint64_t id = new_mailbox(f, "a");
    (void)add_message(f, id, MOX_FLAG_SEEN);
    assert_int_equal(use(f, "a", MOX_USE_SENT), MOX_OK);
    struct mox_mailbox_status before = status_of(f, id);
    struct mox_view *view = view_of(f, id);
    assert_int_equal(rename_mailbox(f, "a", "x/y/z"), MOX_OK);
    assert_int_equal(mailbox_id(f, "x/y/z"), id);
    struct mox_mailbox_status after = status_of(f, id);
    assert_int_equal(after.uidvalidity, before.uidvalidity);
    assert_int_equal(after.uidnext, before.uidnext);
    assert_int_equal(after.messages, 1);
    assert_int_equal(roles_of(f, "x/y/z"), MOX_USE_SENT);
    struct fetched got = {0};
    assert_int_equal(fetch_ranges(f, view, &all, 1, MOX_FETCH_CONTENT, &got), MOX_OK);
    assert_int_equal(got.count, 1);
    mox_view_unref(view);
    /* Subscriptions stay with the names. */
    assert_names(f, "Inbox* a- x x/y x/y/z ");
    assert_int_equal(rename_mailbox(f, "x/y/z", "a"), MOX_OK);
    assert_names(f, "Inbox* a* x x/y ");
}

static void rename_takes_children_along(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"k", "k/l", "k/l/m", "k-l", "kk"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(create_mailbox(f, names[i]), MOX_OK);
    uint64_t l = mailbox_id(f, "k/l"), m = mailbox_id(f, "k/l/m");
    assert_int_equal(subscribe(f, "k/none"), MOX_OK);
    assert_int_equal(unsubscribe(f, "k/l"), MOX_OK);
    assert_int_equal(rename_mailbox(f, "k", "n/o"), MOX_OK);
    assert_int_equal(mailbox_id(f, "n/o/l"), l);
    assert_int_equal(mailbox_id(f, "n/o/l/m"), m);
    assert_names(f, "Inbox* k- k-l* k/l/m- k/none- kk* n n/o n/o/l n/o/l/m ");
}

static void rename_below_itself_leaves_an_empty_parent(void **state)
{
    struct fixture *f = *state;
    uint64_t l = new_mailbox(f, "k/l");
    assert_int_equal(create_mailbox(f, "k/l/a"), MOX_OK);
    (void)add_message(f, l, 0);
    uint32_t uidvalidity = status_of(f, l).uidvalidity;
    assert_int_equal(rename_mailbox(f, "k/l", "k/l/m/n"), MOX_OK);
    assert_int_equal(mailbox_id(f, "k/l/m/n"), l);
    assert_true(mailbox_id(f, "k/l") != l);
    assert_true(status_of(f, mailbox_id(f, "k/l")).uidvalidity > uidvalidity);
    assert_int_equal(status_of(f, mailbox_id(f, "k/l")).messages, 0);
    assert_names(f, "Inbox* k* k/l* k/l/a- k/l/m k/l/m/n k/l/m/n/a ");
}

static void rename_refuses(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(create_mailbox(f, "a/b"), MOX_OK);
    assert_int_equal(create_mailbox(f, "c"), MOX_OK);
    assert_int_equal(subscribe(f, "only"), MOX_OK);
    static const struct {
        const char *name, *new_name;
        int status;
    } cases[] = {
        {"nothing", "d", MOX_ENOTFOUND}, {"only", "d", MOX_ENOTFOUND},
        {"a", "c", MOX_EEXISTS},         {"a", "a", MOX_EEXISTS},
        {"a", "a/b", MOX_EEXISTS},       {"a", "Inbox", MOX_EEXISTS},
        {"Inbox", "c", MOX_EEXISTS},     {"Inbox", "Inbox", MOX_EEXISTS},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(rename_mailbox(f, cases[i].name, cases[i].new_name), cases[i].status);
        assert_names(f, "Inbox* a* a/b* c* only- ");
    }
    /* No child's name may become too long. */
    char name[MOX_MAILBOX_NAME_MAX + 1];
    memset(name, 'x', MOX_MAILBOX_NAME_MAX);
    name[MOX_MAILBOX_NAME_MAX] = '\0';
    assert_int_equal(rename_mailbox(f, "a", name), MOX_ELIMIT);
    assert_names(f, "Inbox* a* a/b* c* only- ");
    assert_int_equal(rename_mailbox(f, "c", name), MOX_OK);
    assert_true(mailbox_id(f, name) > 0);
}

static void rename_of_inbox_moves_its_messages(void **state)
{
    struct fixture *f = *state;
    static const char *const keywords[] = {"k", NULL};
    assert_int_equal(create_mailbox(f, "Inbox/child"), MOX_OK);
    for (uint32_t i = 0; i < 4; i++)
        (void)add_tagged(f, f->inbox, i == 2 ? MOX_FLAG_SEEN : 0, keywords);
    (void)expunge_range(f, f->inbox, 1, 1);
    struct mox_view *before = view_of(f, f->inbox);
    uint32_t uidvalidity = status_of(f, f->inbox).uidvalidity;
    uint64_t modseq = status_of(f, f->inbox).modseq;
    assert_int_equal(rename_mailbox(f, "Inbox", "old/mail"), MOX_OK);
    assert_int_equal(mailbox_id(f, "Inbox"), f->inbox);
    uint64_t id = mailbox_id(f, "old/mail");
    assert_names(f, "Inbox* Inbox/child* old old/mail ");

    struct mox_mailbox_status inbox = status_of(f, f->inbox), old = status_of(f, id);
    assert_int_equal(inbox.messages, 0);
    assert_int_equal(inbox.uidvalidity, uidvalidity);
    assert_int_equal(inbox.uidnext, 5);
    assert_true(inbox.modseq > modseq);
    assert_true(old.uidvalidity > uidvalidity);
    assert_int_equal(old.uidnext, 4);
    assert_int_equal(old.unseen, 2);
    struct mox_view *view = view_of(f, id);
    assert_uids(view, (const uint32_t[]){1, 2, 3}, 3);
    assert_int_equal(mox_view_row(view, 1)->flags, MOX_FLAG_SEEN);
    char text[64];
    row_keywords(view, mox_view_row(view, 1), text, sizeof text);
    assert_string_equal(text, "k ");
    struct fetched got = {0};
    assert_int_equal(fetch_ranges(f, before, &all, 1, MOX_FETCH_CONTENT, &got), MOX_OK);
    assert_int_equal(got.count, 3);
    assert_int_equal(fetch_ranges(f, view, &all, 1, MOX_FETCH_CONTENT, &got), MOX_OK);
    assert_int_equal(got.count, 3);
    mox_view_unref(view);
    mox_view_unref(before);
    assert_int_equal(add_message(f, f->inbox, 0), 5);

    assert_int_equal(rename_mailbox(f, "Inbox", "Inbox/deeper"), MOX_OK);
    assert_int_equal(rename_mailbox(f, "Inbox", "empty"), MOX_OK);
    assert_names(f, "Inbox* Inbox/child* Inbox/deeper empty old old/mail ");
    assert_int_equal(status_of(f, mailbox_id(f, "Inbox/deeper")).messages, 1);
    assert_int_equal(status_of(f, mailbox_id(f, "empty")).messages, 0);
}

static void subscriptions_need_no_mailbox(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(create_mailbox(f, "a"), MOX_OK);
    assert_int_equal(subscribe(f, "a"), MOX_OK);
    assert_int_equal(subscribe(f, "ghost/x"), MOX_OK);
    assert_int_equal(subscribe(f, "ghost/x"), MOX_OK);
    assert_names(f, "Inbox* a* ghost/x- ");
    assert_int_equal(unsubscribe(f, "a"), MOX_OK);
    assert_int_equal(unsubscribe(f, "a"), MOX_OK); /* it is a mailbox */
    assert_int_equal(unsubscribe(f, "ghost/x"), MOX_OK);
    assert_int_equal(unsubscribe(f, "ghost/x"), MOX_ENOTFOUND);
    assert_int_equal(unsubscribe(f, "ghost"), MOX_ENOTFOUND);
    assert_names(f, "Inbox* a ");
    assert_int_equal(delete_mailbox(f, "a"), MOX_OK);
    assert_names(f, "Inbox* ");
}

static void changes_that_change_nothing_have_no_modseq(void **state)
{
    struct fixture *f = *state;
    struct mox_mailbox_change op = {.kind = MOX_MAILBOX_SUBSCRIBE, .name = "s"};
    assert_int_equal(do_change(f, &op), MOX_OK);
    assert_true(op.write.modseq > 0);
    assert_int_equal(do_change(f, &op), MOX_OK);
    assert_int_equal(op.write.modseq, 0);
    op.name = "Inbox";
    op.kind = MOX_MAILBOX_UNSUBSCRIBE;
    assert_int_equal(do_change(f, &op), MOX_OK);
    assert_true(op.write.modseq > 0);
    assert_int_equal(do_change(f, &op), MOX_OK);
    assert_int_equal(op.write.modseq, 0);
}

static void a_role_has_one_mailbox(void **state)
{
    struct fixture *f = *state;
    struct mox_mailbox_change op = {.kind = MOX_MAILBOX_CREATE,
                                    .name = "x/sent",
                                    .special_use = MOX_USE_SENT | MOX_USE_ARCHIVE};
    assert_int_equal(do_change(f, &op), MOX_OK);
    assert_int_equal(roles_of(f, "x/sent"), MOX_USE_SENT | MOX_USE_ARCHIVE);
    assert_int_equal(roles_of(f, "x"), 0);
    assert_int_equal(create_mailbox(f, "b"), MOX_OK);
    assert_int_equal(use(f, "b", MOX_USE_SENT), MOX_OK);
    assert_int_equal(roles_of(f, "x/sent"), MOX_USE_ARCHIVE);
    assert_int_equal(roles_of(f, "b"), MOX_USE_SENT);
    op.name = "c";
    assert_int_equal(do_change(f, &op), MOX_OK);
    assert_int_equal(roles_of(f, "x/sent"), 0);
    assert_int_equal(roles_of(f, "b"), 0);
    assert_int_equal(roles_of(f, "c"), MOX_USE_SENT | MOX_USE_ARCHIVE);
    assert_int_equal(use(f, "none", MOX_USE_JUNK), MOX_ENOTFOUND);
    assert_int_equal(subscribe(f, "only"), MOX_OK);
    assert_int_equal(use(f, "only", MOX_USE_SENT), MOX_ENOTFOUND);
    assert_int_equal(roles_of(f, "c"), MOX_USE_SENT | MOX_USE_ARCHIVE);
    check_account(f);
}

static void a_role_is_given_beside_others(void **state)
{
    struct fixture *f = *state;
    struct mox_mailbox_change op = {
        .kind = MOX_MAILBOX_USE, .name = "b", .special_use = MOX_USE_SENT};
    assert_int_equal(create_mailbox(f, "b"), MOX_OK);
    assert_int_equal(use(f, "b", MOX_USE_ARCHIVE), MOX_OK);
    assert_int_equal(do_change(f, &op), MOX_OK);
    assert_true(op.write.modseq > 0);
    assert_int_equal(roles_of(f, "b"), MOX_USE_SENT | MOX_USE_ARCHIVE);
    assert_int_equal(do_change(f, &op), MOX_OK);
    assert_int_equal(op.write.modseq, 0); /* it has it */
    op.special_use = 0;
    assert_int_equal(do_change(f, &op), MOX_OK);
    assert_int_equal(op.write.modseq, 0);
    assert_int_equal(roles_of(f, "b"), MOX_USE_SENT | MOX_USE_ARCHIVE);
    check_account(f);
}

static void modseqs_rise_over_the_account(void **state)
{
    struct fixture *f = *state;
    uint64_t a = new_mailbox(f, "a"), last = status_of(f, a).modseq;
    for (uint32_t i = 1; i <= 5; i++) {
        uint32_t uid = add_message(f, i % 2 == 0 ? a : f->inbox, 0);
        uint64_t mailbox = i % 2 == 0 ? a : f->inbox;
        uint64_t added = row_of(f, mailbox, uid).modseq;
        uint64_t flagged = change_flags(f, mailbox, uid, uid, MOX_FLAGS_ADD, MOX_FLAG_SEEN);
        uint64_t removed = expunge_range(f, mailbox, uid, uid);
        assert_true(last < added && added < flagged && flagged < removed);
        assert_int_equal(status_of(f, mailbox).modseq, removed);
        last = removed;
    }
    uint64_t inbox = status_of(f, f->inbox).modseq;
    assert_true(inbox == last);
    assert_true(status_of(f, a).modseq < inbox);
    struct mox_mailbox_change op = {.kind = MOX_MAILBOX_CREATE, .name = "b"};
    assert_int_equal(do_change(f, &op), MOX_OK);
    assert_true(op.write.modseq > last);
    assert_int_equal(status_of(f, f->inbox).modseq, inbox);
}

const struct CMUnitTest mailbox_cases[] = {
    CASE(create_makes_missing_parents),
    CASE(create_of_a_subscribed_name_keeps_the_subscription),
    CASE(an_old_list_stays_as_it_was),
    CASE(delete_takes_leaves_only),
    CASE(delete_removes_messages_but_not_their_copies),
    CASE(a_name_made_again_is_another_mailbox),
    CASE(rename_keeps_what_the_mailbox_is),
    CASE(rename_takes_children_along),
    CASE(rename_below_itself_leaves_an_empty_parent),
    CASE(rename_refuses),
    CASE(rename_of_inbox_moves_its_messages),
    CASE(subscriptions_need_no_mailbox),
    CASE(changes_that_change_nothing_have_no_modseq),
    CASE(a_role_has_one_mailbox),
    CASE(a_role_is_given_beside_others),
    CASE(modseqs_rise_over_the_account),
};
const size_t mailbox_case_count = COUNT_OF(mailbox_cases);
