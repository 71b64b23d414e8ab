/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/configfix.h"
#include "support/cm.h"

static void addresses_are_found_in_their_canonical_form(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *address;
        enum mox_config_use use;
        enum mox_config_found found;
        const char *account, *mailbox;
    } cases[] = {
        {"alice@example.org", MOX_CONFIG_LOGIN, MOX_CONFIG_FOUND, "alice", "Inbox"},
        {"ALICE@Example.ORG", MOX_CONFIG_LOGIN, MOX_CONFIG_FOUND, "alice", "Inbox"},
        {"alice+x@example.org", MOX_CONFIG_RECIPIENT, MOX_CONFIG_FOUND, "alice", "Inbox"},
        {"alice--x+y@example.org", MOX_CONFIG_RECIPIENT, MOX_CONFIG_FOUND, "alice", "Inbox"},
        {"alice+y--z@example.org", MOX_CONFIG_RECIPIENT, MOX_CONFIG_FOUND, "alice", "Inbox"},
        {"lists@example.org", MOX_CONFIG_RECIPIENT, MOX_CONFIG_FOUND, "alice", "Lists"},
        {"+x@example.org", MOX_CONFIG_RECIPIENT, MOX_CONFIG_NO_ADDRESS, NULL, NULL},
        {"nobody@example.org", MOX_CONFIG_RECIPIENT, MOX_CONFIG_NO_ADDRESS, NULL, NULL},
        {"Alice@case.example", MOX_CONFIG_RECIPIENT, MOX_CONFIG_FOUND, "alice", "Inbox"},
        {"alice@case.example", MOX_CONFIG_RECIPIENT, MOX_CONFIG_NO_ADDRESS, NULL, NULL},
        {"any@plain.example", MOX_CONFIG_RECIPIENT, MOX_CONFIG_FOUND, "alice", "All"},
        {"alice@off.example", MOX_CONFIG_RECIPIENT, MOX_CONFIG_DOMAIN_DISABLED, "alice", "Inbox"},
        {"alice@elsewhere.example", MOX_CONFIG_RECIPIENT, MOX_CONFIG_NO_DOMAIN, NULL, NULL},
        {"\"a b\"@example.org", MOX_CONFIG_RECIPIENT, MOX_CONFIG_FOUND, "bob", "Inbox"},
        {"\"\\a b\"@example.org", MOX_CONFIG_RECIPIENT, MOX_CONFIG_FOUND, "bob", "Inbox"},
        {"postmaster", MOX_CONFIG_RECIPIENT, MOX_CONFIG_FOUND, "alice", "Postmaster"},
        {"postmaster", MOX_CONFIG_LOGIN, MOX_CONFIG_NO_DOMAIN, NULL, NULL},
        {"alice", MOX_CONFIG_RECIPIENT, MOX_CONFIG_NO_DOMAIN, NULL, NULL},
        {"PostMaster@MAIL.example.org", MOX_CONFIG_RECIPIENT, MOX_CONFIG_FOUND, "alice",
         "Postmaster"},
        {"postmaster@mx.example.org", MOX_CONFIG_RECIPIENT, MOX_CONFIG_FOUND, "alice",
         "Postmaster"},
        {"postmaster@mx.example.org", MOX_CONFIG_LOGIN, MOX_CONFIG_NO_DOMAIN, NULL, NULL},
        {"postmaster@example.org", MOX_CONFIG_RECIPIENT, MOX_CONFIG_FOUND, "alice", "Postmaster"},
        {"postmaster@case.example", MOX_CONFIG_RECIPIENT, MOX_CONFIG_FOUND, "bob", "Inbox"},
        {"postmaster@plain.example", MOX_CONFIG_RECIPIENT, MOX_CONFIG_FOUND, "alice", "All"},
        {"postmaster@elsewhere.example", MOX_CONFIG_RECIPIENT, MOX_CONFIG_NO_DOMAIN, NULL, NULL},
        {"alice@example.org.", MOX_CONFIG_RECIPIENT, MOX_CONFIG_NO_DOMAIN, NULL, NULL},
        {"alice@[192.0.2.1]", MOX_CONFIG_RECIPIENT, MOX_CONFIG_NO_DOMAIN, NULL, NULL},
        {"@plain.example", MOX_CONFIG_RECIPIENT, MOX_CONFIG_FOUND, "alice", "All"},
    };
    assert_int_equal(config_load(f), MOX_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_config_target target;
        enum mox_config_found found = mox_config_lookup_address(
            f->config, slice_of(cases[i].address), cases[i].use, &target);
        if (found != cases[i].found)
            fail_msg("%s: found %d, not %d", cases[i].address, (int)found, (int)cases[i].found);
        if (cases[i].account == NULL) {
            assert_null(target.account);
            continue;
        }
        assert_string_equal(target.account->name, cases[i].account);
        assert_string_equal(target.mailbox, cases[i].mailbox);
    }
}

