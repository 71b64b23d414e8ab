/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <mox/reputation.h>

#include "delivery/pasts.h"
#include "support/cm.h"

#define NOW_US (INT64_C(1790000000) * 1000000)

/* One case: jane@sub.a.example sends a message from 192.0.2.1, and this is the past. */
struct row {
    const char *says;
    bool unproved; /* From is not */
    bool nobody;   /* it has a domain alone */
    const char *dkim, *dkim2, *mail_from, *ehlo;
    struct past_message messages[24];
    struct past_letter letters[2];
    /* The outcome. */
    enum mox_reputation_method method;
    enum mox_leaning leaning;
    bool conclusive;
};

#define IS(how, what, is_conclusive)                                                               \
    .method = MOX_REPUTATION_##how, .leaning = MOX_LEANING_##what, .conclusive = is_conclusive
#define GOOD .junk = false
#define BAD  .junk = true
#define JANE .from = "jane@sub.a.example", .proved = true
#define FAKE .from = "jane@sub.a.example"
#define TOM  .from = "tom@sub.a.example", .proved = true
#define ANN  .from = "ann@sub.a.example", .proved = true
#define EVE  .from = "eve@sub.a.example", .proved = true
#define TWICE(...)                                                                                 \
    {__VA_ARGS__},                                                                                 \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define FOUR(...) TWICE(__VA_ARGS__), TWICE(__VA_ARGS__)
#define OTHER     .from = "x@other.example"

