/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mox/config.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/corpora.h"
#include "support/testenv.h"

static const char good_static[] = "DataDir: ../data\n"
                                  "LogLevel: info\n"
                                  "PackageLogLevels:\n"
                                  "\tstore: debug\n"
                                  "Hostname: mail.example.org\n"
                                  "Listeners:\n"
                                  "\tpublic:\n"
                                  "\t\tIPs:\n"
                                  "\t\t\t- 192.0.2.1\n"
                                  "\t\t\t- ::\n"
                                  "\t\tHostname: mx.example.org\n"
                                  "\t\tTLS:\n"
                                  "\t\t\tKeyCerts:\n"
                                  "\t\t\t\t-\n"
                                  "\t\t\t\t\tCertFile: cert.pem\n"
                                  "\t\t\t\t\tKeyFile: key.pem\n"
                                  "\t\tSMTP:\n"
                                  "\t\t\tEnabled: true\n"
                                  "\t\tIMAPS:\n"
                                  "\t\t\tEnabled: true\n"
                                  "\t\t\tPort: 1993\n"
                                  "Postmaster:\n"
                                  "\tAccount: alice\n"
                                  "\tMailbox: Postmaster\n";

static const char good_domains[] = "Domains:\n"
                                   "\texample.org:\n"
                                   "\t\tLocalpartCatchallSeparators:\n"
                                   "\t\t\t- +\n"
                                   "\t\t\t- --\n"
                                   "\tcase.example:\n"
                                   "\t\tLocalpartCaseSensitive: true\n"
                                   "\toff.example:\n"
                                   "\t\tDisabled: true\n"
                                   "\tplain.example: nil\n"
                                   "Accounts:\n"
                                   "\talice:\n"
                                   "\t\tDomain: example.org\n"
                                   "\t\tDestinations:\n"
                                   "\t\t\talice@example.org: nil\n"
                                   "\t\t\tLists@example.org:\n"
                                   "\t\t\t\tMailbox: Lists\n"
                                   "\t\t\tAlice@case.example: nil\n"
                                   "\t\t\talice@off.example: nil\n"
                                   "\t\t\t@plain.example:\n"
                                   "\t\t\t\tMailbox: All\n"
                                   "\tbob:\n"
                                   "\t\tDomain: example.org\n"
                                   "\t\tDestinations:\n"
                                   "\t\t\tbob@example.org: nil\n"
                                   "\t\t\t\"a b\"@example.org: nil\n"
                                   "\t\t\tpostmaster@case.example: nil\n";

#define LETTERS_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LETTERS_257 LETTERS_64 LETTERS_64 LETTERS_64 LETTERS_64 "x"

/* A ruleset in place of the last destination's mailbox, on lines 21 and following. */
#define RULE_LINE "\n\t\t\t\t\t\t"
#define RULES     "Rulesets:\n\t\t\t\t\t-" RULE_LINE

/* A folder config/ with both files and what they name. */
struct fixture {
    struct test_env t;
    char dir[64];
    char path[128]; /* of config/ */
    struct mox_config_errors errors;
    struct mox_config *config;
};

