/* SPDX-License-Identifier: MIT */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mox/config.h>
#include <mox/dkim.h>
#include <mox/explain.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/conn_priv.h"
#include "server/rig.h"
#include "server/smtp_session.h"
#include "support/cm.h"

/* What a server for a domain of its own makes of mail: lists of blocked addresses, tokens in subjects, several
 * recipients with several fates, and what their sender is told. */

#define SENDS   "TXT\tv=spf1 ip4:127.0.0.1 -all\n"
#define REVERSE "1.0.0.127.in-addr.arpa\tPTR\tmx.x.example\nmx.x.example\tA\t127.0.0.1\n"
#define HEALTHY "2.0.0.127.bl.example\tA\t127.0.0.2\n"

static const char names[] = "x.example\t" SENDS "ours.example\t" SENDS REVERSE;
static const char listed[] =
    "x.example\t" SENDS REVERSE HEALTHY "_dmarc.x.example\tTXT\tv=DMARC1; p=none\n"
    "1.0.0.127.bl.example\tA\t127.0.0.2\n"; /* so it is not healthy */
static const char blocked[] =
    "x.example\t" SENDS HEALTHY "_dmarc.x.example\tTXT\tv=DMARC1; p=none\n"
    "1.0.0.127.in-addr.arpa\tPTR\tmx.x.example\nmx.x.example\tA\t127.0.0.1\n"
    "9.0.0.127.in-addr.arpa\tPTR\tmx.x.example\n"
    "mx.x.example\tA\t127.0.0.9\nx.example\tA\t127.0.0.9\n"
    "y.example\tTXT\tv=spf1 ip4:127.0.0.9 -all\n"
    "_dmarc.y.example\tTXT\tv=DMARC1; p=none\n"
    "9.0.0.127.bl.example\tA\t127.0.0.4\n"
    "9.0.0.127.bl.example\tTXT\tsends to traps\n";

static const char silent[] =
    "x.example\t" SENDS REVERSE HEALTHY "1.0.0.127.bl.example\tA\t!TIMEOUT\n"
    "1.0.0.127.other.example\tA\t!SERVFAIL\n";

static const char domains[] =
    "Domains:\n\tlocalhost:\n"
    "\t\tDMARC:\n\t\t\tLocalpart: reports\n\t\t\tAccount: mox\n\t\t\tMailbox: Reports\n"
    "\t\tTLSRPT:\n\t\t\tLocalpart: reports\n\t\t\tAccount: mox\n\t\t\tMailbox: Reports\n"
    "\t\tAliases:\n\t\t\tall:\n\t\t\t\tAddresses:\n\t\t\t\t\t- "
    "mox@localhost\n"
    "\t\t\t\t\t- ann@localhost\n\t\t\t\tPostPublic: true\n"
    "\tours.example: nil\n"
    "Accounts:\n"
    "\tmox:\n\t\tDomain: localhost\n\t\tRejectsMailbox: Rejects\n\t\tSubjectPass:\n\t\t\tPeriod: "
    "12h\n"
    "\t\tDestinations:\n\t\t\tbooks@localhost:\n\t\t\t\tRulesets:\n\t\t\t\t\t-\n"
    "\t\t\t\t\t\tVerifiedDomain: b\xc3\xbc"
    "cher.example\n\t\t\t\t\t\tMailbox: Books\n"
    "\t\t\tforwarded@localhost:\n\t\t\t\tRulesets:\n\t\t\t\t\t-\n"
    "\t\t\t\t\t\tSMTPMailFromRegexp: .*\n\t\t\t\t\t\tVerifiedDomain: forwarder.example\n"
    "\t\t\t\t\t\tIsForward: true\n\t\t\t\t\t\tMailbox: Forwarded\n"
    "\t\t\tmox@localhost: nil\n\t\t\tjane@ours.example: "
    "nil\n\t\t\tproved@localhost:\n"
    "\t\t\t\tMessageAuthRequiredSMTPError: prove who you are\n"
    "\tann:\n\t\tDomain: localhost\n\t\tQuotaMessageSize: "
    "100\n\t\tDestinations:\n\t\t\tann@localhost: nil\n";