/* clang-format off */
static const struct row rows[] = {
    {.says = "nothing is known", IS(NONE, UNKNOWN, false)},

    /* The address. */
    {.says = "one good message", .messages = {{1, GOOD, JANE}}, IS(MSGFROMFULL, NOTJUNK, true)},
    {.says = "one bad message", .messages = {{1, BAD, JANE}}, IS(MSGFROMFULL, JUNK, true)},
    {.says = "the two newest are bad", .messages = {{1, BAD, JANE}, {2, BAD, JANE}, {3, GOOD, JANE}},
     IS(MSGFROMFULL, JUNK, true)},
    {.says = "good among the two newest", .messages = {{1, BAD, JANE}, {2, GOOD, JANE}, {3, BAD, JANE}},
     IS(MSGFROMFULL, NOTJUNK, true)},
    {.says = "the newest is good", .messages = {{2, BAD, JANE}, {3, BAD, JANE}, {1, GOOD, JANE}},
     IS(MSGFROMFULL, NOTJUNK, true)},
    {.says = "almost three years are not forgotten", .messages = {{3 * 365, BAD, JANE}},
     IS(MSGFROMFULL, JUNK, true)},
    {.says = "three years are", .messages = {{3 * 365 + 1, BAD, JANE}}, IS(NONE, UNKNOWN, false)},
    {.says = "others at the domain do not matter then",
     .messages = {{5, GOOD, JANE}, {1, BAD, TOM}, {2, BAD, ANN}, {3, BAD, EVE}},
     IS(MSGFROMFULL, NOTJUNK, true)},
    {.says = "another mailbox does not matter", .messages = {{1, BAD, JANE, .elsewhere = true}},
     IS(NONE, UNKNOWN, false)},
    {.says = "good history without proof is no proof", .unproved = true, .messages = {{1, GOOD, FAKE}},
     IS(MSGFROMFULL, NOTJUNK, false)},
    {.says = "and history without proof is nothing to who proves", .messages = {{1, BAD, FAKE}},
     IS(NONE, UNKNOWN, false)},
    {.says = "a good name without proof", .unproved = true, .messages = {{1, GOOD, JANE}},
     IS(MSGFROMFULL, JUNK, false)},
    {.says = "a bad name without proof", .unproved = true, .messages = {{1, BAD, JANE}},
     IS(MSGFROMFULL, JUNK, true)},
    {.says = "unproved history comes first", .unproved = true,
     .messages = {{9, GOOD, FAKE}, {1, BAD, JANE}}, IS(MSGFROMFULL, NOTJUNK, false)},

    /* Whom the user wrote to. */
    {.says = "the user wrote to the address", .letters = {{3 * 365, "jane@sub.a.example"}},
     .messages = {{1, BAD, TOM}, {2, BAD, ANN}, {3, BAD, EVE}}, IS(MSGTOFULL, NOTJUNK, true)},
    {.says = "long ago", .letters = {{3 * 365 + 1, "jane@sub.a.example"}}, IS(NONE, UNKNOWN, false)},
    {.says = "what she sent counts more", .letters = {{1, "jane@sub.a.example"}},
     .messages = {{1, BAD, JANE}}, IS(MSGFROMFULL, JUNK, true)},
    {.says = "to the domain", .letters = {{2 * 365, "bob@sub.a.example"}}, IS(MSGTODOMAIN, NOTJUNK, true)},
    {.says = "to the domain, long ago", .letters = {{2 * 365 + 1, "bob@sub.a.example"}},
     IS(NONE, UNKNOWN, false)},
    {.says = "to the organization", .letters = {{9, "bob@b.a.example"}}, IS(MSGTOORGDOMAIN, NOTJUNK, true)},

    /* The domain. */
    {.says = "60 percent", .messages = {TWICE(1, GOOD, TOM), {1, GOOD, ANN}, TWICE(1, BAD, EVE)},
     IS(MSGFROMDOMAIN, UNKNOWN, false)},
    {.says = "80 percent", .messages = {FOUR(1, GOOD, TOM), {1, BAD, EVE}},
     IS(MSGFROMDOMAIN, UNKNOWN, false)},
    {.says = "90 percent", .messages = {FOUR(1, GOOD, TOM), FOUR(1, GOOD, ANN), {1, GOOD, ANN}, {1, BAD, EVE}},
     IS(MSGFROMDOMAIN, NOTJUNK, true)},
    {.says = "two bad senders", .messages = {FOUR(1, BAD, TOM), FOUR(1, BAD, ANN)},
     IS(MSGFROMDOMAIN, JUNK, false)},
    {.says = "three bad senders", .messages = {{1, BAD, TOM}, {1, BAD, ANN}, {1, BAD, EVE}},
     IS(MSGFROMDOMAIN, JUNK, true)},
    {.says = "two years", .messages = {{2 * 365, GOOD, TOM}}, IS(MSGFROMDOMAIN, NOTJUNK, true)},
    {.says = "more than two years", .messages = {{2 * 365 + 1, GOOD, TOM}}, IS(NONE, UNKNOWN, false)},
    {.says = "the 20 newest", .messages = {FOUR(1, GOOD, TOM), FOUR(1, GOOD, TOM), FOUR(1, GOOD, TOM),
     FOUR(1, GOOD, TOM), {1, GOOD, TOM}, {1, BAD, TOM}, {1, BAD, ANN}, {1, BAD, EVE}, {2, BAD, EVE}},
     IS(MSGFROMDOMAIN, NOTJUNK, true)},
    {.says = "a good domain without proof", .unproved = true, .messages = {{1, GOOD, TOM}},
     IS(MSGFROMDOMAIN, JUNK, false)},
    {.says = "a bad domain without proof", .unproved = true, .messages = {{1, BAD, TOM}, {2, BAD, ANN}},
     IS(MSGFROMDOMAIN, JUNK, true)},

    /* From without a localpart. */
    {.says = "nobody is of a good domain", .nobody = true, .messages = {{1, GOOD, JANE}},
     IS(MSGFROMDOMAIN, NOTJUNK, true)},
    {.says = "nobody is no address that sent something", .nobody = true, .unproved = true,
     .messages = {{1, BAD, .from = "@sub.a.example"}}, IS(MSGFROMDOMAIN, JUNK, false)},
    {.says = "the user wrote to the domain of nobody", .nobody = true, .letters = {{1, "bob@sub.a.example"}},
     IS(MSGTODOMAIN, NOTJUNK, true)},

    /* The organization. */
    {.says = "bad across subdomains", .messages = {{1, BAD, .from = "x@b.a.example", .proved = true},
     {1, BAD, .from = "y@c.a.example", .proved = true}, {1, BAD, .from = "z@a.example", .proved = true}},
     IS(MSGFROMORGDOMAIN, JUNK, true)},
    {.says = "good across subdomains", .messages = {{1, GOOD, .from = "x@b.a.example", .proved = true}},
     IS(MSGFROMORGDOMAIN, NOTJUNK, true)},

    /* Who vouches. */
    {.says = "a good signer", .dkim = "d.example", .messages = {{1, GOOD, OTHER, .dkim = "d.example"}},
     IS(DKIMSPF, NOTJUNK, true)},
    {.says = "a bad signer, once", .dkim = "d.example", .messages = {{1, BAD, OTHER, .dkim = "d.example"}},
     IS(DKIMSPF, JUNK, false)},
    {.says = "a bad signer, twice", .dkim = "d.example",
     .messages = {TWICE(1, BAD, OTHER, .dkim = "d.example")}, IS(DKIMSPF, JUNK, true)},
    {.says = "half a year", .dkim = "d.example", .messages = {{182, GOOD, OTHER, .dkim = "d.example"}},
     IS(DKIMSPF, NOTJUNK, true)},
    {.says = "more", .dkim = "d.example", .messages = {{183, GOOD, OTHER, .dkim = "d.example"}},
     IS(NONE, UNKNOWN, false)},
    {.says = "lukewarm", .dkim = "d.example",
     .messages = {{1, BAD, OTHER, .dkim = "d.example"}, {1, GOOD, OTHER, .dkim = "d.example"}},
     IS(DKIMSPF, UNKNOWN, false)},
    {.says = "a good and a bad signer", .dkim = "d.example", .dkim2 = "e.example",
     .messages = {{1, BAD, OTHER, .dkim = "d.example"}, {1, GOOD, OTHER, .dkim = "e.example"}},
     IS(DKIMSPF, UNKNOWN, false)},
    {.says = "the signer with most messages says how many there were", .dkim = "d.example", .dkim2 = "e.example",
     .messages = {TWICE(1, BAD, OTHER, .dkim = "d.example"), {1, BAD, OTHER, .dkim = "e.example"}},
     IS(DKIMSPF, JUNK, true)},
    {.says = "one each is not two", .dkim = "d.example", .dkim2 = "e.example",
     .messages = {{1, BAD, OTHER, .dkim = "d.example"}, {1, BAD, OTHER, .dkim = "e.example"}},
     IS(DKIMSPF, JUNK, false)},
    {.says = "a good MAIL FROM", .mail_from = "news@m.example",
     .messages = {{1, GOOD, OTHER, .mail_from = "news@m.example"}}, IS(DKIMSPF, NOTJUNK, true)},
    {.says = "its address before its domain", .mail_from = "news@m.example",
     .messages = {{2, GOOD, OTHER, .mail_from = "news@m.example"}, FOUR(1, BAD, OTHER, .mail_from = "x@m.example")},
     IS(DKIMSPF, NOTJUNK, true)},
    {.says = "its domain", .mail_from = "news@m.example",
     .messages = {FOUR(1, BAD, OTHER, .mail_from = "x@m.example")}, IS(DKIMSPF, JUNK, true)},
    {.says = "EHLO", .ehlo = "h.example", .messages = {{1, GOOD, OTHER, .ehlo = "h.example"}},
     IS(DKIMSPF, NOTJUNK, true)},
    {.says = "a good signer on a bad network", .dkim = "d.example",
     .messages = {{1, GOOD, OTHER, .dkim = "d.example"}, FOUR(1, BAD, OTHER, .ip = "192.0.2.1")},
     IS(DKIMSPF, NOTJUNK, true)},

    /* Networks. */
    {.says = "one bad", .messages = {{1, BAD, OTHER, .ip = "192.0.2.1"}}, IS(IP1, JUNK, false)},
    {.says = "two bad", .messages = {TWICE(1, BAD, OTHER, .ip = "192.0.2.1")}, IS(IP1, JUNK, true)},
    {.says = "two good", .messages = {TWICE(1, GOOD, OTHER, .ip = "192.0.2.1")}, IS(IP1, NOTJUNK, true)},
    {.says = "three of four bad", .messages = {TWICE(1, BAD, OTHER, .ip = "192.0.2.1"),
     {1, BAD, OTHER, .ip = "192.0.2.1"}, {1, GOOD, OTHER, .ip = "192.0.2.1"}}, IS(IP1, UNKNOWN, false)},
    {.says = "four of five bad", .messages = {FOUR(1, BAD, OTHER, .ip = "192.0.2.1"),
     {1, GOOD, OTHER, .ip = "192.0.2.1"}}, IS(IP1, JUNK, false)},
    {.says = "nine of ten bad", .messages = {FOUR(1, BAD, OTHER, .ip = "192.0.2.1"), FOUR(1, BAD, OTHER, .ip = "192.0.2.1"),
     {1, BAD, OTHER, .ip = "192.0.2.1"}, {1, GOOD, OTHER, .ip = "192.0.2.1"}}, IS(IP1, JUNK, true)},
    {.says = "four neighbours", .messages = {FOUR(1, BAD, OTHER, .ip = "192.0.2.60")}, IS(IP2, JUNK, false)},
    {.says = "five neighbours", .messages = {FOUR(1, BAD, OTHER, .ip = "192.0.2.60"), {1, BAD, OTHER, .ip = "192.0.2.61"}},
     IS(IP2, JUNK, true)},
    {.says = "nine farther away", .messages = {FOUR(1, BAD, OTHER, .ip = "192.0.3.1"), FOUR(1, BAD, OTHER, .ip = "192.0.3.2"),
     {1, BAD, OTHER, .ip = "192.0.4.1"}}, IS(IP3, JUNK, false)},
    {.says = "ten farther away", .messages = {FOUR(1, BAD, OTHER, .ip = "192.0.3.1"), FOUR(1, BAD, OTHER, .ip = "192.0.3.2"),
     TWICE(1, BAD, OTHER, .ip = "192.0.4.1")}, IS(IP3, JUNK, true)},
    {.says = "a quarter of a year", .messages = {TWICE(91, BAD, OTHER, .ip = "192.0.2.1")}, IS(IP1, JUNK, true)},
    {.says = "more than that", .messages = {TWICE(92, BAD, OTHER, .ip = "192.0.2.1")}, IS(NONE, UNKNOWN, false)},
};
/* clang-format on */