static void unicode_names_are_found_in_every_form(void **state)
{
#ifdef MOX_HAVE_IDN
    struct fixture *f = *state;
    static const char domains[] = "Domains:\n"
                                  "\tb\xc3\xbc\x63her.example: nil\n"
                                  "Accounts:\n"
                                  "\talice:\n"
                                  "\t\tDomain: b\xc3\xbc\x63her.example\n"
                                  "\t\tDestinations:\n"
                                  "\t\t\tb\xc3\xb6\x62@b\xc3\xbc\x63her.example: nil\n";
    static const char *const forms[] = {
        "b\xc3\xb6\x62@b\xc3\xbc\x63her.example",
        "b\xc3\xb6\x62@xn--bcher-kva.example",
        "BO\xcc\x88\x42@B\xc3\x9c\x43HER.example", /* capital letters, one decomposed */
    };
    struct mox_config_target target;
    config_put(f, "domains.conf", domains);
    assert_int_equal(config_load(f), MOX_OK);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        assert_int_equal(mox_config_lookup_address(f->config, slice_of(forms[i]),
                                                   MOX_CONFIG_LOGIN, &target), MOX_CONFIG_FOUND);
    config_put(f, "domains.conf", "Domains:\n\txn--bcher-kva.example: nil\nAccounts: nil\n");
    assert_int_equal(config_load(f), MOX_ESYNTAX);
    assert_non_null(strstr(f->errors.texts[0], "write \"b\xc3\xbc\x63her.example\""));
#else
    (void)state;
    skip();
#endif
}

static void overlong_and_odd_addresses_are_not_found(void **state)
{
    struct fixture *f = *state;
    struct mox_config_target target;
    char local[300];
    memset(local, 'a', sizeof local);
    assert_int_equal(config_load(f), MOX_OK);
    assert_int_equal(mox_config_lookup(f->config, slice(local, sizeof local),
                                       slice_of("plain.example"), MOX_CONFIG_RECIPIENT, &target),
                     MOX_CONFIG_NO_ADDRESS);
    assert_int_equal(mox_config_lookup(f->config, slice_of("\xff"), slice_of("plain.example"),
                                       MOX_CONFIG_RECIPIENT, &target),
                     MOX_CONFIG_NO_ADDRESS);
    assert_int_equal(mox_config_lookup(f->config, slice_of("a"), slice(local, sizeof local),
                                       MOX_CONFIG_RECIPIENT, &target),
                     MOX_CONFIG_NO_DOMAIN);
}

static void destinations_without_domain_still_work(void **state)
{
    struct fixture *f = *state;
    config_put(f, "domains.conf",
        "Domains:\n\texample.org: nil\nAccounts:\n\talice:\n\t\tDomain: example.org\n"
        "\t\tDestinations:\n\t\t\talice: nil\n");
    assert_int_equal(config_load(f), MOX_OK);
    struct mox_config_target target;
    assert_int_equal(mox_config_lookup_address(f->config, slice_of("alice@example.org"),
                                               MOX_CONFIG_LOGIN, &target), MOX_CONFIG_FOUND);
    assert_non_null(strstr(f->t.log, "destination without domain"));
}

