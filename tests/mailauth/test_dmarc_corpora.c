/* SPDX-License-Identifier: MIT */
#include <mox/dmarc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "message/address.h"
#include "support/cm.h"
#include "support/corpora.h"
#include "support/testenv.h"

/* OpenDMARC's tests and the vectors of the public suffix list. Where we say otherwise,
 * dmarc-differences.tsv has what we say and why: file, item, ours, reason. */

#define FIELDS_MAX 4

static struct test_env t;
static char *differences; /* each line that was used begins with a '!' afterwards */

static int set_up(void **state)
{
    (void)state;
    test_env_init(&t);
    differences = (char *)(uintptr_t)read_file(tests_path("mailauth/dmarc-differences.tsv")).data;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(differences);
    test_env_done(&t);
    return 0;
}

/* The line of the table for this, and that what we say stands in it. */
static bool is_a_known_difference(const char *file, const char *item, const char *ours)
{
    char line[512];
    (void)snprintf(line, sizeof line, "\n%s\t%s\t%s\t", file, item, ours);
    char *at = strstr(differences, line);
    if (at != NULL)
        at[1] = '!';
    return at != NULL;
}

static void compare(const char *file, const char *item, const char *want, const char *ours)
{
    if (strcmp(want, ours) != 0 && !is_a_known_difference(file, item, ours))
        fail_msg("%s: %s: want %s, we say %s", file, item, want, ours);
}

static void all_differences_were_used(const char *file)
{
    char line[64];
    (void)snprintf(line, sizeof line, "\n%s\t", file);
    const char *left = strstr(differences, line);
    if (left != NULL)
        fail_msg("no difference any more: %.*s", (int)strcspn(left + 1, "\n"), left + 1);
}

/* Each line of a table, its fields cut apart; # begins a comment. */
static unsigned each_row(const char *file, void (*each)(char *fields[FIELDS_MAX]))
{
    char relative[128];
    unsigned count = 0;
    (void)snprintf(relative, sizeof relative, "dmarc/opendmarc/%s", file);
    const char *path = corpus_path(relative);
    if (path == NULL)
        skip();
    char *text = (char *)(uintptr_t)read_file(path).data;
    for (char *line = text, *next; line != NULL && *line != '\0'; line = next) {
        char *fields[FIELDS_MAX] = {line, NULL, NULL, NULL};
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        for (size_t i = 1; i < FIELDS_MAX && fields[i - 1] != NULL; i++)
            if ((fields[i] = strchr(fields[i - 1], '\t')) != NULL)
                *fields[i]++ = '\0';
        if (line[0] != '#' && fields[1] != NULL) {
            each(fields);
            count++;
        }
    }
    free(text);
    all_differences_were_used(file);
    return count;
}

/* ---- records ---- */

static void judge_record(char *fields[FIELDS_MAX])
{
    struct mox_dmarc_record r;
    struct mox_error err;
    int rc = mox_dmarc_record_parse(&r, slice_of(fields[0]), &err);
    bool fine = strcmp(fields[1], "DMARC_PARSE_OKAY") == 0;
    compare("record-parse.tsv", fields[0], fine ? "good" : "bad", rc == MOX_OK ? "good" : "bad");
}

static void records_are_read(void **state)
{
    (void)state;
    assert_int_equal(each_row("record-parse.tsv", judge_record), 10);
}

/* ---- alignment ---- */

static bool passes(const char *from, const char *domain, bool strict)
{
    char name[MOX_DOMAIN_MAX + 16];
    struct mox_dns_answers *answers = NULL;
    struct mox_dmarc_query q;
    struct mox_dmarc_verdict v;
    const char *record = strict ? "v=DMARC1; p=none; aspf=s" : "v=DMARC1; p=none";
    struct mox_dns_record txt = {.data.txt = slice_of(record)};
    (void)snprintf(name, sizeof name, "_dmarc.%s", from);
    const struct mox_dns_answer own = {
        .question = {name, MOX_DNS_TXT}, .status = MOX_DNS_FOUND, .records = &txt, .count = 1};
    assert_int_equal(mox_dns_answers_new(&answers, &t.env), MOX_OK);
    int rc = mox_dns_put(answers, &own);
    mox_dmarc_query_init(&q);
    q.from_domain = from;
    q.spf = MOX_SPF_PASS;
    q.spf_domain = domain;
    bool pass = rc == MOX_OK && mox_dmarc_check(&q, answers, &v) == MOX_OK &&
                v.status == MOX_DMARC_PASS && v.spf_aligned;
    mox_dns_answers_free(answers);
    return pass;
}

