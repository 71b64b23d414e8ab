/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mox/dkim.h>

#include "base/text.h"
#include "server/rig.h"
#include "support/cm.h"

/* Checks of senders by a server that runs, over names that come when a test wants them to. */

/* Goes to a file, and to a worker. */
#define LARGE_LINES 3000

static const char names[] = "x.example\tTXT\tv=spf1 ip4:127.0.0.1 -all\n"
                            "other.example\tTXT\tv=spf1 -all\n"
                            "1.0.0.127.in-addr.arpa\tPTR\thost.x.example\n"
                            "host.x.example\tA\t127.0.0.1\n";

static void a_genuine_sender_may_have_several_recipients(void **state)
{
    struct rig *r = *state;
    start(r, names);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    ask(r, "RCPT TO:<postmaster>\r\n", "250 ");
    ask(r, "RCPT TO:<nobody@localhost>\r\n", "550 5.1.1 "); /* at once: nothing is lost */
    ask(r, "RCPT TO:<mox+tag@localhost>\r\n", "250 ");
    ask(r, "DATA\r\n", "354 ");
    ask(r, "From: a@x.example\r\n\r\nbody\r\n.\r\n", "250 ");
    logged(r, "spf=pass");
    logged(r, "iprev=pass");
    /* It is that of one message. */
    ask(r, "MAIL FROM:<a@other.example>\r\n", "250 ");
    ask(r, "RCPT TO:<mox@localhost>\r\n", "250 ");
    ask(r, "RCPT TO:<postmaster>\r\n", "452 ");
}

static void others_send_to_one_at_a_time(void **state)
{
    struct rig *r = *state;
    start(r, names);
    begin(r, "MAIL FROM:<a@other.example>\r\n");
    ask(r, "RCPT TO:<postmaster>\r\n", "452 4.5.3 ");
    ask(r, "RCPT TO:<nobody@localhost>\r\n", "452 4.5.3 ");
    ask(r, "DATA\r\n", "354 ");
    ask(r, "From: a@other.example\r\n\r\nbody\r\n.\r\n", "451 4.3.0 error processing");
    logged(r, "spf=fail");
    logged(r, "reason=spf-policy");
}

static void a_first_recipient_that_does_not_exist_stays_alone(void **state)
{
    struct rig *r = *state;
    start(r, names);
    dial(r);
    expect(r, "220 ");
    ask(r, "EHLO client.example\r\n", "250 ");
    ask(r, "MAIL FROM:<a@x.example>\r\n", "250 ");
    ask(r, "RCPT TO:<nobody@localhost>\r\n", "250 ");
    ask(r, "RCPT TO:<mox@localhost>\r\n", "452 4.5.3 ");
}

static void names_that_come_late_are_waited_for(void **state)
{
    struct rig *r = *state;
    start(r, names);
    on_loop(r, do_hold);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    say(r, "RCPT TO:<postmaster>\r\nDATA\r\n");
    wait_until_held(r);
    on_loop(r, do_release);
    expect(r, "250 ");
    expect(r, "354 ");
    say(r, "From: a@x.example\r\n\r\nbody\r\n.\r\n");
    wait_until_held(r); /* PTR and DMARC; SPF is known */
    on_loop(r, do_release);
    wait_until_held(r); /* the address of the name */
    on_loop(r, do_release);
    expect(r, "250 2.2.0 ");
    logged(r, "iprev=pass");
}

static void names_that_never_come_count_as_timed_out(void **state)
{
    struct rig *r = *state;
    start(r, names);
    on_loop(r, do_hold);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    ask(r, "DATA\r\n", "354 ");
    say(r, "From: a@x.example\r\n\r\nbody\r\n.\r\n");
    wait_until_held(r);
    on_loop(r, do_run_out);
    expect(r, "451 4.3.0 error processing"); /* a stranger without a name */
    logged(r, "spf=temperror");
    logged(r, "iprev=temperror");
    logged(r, "dmarc=temperror");
    assert_int_equal(r->wanted, 0);
}

static void a_client_that_leaves_is_not_delivered_for(void **state)
{
    struct rig *r = *state;
    start(r, names);
    on_loop(r, do_hold);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    ask(r, "DATA\r\n", "354 ");
    say(r, "From: a@x.example\r\n\r\nbody\r\n.\r\n");
    wait_until_held(r);
    (void)close(r->fd);
    r->fd = 0;
    wait_for_no_session(r);
    assert_true(r->cancelled > 0);
    assert_int_equal(r->wanted, 0);
    assert_null(strstr(r->t.log, "message delivered"));
}