/* Domains with all kinds of addresses; nothing of the good file is left. */
static const char kinds[] = "Domains:\n"
                            "\tabout.example:\n"
                            "\t\tDMARC:\n"
                            "\t\t\tLocalpart: DmarcReports\n"
                            "\t\t\tDomain: example.org\n"
                            "\t\t\tAccount: alice\n"
                            "\t\t\tMailbox: DMARC\n"
                            "\tboth.example:\n"
                            "\t\tDMARC:\n"
                            "\t\t\tLocalpart: dmarcreports\n"
                            "\t\t\tDomain: example.org\n"
                            "\t\t\tAccount: alice\n"
                            "\t\t\tMailbox: DMARC\n"
                            "\texample.org:\n"
                            "\t\tLocalpartCatchallSeparators:\n"
                            "\t\t\t- +\n"
                            "\t\t\t- --\n"
                            "\t\tDMARC:\n"
                            "\t\t\tLocalpart: dmarcreports\n"
                            "\t\t\tAccount: alice\n"
                            "\t\t\tMailbox: DMARC\n"
                            "\t\tTLSRPT:\n"
                            "\t\t\tLocalpart: tls+reports\n"
                            "\t\t\tAccount: bob\n"
                            "\t\t\tMailbox: TLSRPT\n"
                            "\t\tAliases:\n"
                            "\t\t\tEveryone:\n"
                            "\t\t\t\tAddresses:\n"
                            "\t\t\t\t\t- alice@example.org\n"
                            "\t\t\t\t\t- BOB@Other.example\n"
                            "\t\t\t\tPostPublic: true\n"
                            "\tother.example:\n"
                            "\t\tTLSRPT:\n"
                            "\t\t\tLocalpart: reports\n"
                            "\t\t\tAccount: bob\n"
                            "\t\t\tMailbox: Reports\n"
                            "\t\tDMARC:\n"
                            "\t\t\tLocalpart: reports\n"
                            "\t\t\tAccount: bob\n"
                            "\t\t\tMailbox: Reports\n"
                            "\t\tAliases:\n"
                            "\t\t\tpostmaster:\n"
                            "\t\t\t\tAddresses:\n"
                            "\t\t\t\t\t- bob@other.example\n"
                            "Accounts:\n"
                            "\talice:\n"
                            "\t\tDomain: example.org\n"
                            "\t\tDestinations:\n"
                            "\t\t\talice@example.org: nil\n"
                            "\t\t\ttls@example.org:\n"
                            "\t\t\t\tMailbox: T\n"
                            "\t\t\t@example.org:\n"
                            "\t\t\t\tMailbox: All\n"
                            "\tbob:\n"
                            "\t\tDomain: other.example\n"
                            "\t\tDestinations:\n"
                            "\t\t\tbob@both.example: nil\n"
                            "\t\t\tbob@other.example:\n"
                            "\t\t\t\tMailbox: B\n";

static struct mox_config_target found(const struct fixture *f, const char *address)
{
    struct mox_config_target to;
    enum mox_config_found result = mox_config_lookup_address(f->config, slice_of(address),
                                                             MOX_CONFIG_RECIPIENT, &to);
    if (result != MOX_CONFIG_FOUND)
        fail_msg("%s: %d", address, (int)result);
    return to;
}

