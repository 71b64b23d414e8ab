/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mox/explain.h>

#include "base/text.h"
#include "store/filterfix.h"
#include "support/cm.h"

/* What is said of a stored message, by an account that nothing but its junk filter is configured for. */

static const struct mox_config_junk_filter filter = {.threshold = 0.95};
static struct mox_config_account accounts[] = {{.name = "mjl", .junk_filter = &filter}};
static const struct mox_config_domains domains = {.accounts = {accounts, 1}};
static const struct mox_config config = {.domains = &domains};

static char *explain(struct storefix *f, uint32_t uid)
{
    const struct mox_explain how = {
        .size = sizeof how, .config = &config, .account = f->account, .json = true};
    char *text = NULL;
    assert_int_equal(mox_explain_stored(&text, &f->t.env, &how, "Inbox", uid, NULL), MOX_OK);
    return text;
}

static void assert_says(struct storefix *f, uint32_t uid, const char *part)
{
    char *text = explain(f, uid);
    if (strstr(text, part) == NULL)
        fail_msg("%s\nis not in\n%s", part, text);
    mox_text_free(&f->t.env, text);
}

static void a_filter_that_fails_is_told_also_when_no_error_is_wanted(void **state)
{
    struct storefix *f = *state;
    char path[128];
    const uint32_t uid = add_marked(f, "Inbox", "Subject: x\r\n", 0);
    junk_path(f, "", path);
    storefix_stop(f);
    (void)unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    storefix_start(f);
    assert_says(f, uid, "\"problem\": \"ask the junk filter of account mjl: ");
    assert_int_equal(rmdir(path), 0);
}

/* A message with a field of the server's. */
static uint32_t add_judged(struct storefix *f, const char *reason)
{
    struct mox_append op = {.mailbox = box_id(f, "Inbox"),
                            .spool = mail_spool(f, "Subject: x\r\n", 20),
                            .prefix = slice_of(reason)};
    assert_int_equal(wait_append(f, &op), MOX_OK);
    mox_spool_free(op.spool);
    return op.uid;
}

static void the_threshold_is_the_one_that_the_message_had(void **state)
{
    struct storefix *f = *state;
    static const struct {
        const char *reason, *threshold, *strict;
    } cases[] = {
        {"", "0.9500", ""},
        {"X-Mox-Reason: msgfromfull; 1 junk\r\n", "0.9500", ""},
        {"X-Mox-Reason: no-bad-signals; nothing; junk-content: probability 0.1,\r\n\tthreshold "
         "0.931;"
         " learnt 9 ham; \"(no\" 0.9\r\n",
         "0.9500", ""},
        {"X-Mox-Reason: junk-content-strict; probability 0.300, threshold\r\n\t0.250 (no\r\n\tTLS);"
         " learnt 60 ham, 60 junk\r\n",
         "0.2500", "no TLS"},
        {"X-Mox-Reason: no-bad-signals; nothing; junk-content-strict: probability\r\n"
         "\t0.100, threshold 0.250 (not\r\n\taddressed); learnt 60 ham, 60 junk\r\n",
         "0.2500", "not addressed"},
        {"X-Mox-Reason: junk-content-strict; probability 0.300, threshold 0.250 (iprev)\r\n",
         "0.2500", "iprev"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char want[200];
        (void)snprintf(want, sizeof want, "\"threshold\": %s,\n      \"strict\": \"%s\",",
                       cases[i].threshold, cases[i].strict);
        assert_says(f, add_judged(f, cases[i].reason), want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILTER_TEST(a_filter_that_fails_is_told_also_when_no_error_is_wanted),
        FILTER_TEST(the_threshold_is_the_one_that_the_message_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
