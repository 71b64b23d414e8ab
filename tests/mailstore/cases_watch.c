/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "mailstore/ops.h"

/* Watches, \Recent, and several threads at once. */

#define IDS_MAX 64

/* What a watch was told, in order. It is told of a write before that is done. */
struct seen {
    struct mox_watch watch;
    pthread_mutex_t lock;
    uint64_t ids[IDS_MAX];
    size_t count;
};

static void note(struct mox_watch *w, uint64_t mailbox)
{
    struct seen *s = w->user;
    pthread_mutex_lock(&s->lock);
    if (s->count < IDS_MAX)
        s->ids[s->count++] = mailbox;
    pthread_mutex_unlock(&s->lock);
}

static void watch(struct fixture *f, struct seen *s)
{
    *s = (struct seen){.count = 0};
    s->watch.changed = note;
    s->watch.user = s;
    pthread_mutex_init(&s->lock, NULL);
    f->store.ops->watch(f->store.self, &s->watch);
}

static void unwatch(struct fixture *f, struct seen *s)
{
    f->store.ops->unwatch(f->store.self, &s->watch);
    pthread_mutex_destroy(&s->lock);
}

/* Whether it was told of these and no others, each at least once; forgets all. */
static void assert_told(struct seen *s, const uint64_t *ids, size_t count)
{
    pthread_mutex_lock(&s->lock);
    bool found[2] = {false, false}, others = false;
    for (size_t i = 0; i < s->count; i++) {
        size_t at = 0;
        while (at < count && ids[at] != s->ids[i])
            at++;
        others = others || at == count;
        if (at < count)
            found[at] = true;
    }
    s->count = 0;
    pthread_mutex_unlock(&s->lock);
    assert_false(others);
    for (size_t i = 0; i < count; i++)
        assert_true(found[i]);
}

/* Whether the id was among what it was told; forgets all. */
static bool was_told(struct seen *s, uint64_t id)
{
    bool told = false;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->count; i++)
        told = told || s->ids[i] == id;
    s->count = 0;
    pthread_mutex_unlock(&s->lock);
    return told;
}

static void every_change_is_told_to_every_watch(void **state)
{
    struct fixture *f = *state;
    struct seen watches[2];
    uint64_t other = new_mailbox(f, "other");
    const struct mox_uid_range all = {1, UINT32_MAX};
    for (int i = 0; i < 2; i++)
        watch(f, &watches[i]);
    (void)add_message(f, f->inbox, 0);
    for (int i = 0; i < 2; i++)
        assert_told(&watches[i], &f->inbox, 1);
    (void)change_flags(f, f->inbox, 1, 1, MOX_FLAGS_ADD, MOX_FLAG_SEEN);
    for (int i = 0; i < 2; i++)
        assert_told(&watches[i], &f->inbox, 1);
    struct mox_copy op = {
        .mailbox = f->inbox, .destination = other, .ranges = &all, .range_count = 1};
    assert_int_equal(do_copy(f, &op), MOX_OK);
    mox_copy_free(&op);
    for (int i = 0; i < 2; i++)
        assert_told(&watches[i], &other, 1);
    op.move = true;
    assert_int_equal(do_copy(f, &op), MOX_OK);
    mox_copy_free(&op);
    const uint64_t both[] = {f->inbox, other};
    for (int i = 0; i < 2; i++)
        assert_told(&watches[i], both, 2);
    (void)expunge_range(f, other, 1, 1);
    for (int i = 0; i < 2; i++) {
        assert_told(&watches[i], &other, 1);
        unwatch(f, &watches[i]);
    }
}