static void put(const struct fixture *f, const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", f->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    test_env_init(&f->t);
    mox_config_errors_init(&f->errors, &f->t.env);
    strcpy(f->dir, "/tmp/mox-config.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->path, sizeof f->path, "%s/config", f->dir);
    assert_int_equal(mkdir(f->path, 0700), 0);
    put(f, "mox.conf", good_static);
    put(f, "domains.conf", good_domains);
    put(f, "cert.pem", "");
    put(f, "key.pem", "");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    mox_config_free(f->config);
    mox_config_errors_free(&f->errors);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", f->dir);
    assert_int_equal(system(command), 0);
    test_env_done(&f->t);
    free(f);
    return 0;
}

static int load(struct fixture *f)
{
    mox_config_free(f->config);
    mox_config_errors_free(&f->errors);
    return mox_config_load(&f->config, &f->t.env, f->path, &f->errors);
}

static void both_files_are_loaded(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load(f), MOX_OK);
    assert_int_equal(f->errors.count, 0);
    const struct mox_config *c = f->config;
    char expected[256], path[256];
    (void)snprintf(expected, sizeof expected, "%s/../data", f->path);
    assert_string_equal(c->data_dir, expected);
    assert_int_equal(c->mox->package_log_levels.items[0].level, MOX_LOG_DEBUG);
    const struct mox_config_listener *l = &c->mox->listeners.items[0];
    assert_string_equal(l->name, "public");
    assert_string_equal(l->ips.items[1], "::");
    assert_true(l->smtp.enabled && l->imaps.enabled && !l->imap.enabled);
    assert_int_equal(l->smtp.port, 25);
    assert_int_equal(l->imaps.port, 1993);
    assert_int_equal(l->submission.port, 587);
    assert_int_equal(l->smtp_max_message_size, 104857600);
    assert_string_equal(mox_config_hostname(c, l), "mx.example.org");
    assert_int_equal(mox_config_path(c, l->tls->key_certs.items[0].key_file, path, sizeof path),
                     MOX_OK);
    (void)snprintf(expected, sizeof expected, "%s/key.pem", f->path);
    assert_string_equal(path, expected);
    assert_string_equal(mox_config_account(c, "bob")->domain, "example.org");
    assert_null(mox_config_account(c, "eve"));
}

static void the_path_may_be_that_of_the_file(void **state)
{
    struct fixture *f = *state;
    char path[256];
    (void)snprintf(path, sizeof path, "%s/mox.conf", f->path);
    assert_int_equal(mox_config_load(&f->config, &f->t.env, path, &f->errors), MOX_OK);
    assert_string_equal(f->config->dir, f->path);
}

static void the_data_directory_is_known_even_when_much_is_wrong(void **state)
{
    struct fixture *f = *state;
    char out[256], expected[256];
    struct mox_error err;
    put(f, "mox.conf", "DataDir: /var/mox\nNonsense: 1\n");
    put(f, "domains.conf", "nonsense");
    assert_int_equal(mox_config_data_dir(&f->t.env, f->path, out, sizeof out, &err), MOX_OK);
    assert_string_equal(out, "/var/mox");
    put(f, "mox.conf", "DataDir: data\n");
    assert_int_equal(mox_config_data_dir(&f->t.env, f->path, out, sizeof out, &err), MOX_OK);
    (void)snprintf(expected, sizeof expected, "%s/data", f->path);
    assert_string_equal(out, expected);
    assert_int_equal(mox_config_data_dir(&f->t.env, f->path, out, 3, &err), MOX_ELIMIT);
    put(f, "mox.conf", "# nothing\n");
    assert_int_equal(mox_config_data_dir(&f->t.env, f->path, out, sizeof out, &err), MOX_ESYNTAX);
    assert_non_null(strstr(err.text, "mox.conf:1: no DataDir"));
}

static void limits_are_those_of_a_server_on_the_internet_unless_set(void **state)
{
    struct fixture *f = *state;
    char text[sizeof good_static + 200];
    assert_int_equal(load(f), MOX_OK);
    const struct mox_config_limits *l = &f->config->mox->limits;
    assert_int_equal(l->open_connections.address, 30);
    assert_int_equal(l->failed_logins_per_day.wide_network, 450);
    assert_int_equal(l->bytes_per_day.wide_network, INT64_C(27000) * 1024 * 1024);
    (void)snprintf(text, sizeof text,
                   "%sLimits:\n\tOpenConnections:\n"
                   "\t\tAddress: 5\n\t\tNetwork: 0\n\t\tWideNetwork: -1\n",
                   good_static);
    put(f, "mox.conf", text);
    assert_int_equal(load(f), MOX_OK);
    l = &f->config->mox->limits;
    assert_int_equal(l->open_connections.address, 5);
    assert_int_equal(l->open_connections.network, 90);
    assert_int_equal(l->open_connections.wide_network, -1);
    assert_int_equal(l->connections_per_minute.address, 300);
}