/* Mail to the postmaster is for ann. */
static void write_postmaster(const struct rig *r)
{
    char path[160], text[8000];
    (void)snprintf(path, sizeof path, "%s/mox.conf", r->p.dir);
    FILE *f = fopen(path, "r+");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    const char *account = strstr(text, "\tAccount: mox");
    assert_non_null(account);
    assert_int_equal(fseek(f, account - text, SEEK_SET), 0);
    assert_true(fputs("\tAccount: ann", f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
    (void)rig_setup(state);
    struct rig *r = *state;
    char path[160];
    struct mox_config_errors errors;
    (void)snprintf(path, sizeof path, "%s/domains.conf", r->p.dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(domains, f) >= 0);
    assert_int_equal(fclose(f), 0);
    write_postmaster(r);
    mox_config_free(r->p.files);
    mox_config_errors_init(&errors, &r->t.env);
    if (mox_config_load(&r->p.files, &r->t.env, r->p.dir, &errors) < 0)
        fail_msg("%s", errors.texts[0]);
    mox_config_errors_free(&errors);
    return 0;
}

/* As if it were written so. */
static void use_lists(struct rig *r, const char **zones, size_t count)
{
    struct mox_config_listener *l = (void *)(uintptr_t)&r->p.files->mox->listeners.items[0];
    l->smtp.dnsbls.items = zones;
    l->smtp.dnsbls.count = count;
}

static void again(struct rig *r, const char *mail)
{
    ask(r, mail, "250 ");
    ask(r, "RCPT TO:<mox@localhost>\r\n", "250 ");
}

/* The reply to who was refused something comes a byte a second: how it begins is enough. */
static void expect_slow(struct rig *r, char first)
{
    char byte;
    assert_int_equal(recv(r->fd, &byte, 1, 0), 1);
    assert_int_equal(byte, first);
}

static void send_data(struct rig *r, const char *message, const char *reply)
{
    ask(r, "DATA\r\n", "354 ");
    ask(r, message, reply);
}

/* Whether a file of the account has the text; nftw() has no argument. */
static const char *wanted_text;

static int look_into(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)ftw;
    if (type != FTW_F)
        return 0;
    char *bytes = malloc((size_t)st->st_size + 1);
    FILE *f = fopen(path, "r");
    assert_true(bytes != NULL && f != NULL);
    size_t n = fread(bytes, 1, (size_t)st->st_size, f);
    bool found = memmem(bytes, n, wanted_text, strlen(wanted_text)) != NULL;
    (void)fclose(f);
    free(bytes);
    return found;
}

static bool account_has(const struct rig *r, const char *text)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/accounts/mox", r->p.files->data_dir);
    wanted_text = text;
    return nftw(path, look_into, 16, FTW_PHYS) == 1;
}

/* ---- block lists ---- */

static void a_list_that_does_not_work_is_passed_over(void **state)
{
    struct rig *r = *state;
    static const char *zones[] = {"bl.example"};
    use_lists(r, zones, 1);
    start(r, listed);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    send_data(r, "From: a@x.example\r\nTo: mox@localhost\r\n\r\nbody\r\n.\r\n", "250 ");
    logged(r, "list does not work");
    logged(r, "reason=no-bad-signals");
    r->watched = "bl.example"; /* once that is known it is not asked for each stranger */
    again(r, "MAIL FROM:<b@x.example>\r\n");
    send_data(r, "From: b@x.example\r\nTo: mox@localhost\r\n\r\nbody\r\n.\r\n", "250 ");
    on_loop(r, do_count);
    assert_int_equal(r->watched_count, 0);
    assert_int_equal(test_env_logged(&r->t, "reason=no-bad-signals"), 2);
}