static void reports_come_to_their_address_before_all_others(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *address, *account, *mailbox;
        bool dmarc, tls;
    } cases[] = {
        {"dmarcreports@example.org", "alice", "DMARC", true, false},
        {"DMARCReports@EXAMPLE.org", "alice", "DMARC", true, false},
        {"dmarcreports+x@example.org", "alice", "DMARC", true, false},
        {"dmarcreports--x+y@example.org", "alice", "DMARC", true, false},
        {"dmarcreports-x@example.org", "alice", "All", false, false},
        {"dmarcreport@example.org", "alice", "All", false, false},
        {"xdmarcreports@example.org", "alice", "All", false, false},
        {"tls+reports@example.org", "bob", "TLSRPT", false, true},
        {"TLS+Reports+more@example.org", "bob", "TLSRPT", false, true},
        {"tls+reportsx@example.org", "alice", "T", false, false},
        {"tls+other@example.org", "alice", "T", false, false},
        {"tls@example.org", "alice", "T", false, false},
        {"reports@other.example", "bob", "Reports", true, true},
    };
    config_put(f, "domains.conf", kinds);
    assert_int_equal(config_load(f), MOX_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_config_target to = found(f, cases[i].address);
        if (to.dmarc_reports != cases[i].dmarc || to.tls_reports != cases[i].tls)
            fail_msg("%s: %d %d", cases[i].address, to.dmarc_reports, to.tls_reports);
        assert_string_equal(to.account->name, cases[i].account);
        assert_string_equal(to.mailbox, cases[i].mailbox);
        assert_non_null(to.destination);
        assert_null(to.rulesets);
    }
}

static void a_domain_whose_reports_alone_come_here_is_not_ours(void **state)
{
    struct fixture *f = *state;
    struct mox_config_target to;
    config_put(f, "domains.conf", kinds);
    assert_int_equal(config_load(f), MOX_OK);
    static const char *const addresses[] = {"dmarcreports@about.example", "a@about.example",
                                            "postmaster@about.example"};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(mox_config_lookup_address(f->config, slice_of(addresses[i]),
                                                   MOX_CONFIG_RECIPIENT, &to),
                         MOX_CONFIG_NO_DOMAIN);
    assert_string_equal(found(f, "bob@both.example").account->name, "bob");
}

static void an_alias_stands_for_its_members(void **state)
{
    struct fixture *f = *state;
    config_put(f, "domains.conf", kinds);
    assert_int_equal(config_load(f), MOX_OK);
    static const char *const forms[] = {"everyone@example.org", "EVERYONE+x@example.org"};
    for (size_t i = 0; i < 2; i++) {
        struct mox_config_target to = found(f, forms[i]);
        assert_null(to.account);
        assert_null(to.destination);
        assert_string_equal(to.domain->name, "example.org");
        assert_true(to.alias->post_public && !to.alias->allow_msg_from);
        assert_int_equal(to.member_count, 2);
        assert_string_equal(to.members[0].localpart, "alice");
        assert_string_equal(to.members[0].domain, "example.org");
        assert_string_equal(to.members[0].mailbox, "Inbox");
        assert_string_equal(to.members[1].localpart, "bob");
        assert_string_equal(to.members[1].domain, "other.example");
        assert_string_equal(to.members[1].account->name, "bob");
        assert_string_equal(to.members[1].destination->address, "bob@other.example");
        assert_string_equal(to.members[1].mailbox, "B");
    }
    /* rather than the server's postmaster */
    assert_int_equal(found(f, "Postmaster@other.example").member_count, 1);
    assert_null(found(f, "nobody@example.org").alias);
}