static void show_level(void *user, const char *pkg, enum mox_log_level level)
{
    char *out = user;
    (void)sprintf(out + strlen(out), "%s=%s ", pkg == NULL ? "" : pkg, mox_log_level_name(level));
}

static void log_levels_reach_the_logger(void **state)
{
    struct fixture *f = *state;
    struct mox_logger *logger;
    char out[200] = "";
    assert_int_equal(load(f), MOX_OK);
    assert_int_equal(mox_logger_new(&logger, STDERR_FILENO), MOX_OK);
    assert_int_equal(mox_config_log_levels(f->config, logger), MOX_OK);
    mox_logger_levels(logger, show_level, out);
    assert_string_equal(out, "=info store=debug ");
    mox_logger_free(logger);
}

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
    assert_int_equal(load(f), MOX_OK);
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
    put(f, "domains.conf", domains);
    assert_int_equal(load(f), MOX_OK);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        assert_int_equal(mox_config_lookup_address(f->config, slice_of(forms[i]),
                                                   MOX_CONFIG_LOGIN, &target), MOX_CONFIG_FOUND);
    put(f, "domains.conf", "Domains:\n\txn--bcher-kva.example: nil\nAccounts: nil\n");
    assert_int_equal(load(f), MOX_ESYNTAX);
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
    assert_int_equal(load(f), MOX_OK);
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
    {"domains.conf", good_domains, "Domains: nil\nAccounts:\n\t- x\n\t- \n", "3",
     "takes \"Key: value\" lines"},
    {"domains.conf", "Domains:\n", "Domains: x\n\ty: z\n", "2", "unexpected indentation"},
};

static void each_mistake_is_reported_with_file_and_line(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        bool is_static = strcmp(mistakes[i].file, "mox.conf") == 0;
        const char *text = is_static ? good_static : good_domains;
        const char *at = strstr(text, mistakes[i].from);
        char changed[4096], start[256];
        assert_non_null(at);
        (void)snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, mistakes[i].to,
                       at + strlen(mistakes[i].from));
        put(f, "mox.conf", is_static ? changed : good_static);
        put(f, "domains.conf", is_static ? good_domains : changed);
        assert_int_equal(load(f), MOX_ESYNTAX);
        (void)snprintf(start, sizeof start, "%s/%s:%s: ", f->path, mistakes[i].file,
                       mistakes[i].line);
        bool found = false;
        for (size_t k = 0; k < f->errors.count; k++)
            found = found || (strncmp(f->errors.texts[k], start, strlen(start)) == 0 &&
                              strstr(f->errors.texts[k], mistakes[i].mention) != NULL);
        if (!found)
            fail_msg("expected %s…%s, got %s", start, mistakes[i].mention, f->errors.texts[0]);
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
    put(f, "mox.conf", text);
    assert_int_equal(load(f), MOX_ESYNTAX);
    assert_int_equal(f->errors.count, 1);
    const char *e = f->errors.texts[0];
    assert_non_null(strstr(e, "mox.conf:5: no TLS"));
    assert_non_null(strstr(e, "SMTP"));
    assert_non_null(strstr(e, "IMAPS"));
    assert_non_null(strstr(e, "IMAP ("));
    assert_null(strstr(e, "Submission"));
}