static void get_in_with_a_token(struct rig *r, const char *from)
{
    static const char *zones[] = {"other.example", "bl.example"};
    char message[400];
    use_lists(r, zones, 2);
    start(r, blocked);
    r->from = "127.0.0.9";
    begin(r, "MAIL FROM:<a@y.example>\r\n");
    (void)snprintf(message, sizeof message,
                   "From: %s\r\nTo: mox@localhost\r\nSubject: x\r\n\r\nbody\r\n.\r\n", from);
    send_data(r, message, "550 5.7.1 ");
    logged(r, "reason=give-subjectpass");
    logged(r, "zone=bl.example explanation=\"sends to traps\"");
    assert_null(strstr(r->heard, "traps"));
    const char *token = strstr(r->heard, "(pass:");
    assert_non_null(token);
    (void)snprintf(message, sizeof message,
                   "From: %s\r\nTo: mox@localhost\r\nSubject: x %.29s\r\n\r\nbody\r\n.\r\n", from,
                   token);
    again(r, "MAIL FROM:<a@y.example>\r\n");
    send_data(r, message, "250 ");
    logged(r, "reason=subjectpass");
}

static void a_listed_stranger_gets_a_token_and_in_with_it(void **state)
{
    get_in_with_a_token(*state, "a@y.example");
}

/* As some mailers write a name: not the best From, and DMARC counts it. */
static void so_does_one_whose_name_has_a_comma_without_quotes(void **state)
{
    get_in_with_a_token(*state, "Doe, Jane <jane@y.example>");
}

static void who_has_no_address_for_a_token_is_refused_without_one(void **state)
{
    struct rig *r = *state;
    static const char *zones[] = {"bl.example"};
    use_lists(r, zones, 1);
    start(r, blocked);
    r->from = "127.0.0.9";
    begin(r, "MAIL FROM:<a@y.example>\r\n");
    send_data(r, "From: <\"\"@y.example>\r\nTo: mox@localhost\r\n\r\nbody\r\n.\r\n",
              "451 4.3.0 error processing");
    logged(r, "reason=dns-blocklisted");
}

static void that_no_list_answers_is_said(void **state)
{
    struct rig *r = *state;
    static const char *zones[] = {"other.example", "bl.example"};
    use_lists(r, zones, 2);
    start(r, silent);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    send_data(r, "From: a@x.example\r\nTo: mox@localhost\r\n\r\nbody\r\n.\r\n", "250 ");
    logged(r, "reason=no-bad-signals");
    assert_true(account_has(r, "dns-blocklisted: no\r\n\tlist answered;"));
}

static void lists_are_not_asked_for_who_has_left(void **state)
{
    struct rig *r = *state;
    static const char *zones[] = {"bl.example"};
    use_lists(r, zones, 1);
    start(r, listed);
    on_loop(r, do_hold);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    ask(r, "DATA\r\n", "354 ");
    say(r, "From: a@x.example\r\nTo: mox@localhost\r\n\r\nbody\r\n.\r\n");
    wait_until_held(r); /* SPF, PTR, DMARC */
    on_loop(r, do_release);
    wait_until_held(r); /* the address of the name; then the accounts are asked */
    on_loop(r, do_release_and_leave);
    expect(r, "421 4.3.2 ");
    on_loop(r, do_count);
    assert_int_equal(r->wanted, 0);
}

/* As if the sender's own names were so many that no more are asked for the message. */
static void do_fill_answers(struct loop_task *t)
{
    struct rig *r = container_of(t, struct rig, task);
    const struct smtp_session *ss = r->server->net->conns->session;
    char name[40];
    int rc = MOX_OK;
    for (unsigned i = 0; rc == MOX_OK; i++) {
        (void)snprintf(name, sizeof name, "n%u.y.example", i);
        const struct mox_dns_answer none = {.question = {name, MOX_DNS_TXT},
                                            .status = MOX_DNS_NXDOMAIN};
        rc = mox_dns_put(ss->answers, &none);
    }
    assert_int_equal(rc, MOX_ELIMIT);
    r->holds = false;
    atomic_store(&r->done, true);
}

static void a_sender_of_many_names_is_looked_for_in_the_lists(void **state)
{
    struct rig *r = *state;
    static const char *zones[] = {"bl.example"};
    use_lists(r, zones, 1);
    start(r, blocked);
    r->from = "127.0.0.9";
    begin(r, "MAIL FROM:<a@y.example>\r\n");
    on_loop(r, do_hold);
    ask(r, "DATA\r\n", "354 ");
    say(r, "From: a@y.example\r\nTo: mox@localhost\r\nSubject: x\r\n\r\nbody\r\n.\r\n");
    wait_until_held(r);
    on_loop(r, do_fill_answers);
    on_loop(r, do_release);
    expect(r, "550 5.7.1 ");
    logged(r, "reason=give-subjectpass");
}