static void changes_of_the_list_are_told_as_0(void **state)
{
    struct fixture *f = *state;
    struct seen s;
    watch(f, &s);
    static const struct mox_mailbox_change changes[] = {
        {.kind = MOX_MAILBOX_CREATE, .name = "a"},
        {.kind = MOX_MAILBOX_RENAME, .name = "a", .new_name = "b"},
        {.kind = MOX_MAILBOX_SUBSCRIBE, .name = "c"},
        {.kind = MOX_MAILBOX_UNSUBSCRIBE, .name = "c"},
        {.kind = MOX_MAILBOX_USE, .name = "b", .special_use = MOX_USE_JUNK},
        {.kind = MOX_MAILBOX_DELETE, .name = "b"},
        {.kind = MOX_MAILBOX_RENAME, .name = "Inbox", .new_name = "b"},
    };
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        struct mox_mailbox_change op = changes[i];
        assert_int_equal(do_change(f, &op), MOX_OK);
        assert_true(was_told(&s, 0));
    }
    struct mox_append op = {.mailbox_name = "made", .spool = spool_of(f, "x\r\n", 3)};
    assert_int_equal(do_append(f, &op), MOX_OK);
    mox_spool_free(op.spool);
    assert_true(was_told(&s, 0));
    unwatch(f, &s);
}

static void a_mailbox_that_goes_or_moves_is_told(void **state)
{
    struct fixture *f = *state;
    struct seen s;
    uint64_t a = new_mailbox(f, "a");
    (void)add_message(f, a, 0);
    (void)add_message(f, f->inbox, 0);
    watch(f, &s);
    assert_int_equal(delete_mailbox(f, "a"), MOX_OK);
    assert_true(was_told(&s, a));
    assert_int_equal(rename_mailbox(f, "Inbox", "b"), MOX_OK);
    assert_true(was_told(&s, f->inbox));
    unwatch(f, &s);
}

static void nothing_is_told_when_nothing_changed(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(create_mailbox(f, "other"), MOX_OK);
    (void)add_message(f, f->inbox, MOX_FLAG_SEEN);
    struct seen s;
    watch(f, &s);
    (void)change_flags(f, f->inbox, 1, 1, MOX_FLAGS_ADD, MOX_FLAG_SEEN);
    (void)expunge_range(f, f->inbox, 5, 9);
    struct mox_mailbox_change again = {.kind = MOX_MAILBOX_SUBSCRIBE, .name = "Inbox"};
    assert_int_equal(do_change(f, &again), MOX_OK);
    assert_int_equal(create_mailbox(f, "other"), MOX_EEXISTS);
    assert_told(&s, NULL, 0);
    unwatch(f, &s);
}

static void a_watch_that_left_hears_nothing(void **state)
{
    struct fixture *f = *state;
    struct seen gone, middle, stays;
    watch(f, &gone);
    watch(f, &middle);
    watch(f, &stays);
    f->store.ops->unwatch(f->store.self, &middle.watch);
    f->store.ops->unwatch(f->store.self, &gone.watch);
    (void)add_message(f, f->inbox, 0);
    assert_told(&stays, &f->inbox, 1);
    assert_int_equal(gone.count, 0);
    assert_int_equal(middle.count, 0);
    f->store.ops->watch(f->store.self, &gone.watch);
    (void)add_message(f, f->inbox, 0);
    assert_told(&gone, &f->inbox, 1);
    assert_told(&stays, &f->inbox, 1);
    unwatch(f, &stays);
    unwatch(f, &gone);
    pthread_mutex_destroy(&middle.lock);
}

static void recent_is_claimed_once(void **state)
{
    struct fixture *f = *state;
    (void)add_message(f, f->inbox, 0);
    (void)add_message(f, f->inbox, 0);
    assert_int_equal(status_of(f, f->inbox).recent_from, 1);
    assert_int_equal(f->store.ops->claim_recent(f->store.self, f->inbox, 3), 1);
    assert_int_equal(status_of(f, f->inbox).recent_from, 3);
    assert_int_equal(f->store.ops->claim_recent(f->store.self, f->inbox, 3), 3);
    (void)add_message(f, f->inbox, 0);
    /* A session whose view is older takes nothing back. */
    assert_true(f->store.ops->claim_recent(f->store.self, f->inbox, 2) >= 2);
    assert_int_equal(status_of(f, f->inbox).recent_from, 3);
    assert_int_equal(f->store.ops->claim_recent(f->store.self, f->inbox, 4), 3);
    check_mailbox(f, f->inbox);
}

