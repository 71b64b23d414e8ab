/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mox/explain.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILTER_TEST(a_filter_that_fails_is_told_also_when_no_error_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
