/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "smtp/host.h"
#include "support/cm.h"
#include "support/corpora.h"

/* ---- the servers that transcripts speak to ---- */

static void delivery(struct smtp_host *h)
{
    h->config.starttls = true;
}

static void delivery_without_tls(struct smtp_host *h)
{
    (void)h;
}

static void delivery_only_with_tls(struct smtp_host *h)
{
    h->config.starttls = h->config.tls_required = true;
}

static void small(struct smtp_host *h)
{
    delivery(h);
    h->config.max_message_bytes = 100;
    h->config.max_recipients = 2;
}

static void submission(struct smtp_host *h)
{
    h->config.mode = MOX_SMTP_SUBMISSION;
    h->config.starttls = h->config.tls_required = true;
}

static void submissions(struct smtp_host *h)
{
    submission(h);
    h->peer.tls = true;
    h->peer.tls_info = (struct mox_tls_info){
        .size = sizeof h->peer.tls_info, .version = "TLS1.3", .cipher = "X"};
}

static void patient(struct smtp_host *h)
{
    submissions(h);
    h->config.login_delay_us = 1000000;
}

/* All mechanisms, on a channel that can be bound, without delays. */
static void sasl(struct smtp_host *h)
{
    submissions(h);
    sasl_users_tls(&h->peer.tls_info, false);
    h->config.mechanisms = ~0u;
    h->config.login_delay_us = 0;
}

static void sasl_with_certificate(struct smtp_host *h)
{
    sasl(h);
    sasl_users_tls(&h->peer.tls_info, true);
}

static void sasl_without_tls(struct smtp_host *h)
{
    submission(h);
    h->config.mechanisms = ~0u;
}

static void pedantic(struct smtp_host *h)
{
    submissions(h);
    h->config.pedantic = true;
}

static void holding(struct smtp_host *h)
{
    submissions(h);
    h->config.future_release = h->config.requiretls = true;
}

static void holding_delivery(struct smtp_host *h)
{
    delivery(h);
    h->config.future_release = h->config.requiretls = true;
}

/* ---- one test per transcript ---- */

/* Without Unicode tables SMTPUTF8 is not offered: transcripts that speak of it do not apply. */
static bool applies(const char *name)
{
#ifdef MOX_HAVE_IDN
    (void)name;
    return true;
#else
    char path[128] = "transcripts/";
    struct mox_slice text = read_file(tests_path(strncat(path, name, 100)));
    bool without = strstr((const char *)text.data, "SMTPUTF8") == NULL;
    free((void *)(uintptr_t)text.data);
    return without;
#endif
}