struct fixture {
    struct pasts pasts;
    struct mox_history history;
    struct mox_reputation_query query;
    const char *dkim[2];
    char localpart[64];
};

static void prepare(struct fixture *f, const struct row *r)
{
    struct mox_reputation_query *q = &f->query;
    memset(f, 0, sizeof *f);
    f->pasts.now_us = NOW_US;
    memcpy(f->pasts.messages, r->messages, sizeof r->messages);
    memcpy(f->pasts.letters, r->letters, sizeof r->letters);
    f->history = pasts_history(&f->pasts);
    mox_reputation_query_init(q);
    q->now_us = NOW_US;
    q->mailbox = PAST_MAILBOX;
    q->from_localpart = r->nobody ? "" : "jane";
    q->from_domain = "sub.a.example";
    q->from_org_domain = "a.example";
    q->from_validated = !r->unproved;
    q->ip = "192.0.2.1";
    q->dkim_domains = f->dkim;
    if (r->dkim != NULL)
        f->dkim[q->dkim_domain_count++] = r->dkim;
    if (r->dkim2 != NULL)
        f->dkim[q->dkim_domain_count++] = r->dkim2;
    if (r->mail_from != NULL) {
        (void)snprintf(f->localpart, sizeof f->localpart, "%.*s", (int)strcspn(r->mail_from, "@"),
                       r->mail_from);
        q->mail_from_localpart = f->localpart;
        q->mail_from_domain = strchr(r->mail_from, '@') + 1;
        q->mail_from_validated = true;
    }
    q->ehlo_domain = r->ehlo != NULL ? r->ehlo : "";
    q->ehlo_validated = r->ehlo != NULL;
}