static void rulesets_and_junk_flags_come_with_the_configuration(void **state)
{
#ifdef MOX_HAVE_REGEX
    struct fixture *f = *state;
    config_put_domains_and(f, "\t\t\tcarol@example.org:\n"
                              "\t\t\t\tRulesets:\n"
                              "\t\t\t\t\t-\n"
                              "\t\t\t\t\t\tMsgFromRegexp: ^news@\n"
                              "\t\t\t\t\t\tMailbox: News\n"
                              "\t\t\t\t\t-\n"
                              "\t\t\t\t\t\tHeadersRegexp:\n"
                              "\t\t\t\t\t\t\t^list-id$: <x\\.example>\n"
                              "\t\t\t\t\t\tMailbox: X\n"
                              "\t\tAutomaticJunkFlags:\n"
                              "\t\t\tEnabled: true\n"
                              "\t\t\tJunkMailboxRegexp: ^junk\n"
                              "\t\t\tNeutralMailboxRegexp: ^inbox\n");
    assert_int_equal(config_load(f), MOX_OK);
    struct mox_config_target to = found(f, "carol@example.org");
    struct mox_ruleset_query q = {.mail_from = "",
                                  .msg_from = "",
                                  .verified_ehlo = "",
                                  .verified_mail_from = "",
                                  .headers = slice_of("List-ID: <X.example>\r\n")};
    size_t index = 9;
    assert_int_equal(mox_rulesets_match(to.rulesets, &q, &index), MOX_OK);
    assert_string_equal(to.destination->rulesets.items[index].mailbox, "X");
    q.msg_from = "news@example.net";
    assert_int_equal(mox_rulesets_match(to.rulesets, &q, &index), MOX_OK);
    assert_string_equal(to.destination->rulesets.items[index].mailbox, "News");
    assert_null(found(f, "alice@example.org").rulesets);
    struct mox_junk_flags *flags =
        mox_config_junk_flags(f->config, mox_config_account(f->config, "bob"));
    assert_int_equal(mox_junk_flags_meaning(flags, "Junk"), MOX_JUNK_IS_JUNK);
    assert_int_equal(mox_junk_flags_meaning(flags, "Archive"), MOX_JUNK_IS_NOTJUNK);
    assert_null(mox_config_junk_flags(f->config, mox_config_account(f->config, "alice")));
#else
    (void)state;
    skip();
#endif
}

static void accounts_that_say_the_same_share_their_junk_flags(void **state)
{
#ifdef MOX_HAVE_REGEX
    struct fixture *f = *state;
    char text[CONFIG_TEXT_MAX] = "Domains:\n\texample.org: nil\nAccounts:\n";
    for (int i = 0; i < 40; i++) {
        size_t len = strlen(text);
        (void)snprintf(text + len, sizeof text - len,
                       "\ta%02d:\n\t\tDomain: example.org\n\t\tAutomaticJunkFlags:\n"
                       "\t\t\tEnabled: true\n\t\t\tJunkMailboxRegexp: %s%d\n",
                       i, i < 3 ? "x" : "y", i < 3 ? 0 : i);
    }
    config_put(f, "domains.conf", text);
    config_put_with(f, "Postmaster:", "");
    (void)config_load(f); /* without the postmaster's account */
    assert_true(config_told(f, "mox.conf", "23", "postmaster's account"));
    assert_int_equal(f->errors.count, 1);
    size_t len = strlen(text);
    (void)snprintf(text + len, sizeof text - len, "\talice:\n\t\tDomain: example.org\n");
    config_put(f, "domains.conf", text);
    assert_int_equal(config_load(f), MOX_OK);
    const struct mox_config_account *accounts = f->config->domains->accounts.items;
    struct mox_junk_flags *first = mox_config_junk_flags(f->config, &accounts[0]);
    assert_non_null(first);
    assert_ptr_equal(mox_config_junk_flags(f->config, &accounts[2]), first);
    for (size_t i = 3; i < 40; i++)
        assert_ptr_not_equal(mox_config_junk_flags(f->config, &accounts[i]), first);
#else
    (void)state;
    skip();
#endif
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, config_setup, config_teardown)
    const struct CMUnitTest tests[] = {
        TEST(addresses_are_found_in_their_canonical_form),
        TEST(unicode_names_are_found_in_every_form),
        TEST(overlong_and_odd_addresses_are_not_found),
        TEST(destinations_without_domain_still_work),
        TEST(reports_come_to_their_address_before_all_others),
        TEST(a_domain_whose_reports_alone_come_here_is_not_ours),
        TEST(an_alias_stands_for_its_members),
        TEST(rulesets_and_junk_flags_come_with_the_configuration),
        TEST(accounts_that_say_the_same_share_their_junk_flags),
    };
    return cmocka_run_group_tests_name("config-addresses", tests, NULL, NULL);
}
