/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "config/configfix.h"
#include "support/cm.h"

#define LETTERS_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LETTERS_257 LETTERS_64 LETTERS_64 LETTERS_64 LETTERS_64 "x"

/* A ruleset in place of the last destination's mailbox, on lines 21 and following. */
#define RULE_LINE "\n\t\t\t\t\t\t"
#define RULES     "Rulesets:\n\t\t\t\t\t-" RULE_LINE

/* A domain with reports on lines 10 to 14, and what may follow. */
#define REPORTS(localpart, account, more)                                                          \
    "\tplain.example:\n\t\tDMARC:\n\t\t\tLocalpart: " localpart "\n\t\t\tAccount: " account            \
    "\n\t\t\tMailbox: D" more
/* An alias of the first domain, with members from line 9 on. */
#define ALIAS(localpart, members)                                                                  \
    "\t\tAliases:\n\t\t\t" localpart ":\n\t\t\t\tAddresses:\n\t\t\t\t\t" members "\n\tcase.example:\n"

/* Each row replaces one text of a good file. */
static const struct {
    const char *file, *from, *to, *line, *mention;
} mistakes[] = {
    {"mox.conf", "DataDir: ../data", "DataDir:", "1", "DataDir is empty"},
    {"mox.conf", "LogLevel: info", "LogLevel: loud", "2", "unknown log level"},
    {"mox.conf", "store: debug", "store: x", "4", "unknown log level"},
    {"mox.conf", "mail.example.org", "Mail.example.org", "5", "write \"mail.example.org\""},
    {"mox.conf", "mail.example.org", "192.0.2.1", "5", "is no IP address"},
    {"mox.conf", "mail.example.org", "example..org", "5", "is not a domain name"},
    {"mox.conf", "- 192.0.2.1", "- 192.0.2", "9", "invalid IP address \"192.0.2\""},
    {"mox.conf", "mx.example.org", "mx_1.example.org", "11", "is not a domain name"},
    {"mox.conf", "\t\tTLS:\n", "\t\tSubmissions:\n\t\t\tEnabled: false\n\t\tTLX:\n", "14", "TLX"},
    {"mox.conf", "CertFile: cert.pem", "CertFile: none.pem", "15", "cannot read"},
    {"mox.conf", "\t\t\tPort: 1993", "\t\t\tPort: 25", "7", "two services on port 25"},
    {"mox.conf", "\t\tIMAPS:\n",
     "\t\t\tNoSTARTTLS: true\n\t\t\tRequireSTARTTLS: true\n\t\tIMAPS:\n", "17",
     "exclude each other"},
    {"mox.conf", "Postmaster:\n", "Delays:\n\tBadClient: -1s\nPostmaster:\n", "23",
     "from 0s to 2m"},
    {"mox.conf", "Postmaster:\n", "Delays:\n\tUnknownRecipients: 1h\nPostmaster:\n", "23",
     "from 0s to 2m"},
    {"mox.conf", "Account: alice", "Account: eve", "23", "postmaster's account \"eve\""},
    {"mox.conf", "Mailbox: Postmaster", "Mailbox:", "24", "mailbox is empty"},
    {"mox.conf", "Mailbox: Postmaster", "Mailbox: a//b", "24", "cannot be a mailbox"},
    {"mox.conf", "Postmaster:\n", "DefaultMailboxes:\n\t- inbox\nPostmaster:\n", "23",
     "Inbox is always there"},
    {"mox.conf", "Postmaster:\n", "InitialMailboxes:\n\tRegular:\n\t\t- a/b\nPostmaster:\n", "24",
     "below another mailbox"},
    {"mox.conf", "Postmaster:\n",
     "InitialMailboxes:\n\tSpecialUse:\n\t\tJunk: X\n\t\tSent: X\nPostmaster:\n", "24",
     "has two roles"},
    {"mox.conf", "Postmaster:\n",
     "DefaultMailboxes:\n\t- A\nInitialMailboxes:\n\tRegular:\n\t\t- B\nPostmaster:\n", "24",
     "exclude each other"},
    {"mox.conf", "Postmaster:\n", "DefaultMailboxes:\n\t- A\n\t- A\nPostmaster:\n", "24",
     "is there twice"},
    {"mox.conf", "Postmaster:\n",
     "InitialMailboxes:\n\tSpecialUse:\n\t\tJunk: X\n\tRegular:\n\t\t- X\nPostmaster:\n", "26",
     "is also in SpecialUse"},
    {"mox.conf", "Postmaster:\n",
     "Limits:\n\tOpenConnections:\n\t\tAddress: 100\nPostmaster:\n", "23",
     "Network is 90, less than the 100 of Address"},
    {"mox.conf", "Postmaster:\n",
     "Limits:\n\tMessagesPerDay:\n\t\tAddress: 1\n\t\tNetwork: 9\n\t\tWideNetwork: 5\n"
     "Postmaster:\n", "26", "WideNetwork is 5, less than the 9 of Network"},
    {"mox.conf", "Postmaster:\n",
     "Limits:\n\tOpenConnections:\n\t\tAddress: 300\n\t\tNetwork: -1\nPostmaster:\n", "23",
     "WideNetwork is 270, less than the 300 of Address"},
    {"mox.conf", "Postmaster:\n",
     "Limits:\n\tBytesPerMinute:\n\t\tAddress: -2\nPostmaster:\n", "24", "write -1 for no limit"},
    {"mox.conf", "Postmaster:\n", "QuotaMessageSize: -1\nPostmaster:\n", "22", "must not be negative"},
    {"mox.conf", "\t\tIMAPS:\n", "\t\t\tDNSBLs:\n\t\t\t\t- bl.example\n\t\t\t\t- a..b\n\t\tIMAPS:\n", "21",
     "zone \"a..b\" is not a domain name"},
    {"mox.conf", "\t\tIMAPS:\n", "\t\tNATIPs:\n\t\t\t- 192.0.2.1\n\t\t\t- 10.0.0.1\n\t\tIMAPS:\n", "21",
     "\"10.0.0.1\" is no public IP address"},
    {"domains.conf", "Domains:\n", "MonitorDNSBLs:\n\t- bl.example\n\t- a..b\nDomains:\n", "3",
     "zone \"a..b\" is not a domain name"},
    {"mox.conf", "Postmaster:\n", "Nonsense: 1\nPostmaster:\n", "22", "unknown field"},
    {"domains.conf", "\tplain.example: nil", "\tplain_.example: nil", "10", "is not a domain name"},
    {"domains.conf", "\tplain.example: nil", "\tPlain.example: nil", "10",
     "write \"plain.example\""},
    {"domains.conf", "\t\t\t- +\n", "\t\t\t-\n", "3", "empty separator"},
    {"domains.conf", "\t\tLocalpartCatchallSeparators:",
     "\t\tLocalpartCatchallSeparator: x\n\t\tLocalpartCatchallSeparators:", "4",
     "exclude each other"},
    {"domains.conf", "\tbob:\n", "\t../bob:\n", "22", "starts with '.'"},
    {"domains.conf", "\tbob:\n", "\tb/b:\n", "22", "other than letters"},
    {"domains.conf", "bob@example.org: nil", "bob@other.example: nil", "25", "not in Domains"},
    {"domains.conf", "bob@example.org: nil", "bob+x@example.org: nil", "25", "separator"},
    {"domains.conf", "bob@example.org: nil", "ALICE@example.org: nil", "25",
     "also a destination of account alice (line 15)"},
    {"domains.conf", "Mailbox: All", "Mailbox: #All", "21", "cannot be a mailbox"},
    {"domains.conf", "\tbob:\n", "\tbob:\n\t\tLoginDisabled: bis zum M\xc3\xa4rz\n", "23",
     "printable characters of ASCII"},
    {"domains.conf", "\tbob:\n", "\tbob:\n\t\tLoginDisabled: " LETTERS_257 "\n", "23",
     "at most 256"},
    {"domains.conf", "\tbob:\n", "\tbob:\n\t\tRejectsMailbox: inbox\n", "23", "cannot be Inbox"},
    {"domains.conf", "\tbob:\n", "\tbob:\n\t\tRejectsMailbox: a/\n", "23", "cannot be a mailbox"},
    {"domains.conf", "\tbob:\n", "\tbob:\n\t\tIntrobox: Inbox\n", "23", "cannot be Inbox"},
    {"domains.conf", "\tbob:\n", "\tbob:\n\t\tRejectsMailbox: R\n\t\tIntrobox: R\n", "24",
     "are the same mailbox"},
    {"domains.conf", "\tbob:\n", "\tbob:\n\t\tSubjectPass:\n\t\t\tPeriod: -1s\n", "24",
     "Period is from 0s"},
    {"domains.conf", "\tbob:\n", "\tbob:\n\t\tJunkFilter:\n\t\t\tThreshold: 1.01\n", "24",
     "a number from 0 to 1"},
    {"domains.conf", "\tbob:\n", "\tbob:\n\t\tJunkFilter:\n\t\t\tMaxPower: 0.51\n", "24",
     "a number from 0 to 0.5"},
    {"domains.conf", "\tbob:\n", "\tbob:\n\t\tJunkFilter:\n\t\t\tIgnoreWords: -0.1\n", "24",
     "a number from 0 to 0.5"},
    {"domains.conf", "\tbob:\n", "\tbob:\n\t\tJunkFilter:\n\t\t\tTopWords: -1\n", "24",
     "expected a number"},
    {"domains.conf", "\tbob:\n", "\tbob:\n\t\tJunkFilter:\n\t\t\tRareWords: 2000000\n", "24",
     "out of range"},
    {"domains.conf", "\tbob:\n", "\tbob:\n\t\tAutomaticJunkFlags:\n\t\t\tJunkMailboxRegexp: x\n",
     "24", "missing required field \"Enabled\""},
    {"domains.conf", "Mailbox: All", "SMTPError: 551 no", "21", "neither 421 nor 550"},
    {"domains.conf", "Mailbox: All", "SMTPError: 5500", "21", "neither 421 nor 550"},
    {"domains.conf", "Mailbox: All", "SMTPError: 550 n\xc3\xb6", "21", "characters of ASCII"},
    {"domains.conf", "Mailbox: All", "Mailbox: All\n\t\t\t\tSMTPError: 550", "22",
     "SMTPError and Mailbox exclude"},
    {"domains.conf", "Mailbox: All", "MessageAuthRequiredSMTPError: " LETTERS_257, "21", "at most 256"},
    {"domains.conf", "Mailbox: All", RULES "Mailbox: X", "22", "has no condition"},
    {"domains.conf", "Mailbox: All", RULES "MsgFromRegexp: x", "23", "missing required field \"Mailbox\""},
    {"domains.conf", "Mailbox: All", RULES "MsgFromRegexp: x" RULE_LINE "Mailbox:", "24",
     "mailbox is empty"},
    {"domains.conf", "Mailbox: All", RULES "VerifiedDomain: x_y" RULE_LINE "Mailbox: X", "23",
     "is not a domain name"},
    {"domains.conf", "Mailbox: All",
     RULES "VerifiedDomain: x.example" RULE_LINE "Mailbox: X" RULE_LINE "IsForward: true", "25",
     "IsForward needs"},
    {"domains.conf", "Mailbox: All",
     RULES "VerifiedDomain: x.example" RULE_LINE "Mailbox: X" RULE_LINE "IsForward: true" RULE_LINE
           "SMTPMailFromRegexp: x" RULE_LINE "ListAllowDomain: x.example", "25", "exclude each other"},
    {"domains.conf", "Mailbox: All",
     RULES "MsgFromRegexp: x" RULE_LINE "Mailbox: X" RULE_LINE "AcceptRejectsToMailbox: inbox", "25",
     "cannot be Inbox"},
    {"domains.conf", "\tplain.example: nil",
     "\tplain.example:\n\t\tDMARC:\n\t\t\tLocalpart: \xc3\xb6\n\t\t\tAccount: bob\n\t\t\tMailbox: D", "12",
     "characters of ASCII"},
    {"domains.conf", "\tplain.example: nil", REPORTS("x", "eve", ""), "13",
     "the account for DMARC, \"eve\", is not in Accounts"},
    {"domains.conf", "\tplain.example: nil",
     REPORTS("x", "bob", "\n\t\t\tDomain: elsewhere.example"), "15",
     "\"elsewhere.example\", is not in Domains"},
    {"domains.conf", "\tplain.example: nil",
     REPORTS("Alice", "bob", "\n\t\t\tDomain: example.org"), "12",
     "alice@example.org, is also a destination of account alice"},
    {"domains.conf", "\tplain.example: nil",
     REPORTS("x", "bob", "\n\t\tTLSRPT:\n\t\t\tLocalpart: X\n\t\t\tAccount: alice\n\t\t\tMailbox: D"),
     "16", "is also that of other reports"},
    {"domains.conf", "\tcase.example:\n", ALIAS("list", "- bob@example.org\n\t\t\t\t\t- eve@example.org"),
     "10", "member \"eve@example.org\" of alias \"list\" is not an address"},
    {"domains.conf", "\tcase.example:\n", ALIAS("list", "- alice+x@example.org"), "9",
     "is not an address of an account"},
    {"domains.conf", "\tcase.example:\n", ALIAS("list", "- any@plain.example"), "9",
     "is not an address of an account"},
    {"domains.conf", "\tcase.example:\n", ALIAS("list", "- bob"), "9", "is not an address"},
    {"domains.conf", "\tcase.example:\n", ALIAS("list", "- list@example.org"), "9",
     "is not an address"},
    {"domains.conf", "\tcase.example:\n",
     ALIAS("zz1", "- bob@example.org\n\t\t\tzz2:\n\t\t\t\tAddresses:\n\t\t\t\t\t- zz1@example.org"),
     "12", "is not an address"},
    {"domains.conf", "\tcase.example:\n", ALIAS("list", "- bob@example.org\n\t\t\t\t\t- Bob@Example.org"),
     "10", "member bob@example.org of alias \"list\" is there twice"},
    {"domains.conf", "\tcase.example:\n", ALIAS("LISTS", "- bob@example.org"), "20",
     "lists@example.org is also an alias (line 7)"},
    {"domains.conf", "\tcase.example:\n", ALIAS("li+st", "- bob@example.org"), "7",
     "alias \"li+st\" has the domain's separator"},
    {"domains.conf", "\tcase.example:\n", ALIAS("list@example.org", "- bob@example.org"), "7",
     "is no local part"},
#ifdef MOX_HAVE_REGEX
    {"domains.conf", "Mailbox: All", RULES "MsgFromRegexp: a(b" RULE_LINE "Mailbox: X", "23",
     "bad expression, at character 4: missing closing parenthesis"},
    {"domains.conf", "Mailbox: All", RULES "Mailbox: X" RULE_LINE "SMTPMailFromRegexp: (a)\\1", "24",
     "at character 4: back-references are not supported"},
    {"domains.conf", "Mailbox: All",
     RULES "Mailbox: X" RULE_LINE "HeadersRegexp:" RULE_LINE "\ta: b" RULE_LINE "\tList-Id: c", "26",
     "name of the header: bad expression, at character 1: upper case"},
    {"domains.conf", "Mailbox: All",
     RULES "Mailbox: X" RULE_LINE "HeadersRegexp:" RULE_LINE "\tlist-id: a*+" RULE_LINE "\tx: y", "25",
     "value of the header: bad expression, at character 3"},
    {"domains.conf", "\tbob:\n",
     "\tbob:\n\t\tAutomaticJunkFlags:\n\t\t\tEnabled: false\n\t\t\tNotJunkMailboxRegexp: [\n", "25",
     "bad expression, at character 2: missing terminating ]"},
#else
    {"domains.conf", "Mailbox: All", RULES "MsgFromRegexp: a" RULE_LINE "Mailbox: X", "23",
     "no regular expressions"},
#endif
    /* in the case in which it is looked up */
    {"domains.conf", config_good_domains,
     "Domains:\n\ta.example:\n\t\tLocalpartCatchallSeparator: k\nAccounts:\n\talice:\n"
     "\t\tDomain: a.example\n\t\tDestinations:\n\t\t\taKb@a.example: nil\n", "8",
     "has the domain's separator in its local part"},
    {"domains.conf", config_good_domains, "Domains: nil\nAccounts:\n\t- x\n\t- \n", "3",
     "takes \"Key: value\" lines"},
    {"domains.conf", "Domains:\n", "Domains: x\n\ty: z\n", "2", "unexpected indentation"},
};