/* ---- several recipients ---- */

static void who_did_not_get_it_is_in_a_message_to_the_sender(void **state)
{
    struct rig *r = *state;
    start(r, names);
    begin(r, "MAIL FROM:<jane@ours.example>\r\n");
    ask(r, "RCPT TO:<proved@localhost>\r\n", "250 ");
    send_data(r,
              "From: a@elsewhere.example\r\nTo: mox@localhost\r\nSubject: two\r\n\r\nbody\r\n.\r\n",
              "250 ");
    logged(r, "reason=msg-auth-required");
    logged(r, "sender told of failed recipients");
    on_loop(r, do_pace);
    assert_int_equal(r->pace, 1); /* one of them was refused what the client sends */
}

static void the_sender_hears_from_the_postmaster_of_the_host(void **state)
{
    struct rig *r = *state;
    start(r, names);
    begin(r, "MAIL FROM:<jane@ours.example>\r\n");
    ask(r, "RCPT TO:<postmaster>\r\n", "250 ");
    send_data(r, "From: a@elsewhere.example\r\nTo: mox@localhost\r\n\r\nbody\r\n.\r\n", "250 ");
    logged(r, "sender told of failed recipients");
    char from[200];
    (void)snprintf(from, sizeof from, "From: Mail delivery <postmaster@%s>\r\n",
                   r->p.files->mox->hostname);
    if (!account_has(r, from))
        fail_msg("no message has %s", from);
}

static void a_client_whose_message_all_accept_is_not_slow(void **state)
{
    struct rig *r = *state;
    start(r, names);
    begin(r, "MAIL FROM:<jane@ours.example>\r\n");
    ask(r, "RCPT TO:<jane@ours.example>\r\n", "250 ");
    send_data(r, "From: a@elsewhere.example\r\n\r\nbody\r\n.\r\n", "250 ");
    on_loop(r, do_pace);
    assert_int_equal(r->pace, 0);
}

static void all_who_refuse_have_their_code_in_the_reply(void **state)
{
    struct rig *r = *state;
    start(r, names);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    ask(r, "RSET\r\n", "250 ");
    ask(r, "MAIL FROM:<a@x.example>\r\n", "250 ");
    ask(r, "RCPT TO:<proved@localhost>\r\n", "250 ");
    ask(r, "RCPT TO:<ann@localhost>\r\n", "250 ");
    send_data(r, "From: a@elsewhere.example\r\n\r\nbody\r\n.\r\n", "554 5.3.0 ");
    logged(r, "the mailbox is full");
    logged(r, "m=\"incoming message rejected\" err=\"prove who you are\"");
    logged(r, "m=\"message not delivered\" err=\"the mailbox is full; try again later\"");
    logged(r, "reason=no-bad-signals"); /* it had been accepted */
}

static void limits_count_each_copy_of_a_message(void **state)
{
    struct rig *r = *state;
    struct mox_config_static *mox = (void *)(uintptr_t)r->p.files->mox;
    mox->limits.messages_per_minute.address = 1;
    r->has_limits = true;
    start(r, names);
    on_loop(r, do_delay); /* none */
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    ask(r, "RCPT TO:<jane@ours.example>\r\n", "250 ");
    ask(r, "DATA\r\n", "354 ");
    say(r, "From: a@x.example\r\n\r\nbody\r\n.\r\n");
    expect_slow(r, '2');
    logged(r, "reason=no-bad-signals mailfrom=a@x.example msgfrom=x.example rcptto=mox@localhost");
    logged(r, "reason=high-rate mailfrom=a@x.example msgfrom=x.example rcptto=jane@ours.example");
}