static void missing_files_are_told(void **state)
{
    struct fixture *f = *state;
    char path[256];
    (void)snprintf(path, sizeof path, "%s/domains.conf", f->path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(load(f), MOX_ENOTFOUND);
    assert_int_equal(f->errors.count, 1);
    assert_non_null(strstr(f->errors.texts[0], "domains.conf: No such file"));
    assert_int_equal(mox_config_load(&f->config, &f->t.env, "/nonexistent/mox.conf", NULL),
                     MOX_ENOTFOUND);
}

static void loading_survives_running_out_of_memory(void **state)
{
    struct fixture *f = *state;
    int rc = MOX_ENOMEM;
    f->t.fail_at = 0;
    for (long fail_at = 1; rc != MOX_OK; fail_at++) {
        f->t.allocations = 0;
        f->t.fail_at = fail_at;
        rc = load(f);
        assert_true(rc == MOX_OK || rc == MOX_ENOMEM || rc == MOX_ELIMIT);
        assert_true(fail_at < 1000);
    }
    f->t.fail_at = 0;
}

static void destinations_without_domain_still_work(void **state)
{
    struct fixture *f = *state;
    put(f, "domains.conf",
        "Domains:\n\texample.org: nil\nAccounts:\n\talice:\n\t\tDomain: example.org\n"
        "\t\tDestinations:\n\t\t\talice: nil\n");
    assert_int_equal(load(f), MOX_OK);
    struct mox_config_target target;
    assert_int_equal(mox_config_lookup_address(f->config, slice_of("alice@example.org"),
                                               MOX_CONFIG_LOGIN, &target), MOX_CONFIG_FOUND);
    assert_non_null(strstr(f->t.log, "destination without domain"));
}

static void limits_that_nobody_set_have_defaults_and_are_not_written(void **state)
{
    struct fixture *f = *state;
    char path[256], text[2000];
    assert_int_equal(load(f), MOX_OK);
    assert_int_equal(f->config->domains->accounts.items[0].max_outgoing_messages_per_day, 1000);
    assert_int_equal(f->config->domains->accounts.items[0].max_first_time_recipients_per_day, 200);
    struct mox_config_account account = {
        .name = "alice", .domain = "example.org", .description = "",
        .max_first_time_recipients_per_day = 3};
    struct mox_config_domains made = *f->config->domains;
    made.accounts.items = &account;
    made.accounts.count = 1;
    (void)snprintf(path, sizeof path, "%s/domains.conf", f->path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mox_config_write_domains(&made, &f->t.env, path, NULL), MOX_OK);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(text, sizeof text, file) != NULL)
        assert_null(strstr(text, "\tMaxOutgoingMessagesPerDay:"));
    assert_int_equal(fclose(file), 0);
    assert_int_equal(load(f), MOX_OK);
    assert_int_equal(f->config->domains->accounts.items[0].max_outgoing_messages_per_day, 1000);
    assert_int_equal(f->config->domains->accounts.items[0].max_first_time_recipients_per_day, 3);
}

/* The whole file with a line added. */
static void put_with(const struct fixture *f, const char *before, const char *line)
{
    char changed[4096];
    const char *at = strstr(good_static, before);
    assert_non_null(at);
    (void)snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - good_static), good_static, line,
                   at);
    put(f, "mox.conf", changed);
}

static void delays_have_defaults_and_can_be_none(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load(f), MOX_OK);
    assert_int_equal(f->config->mox->delays.bad_client_us, 1000000);
    assert_int_equal(f->config->mox->delays.auth_failure_us, 1000000);
    assert_int_equal(f->config->mox->delays.unknown_recipients_us, 5000000);
    assert_int_equal(f->config->mox->listeners.items[0].smtp.first_time_sender_delay_us, 15000000);
    put_with(f, "Postmaster:", "Delays:\n\tBadClient: 0s\n\tAuthFailure: 1.5s\n");
    assert_int_equal(load(f), MOX_OK);
    assert_int_equal(f->config->mox->delays.bad_client_us, 0);
    assert_int_equal(f->config->mox->delays.auth_failure_us, 1500000);
    assert_int_equal(f->config->mox->delays.unknown_recipients_us, 5000000);
    put_with(f, "\t\tIMAPS:", "\t\t\tFirstTimeSenderDelay: 0s\n");
    assert_int_equal(load(f), MOX_OK);
    assert_int_equal(f->config->mox->listeners.items[0].smtp.first_time_sender_delay_us, 0);
}