static void each_mistake_is_reported_with_file_and_line(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        bool is_static = strcmp(mistakes[i].file, "mox.conf") == 0;
        const char *text = is_static ? config_good_static : config_good_domains;
        const char *at = strstr(text, mistakes[i].from);
        char changed[CONFIG_TEXT_MAX];
        assert_non_null(at);
        (void)snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, mistakes[i].to,
                       at + strlen(mistakes[i].from));
        config_put(f, "mox.conf", is_static ? changed : config_good_static);
        config_put(f, "domains.conf", is_static ? config_good_domains : changed);
        assert_int_equal(config_load(f), MOX_ESYNTAX);
        if (!config_told(f, mistakes[i].file, mistakes[i].line, mistakes[i].mention))
            fail_msg("expected line %s…%s, got %s", mistakes[i].line, mistakes[i].mention,
                     f->errors.texts[0]);
    }
}

static void services_that_need_tls_are_listed_in_one_error(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "DataDir: data\n"
                               "LogLevel: info\n"
                               "Hostname: localhost\n"
                               "Listeners:\n"
                               "\tx:\n"
                               "\t\tIPs:\n"
                               "\t\t\t- ::1\n"
                               "\t\tSMTP:\n"
                               "\t\t\tEnabled: true\n"
                               "\t\tIMAPS:\n"
                               "\t\t\tEnabled: true\n"
                               "\t\tIMAP:\n"
                               "\t\t\tEnabled: true\n"
                               "\t\tSubmission:\n"
                               "\t\t\tEnabled: true\n"
                               "\t\t\tNoRequireSTARTTLS: true\n"
                               "Postmaster:\n"
                               "\tAccount: alice\n"
                               "\tMailbox: Inbox\n";
    config_put(f, "mox.conf", text);
    assert_int_equal(config_load(f), MOX_ESYNTAX);
    assert_int_equal(f->errors.count, 1);
    const char *e = f->errors.texts[0];
    assert_non_null(strstr(e, "mox.conf:5: no TLS"));
    assert_non_null(strstr(e, "SMTP"));
    assert_non_null(strstr(e, "IMAPS"));
    assert_non_null(strstr(e, "IMAP ("));
    assert_null(strstr(e, "Submission"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, config_setup, config_teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_mistake_is_reported_with_file_and_line),
        TEST(services_that_need_tls_are_listed_in_one_error),
    };
    return cmocka_run_group_tests_name("config-mistakes", tests, NULL, NULL);
}