static void the_first_step_that_finds_anything_decides(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        struct fixture f;
        struct mox_reputation out;
        prepare(&f, r);
        assert_int_equal(mox_reputation_find(&out, &f.query, &f.history, NULL), MOX_OK);
        if (out.method != r->method || out.leaning != r->leaning || out.conclusive != r->conclusive)
            fail_msg("%s: %s, %s%s", r->says, mox_reputation_method_name(out.method),
                     mox_leaning_name(out.leaning), out.conclusive ? "" : ", inconclusive");
        for (size_t k = 0; k < out.step_count; k++)
            assert_int_equal(out.steps[k].decided, out.steps[k].method == out.method);
    }
}

static void find(struct fixture *f, struct mox_reputation *out)
{
    assert_int_equal(mox_reputation_find(out, &f->query, &f->history, NULL), MOX_OK);
}

static void who_is_not_in_from_is_judged_by_the_rest(void **state)
{
    (void)state;
    static const struct row r = {
        .messages = {{1, BAD, JANE}, TWICE(1, GOOD, OTHER, .ip = "192.0.2.1")},
        .letters = {{1, "jane@sub.a.example"}}};
    struct fixture f;
    struct mox_reputation out;
    prepare(&f, &r);
    f.query.from_localpart = f.query.from_domain = f.query.from_org_domain = "";
    find(&f, &out);
    assert_int_equal(out.method, MOX_REPUTATION_IP1);
    assert_int_equal(out.step_count, 2);
}