static void an_account_that_says_nothing_of_junk_has_none_of_it(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load(f), MOX_OK);
    const struct mox_config_account *bob = mox_config_account(f->config, "bob");
    assert_int_equal(bob->subject_pass.period_us, 0);
    assert_string_equal(bob->rejects_mailbox, "");
    assert_string_equal(bob->introbox, "");
    assert_null(bob->junk_filter);
    assert_false(bob->automatic_junk_flags.enabled);
    assert_string_equal(bob->automatic_junk_flags.junk_regexp, "");
    assert_int_equal(bob->quota_message_size, 0);
    assert_false(bob->no_first_time_sender_delay || bob->keep_rejects);
    assert_int_equal(f->config->mox->listeners.items[0].smtp.dnsbls.count, 0);
}

static void a_junk_filter_has_defaults(void **state)
{
    struct fixture *f = *state;
    char text[sizeof good_domains + 200];
    (void)snprintf(text, sizeof text, "%s\t\tJunkFilter: nil\n", good_domains);
    put(f, "domains.conf", text);
    assert_int_equal(load(f), MOX_OK);
    struct mox_config_account made;
    mox_config_account_new_defaults(&made);
    const struct mox_config_junk_filter *filter = mox_config_account(f->config, "bob")->junk_filter;
    const struct mox_junk_params *p = &filter->params, *q = &made.junk_filter->params;
    assert_true(filter->threshold >= 0.95 && filter->threshold <= 0.95);
    assert_int_equal(p->size, sizeof *p);
    assert_true(p->onegrams && !p->twograms && !p->threegrams);
    assert_int_equal(p->top_words, q->top_words);
    assert_int_equal(p->rare_words, q->rare_words);
    assert_true(p->max_power >= q->max_power && p->max_power <= q->max_power);
    assert_true(p->ignore_words >= q->ignore_words && p->ignore_words <= q->ignore_words);
    (void)snprintf(text, sizeof text,
                   "%s\t\tJunkFilter:\n\t\t\tTwograms: true\n\t\t\tIgnoreWords: 0\n", good_domains);
    put(f, "domains.conf", text);
    assert_int_equal(load(f), MOX_OK);
    filter = mox_config_account(f->config, "bob")->junk_filter;
    assert_true(filter->params.twograms && !filter->params.onegrams);
    assert_true(filter->params.ignore_words <= 0);
}

static void what_a_new_account_starts_with_is_written_and_read_back(void **state)
{
    struct fixture *f = *state;
    char path[256];
    struct mox_config_account made;
    mox_config_account_new_defaults(&made);
    made.name = "alice";
    made.domain = "example.org";
    made.introbox = "Introbox";
    struct mox_ruleset_header header = {"^list-id$", "<x\\.example>"};
    struct mox_ruleset rule = {.headers = {&header, 1}, .mailbox = "Lists/X", .comment = "lists"};
    struct mox_config_destination destinations[] = {
        {.address = "@example.org", .smtp_error = "421"},
        {.address = "alice@example.org", .rulesets = {&rule, 1}}};
    made.destinations.items = destinations;
    made.destinations.count = 2;
    assert_int_equal(load(f), MOX_OK);
    struct mox_config_domains domains = *f->config->domains;
    domains.accounts.items = &made;
    domains.accounts.count = 1;
    (void)snprintf(path, sizeof path, "%s/domains.conf", f->path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mox_config_write_domains(&domains, &f->t.env, path, NULL), MOX_OK);
    assert_int_equal(load(f), MOX_OK);
    const struct mox_config_account *alice = mox_config_account(f->config, "alice");
    assert_int_equal(alice->subject_pass.period_us, INT64_C(43200000000));
    assert_string_equal(alice->rejects_mailbox, "Rejects");
    assert_string_equal(alice->introbox, "Introbox");
    assert_true(alice->automatic_junk_flags.enabled);
    assert_string_equal(alice->automatic_junk_flags.junk_regexp, "^(junk|spam)");
    assert_string_equal(alice->automatic_junk_flags.neutral_regexp,
                        "^(inbox|neutral|postmaster|dmarc|tlsrpt|rejects|introbox)");
    assert_string_equal(alice->automatic_junk_flags.notjunk_regexp, "");
    assert_true(alice->junk_filter->params.onegrams);
    assert_int_equal(alice->junk_filter->params.top_words, 10);
    const struct mox_ruleset *r = &alice->destinations.items[1].rulesets.items[0];
    assert_string_equal(alice->destinations.items[0].smtp_error, "421");
    assert_string_equal(r->headers.items[0].name, "^list-id$");
    assert_string_equal(r->headers.items[0].value, "<x\\.example>");
    assert_string_equal(r->mailbox, "Lists/X");
    assert_string_equal(r->comment, "lists");
    assert_string_equal(r->msg_from_regexp, "");
}

