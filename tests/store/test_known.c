/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/reputation.h>

#include "base/text.h"
#include "store/storefix.h"
#include "store/verdict.h"
#include "support/cm.h"

/* What is kept in memory of whom an account knows changes no verdict: each is compared with one that the tables
 * alone give, whatever was delivered, marked, moved, removed, imported, and opened again. */

#define PEOPLE  24 /* who write, and are written to */
#define PLACES  5
#define CHANGES 300

static const char *const places[PLACES] = {"Inbox", "Archive", "Junk", "Trash", "Sent"};

/* ---- people ---- */

struct person {
    char localpart[16], domain[48], org_domain[32], ehlo[48], ip[16];
    const char *dkim[2];
};

/* Three of an organization's domain, two domains of an organization, which share networks. */
static void make_person(struct person *p, unsigned n)
{
    (void)snprintf(p->localpart, sizeof p->localpart, "person%u", n);
    (void)snprintf(p->org_domain, sizeof p->org_domain, "org%u.example", n / 6);
    (void)snprintf(p->domain, sizeof p->domain, "d%u.%s", n / 3, p->org_domain);
    (void)snprintf(p->ehlo, sizeof p->ehlo, "mx%u.%s", n % 2, p->org_domain);
    (void)snprintf(p->ip, sizeof p->ip, "10.%u.%u.%u", n / 12 % 256, n / 4 % 256, n % 4);
    p->dkim[0] = p->org_domain;
    p->dkim[1] = "list.example";
}

static struct mox_delivery_facts facts_of(const struct person *p, unsigned n)
{
    return (struct mox_delivery_facts){
        .size = sizeof(struct mox_delivery_facts),
        .remote_ip = p->ip,
        .ehlo_domain = p->ehlo,
        .mail_from_localpart = p->localpart,
        .mail_from_domain = p->domain,
        .msg_from_localpart = p->localpart,
        .msg_from_domain = p->domain,
        .msg_from_org_domain = p->org_domain,
        .ehlo_validation = n % 2 == 0 ? MOX_VALIDATION_PASS : MOX_VALIDATION_NONE,
        .mail_from_validation = n % 3 == 0 ? MOX_VALIDATION_PASS : MOX_VALIDATION_NONE,
        .msg_from_validation = n % 5 < 4 ? MOX_VALIDATION_STRICT : MOX_VALIDATION_NONE,
        .dkim_domains = p->dkim,
        .dkim_domain_count = n % 7 == 0 ? 2 : 1,
    };
}

static struct mox_reputation_query query_of(struct storefix *f, const struct person *p, unsigned n,
                                            uint64_t mailbox)
{
    struct mox_reputation_query q;
    mox_reputation_query_init(&q);
    q.now_us = f->t.wall_us;
    q.mailbox = mailbox;
    q.from_localpart = q.mail_from_localpart = p->localpart;
    q.from_domain = q.mail_from_domain = p->domain;
    q.from_org_domain = p->org_domain;
    q.from_validated = n % 4 != 0;
    q.mail_from_validated = q.ehlo_validated = true;
    q.ehlo_domain = p->ehlo;
    q.dkim_domains = p->dkim;
    q.dkim_domain_count = 1;
    q.ip = p->ip;
    return q;
}

/* ---- verdicts ---- */

static struct mox_reputation find(struct storefix *f, unsigned n, uint64_t mailbox)
{
    struct person p;
    struct mox_history h;
    struct mox_reputation found;
    struct mox_error err;
    make_person(&p, n);
    const struct mox_reputation_query q = query_of(f, &p, n, mailbox);
    assert_int_equal(mox_account_history_begin(&h, f->account, &err), MOX_OK);
    assert_int_equal(mox_reputation_find(&found, &q, &h, &err), MOX_OK);
    mox_account_history_end(&h);
    return found;
}