static void judge_alignment(char *fields[FIELDS_MAX])
{
    bool strict = strcmp(fields[2], "strict") == 0;
    compare("alignment.tsv", fields[0], fields[3],
            passes(fields[1], fields[0], strict) ? "yes" : "no");
}

static void names_are_aligned(void **state)
{
    (void)state;
    assert_int_equal(each_row("alignment.tsv", judge_alignment), 5);
}

/* ---- From ---- */

static void judge_from(char *fields[FIELDS_MAX])
{
    static const char *const others[] = {"", "missing", "several", "malformed", "no memory"};
    char headers[512], ours[256];
    struct buf mailbox, host;
    (void)snprintf(headers, sizeof headers, "From: %s\r\n\r\n", fields[0]);
    mox__buf_init(&mailbox, &t.env, 256);
    mox__buf_init(&host, &t.env, 256);
    enum from_status status = mox__address_from(&t.env, slice_of(headers), &mailbox, &host);
    (void)snprintf(ours, sizeof ours, "%.*s%s", status == FROM_ONE ? (int)host.len : 0,
                   host.len > 0 ? (const char *)host.data : "", others[status]);
    mox__buf_free(&host);
    mox__buf_free(&mailbox);
    compare("from-domain.tsv", fields[0], fields[1], ours);
}

static void the_domain_in_from_is_found(void **state)
{
    (void)state;
    assert_int_equal(each_row("from-domain.tsv", judge_from), 7);
}

/* ---- organizational domains ---- */

#ifdef MOX_HAVE_PSL

static void judge_org_domain(char *fields[FIELDS_MAX])
{
    char ours[MOX_DOMAIN_MAX + 1];
    mox_org_domain(NULL, fields[0], ours);
    compare("org-domain.tsv", fields[0], fields[1], ours);
}

static void organizations_are_found(void **state)
{
    (void)state;
    assert_int_equal(each_row("org-domain.tsv", judge_org_domain), 2);
}

/* What is between the next two quotation marks, in ASCII; "null" for the word or for what is no name. */
static char *take_name(char *at, char out[MOX_DOMAIN_MAX + 1])
{
    struct mox_domain domain;
    (void)snprintf(out, MOX_DOMAIN_MAX + 1, "null");
    at += strspn(at, " ,");
    if (*at != '\'')
        return at + strcspn(at, ",)");
    size_t len = strcspn(++at, "'");
    if (mox_domain_parse(&domain, slice(at, len), 0) == MOX_OK)
        (void)snprintf(out, MOX_DOMAIN_MAX + 1, "%s", domain.ascii);
    return at + len + 1;
}

static void suffixes_are_those_of_the_list(void **state)
{
    (void)state;
    static const char call[] = "\ncheckPublicSuffix(";
    const char *path = corpus_path("dmarc/psl/test_psl.txt");
    unsigned count = 0;
    if (path == NULL)
        skip();
    char *text = (char *)(uintptr_t)read_file(path).data;
    for (char *at = text; (at = strstr(at, call)) != NULL; count++) {
        char name[MOX_DOMAIN_MAX + 1], want[MOX_DOMAIN_MAX + 1], ours[MOX_DOMAIN_MAX + 1] = "null";
        at = take_name(at + sizeof call - 1, name);
        at = take_name(at, want);
        if (strcmp(name, "null") != 0 && !mox_is_public_suffix(name))
            mox_org_domain(NULL, name, ours);
        compare("test_psl.txt", name, want, ours);
    }
    free(text);
    all_differences_were_used("test_psl.txt");
    assert_int_equal(count, 39);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read),
        cmocka_unit_test(names_are_aligned),
        cmocka_unit_test(the_domain_in_from_is_found),
#ifdef MOX_HAVE_PSL
        cmocka_unit_test(organizations_are_found),
        cmocka_unit_test(suffixes_are_those_of_the_list),
#endif
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