static void domains_of_rules_and_zones_are_kept_in_their_normal_form(void **state)
{
    struct fixture *f = *state;
    char text[sizeof good_domains + 400];
    put_with(f, "\t\tIMAPS:", "\t\t\tDNSBLs:\n\t\t\t\t- BL.Example\n\t\t\t\t- b.example\n");
    (void)snprintf(text, sizeof text,
                   "%s\t\t\tcarol@example.org:\n\t\t\t\t" RULES "VerifiedDomain: Sub.Example" RULE_LINE
                   "ListAllowDomain: LISTS.example" RULE_LINE "Mailbox: X\n", good_domains);
    put(f, "domains.conf", text);
    assert_int_equal(load(f), MOX_OK);
    const struct mox_config_strings *zones = &f->config->mox->listeners.items[0].smtp.dnsbls;
    assert_int_equal(zones->count, 2);
    assert_string_equal(zones->items[0], "bl.example");
    assert_string_equal(zones->items[1], "b.example");
    struct mox_config_target to;
    assert_int_equal(mox_config_lookup_address(f->config, slice_of("carol@example.org"),
                                               MOX_CONFIG_RECIPIENT, &to), MOX_CONFIG_FOUND);
    assert_string_equal(to.destination->rulesets.items[0].verified_domain, "sub.example");
    assert_string_equal(to.destination->rulesets.items[0].list_allow_domain, "lists.example");
}

static void a_changed_config_is_written_without_losing_a_comment(void **state)
{
    struct fixture *f = *state;
    static const char before[] = "# Ours.\n"
                                 "Domains:\n"
                                 "\texample.org:\n"
                                 "\t\t# Default, said aloud.\n"
                                 "\t\tDisabled: false\n"
                                 "\n"
                                 "Accounts:\n"
                                 "\t# The boss.\n"
                                 "\talice:\n"
                                 "\t\tDomain: example.org\n"
                                 "\t\tDestinations:\n"
                                 "\t\t\talice@example.org: nil\n"
                                 "# The end.\n";
    static const char after[] = "# Ours.\n"
                                "Domains:\n"
                                "\texample.org:\n"
                                "\t\t# Default, said aloud.\n"
                                "\t\tDisabled: false\n"
                                "\n"
                                "Accounts:\n"
                                "\t# The boss.\n"
                                "\talice:\n"
                                "\t\tDomain: example.org\n"
                                "\t\tDestinations:\n"
                                "\t\t\talice@example.org:\n"
                                "\t\t\t\tMailbox: A\n"
                                "\t\t\tboss@example.org: nil\n"
                                "# The end.\n";
    put(f, "domains.conf", before);
    assert_int_equal(load(f), MOX_OK);
    struct mox_config_destination to[] = {{.address = "alice@example.org", .mailbox = "A"},
                                          {.address = "boss@example.org", .mailbox = ""}};
    struct mox_config_account account = f->config->domains->accounts.items[0];
    account.destinations.items = to;
    account.destinations.count = 2;
    struct mox_config_domains changed = *f->config->domains;
    changed.accounts.items = &account;
    char path[256];
    (void)snprintf(path, sizeof path, "%s/domains.conf", f->path);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(mox_config_write_domains(&changed, &f->t.env, path, NULL), MOX_OK);
    struct mox_slice text = read_file(path);
    assert_string_equal((const char *)text.data, after);
    free((void *)(uintptr_t)text.data);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(load(f), MOX_OK);
}