#define APPENDERS    4
#define APPENDS_EACH 100

struct crowd {
    struct fixture *f;
    uint64_t mailboxes[2];
    atomic_int running, told;
    atomic_bool failed;
};

/* Threads do not assert: cmocka can only leave a test from its own. */
static void *append_many(void *arg)
{
    struct crowd *crowd = arg;
    uint32_t last[2] = {0, 0};
    for (int i = 0; i < APPENDS_EACH; i++) {
        uint32_t uid = add_message(crowd->f, crowd->mailboxes[i % 2], 0);
        if (uid <= last[i % 2])
            atomic_store(&crowd->failed, true);
        last[i % 2] = uid;
    }
    atomic_fetch_sub(&crowd->running, 1);
    return NULL;
}

/* The UIDs from the first on without a gap, and no fewer than in the view before. */
static void look_for_gaps(struct crowd *crowd, uint64_t mailbox, struct mox_view **before)
{
    struct fixture *f = crowd->f;
    struct mox_view *view = NULL;
    if (f->store.ops->view(f->store.self, mailbox, &view, NULL) != MOX_OK) {
        atomic_store(&crowd->failed, true);
        return;
    }
    uint32_t count = mox_view_count(view);
    bool good = mox_view_uidnext(view) == count + 1 && count >= mox_view_count(*before) &&
                mox_view_modseq(view) >= mox_view_modseq(*before);
    for (uint32_t i = 0; i < count; i++)
        good = good && mox_view_row(view, i)->uid == i + 1;
    if (!good)
        atomic_store(&crowd->failed, true);
    mox_view_unref(*before);
    *before = view;
}

static void *read_views(void *arg)
{
    struct crowd *crowd = arg;
    struct mox_view *before[2] = {view_of(crowd->f, crowd->mailboxes[0]),
                                  view_of(crowd->f, crowd->mailboxes[1])};
    while (atomic_load(&crowd->running) > 0) {
        look_for_gaps(crowd, crowd->mailboxes[0], &before[0]);
        look_for_gaps(crowd, crowd->mailboxes[1], &before[1]);
    }
    mox_view_unref(before[0]);
    mox_view_unref(before[1]);
    return NULL;
}

static void count_told(struct mox_watch *w, uint64_t mailbox)
{
    struct crowd *crowd = w->user;
    if (mailbox == crowd->mailboxes[0])
        atomic_fetch_add(&crowd->told, 1);
}

static void appends_of_several_threads_leave_no_gaps(void **state)
{
    struct fixture *f = *state;
    struct crowd crowd = {.f = f, .mailboxes = {f->inbox, new_mailbox(f, "other")}};
    atomic_store(&crowd.running, APPENDERS);
    struct mox_watch w = {.changed = count_told, .user = &crowd};
    f->store.ops->watch(f->store.self, &w);
    pthread_t threads[APPENDERS + 1];
    for (int i = 0; i < APPENDERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, append_many, &crowd), 0);
    assert_int_equal(pthread_create(&threads[APPENDERS], NULL, read_views, &crowd), 0);
    for (int i = 0; i <= APPENDERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    f->store.ops->unwatch(f->store.self, &w);
    assert_false(atomic_load(&crowd.failed));
    assert_true(atomic_load(&crowd.told) > 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(status_of(f, crowd.mailboxes[i]).messages, APPENDERS * APPENDS_EACH / 2);
    check_account(f);
}

/* A watch that notices when it is called too late. */
struct late {
    struct mox_watch watch;
    atomic_bool left, called, called_late;
};

static void note_late(struct mox_watch *w, uint64_t mailbox)
{
    (void)mailbox;
    struct late *late = w->user;
    atomic_store(&late->called, true);
    if (atomic_load(&late->left))
        atomic_store(&late->called_late, true);
}

static void unwatch_waits_for_a_call_under_way(void **state)
{
    struct fixture *f = *state;
    struct crowd crowd = {.f = f, .mailboxes = {f->inbox, new_mailbox(f, "other")}};
    atomic_store(&crowd.running, 1);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, append_many, &crowd), 0);
    while (atomic_load(&crowd.running) > 0) {
        struct late late = {.left = false};
        late.watch.changed = note_late;
        late.watch.user = &late;
        f->store.ops->watch(f->store.self, &late.watch);
        while (atomic_load(&crowd.running) > 0 && !atomic_load(&late.called))
            (void)status_of(f, f->inbox);
        f->store.ops->unwatch(f->store.self, &late.watch);
        atomic_store(&late.left, true);
        (void)status_of(f, f->inbox);
        assert_false(atomic_load(&late.called_late));
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(atomic_load(&crowd.failed));
}