static void a_list_goes_on_without_the_member_whose_quota_is_used_up(void **state)
{
    struct rig *r = *state;
    start(r, names);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    ask(r, "RSET\r\n", "250 ");
    ask(r, "MAIL FROM:<a@x.example>\r\n", "250 ");
    ask(r, "RCPT TO:<all@localhost>\r\n", "250 ");
    send_data(r, "From: a@x.example\r\n\r\nbody\r\n.\r\n", "250 ");
}

static void a_list_goes_on_without_the_member_whose_account_does_not_open(void **state)
{
    struct rig *r = *state;
    char path[200];
    start(r, names);
    (void)snprintf(path, sizeof path, "%s/accounts/ann", r->p.files->data_dir);
    remove_tree(path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    ask(r, "RSET\r\n", "250 ");
    ask(r, "MAIL FROM:<a@x.example>\r\n", "250 ");
    ask(r, "RCPT TO:<all@localhost>\r\n", "250 ");
    send_data(r, "From: a@x.example\r\n\r\nbody\r\n.\r\n", "250 ");
    logged(r, "message not delivered to a member of the list");
    logged(r, "account=ann");
    logged(r, "message delivered");
}

/* ---- reports ---- */

#ifdef MOX_HAVE_REPORTS
static const char proved[] =
    "x.example\t" SENDS REVERSE "_dmarc.x.example\tTXT\tv=DMARC1; p=none\n";

static void send_to_reports(struct rig *r, const char *message)
{
    ask(r, "MAIL FROM:<a@x.example>\r\n", "250 ");
    ask(r, "RCPT TO:<reports@localhost>\r\n", "250 ");
    ask(r, "DATA\r\n", "354 ");
    say(r, message);
}

static void what_is_no_report_says_so_of_each_kind(void **state)
{
    struct rig *r = *state;
    start(r, names);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    ask(r, "RSET\r\n", "250 ");
    send_to_reports(r, "From: a@x.example\r\n\r\nbody\r\n.\r\n");
    expect(r, "250 ");
    assert_true(account_has(r, "\r\nX-Mox-DMARCReport-Error: DMARC does not prove who sent it\r\n"
                               "X-Mox-TLSReport-Error: no DKIM signature of the domain in From"));
    assert_int_equal(test_env_logged(&r->t, "report received"), 0);
}

static void a_report_is_one_when_it_is_accepted(void **state)
{
    static const char report[] =
        "From: a@x.example\r\nContent-Type: text/xml\r\n\r\n<feedback><report_metadata>"
        "<org_name>X</org_name><report_id>r1</report_id><date_range><begin>1700000000</begin>"
        "<end>1700086399</end></date_range></report_metadata><policy_published><domain>localhost"
        "</domain><p>none</p></policy_published></feedback>\r\n.\r\n";
    struct rig *r = *state;
    struct mox_config_static *mox = (void *)(uintptr_t)r->p.files->mox;
    mox->limits.messages_per_minute.address = 1;
    r->has_limits = true;
    start(r, proved);
    on_loop(r, do_delay); /* none */
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    ask(r, "RSET\r\n", "250 ");
    send_to_reports(r, report);
    expect(r, "250 ");
    logged(r, "m=\"DMARC report received\"");
    logged(r, "domain=localhost org=X reportid=r1 records=0");
    send_to_reports(r, report);
    expect_slow(r, '4');
    logged(r, "reason=high-rate");
    assert_int_equal(test_env_logged(&r->t, "report received"), 1);
}

#endif

/* ---- rules ---- */

/* As a host that neither SPF nor its name proves, only its signature. */
static char *sign(struct rig *r, const char *text, char zone[1500])
{
    struct mox_signed_message *message;
    struct mox_dkim_signer signer;
    struct mox_error err;
    char *field, record[1000], *out;
    mox_dkim_signer_init(&signer);
    assert_int_equal(mox_dkim_key_generate(&signer.key, &r->t.env, MOX_DKIM_ED25519, 0), MOX_OK);
    assert_int_equal(mox_dkim_key_record(signer.key, record, sizeof record), MOX_OK);
    signer.domain = "forwarder.example";
    signer.selector = "s";
    signer.now_us = r->t.env.wall_us(r->t.env.user);
    assert_int_equal(mox_signed_message_new(&message, &r->t.env, slice_of(text)), MOX_OK);
    assert_int_equal(mox_dkim_sign(&field, &r->t.env, message, &signer, &err), MOX_OK);
    assert_true(asprintf(&out, "%s%s.\r\n", field, text) > 0);
    (void)snprintf(zone, 1500, "%ss._domainkey.forwarder.example\tTXT\t%s\n", names, record);
    mox_text_free(&r->t.env, field);
    mox_signed_message_free(message);
    mox_dkim_key_free(signer.key);
    return out;
}

static void a_forward_that_only_a_signature_proves_is_explained_as_one(void **state)
{
    struct rig *r = *state;
    struct mox_account *account;
    struct mox_error err;
    char zone[1500], *out;
    char *text = sign(r, "From: a@x.example\r\nTo: forwarded@localhost\r\n\r\nbody\r\n", zone);
    start(r, zone);
    begin(r, "MAIL FROM:<a@third.example>\r\n");
    ask(r, "RSET\r\n", "250 ");
    ask(r, "MAIL FROM:<a@third.example>\r\n", "250 ");
    ask(r, "RCPT TO:<forwarded@localhost>\r\n", "250 ");
    send_data(r, text, "250 ");
    logged(r, "mailbox=Forwarded");
    assert_int_equal(mox__account_open(r->server, "mox", &account, &err), MOX_OK);
    const struct mox_explain explain = {
        .size = sizeof explain, .config = r->p.files, .account = account};
    if (mox_explain_stored(&out, &r->t.env, &explain, "Forwarded", 1, &err) < 0)
        fail_msg("%s", err.text);
    const char *now = strstr(out, "\nnow:\n");
    assert_non_null(now);
    if (strstr(now, "mailbox: Forwarded\n") == NULL || strstr(now, "forwarder.example") == NULL)
        fail_msg("%s", now);
    mox_text_free(&r->t.env, out);
    mox_account_close(account);
    free(text);
}

#ifdef MOX_HAVE_IDN
/* Its host has no MAIL FROM to be proved, as notices do. */
static void a_rule_knows_a_host_by_its_name_of_any_script(void **state)
{
    struct rig *r = *state;
    start(r, "xn--bcher-kva.example\t" SENDS REVERSE);
    dial(r);
    expect(r, "220 ");
    ask(r, "EHLO xn--bcher-kva.example\r\n", "250 ");
    ask(r, "MAIL FROM:<>\r\n", "250 ");
    ask(r, "RCPT TO:<books@localhost>\r\n", "250 ");
    send_data(r, "From: a@x.example\r\nTo: books@localhost\r\n\r\nbody\r\n.\r\n", "250 ");
    logged(r, "mailbox=Books");
}
#endif

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_list_that_does_not_work_is_passed_over),
        TEST(a_listed_stranger_gets_a_token_and_in_with_it),
        TEST(so_does_one_whose_name_has_a_comma_without_quotes),
        TEST(who_has_no_address_for_a_token_is_refused_without_one),
        TEST(that_no_list_answers_is_said),
        TEST(lists_are_not_asked_for_who_has_left),
        TEST(a_sender_of_many_names_is_looked_for_in_the_lists),
        TEST(who_did_not_get_it_is_in_a_message_to_the_sender),
        TEST(the_sender_hears_from_the_postmaster_of_the_host),
        TEST(a_client_whose_message_all_accept_is_not_slow),
        TEST(all_who_refuse_have_their_code_in_the_reply),
        TEST(limits_count_each_copy_of_a_message),
        TEST(a_list_goes_on_without_the_member_whose_quota_is_used_up),
        TEST(a_list_goes_on_without_the_member_whose_account_does_not_open),
        TEST(a_forward_that_only_a_signature_proves_is_explained_as_one),
#ifdef MOX_HAVE_REPORTS
        TEST(what_is_no_report_says_so_of_each_kind),
        TEST(a_report_is_one_when_it_is_accepted),
#endif
#ifdef MOX_HAVE_IDN
        TEST(a_rule_knows_a_host_by_its_name_of_any_script),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