static void an_update_keeps_what_a_person_changed_meanwhile(void **state)
{
    struct fixture *f = *state;
    static const char edited[] = "Domains:\n"
                                 "\texample.org:\n"
                                 "\t\tDescription: ours # edited\n"
                                 "\tnew.example: nil\n"
                                 "Accounts:\n"
                                 "\talice:\n"
                                 "\t\tDomain: example.org\n"
                                 "\t# by hand\n"
                                 "\tcarol:\n"
                                 "\t\tDomain: new.example\n";
    static const char after[] = "Domains:\n"
                                "\texample.org:\n"
                                "\t\tDescription: ours # edited\n"
                                "\tnew.example: nil\n"
                                "Accounts:\n"
                                "\talice:\n"
                                "\t\tDomain: example.org\n"
                                "\t\tDescription: changed\n"
                                "\t# by hand\n"
                                "\tcarol:\n"
                                "\t\tDomain: new.example\n";
    char path[256];
    (void)snprintf(path, sizeof path, "%s/domains.conf", f->path);
    put(f, "domains.conf", "Domains:\n\texample.org: nil\nAccounts:\n\talice:\n"
                           "\t\tDomain: example.org\n");
    assert_int_equal(load(f), MOX_OK);
    put(f, "domains.conf", edited);
    struct mox_config_account account = f->config->domains->accounts.items[0];
    struct mox_config_domains changed = *f->config->domains;
    account.description = "changed";
    changed.accounts.items = &account;
    assert_int_equal(mox_config_update_domains(f->config->domains, &changed, &f->t.env, path, NULL),
                     MOX_OK);
    struct mox_slice text = read_file(path);
    assert_string_equal((const char *)text.data, after);
    free((void *)(uintptr_t)text.data);
}

static void a_refused_write_leaves_the_file_alone(void **state)
{
    struct fixture *f = *state;
    char path[256];
    struct mox_error err;
    (void)snprintf(path, sizeof path, "%s/domains.conf", f->path);
    assert_int_equal(load(f), MOX_OK);
    struct mox_config_account account = f->config->domains->accounts.items[0];
    struct mox_config_domains changed = *f->config->domains;
    changed.accounts.items = &account;
    changed.accounts.count = 1;
    account.name = "../etc";
    assert_int_equal(mox_config_write_domains(&changed, &f->t.env, path, &err), MOX_EINVAL);
    assert_non_null(strstr(err.text, "account name \"../etc\""));
    account.name = "alice";
    account.description = "a\nb";
    assert_int_equal(mox_config_write_domains(&changed, &f->t.env, path, &err), MOX_EINVAL);
    struct mox_slice text = read_file(path);
    assert_string_equal((const char *)text.data, good_domains);
    free((void *)(uintptr_t)text.data);
    /* what somebody is in the middle of editing is not overwritten */
    put(f, "domains.conf", "Domains\n");
    assert_int_equal(mox_config_write_domains(f->config->domains, &f->t.env, path, &err),
                     MOX_ESYNTAX);
    text = read_file(path);
    assert_string_equal((const char *)text.data, "Domains\n");
    free((void *)(uintptr_t)text.data);
    assert_int_equal(mox_config_write_domains(f->config->domains, &f->t.env, "/nonexistent/x", &err),
                     MOX_ENOTFOUND);
}