/* One thread removes and copies, another reads by views that it took before. */
static void *churn(void *arg)
{
    struct crowd *crowd = arg;
    struct fixture *f = crowd->f;
    for (uint32_t i = 0; i < 60; i++) {
        const struct mox_uid_range some = {i * 2 + 1, i * 2 + 4};
        struct mox_copy op = {.mailbox = f->inbox,
                              .destination = i % 3 == 0 ? f->inbox : crowd->mailboxes[1],
                              .ranges = &some,
                              .range_count = 1,
                              .move = i % 2 == 0};
        if (do_copy(f, &op) != MOX_OK)
            atomic_store(&crowd->failed, true);
        mox_copy_free(&op);
        (void)change_flags(f, f->inbox, 1, UINT32_MAX, MOX_FLAGS_ADD, MOX_FLAG_DELETED);
        (void)expunge_range(f, f->inbox, i, i * 2);
        (void)add_message(f, f->inbox, 0);
    }
    atomic_fetch_sub(&crowd->running, 1);
    return NULL;
}

static int is_whole(void *user, const struct mox_message_data *data)
{
    (*(uint32_t *)user)++;
    return data->content.len == 17 && memcmp(data->content.data, "Subject: s\r\n\r\nn\r\n", 17) == 0
               ? 0
               : 1;
}

static void *read_messages(void *arg)
{
    struct crowd *crowd = arg;
    struct fixture *f = crowd->f;
    const struct mox_uid_range all = {1, UINT32_MAX};
    while (atomic_load(&crowd->running) > 0) {
        struct mox_view *view = view_of(f, f->inbox);
        for (int i = 0; i < 3; i++) {
            uint32_t count = 0;
            int rc = f->store.ops->fetch(f->store.self, view, &all, 1, MOX_FETCH_CONTENT, is_whole,
                                         &count, NULL);
            if (rc != 0 || count != mox_view_count(view))
                atomic_store(&crowd->failed, true);
        }
        mox_view_unref(view);
    }
    return NULL;
}

static void views_read_whole_while_messages_go(void **state)
{
    struct fixture *f = *state;
    struct crowd crowd = {.f = f, .mailboxes = {f->inbox, new_mailbox(f, "other")}};
    for (int i = 0; i < 100; i++)
        (void)add_message(f, f->inbox, 0);
    atomic_store(&crowd.running, 1);
    pthread_t threads[3];
    assert_int_equal(pthread_create(&threads[0], NULL, churn, &crowd), 0);
    for (int i = 1; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_messages, &crowd), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_false(atomic_load(&crowd.failed));
    check_account(f);
}

const struct CMUnitTest watch_cases[] = {
    CASE(every_change_is_told_to_every_watch),      CASE(changes_of_the_list_are_told_as_0),
    CASE(a_mailbox_that_goes_or_moves_is_told),     CASE(nothing_is_told_when_nothing_changed),
    CASE(a_watch_that_left_hears_nothing),          CASE(recent_is_claimed_once),
    CASE(appends_of_several_threads_leave_no_gaps), CASE(unwatch_waits_for_a_call_under_way),
    CASE(views_read_whole_while_messages_go),
};
const size_t watch_case_count = COUNT_OF(watch_cases);