#define TRANSCRIPTS(X)                                                                             \
    X(a_message_is_taken_through_the_callbacks, "message", delivery)                               \
    X(hello_takes_names_and_literals, "hello", delivery)                                           \
    X(commands_have_an_order, "order", delivery)                                                   \
    X(other_protocols_are_cut_off, "first-command", delivery)                                      \
    X(a_tls_handshake_is_no_command, "first-command-tls", delivery)                                \
    X(starttls_does_not_arm_the_first_command_rule, "first-command-starttls", delivery)            \
    X(a_known_verb_disarms_the_first_command_rule, "first-command-known", delivery)                \
    X(bad_commands_are_counted, "bad-commands", delivery)                                          \
    X(a_message_forgives_bad_commands, "bad-commands-after-message", delivery)                     \
    X(parameters_of_mail_are_checked, "mail-params", delivery)                                     \
    X(parameters_have_a_syntax, "mail-params-syntax", delivery)                                    \
    X(paths_are_decoded, "paths", delivery)                                                        \
    X(wrong_paths_are_refused, "paths-bad", delivery)                                              \
    X(more_wrong_paths_are_refused, "paths-bad-more", delivery)                                    \
    X(recipients_have_limits, "rcpt", small)                                                       \
    X(small_commands_check_their_arguments, "small-commands", delivery)                            \
    X(the_first_command_has_30_seconds, "timeout-first", delivery)                                 \
    X(a_command_has_five_minutes, "timeout-command", delivery)                                     \
    X(content_has_three_minutes_per_read, "timeout-data", delivery)                                \
    X(content_has_thirty_minutes_in_all, "timeout-data-total", delivery)                           \
    X(bytes_behind_starttls_are_not_obeyed, "starttls", delivery)                                  \
    X(without_tls_there_is_no_starttls, "starttls-none", delivery_without_tls)                     \
    X(recipients_need_tls_where_it_is_required, "delivery-tls-required", delivery_only_with_tls)   \
    X(submission_needs_tls_and_a_login, "submission-plain", submission)                            \
    X(auth_goes_in_all_its_ways, "auth", submissions)                                              \
    X(junk_instead_of_responses_is_counted, "auth-junk", submissions)                              \
    X(guessing_gets_slower_and_slower, "auth-delay", patient)                                      \
    X(a_login_that_waits_ends_with_the_server, "auth-delay-shutdown", patient)                     \
    X(a_login_that_waits_ends_with_the_client, "auth-delay-eof", patient)                          \
    X(auth_is_answered_later, "auth-later", submissions)                                           \
    X(what_auth_offers_depends_on_tls, "auth-offered", sasl_without_tls)                           \
    X(auth_goes_by_cram_md5, "auth-cram-md5", sasl)                                                \
    X(auth_goes_by_scram_sha_1, "auth-scram-sha-1", sasl)                                          \
    X(auth_goes_by_scram_sha_256, "auth-scram-sha-256", sasl)                                      \
    X(auth_goes_by_scram_sha_1_plus, "auth-scram-sha-1-plus", sasl)                                \
    X(auth_goes_by_scram_sha_256_plus, "auth-scram-sha-256-plus", sasl)                            \
    X(auth_goes_by_token, "auth-oauthbearer", sasl)                                                \
    X(auth_goes_by_certificate, "auth-external", sasl_with_certificate)                            \
    X(a_certificate_stands_for_auth, "auth-certificate", sasl_with_certificate)                    \
    X(records_come_later, "auth-record-later", sasl)                                               \
    X(questions_are_answered_later, "later", delivery)                                             \
    X(failures_of_the_host_become_replies, "host-failures", delivery)                              \
    X(chunks_make_a_message, "bdat", delivery)                                                     \
    X(refused_chunks_are_read, "bdat-failures", small)                                             \
    X(too_large_a_message_is_read_and_refused, "oversize", small)                                  \
    X(too_large_a_message_is_not_read_for_long, "oversize-slow", small)                            \
    X(smuggling_is_refused, "smuggling", delivery)                                                 \
    X(shutdown_waits_for_a_message, "shutdown", delivery)                                          \
    X(shutdown_is_said_at_once_when_idle, "shutdown-idle", delivery)                               \
    X(a_client_that_closes_gets_its_answers, "eof", delivery)                                      \
    X(bad_transactions_are_counted, "bad-transactions", delivery)                                  \
    X(pedantic_refuses_what_is_tolerated, "pedantic", pedantic)                                    \
    X(addresses_are_unicode_with_smtputf8, "smtputf8", delivery)                                   \
    X(messages_can_be_held, "hold", holding)                                                       \
    X(nothing_is_held_where_it_is_not_offered, "hold-not-offered", submissions)                    \
    X(other_servers_hold_their_mail_themselves, "hold-delivery", holding_delivery)

#define DEFINE(test, file, server)                                                                 \
    static void test(void **state)                                                                 \
    {                                                                                              \
        struct smtp_host h;                                                                        \
        (void)state;                                                                               \
        if (!applies("smtp/" file ".txt"))                                                         \
            skip();                                                                                \
        smtp_host_init(&h);                                                                        \
        server(&h);                                                                                \
        smtp_host_play(&h, "smtp/" file ".txt");                                                   \
    }
TRANSCRIPTS(DEFINE)

#define LIST(test, file, server) cmocka_unit_test(test),

int main(void)
{
    const struct CMUnitTest tests[] = {TRANSCRIPTS(LIST)};
    return cmocka_run_group_tests_name("smtp-transcripts", tests, NULL, NULL);
}