static void a_new_file_explains_itself_and_loads(void **state)
{
    struct fixture *f = *state;
    struct mox_config_static mox;
    struct mox_config_listener listener;
    const char *ip = "127.0.0.1";
    char path[256];
    mox_config_static_init(&mox);
    mox_config_listener_init(&listener);
    listener.name = "local";
    listener.ips.items = &ip;
    listener.ips.count = 1;
    listener.imap = (struct mox_config_service){true, 1143, true};
    mox.data_dir = "data";
    mox.hostname = "localhost";
    mox.log_level = MOX_LOG_TRACEAUTH;
    mox.listeners.items = &listener;
    mox.listeners.count = 1;
    mox.postmaster.account = "alice";
    mox.postmaster.mailbox = "Inbox";
    (void)snprintf(path, sizeof path, "%s/mox.conf", f->path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mox_config_write_static(&mox, &f->t.env, path, NULL), MOX_OK);
    struct mox_slice text = read_file(path);
    assert_non_null(strstr((const char *)text.data, "# Full name of this machine"));
    assert_null(strstr((const char *)text.data, "Pedantic"));
    free((void *)(uintptr_t)text.data);
    assert_int_equal(load(f), MOX_OK);
    assert_int_equal(f->config->mox->listeners.items[0].imap.port, 1143);
    assert_int_equal(f->config->mox->listeners.items[0].imaps.port, 993);
}

static void described_files_only_lack_what_is_to_be_filled_in(void **state)
{
    struct fixture *f = *state;
    char *mox, *domains;
    assert_int_equal(mox_config_describe(&mox, &f->t.env, MOX_CONFIG_STATIC), MOX_OK);
    assert_int_equal(mox_config_describe(&domains, &f->t.env, MOX_CONFIG_DOMAINS), MOX_OK);
    put(f, "mox.conf", mox);
    put(f, "domains.conf", domains);
    mox_config_text_free(&f->t.env, mox);
    mox_config_text_free(&f->t.env, domains);
    assert_int_equal(load(f), MOX_ESYNTAX);
    for (size_t i = 0; i < f->errors.count; i++) {
        const char *e = f->errors.texts[i];
        bool unfinished = strstr(e, "empty") != NULL || strstr(e, "\"\"") != NULL ||
                          strstr(e, "exclude each other") != NULL;
        if (!unfinished && strstr(e, "cannot read") == NULL && strstr(e, "IP address") == NULL)
            fail_msg("%s", e);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(both_files_are_loaded),
        TEST(the_path_may_be_that_of_the_file),
        TEST(the_data_directory_is_known_even_when_much_is_wrong),
        TEST(log_levels_reach_the_logger),
        TEST(addresses_are_found_in_their_canonical_form),
        TEST(unicode_names_are_found_in_every_form),
        TEST(overlong_and_odd_addresses_are_not_found),
        TEST(each_mistake_is_reported_with_file_and_line),
        TEST(services_that_need_tls_are_listed_in_one_error),
        TEST(missing_files_are_told),
        TEST(loading_survives_running_out_of_memory),
        TEST(destinations_without_domain_still_work),
        TEST(limits_are_those_of_a_server_on_the_internet_unless_set),
        TEST(limits_that_nobody_set_have_defaults_and_are_not_written),
        TEST(delays_have_defaults_and_can_be_none),
        TEST(an_account_that_says_nothing_of_junk_has_none_of_it),
        TEST(a_junk_filter_has_defaults),
        TEST(what_a_new_account_starts_with_is_written_and_read_back),
        TEST(domains_of_rules_and_zones_are_kept_in_their_normal_form),
        TEST(a_changed_config_is_written_without_losing_a_comment),
        TEST(an_update_keeps_what_a_person_changed_meanwhile),
        TEST(a_refused_write_leaves_the_file_alone),
        TEST(a_new_file_explains_itself_and_loads),
        TEST(described_files_only_lack_what_is_to_be_filled_in),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