static void a_client_that_leaves_at_a_recipient_is_forgotten(void **state)
{
    struct rig *r = *state;
    start(r, names);
    on_loop(r, do_hold);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    say(r, "RCPT TO:<postmaster>\r\n");
    wait_until_held(r);
    (void)close(r->fd);
    r->fd = 0;
    wait_for_no_session(r);
    assert_int_equal(r->wanted, 0);
}

static void a_stop_makes_a_temporary_failure(void **state)
{
    struct rig *r = *state;
    start(r, names);
    on_loop(r, do_hold);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    ask(r, "DATA\r\n", "354 ");
    say(r, "From: a@x.example\r\n\r\nbody\r\n.\r\n");
    wait_until_held(r);
    mox_server_stop(r->server);
    expect(r, "421 4.3.2 ");
}

/* ---- a signature ---- */

struct signed_text {
    char *text;
    char *zone;
};

static char *text_of_lines(size_t lines)
{
    static const char head[] = "From: a@x.example\r\nSubject: x\r\n\r\n";
    static const char line[] = "A line of a body, to be hashed by whoever reads it.\r\n";
    char *text = malloc(sizeof head + lines * (sizeof line - 1));
    assert_non_null(text);
    memcpy(text, head, sizeof head);
    for (size_t i = 0; i < lines; i++)
        memcpy(text + sizeof head - 1 + i * (sizeof line - 1), line, sizeof line);
    return text;
}

static struct signed_text sign(struct rig *r, size_t lines)
{
    struct signed_text out = {0};
    char *text = text_of_lines(lines), *field, record[1000];
    struct mox_signed_message *message;
    struct mox_dkim_signer signer;
    struct mox_error err;
    mox_dkim_signer_init(&signer);
    assert_int_equal(mox_dkim_key_generate(&signer.key, &r->t.env, MOX_DKIM_ED25519, 0), MOX_OK);
    assert_int_equal(mox_dkim_key_record(signer.key, record, sizeof record), MOX_OK);
    signer.domain = "x.example";
    signer.selector = "s";
    signer.now_us = r->t.env.wall_us(r->t.env.user);
    assert_int_equal(mox_signed_message_new(&message, &r->t.env, slice_of(text)), MOX_OK);
    assert_int_equal(mox_dkim_sign(&field, &r->t.env, message, &signer, &err), MOX_OK);
    assert_true(asprintf(&out.text, "%s%s.\r\n", field, text) > 0);
    assert_true(asprintf(&out.zone, "%ss._domainkey.x.example\tTXT\t%s\n", names, record) > 0);
    mox_text_free(&r->t.env, field);
    mox_signed_message_free(message);
    mox_dkim_key_free(signer.key);
    free(text);
    return out;
}

static void a_client_that_leaves_while_a_worker_computes_is_not_delivered_for(void **state)
{
    struct rig *r = *state;
    char *text = text_of_lines(LARGE_LINES);
    start(r, names);
    on_loop(r, do_hold);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    ask(r, "DATA\r\n", "354 ");
    say(r, text);
    say(r, ".\r\n");
    free(text);
    wait_until_held(r); /* SPF, PTR, DMARC */
    on_loop(r, do_release);
    wait_until_held(r); /* the address of the name; then the worker has it */
    on_loop(r, do_release_and_leave);
    expect(r, "421 4.3.2 ");
    assert_null(strstr(r->t.log, "message delivered"));
}

static void deliver_signed(struct rig *r, size_t lines)
{
    struct signed_text s = sign(r, lines);
    start(r, s.zone);
    begin(r, "MAIL FROM:<a@third.example>\r\n");
    ask(r, "DATA\r\n", "354 ");
    ask(r, s.text, "250 2.2.0 ");
    logged(r, "dkim=pass");
    logged(r, "dkimdomain=x.example");
    free(s.text);
    free(s.zone);
}

static void a_signature_is_verified(void **state)
{
    deliver_signed(*state, 10);
}

static void that_of_a_large_message_too(void **state)
{
    deliver_signed(*state, LARGE_LINES);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_genuine_sender_may_have_several_recipients),
        TEST(others_send_to_one_at_a_time),
        TEST(a_first_recipient_that_does_not_exist_stays_alone),
        TEST(names_that_come_late_are_waited_for),
        TEST(names_that_never_come_count_as_timed_out),
        TEST(a_client_that_leaves_is_not_delivered_for),
        TEST(a_client_that_leaves_at_a_recipient_is_forgotten),
        TEST(a_stop_makes_a_temporary_failure),
        TEST(a_client_that_leaves_while_a_worker_computes_is_not_delivered_for),
        TEST(a_signature_is_verified),
        TEST(that_of_a_large_message_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