static void compare(struct storefix *f, unsigned n, uint64_t mailbox)
{
    const struct mox_reputation known = find(f, n, mailbox);
    f->account->known.off = true;
    const struct mox_reputation looked = find(f, n, mailbox);
    f->account->known.off = false;
    assert_int_equal(known.method, looked.method);
    assert_int_equal(known.leaning, looked.leaning);
    assert_int_equal(known.conclusive, looked.conclusive);
    assert_int_equal(known.step_count, looked.step_count);
    for (size_t i = 0; i < known.step_count; i++) {
        assert_int_equal(known.steps[i].junk, looked.steps[i].junk);
        assert_int_equal(known.steps[i].notjunk, looked.steps[i].notjunk);
        assert_string_equal(known.steps[i].text, looked.steps[i].text);
    }
}

/* Half of them never write. */
static void compare_all(struct storefix *f)
{
    for (size_t i = 0; i < PLACES; i++)
        for (unsigned n = 0; n < 2 * PEOPLE; n++)
            compare(f, n, box_id(f, places[i]));
}

static bool has_read_all(struct storefix *f)
{
    const struct known_extent e = mox__known_extent(f->account);
    return e.senders == INT64_MAX && e.addressees;
}

/* ---- what happens ---- */

static uint32_t seed;

static unsigned draw(unsigned below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

static void deliver(struct storefix *f, const char *mailbox, unsigned n, uint32_t flags)
{
    struct person p;
    make_person(&p, n);
    const struct mox_delivery_facts facts = facts_of(&p, n);
    struct mox_append op = {.mailbox = box_id(f, mailbox),
                            .spool = mail_spool(f, "Subject: x\r\n", 20),
                            .flags = flags,
                            .facts = &facts};
    assert_int_equal(wait_append(f, &op), MOX_OK);
    mox_spool_free(op.spool);
}

static uint32_t draw_flags(void)
{
    static const uint32_t marks[] = {0, MOX_FLAG_JUNK, MOX_FLAG_NOTJUNK, MOX_FLAG_SEEN,
                                     MOX_FLAG_JUNK | MOX_FLAG_NOTJUNK};
    return marks[draw(sizeof marks / sizeof marks[0])];
}

static struct mox_uid_range draw_uids(void)
{
    const uint32_t first = 1 + draw(60);
    return (struct mox_uid_range){first, first + draw(8)};
}

static uint64_t draw_place(struct storefix *f)
{
    return box_id(f, places[draw(PLACES)]);
}

static void mark(struct storefix *f)
{
    const struct mox_uid_range some = draw_uids();
    struct mox_set_flags op = {.mailbox = draw_place(f),
                               .ranges = &some,
                               .range_count = 1,
                               .mode = MOX_FLAGS_SET,
                               .flags = draw_flags()};
    assert_int_equal(wait_set_flags(f, &op), MOX_OK);
}

static void copy(struct storefix *f)
{
    const struct mox_uid_range some = draw_uids();
    struct mox_copy op = {.mailbox = draw_place(f),
                          .destination = draw_place(f),
                          .ranges = &some,
                          .range_count = 1,
                          .move = draw(2) == 0};
    (void)wait_copy(f, &op); /* a move to where it is changes nothing */
    mox_copy_free(&op);
}

static void expunge(struct storefix *f)
{
    const struct mox_uid_range some = draw_uids();
    struct mox_expunge op = {.mailbox = draw_place(f), .ranges = &some, .range_count = 1};
    assert_int_equal(wait_expunge(f, &op), MOX_OK);
}

static void write_to(struct storefix *f, unsigned n)
{
    struct person p;
    char headers[128];
    make_person(&p, n);
    (void)snprintf(headers, sizeof headers, "To: <%s@%s>\r\n", p.localpart, p.domain);
    (void)add_mail(f, box_id(f, "Sent"), headers, 20);
}

static void import_sent(struct storefix *f, unsigned n)
{
    char path[100];
    struct person p;
    struct mox_error err = {0};
    make_person(&p, n);
    (void)snprintf(path, sizeof path, "%s/sent", f->dir);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    (void)fprintf(file, "From a@example.org Sun Jan 23 20:41:55 2022\nTo: <%s@%s>\n\nhello\n\n",
                  p.localpart, p.domain);
    assert_int_equal(fclose(file), 0);
    struct mox_import op = {.size = sizeof op, .path = path, .mailbox = "Sent"};
    if (mox_account_import(f->account, &op, &err) < 0)
        fail_msg("%s", err.text);
    (void)remove(path);
}

static void reopen(struct storefix *f)
{
    storefix_stop(f);
    storefix_start(f);
}

static void change(struct storefix *f)
{
    test_env_advance(&f->t, INT64_C(1000000) * (1 + draw(100000)));
    switch (draw(16)) {
    case 0:
        write_to(f, draw(PEOPLE));
        return;
    case 1:
        import_sent(f, draw(PEOPLE));
        return;
    case 2:
        reopen(f);
        return;
    case 3:
    case 4:
        copy(f);
        return;
    case 5:
        expunge(f);
        return;
    case 6:
    case 7:
    case 8:
        mark(f);
        return;
    default:
        deliver(f, places[draw(PLACES)], draw(PEOPLE), draw_flags());
    }
}

static void run_story(uint32_t first_seed)
{
    struct storefix f;
    seed = first_seed;
    storefix_init_fast(&f);
    storefix_start(&f);
    for (int i = 0; i < CHANGES; i++) {
        change(&f);
        for (int k = 0; k < 6; k++)
            compare(&f, draw(2 * PEOPLE), draw_place(&f));
    }
    compare_all(&f);
    assert_true(has_read_all(&f));
    storefix_stop(&f);
    storefix_verify(&f);
    storefix_done(&f);
}

/* MOX_KNOWN_SEED tells another story. */
static void no_verdict_changes_whatever_happens(void **state)
{
    (void)state;
    const char *wish = getenv("MOX_KNOWN_SEED");
    if (wish != NULL) {
        run_story((uint32_t)strtoul(wish, NULL, 10));
        return;
    }
    for (uint32_t s = 1; s <= 3; s++) {
        print_message("story MOX_KNOWN_SEED=%u\n", s);
        run_story(s);
    }
}

/* ---- what is in memory ---- */

static bool is_stranger(struct storefix *f, const char *localpart)
{
    const struct known_extent e = mox__known_extent(f->account);
    return mox__known_lacks_sender(
        f->account, &e, mox__verdict_hash(MOX_SENDER_FROM, localpart, "d0.org0.example"));
}

static void strangers_are_told_without_a_look_once_the_tables_were_read(void **state)
{
    struct storefix *f = *state;
    deliver(f, "Inbox", 1, MOX_FLAG_NOTJUNK);
    reopen(f);
    assert_false(is_stranger(f, "person1"));
    assert_false(is_stranger(f, "nobody")); /* nobody has looked yet */
    (void)find(f, 9, box_id(f, "Inbox"));
    assert_true(has_read_all(f));
    assert_false(is_stranger(f, "person1"));
    assert_true(is_stranger(f, "nobody"));
}

/* Rows of more than one reading, many of them of one sender, and more recipients than one reading has. */
static void tables_are_read_bit_by_bit(void **state)
{
    (void)state;
    struct storefix f;
    static char headers[64 * 1024];
    storefix_init_fast(&f);
    storefix_start(&f);
    for (unsigned n = 0; n < 900; n++)
        deliver(&f, "Inbox", n < 300 ? 0 : n * 6, MOX_FLAG_NOTJUNK);
    for (unsigned m = 0; m < 4; m++) {
        size_t len = (size_t)snprintf(headers, sizeof headers, "To: x@x.example");
        for (unsigned n = 0; n < 900; n++)
            len += (size_t)snprintf(headers + len, sizeof headers - len,
                                    ",\r\n person%u@m%u.example", n, m);
        (void)snprintf(headers + len, sizeof headers - len, "\r\n");
        (void)add_mail(&f, box_id(&f, "Sent"), headers, 20);
    }
    reopen(&f);
    unsigned rounds = 0;
    for (; !has_read_all(&f); rounds++) {
        assert_true(rounds < 100);
        for (unsigned n = 0; n < 10; n++)
            compare(&f, (rounds * 10 + n) * 7, box_id(&f, "Inbox"));
    }
    const struct known_extent all = mox__known_extent(f.account);
    assert_true(all.changes == 0);
    for (unsigned n = 0; n < 4 * 900; n++) {
        char localpart[32], domain[32];
        (void)snprintf(localpart, sizeof localpart, "person%u", n % 900);
        (void)snprintf(domain, sizeof domain, "m%u.example", n / 900);
        assert_false(mox__known_lacks_addressee(
            f.account, &all, mox__addressee_hash(MOX_ADDRESSEE_FULL, localpart, domain)));
    }
    for (unsigned n = 0; n < 100; n++)
        compare(&f, n * 61, box_id(&f, "Inbox"));
    storefix_stop(&f);
    storefix_done(&f);
}

/* Keys of one part, in order. */
static uint64_t key_of_part(uint64_t n)
{
    return n << 39;
}

static void what_there_is_no_room_for_is_looked_for(void **state)
{
    struct storefix *f = *state;
    struct mox_account *a = f->account;
    const struct known_extent all = {INT64_MAX, true, 0};
    const uint64_t elsewhere = UINT64_C(1) << 60;
    for (uint64_t n = 0; n < KNOWN_PART_MAX; n++)
        mox__known_add(a, key_of_part(n));
    assert_false(mox__known_lacks_sender(a, &all, key_of_part(KNOWN_PART_MAX - 1)));
    assert_true(mox__known_lacks_sender(a, &all, key_of_part(KNOWN_PART_MAX)));
    mox__known_add(a, key_of_part(KNOWN_PART_MAX));
    assert_false(mox__known_lacks_sender(a, &all, key_of_part(KNOWN_PART_MAX)));
    assert_false(mox__known_lacks_sender(a, &all, key_of_part(KNOWN_PART_MAX + 1)));

    assert_true(mox__known_lacks_sender(a, &all, elsewhere));
    f->t.fail_at = f->t.allocations + 1;
    mox__known_add(a, elsewhere);
    f->t.fail_at = 0;
    assert_false(mox__known_lacks_sender(a, &all, elsewhere));
    assert_false(mox__known_lacks_sender(a, &all, elsewhere + (UINT64_C(1) << 39)));
}

/* ---- while it changes ---- */

static size_t count_of(struct mox_history *h, uint64_t mailbox, const char *localpart)
{
    struct mox_judged list[3];
    size_t count = 99;
    assert_int_equal(h->judged(h->user, MOX_SENDER_FROM, localpart, "d0.org0.example", mailbox, 0,
                               list, 3, &count, NULL),
                     MOX_OK);
    return count;
}

static void answers_of_two_moments_are_asked_for_again(void **state)
{
    struct storefix *f = *state;
    struct mox_history h;
    const uint64_t inbox = box_id(f, "Inbox");
    deliver(f, "Inbox", 1, MOX_FLAG_NOTJUNK);
    (void)find(f, 9, inbox); /* reads the tables */
    assert_int_equal(mox_account_history_begin(&h, f->account, NULL), MOX_OK);
    assert_int_equal(count_of(&h, inbox, "person2"), 0);
    assert_false(h.moved(h.user));
    deliver(f, "Inbox", 2, MOX_FLAG_NOTJUNK);
    assert_false(h.moved(h.user)); /* all is as it was at the beginning */
    assert_int_equal(count_of(&h, inbox, "person1"), 1);
    assert_true(h.moved(h.user));
    assert_int_equal(count_of(&h, inbox, "person2"), 1);
    deliver(f, "Inbox", 2, MOX_FLAG_NOTJUNK);
    assert_int_equal(count_of(&h, inbox, "person2"), 1);
    assert_int_equal(count_of(&h, inbox, "nobody"), 0);
    assert_false(h.moved(h.user)); /* all is of the snapshot */
    mox_account_history_end(&h);
}

/* A past that changes after the first look: the first answers are of before. */
struct changing {
    unsigned asked, moves;
};

static int nothing_then_something(void *user, enum mox_sender sender, const char *localpart,
                                  const char *name, uint64_t origin, int64_t since_us,
                                  struct mox_judged *out, size_t max, size_t *count,
                                  struct mox_error *err)
{
    struct changing *c = user;
    (void)sender, (void)localpart, (void)name, (void)origin, (void)max, (void)err;
    *count = c->moves == 0 ? 0 : 1;
    out[0] = (struct mox_judged){.received_us = since_us};
    c->asked++;
    return MOX_OK;
}

static int to_nobody(void *user, enum mox_addressee addressee, const char *localpart,
                     const char *domain, int64_t *last_us, struct mox_error *err)
{
    (void)user, (void)addressee, (void)localpart, (void)domain, (void)err;
    *last_us = 0;
    return MOX_OK;
}

static bool moves_once(void *user)
{
    return ((struct changing *)user)->moves++ == 0;
}

static void a_sender_is_looked_up_again_when_the_past_has_moved(void **state)
{
    struct storefix *f = *state;
    struct person p;
    struct mox_reputation found;
    struct changing changing = {0};
    const struct mox_history h = {.user = &changing,
                                  .judged = nothing_then_something,
                                  .wrote_to = to_nobody,
                                  .moved = moves_once};
    make_person(&p, 1);
    const struct mox_reputation_query q = query_of(f, &p, 1, 1);
    assert_int_equal(mox_reputation_find(&found, &q, &h, NULL), MOX_OK);
    assert_int_equal(found.method, MOX_REPUTATION_MSGFROMFULL);
    assert_int_equal(found.step_count, 1);
    assert_int_equal(changing.moves, 1);
}

struct writer {
    struct storefix *f;
    unsigned first;
    uint64_t inbox;
    bool wrong;
};

/* What somebody has marked, they find at once; and nothing of those whom nobody knows. */
static void *write_and_find(void *user)
{
    struct writer *w = user;
    for (unsigned i = 0; i < 60; i++) {
        const unsigned n = w->first + i * 60; /* proved, and looked for as such */
        w->wrong =
            w->wrong || find(w->f, n + 100000, w->inbox).method == MOX_REPUTATION_MSGFROMFULL;
        deliver(w->f, "Inbox", n, MOX_FLAG_NOTJUNK);
        const enum mox_reputation_method m = find(w->f, n, w->inbox).method;
        w->wrong = w->wrong || m != MOX_REPUTATION_MSGFROMFULL;
    }
    return NULL;
}

static void what_was_marked_is_found_while_others_mark(void **state)
{
    struct storefix *f = *state;
    struct writer writers[3];
    pthread_t threads[3];
    for (unsigned n = 0; n < 30; n++)
        deliver(f, "Inbox", n, MOX_FLAG_JUNK);
    reopen(f); /* so that it is read meanwhile */
    for (unsigned i = 0; i < 3; i++) {
        writers[i] = (struct writer){f, 6000 * (i + 1) + 1, box_id(f, "Inbox"), false};
        assert_int_equal(pthread_create(&threads[i], NULL, write_and_find, &writers[i]), 0);
    }
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_false(writers[i].wrong);
    assert_true(has_read_all(f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_verdict_changes_whatever_happens),
        STORE_TEST(strangers_are_told_without_a_look_once_the_tables_were_read),
        cmocka_unit_test(tables_are_read_bit_by_bit),
        STORE_TEST(what_there_is_no_room_for_is_looked_for),
        STORE_TEST(answers_of_two_moments_are_asked_for_again),
        STORE_TEST(a_sender_is_looked_up_again_when_the_past_has_moved),
        STORE_TEST(what_was_marked_is_found_while_others_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
