/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mox/config.h>

#include "base/text.h"
#include "config/configfix.h"
#include "support/cm.h"
#include "support/corpora.h"

/* A ruleset of a destination. */
#define RULE_LINE "\n\t\t\t\t\t\t"
#define RULES     "Rulesets:\n\t\t\t\t\t-" RULE_LINE

static void both_files_are_loaded(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(config_load(f), MOX_OK);
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
    config_put(f, "mox.conf", "DataDir: /var/mox\nNonsense: 1\n");
    config_put(f, "domains.conf", "nonsense");
    assert_int_equal(mox_config_data_dir(&f->t.env, f->path, out, sizeof out, &err), MOX_OK);
    assert_string_equal(out, "/var/mox");
    config_put(f, "mox.conf", "DataDir: data\n");
    assert_int_equal(mox_config_data_dir(&f->t.env, f->path, out, sizeof out, &err), MOX_OK);
    (void)snprintf(expected, sizeof expected, "%s/data", f->path);
    assert_string_equal(out, expected);
    assert_int_equal(mox_config_data_dir(&f->t.env, f->path, out, 3, &err), MOX_ELIMIT);
    config_put(f, "mox.conf", "# nothing\n");
    assert_int_equal(mox_config_data_dir(&f->t.env, f->path, out, sizeof out, &err), MOX_ESYNTAX);
    assert_non_null(strstr(err.text, "mox.conf:1: no DataDir"));
}

static void limits_are_those_of_a_server_on_the_internet_unless_set(void **state)
{
    struct fixture *f = *state;
    char text[CONFIG_TEXT_MAX];
    assert_int_equal(config_load(f), MOX_OK);
    const struct mox_config_limits *l = &f->config->mox->limits;
    assert_int_equal(l->open_connections.address, 30);
    assert_int_equal(l->failed_logins_per_day.wide_network, 450);
    assert_int_equal(l->bytes_per_day.wide_network, INT64_C(27000) * 1024 * 1024);
    (void)snprintf(text, sizeof text,
                   "%sLimits:\n\tOpenConnections:\n"
                   "\t\tAddress: 5\n\t\tNetwork: 0\n\t\tWideNetwork: -1\n",
                   config_good_static);
    config_put(f, "mox.conf", text);
    assert_int_equal(config_load(f), MOX_OK);
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
    assert_int_equal(config_load(f), MOX_OK);
    assert_int_equal(mox_logger_new(&logger, STDERR_FILENO), MOX_OK);
    assert_int_equal(mox_config_log_levels(f->config, logger), MOX_OK);
    mox_logger_levels(logger, show_level, out);
    assert_string_equal(out, "=info store=debug ");
    mox_logger_free(logger);
}

static void missing_files_are_told(void **state)
{
    struct fixture *f = *state;
    char path[256];
    (void)snprintf(path, sizeof path, "%s/domains.conf", f->path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(config_load(f), MOX_ENOTFOUND);
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
        rc = config_load(f);
        assert_true(rc == MOX_OK || rc == MOX_ENOMEM || rc == MOX_ELIMIT);
        assert_true(fail_at < 1000);
    }
    f->t.fail_at = 0;
}

static void limits_that_nobody_set_have_defaults_and_are_not_written(void **state)
{
    struct fixture *f = *state;
    char path[256], text[2000];
    assert_int_equal(config_load(f), MOX_OK);
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
    assert_int_equal(config_load(f), MOX_OK);
    assert_int_equal(f->config->domains->accounts.items[0].max_outgoing_messages_per_day, 1000);
    assert_int_equal(f->config->domains->accounts.items[0].max_first_time_recipients_per_day, 3);
}

static void delays_have_defaults_and_can_be_none(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(config_load(f), MOX_OK);
    assert_int_equal(f->config->mox->delays.bad_client_us, 1000000);
    assert_int_equal(f->config->mox->delays.auth_failure_us, 1000000);
    assert_int_equal(f->config->mox->delays.unknown_recipients_us, 5000000);
    assert_int_equal(f->config->mox->listeners.items[0].smtp.first_time_sender_delay_us, 15000000);
    config_put_with(f, "Postmaster:", "Delays:\n\tBadClient: 0s\n\tAuthFailure: 1.5s\n");
    assert_int_equal(config_load(f), MOX_OK);
    assert_int_equal(f->config->mox->delays.bad_client_us, 0);
    assert_int_equal(f->config->mox->delays.auth_failure_us, 1500000);
    assert_int_equal(f->config->mox->delays.unknown_recipients_us, 5000000);
    config_put_with(f, "\t\tIMAPS:", "\t\t\tFirstTimeSenderDelay: 0s\n");
    assert_int_equal(config_load(f), MOX_OK);
    assert_int_equal(f->config->mox->listeners.items[0].smtp.first_time_sender_delay_us, 0);
}

static void an_account_that_says_nothing_of_junk_has_none_of_it(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(config_load(f), MOX_OK);
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
    char text[CONFIG_TEXT_MAX];
    (void)snprintf(text, sizeof text, "%s\t\tJunkFilter: nil\n", config_good_domains);
    config_put(f, "domains.conf", text);
    assert_int_equal(config_load(f), MOX_OK);
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
                   "%s\t\tJunkFilter:\n\t\t\tTwograms: true\n\t\t\tIgnoreWords: 0\n", config_good_domains);
    config_put(f, "domains.conf", text);
    assert_int_equal(config_load(f), MOX_OK);
    filter = mox_config_account(f->config, "bob")->junk_filter;
    assert_true(filter->params.twograms && !filter->params.onegrams);
    assert_true(filter->params.ignore_words <= 0);
}

