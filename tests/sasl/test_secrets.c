/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "play.h"
#include "support/cm.h"

/* Nothing that lets somebody log in, or try passwords, is in the log below traceauth: not the password, not
 * the dialogue of a mechanism. */

static const enum mox_log_level levels[] = {MOX_LOG_ERROR,    MOX_LOG_WARN,  MOX_LOG_INFO,
                                            MOX_LOG_DEBUG,    MOX_LOG_TRACE, MOX_LOG_TRACEAUTH,
                                            MOX_LOG_TRACEDATA};

#define EACH(i, array) (size_t i = 0; i < sizeof(array) / sizeof(array)[0]; i++)

static void check(const struct play *p, enum mox_log_level level)
{
    for (size_t i = 0; i < p->hidden_count; i++) {
        if (play_logged(p, p->hidden[i]) != (level >= MOX_LOG_TRACEAUTH))
            fail_msg("%s, level %d:\n%s", p->hidden[i], (int)level, p->t.log);
    }
}

static bool is_in(const struct play *p)
{
    return strncmp(p->answer, p->imap != NULL ? "t OK" : "235", p->imap != NULL ? 4 : 3) == 0;
}

static void play_one(bool imap, enum mox_sasl_mechanism m, enum mox_log_level level, bool right,
                     bool initial, size_t step)
{
    struct play p;
    play_open(&p, imap, level, step);
    play_log_in(&p, m, initial, right ? "secret" : "wrong-guess", right ? "good" : "bad-token");
    bool by_certificate = m == MOX_SASL_EXTERNAL; /* there is none that is wrong */
    assert_int_equal(is_in(&p), right || by_certificate);
    assert_true(p.hidden_count > 0 || by_certificate); /* which says nothing but who it is */
    check(&p, level);
    if (level < MOX_LOG_TRACEAUTH) {
        assert_false(play_logged(&p, "secret"));
        assert_false(play_logged(&p, "wrong-guess"));
        assert_false(play_logged(&p, "bad-token"));
    }
    play_close(&p);
}

/* SCRAM is slow to compute: with the levels, or with the splits, but not with all of both. */
static void no_mechanism_shows_what_it_says(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 2, 3, 7, 64};
    for (unsigned m = 1; m <= MOX_SASL_OAUTHBEARER; m <<= 1)
        for (unsigned n = 0; n < 8; n++) {
            bool imap = (n & 1) != 0, right = (n & 2) != 0, initial = (n & 4) != 0;
            for
                EACH(i, levels)
            play_one(imap, m, levels[i], right, initial, SIZE_MAX / 2);
            for
                EACH(i, steps)
            play_one(imap, m, MOX_LOG_TRACE, right, initial, steps[i]);
        }
}

/* Ways of IMAP's LOGIN; the server may refuse in the middle. */
static const char *const logins[] = {
    "t login u@example.org %s",
    "t LOGIN \"u@example.org\" \"%s\"",
    "t login {13}\r\nu@example.org {6}\r\n%s",
    "t login {13+}\r\nu@example.org {6+}\r\n%s",
    "t login u@example.org {6+}\r\n%s trailing",
    "t login u@example.org %s trailing",
    "t login \"u@example.org\" \"%s",
    "t  login u@example.org %s",
    "t uid login u@example.org %s",
    "t login\r\n%s",
    "t login \"u\" (%s)",
};

static void no_way_to_log_in_to_imap_shows_the_password(void **state)
{
    (void)state;
    for
        EACH(w, logins)
        for
            EACH(i, levels)
        for (size_t step = 1; step < 80; step += step < 12 ? 1 : 17) {
            struct play p;
            char line[256];
            const char *password = step % 2 == 0 ? "secret" : "s3cre7";
            (void)snprintf(line, sizeof line, logins[w], password);
            play_open(&p, true, levels[i], step);
            play_say(&p, "t login u@example.org no-secr3t"); /* from now on lines may be it */
            play_say(&p, line);
            assert_int_equal(play_logged(&p, password), levels[i] >= MOX_LOG_TRACEAUTH);
            play_close(&p);
        }
}

/* A client that does not know that the server has refused, or that it has given up itself. */
static void responses_that_nobody_waits_for_are_not_shown(void **state)
{
    (void)state;
    static const char *const before[][2] = {
        {"AUTH PLAIN", "*"},      {"AUTH NOSUCH", "AUTH CRAM-MD5 x"}, {"AUTH SCRAM-SHA-256", "!!!"},
        {"auth login dQ==", "*"}, {"AUTH", "AUTH PLAIN ="},           {"DATA", "AUTH PLAIN ="},
    };
    static const char *const guesses[] = {"secret", "AUTH PLAIN AHUAc2VjcmV0", "AHUAc2VjcmV0",
                                          "AUTH secret", "AUTH\tPLAIN secret"};
    for
        EACH(b, before)
        for
            EACH(g, guesses)
            for
                EACH(i, levels)
                {
                    struct play p;
                    play_open(&p, false, levels[i], 5);
                    play_say(&p, before[b][0]);
                    play_say(&p, before[b][1]);
                    play_say(&p, guesses[g]);
                    const char *word =
                        strstr(guesses[g], "AHUA") != NULL ? "AHUAc2VjcmV0" : "secret";
                    if (levels[i] < MOX_LOG_TRACEAUTH)
                        assert_false(play_logged(&p, word));
                    if (levels[i] == MOX_LOG_TRACEDATA)
                        assert_true(play_logged(&p, word));
                    play_close(&p);
                }
}

/* Content that comes although DATA was refused is content all the same. */
static void content_that_nobody_asked_for_is_not_shown(void **state)
{
    (void)state;
    for
        EACH(i, levels)
        {
            struct play p;
            play_open(&p, false, levels[i], 9);
            play_say(&p, "DATA");
            play_say(&p, "Subject: what-it-says");
            play_say(&p, "NOOP");
            assert_int_equal(play_logged(&p, "what-it-says"), levels[i] == MOX_LOG_TRACEDATA);
            assert_int_equal(play_logged(&p, "RC: NOOP"), levels[i] >= MOX_LOG_TRACE);
            play_close(&p);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_mechanism_shows_what_it_says),
        cmocka_unit_test(no_way_to_log_in_to_imap_shows_the_password),
        cmocka_unit_test(responses_that_nobody_waits_for_are_not_shown),
        cmocka_unit_test(content_that_nobody_asked_for_is_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