static void a_mailbox_that_does_not_exist_has_no_history(void **state)
{
    (void)state;
    static const struct row r = {.messages = {{1, BAD, JANE, .ip = "192.0.2.1"}},
                                 .letters = {{1, "bob@sub.a.example"}}};
    struct fixture f;
    struct mox_reputation out;
    prepare(&f, &r);
    f.query.mailbox = 0;
    find(&f, &out);
    assert_int_equal(out.method, MOX_REPUTATION_MSGTODOMAIN);
}

static void without_an_address_no_network_is_looked_up(void **state)
{
    (void)state;
    static const struct row r = {.messages = {FOUR(1, BAD, OTHER, .ip = "192.0.2.1")}};
    struct fixture f;
    struct mox_reputation out;
    prepare(&f, &r);
    f.query.ip = "";
    find(&f, &out);
    assert_int_equal(out.method, MOX_REPUTATION_NONE);
    f.query.ip = "::ffff:192.0.2.1"; /* the same address */
    find(&f, &out);
    assert_int_equal(out.method, MOX_REPUTATION_IP1);
    assert_int_equal(out.steps[out.step_count - 1].junk, 4);
}

static void names_that_nobody_proved_vouch_for_nothing(void **state)
{
    (void)state;
    static const struct row r = {
        .mail_from = "news@m.example",
        .ehlo = "h.example",
        .messages = {{1, GOOD, OTHER, .mail_from = "news@m.example", .ehlo = "h.example"}}};
    struct fixture f;
    struct mox_reputation out;
    prepare(&f, &r);
    f.query.mail_from_validated = f.query.ehlo_validated = false;
    find(&f, &out);
    assert_int_equal(out.method, MOX_REPUTATION_NONE);
}

#ifdef MOX_HAVE_IDN
#define OTHER_FORM "xn--bcher-kva.example"
#else
#define OTHER_FORM "b??cher.example"
#endif

static void each_step_says_what_it_found(void **state)
{
    (void)state;
    static const struct row r = {
        .unproved = true,
        .dkim = "b\xc3\xbc\x63her.example",
        .messages = {{1, BAD, OTHER, .dkim = "b\xc3\xbc\x63her.example"},
                     {1, GOOD, OTHER, .dkim = "b\xc3\xbc\x63her.example"}}};
    static const char *const texts[] = {
        "msgfromfull: nothing of the address in sub.a.example",
        "msgtofull: not written to",
        "msgfromdomain: nothing of sub.a.example",
        "msgtodomain: not written to",
        "msgfromorgdomain: nothing of the organization of a.example",
        "msgtoorgdomain: not written to",
        "dkimspf: dkim " OTHER_FORM ": 2 messages, 1 junk",
    };
    struct fixture f;
    struct mox_reputation out;
    char line[200];
    prepare(&f, &r);
    find(&f, &out);
    assert_int_equal(out.step_count, sizeof texts / sizeof texts[0]);
    for (size_t i = 0; i < out.step_count; i++) {
        (void)snprintf(line, sizeof line, "%s: %s", mox_reputation_method_name(out.steps[i].method),
                       out.steps[i].text);
        assert_string_equal(line, texts[i]);
    }
}

static void the_real_one_is_told_from_who_claims_to_be(void **state)
{
    (void)state;
    static const struct row r = {.unproved = true, .messages = {{1, GOOD, JANE}, {2, BAD, JANE}}};
    struct fixture f;
    struct mox_reputation out;
    prepare(&f, &r);
    find(&f, &out);
    assert_string_equal(out.steps[0].text, "not proved, unlike 2 messages of the address in "
                                           "sub.a.example, 1 junk");
}

static void what_the_history_fails_with_is_passed_on(void **state)
{
    (void)state;
    static const struct row r = {.unproved = true, .dkim = "d.example", .ehlo = "h.example"};
    struct fixture f;
    struct mox_reputation out;
    prepare(&f, &r);
    f.pasts.fail = MOX_EIO;
    assert_int_equal(mox_reputation_find(&out, &f.query, &f.history, NULL), MOX_EIO);
    assert_int_equal(f.pasts.asked, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_step_that_finds_anything_decides),
        cmocka_unit_test(who_is_not_in_from_is_judged_by_the_rest),
        cmocka_unit_test(a_mailbox_that_does_not_exist_has_no_history),
        cmocka_unit_test(without_an_address_no_network_is_looked_up),
        cmocka_unit_test(names_that_nobody_proved_vouch_for_nothing),
        cmocka_unit_test(each_step_says_what_it_found),
        cmocka_unit_test(the_real_one_is_told_from_who_claims_to_be),
        cmocka_unit_test(what_the_history_fails_with_is_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