static void what_a_new_account_starts_with_is_written_and_read_back(void **state)
{
#ifdef MOX_HAVE_REGEX
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
    assert_int_equal(config_load(f), MOX_OK);
    struct mox_config_domains domains = *f->config->domains;
    domains.accounts.items = &made;
    domains.accounts.count = 1;
    (void)snprintf(path, sizeof path, "%s/domains.conf", f->path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mox_config_write_domains(&domains, &f->t.env, path, NULL), MOX_OK);
    assert_int_equal(config_load(f), MOX_OK);
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
#else
    (void)state;
    skip();
#endif
}

static void domains_of_rules_and_zones_are_kept_in_their_normal_form(void **state)
{
    struct fixture *f = *state;
    char text[CONFIG_TEXT_MAX];
    config_put_with(f, "\t\tIMAPS:", "\t\t\tDNSBLs:\n\t\t\t\t- BL.Example\n\t\t\t\t- b.example\n");
    (void)snprintf(text, sizeof text,
                   "%s\t\t\tcarol@example.org:\n\t\t\t\t" RULES "VerifiedDomain: Sub.Example" RULE_LINE
                   "ListAllowDomain: LISTS.example" RULE_LINE "Mailbox: X\n"
                   "MonitorDNSBLs:\n\t- SEEN.Example\n", config_good_domains);
    config_put(f, "domains.conf", text);
    assert_int_equal(config_load(f), MOX_OK);
    const struct mox_config_strings *zones = &f->config->mox->listeners.items[0].smtp.dnsbls;
    assert_int_equal(zones->count, 2);
    assert_string_equal(zones->items[0], "bl.example");
    assert_string_equal(zones->items[1], "b.example");
    assert_string_equal(f->config->domains->monitor_dnsbls.items[0], "seen.example");
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
    config_put(f, "domains.conf", before);
    assert_int_equal(config_load(f), MOX_OK);
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
    assert_int_equal(config_load(f), MOX_OK);
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
    config_put(f, "domains.conf", "Domains:\n\texample.org: nil\nAccounts:\n\talice:\n"
                           "\t\tDomain: example.org\n");
    assert_int_equal(config_load(f), MOX_OK);
    config_put(f, "domains.conf", edited);
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
    assert_int_equal(config_load(f), MOX_OK);
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
    assert_string_equal((const char *)text.data, config_good_domains);
    free((void *)(uintptr_t)text.data);
    /* what somebody is in the middle of editing is not overwritten */
    config_put(f, "domains.conf", "Domains\n");
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
    assert_int_equal(config_load(f), MOX_OK);
    assert_int_equal(f->config->mox->listeners.items[0].imap.port, 1143);
    assert_int_equal(f->config->mox->listeners.items[0].imaps.port, 993);
}

static void the_example_loads_and_has_what_new_accounts_start_with(void **state)
{
#ifdef MOX_HAVE_REGEX
    struct fixture *f = *state;
    char path[4096];
    struct mox_config_account made;
    (void)snprintf(path, sizeof path, "%s/../examples/domains.conf", getenv("MOX_TESTS"));
    struct mox_slice text = read_file(path);
    config_put(f, "domains.conf", (const char *)text.data);
    free((void *)(uintptr_t)text.data);
    if (config_load(f) != MOX_OK)
        fail_msg("%s", f->errors.texts[0]);
    const struct mox_config_account *alice = mox_config_account(f->config, "alice");
    mox_config_account_new_defaults(&made);
    assert_int_equal(alice->subject_pass.period_us, made.subject_pass.period_us);
    assert_string_equal(alice->rejects_mailbox, made.rejects_mailbox);
    assert_string_equal(alice->automatic_junk_flags.junk_regexp,
                        made.automatic_junk_flags.junk_regexp);
    assert_string_equal(alice->automatic_junk_flags.neutral_regexp,
                        made.automatic_junk_flags.neutral_regexp);
    assert_memory_equal(alice->junk_filter, made.junk_filter, sizeof *made.junk_filter);
#else
    (void)state;
    skip();
#endif
}

static void described_files_only_lack_what_is_to_be_filled_in(void **state)
{
    struct fixture *f = *state;
    char *mox, *domains;
    assert_int_equal(mox_config_describe(&mox, &f->t.env, MOX_CONFIG_STATIC), MOX_OK);
    assert_int_equal(mox_config_describe(&domains, &f->t.env, MOX_CONFIG_DOMAINS), MOX_OK);
    config_put(f, "mox.conf", mox);
    config_put(f, "domains.conf", domains);
    mox_text_free(&f->t.env, mox);
    mox_text_free(&f->t.env, domains);
    assert_int_equal(config_load(f), MOX_ESYNTAX);
    for (size_t i = 0; i < f->errors.count; i++) {
        const char *e = f->errors.texts[i];
        bool unfinished = strstr(e, "empty") != NULL || strstr(e, "\"\"") != NULL ||
                          strstr(e, "exclude each other") != NULL;
        if (!unfinished && strstr(e, "cannot read") == NULL && strstr(e, "IP address") == NULL &&
            strstr(e, "no regular expressions") == NULL)
            fail_msg("%s", e);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, config_setup, config_teardown)
    const struct CMUnitTest tests[] = {
        TEST(both_files_are_loaded),
        TEST(the_path_may_be_that_of_the_file),
        TEST(the_data_directory_is_known_even_when_much_is_wrong),
        TEST(log_levels_reach_the_logger),
        TEST(missing_files_are_told),
        TEST(loading_survives_running_out_of_memory),
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
        TEST(the_example_loads_and_has_what_new_accounts_start_with),
        TEST(described_files_only_lack_what_is_to_be_filled_in),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
