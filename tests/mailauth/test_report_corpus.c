/* SPDX-License-Identifier: MIT */

/* Reports of the corpora: reports.tsv says what each comes to. Where another parser's result is beside one,
 * all of its values are compared with ours; report-differences.tsv names those that differ, and why. */

#include <mox/dmarc_report.h>
#include <mox/tls_report.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/corpora.h"
#include "support/testenv.h"

static bool ends_in(const char *text, const char *end)
{
    size_t len = strlen(text), n = strlen(end);
    return len >= n && strcmp(text + len - n, end) == 0;
}

/* -- reading --------------------------------------------------------------------------------- */

/* The bytes as a mail that is nothing but them; freed with free(). */
static struct mox_slice as_mail(struct mox_slice data)
{
    static const char header[] = "Content-Transfer-Encoding: binary\r\n\r\n";
    size_t len = sizeof header - 1 + data.len;
    char *mail = malloc(len);
    assert_non_null(mail);
    memcpy(mail, header, sizeof header - 1);
    memcpy(mail + sizeof header - 1, data.data, data.len);
    return slice(mail, len);
}

static int read_dmarc(const struct mox_env *env, const char *path, struct mox_dmarc_report **out,
                      struct mox_error *err)
{
    struct mox_slice data = read_file(path), mail = {0};
    int rc;
    if (ends_in(path, ".eml")) {
        rc = mox_dmarc_report_parse_message(out, env, data, err);
    } else if (ends_in(path, ".gz")) {
        mail = as_mail(data);
        rc = mox_dmarc_report_parse_message(out, env, mail, err);
    } else {
        rc = mox_dmarc_report_parse(out, env, data, err);
    }
    free((void *)(uintptr_t)data.data);
    free((void *)(uintptr_t)mail.data);
    return rc;
}

/* How many records or policies the report has, or -1. */
static long count_of(const char *name, const char *path, struct mox_error *err)
{
    struct test_env t;
    struct mox_dmarc_report *dmarc = NULL;
    struct mox_tls_report *tls = NULL;
    long count = -1;
    test_env_init(&t);
    if (strncmp(name, "tlsrpt/", 7) == 0) {
        struct mox_slice data = read_file(path);
        int rc = ends_in(path, ".eml") ? mox_tls_report_parse_message(&tls, &t.env, data, err)
                                       : mox_tls_report_parse(&tls, &t.env, data, err);
        count = rc == MOX_OK ? (long)tls->policy_count : -1;
        free((void *)(uintptr_t)data.data);
    } else if (read_dmarc(&t.env, path, &dmarc, err) == MOX_OK) {
        count = (long)dmarc->record_count;
    }
    mox_tls_report_free(tls);
    mox_dmarc_report_free(dmarc);
    test_env_done(&t);
    return count;
}

static unsigned read_count, refused_count;

static void check_row(char *line)
{
    char *rest = line, path[512];
    const char *name = strsep(&rest, "\t"), *outcome = strsep(&rest, "\t"),
               *n = strsep(&rest, "\t");
    struct mox_error err = {0};
    assert_non_null(n);
    (void)snprintf(path, sizeof path, "reports/%s", name);
    const char *found = corpus_path(path);
    assert_non_null(found);
    (void)snprintf(path, sizeof path, "%s", found);
    long count = count_of(name, path, &err);
    bool refused = strcmp(outcome, "refused") == 0;
    if (refused != (count < 0) || (!refused && count != strtol(n, NULL, 10)))
        fail_msg("%s: %ld, not %s with %s; %s", name, count, outcome, n, err.text);
    *(refused ? &refused_count : &read_count) += 1;
}

static void each_report_comes_to_what_the_table_says(void **state)
{
    (void)state;
    if (corpus_path("reports") == NULL) {
        print_message("no corpora\n");
        skip();
    }
    struct mox_slice table = read_file(tests_path("mailauth/reports.tsv"));
    char *rest = (char *)(uintptr_t)table.data, *line;
    while ((line = strsep(&rest, "\n")) != NULL)
        if (line[0] != '#' && line[0] != '\0')
            check_row(line);
    free((void *)(uintptr_t)table.data);
    print_message("%u reports read, %u refused as the table has it\n", read_count, refused_count);
}

struct coverage {
    struct mox_slice table;
    unsigned files;
};

static void is_in_table(void *user, const char *path, struct mox_slice data)
{
    struct coverage *c = user;
    const char *name = NULL;
    (void)data;
    for (const char *p = path; (p = strstr(p, "/reports/")) != NULL; p++)
        name = p + strlen("/reports/");
    /* Another parser's result. */
    if (ends_in(path, ".json") && strstr(path, "dmarc-aggregate/") != NULL)
        return;
    assert_non_null(name);
    if (memmem(c->table.data, c->table.len, name, strlen(name)) == NULL)
        fail_msg("%s has no row in reports.tsv", name);
    c->files++;
}

static void each_report_is_in_the_table(void **state)
{
    (void)state;
    static const char *const folders[] = {"reports/dmarc-aggregate", "reports/tlsrpt"};
    if (corpus_path("reports") == NULL) {
        print_message("no corpora\n");
        skip();
    }
    struct coverage c = {.table = read_file(tests_path("mailauth/reports.tsv"))};
    for (size_t i = 0; i < 2; i++) {
        char folder[512]; /* corpus_path() has one buffer */
        (void)snprintf(folder, sizeof folder, "%s", corpus_path(folders[i]));
        each_file(folder, is_in_table, &c);
    }
    print_message("%u files\n", c.files);
    free((void *)(uintptr_t)c.table.data);
}

/* -- the other parser's values --------------------------------------------------------------- */

/* Ours, in the shape of theirs. */

static json_t *reasons_of(const struct mox_dmarc_report_record *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->reason_count; i++)
        assert_int_equal(
            json_array_append_new(list, json_pack("{s:s, s:s}", "type_", r->reasons[i].type,
                                                  "comment", r->reasons[i].comment)),
            0);
    return list;
}

static json_t *dkim_of(const struct mox_dmarc_report_record *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->dkim_result_count; i++) {
        const struct mox_dmarc_report_dkim *d = &r->dkim_results[i];
        assert_int_equal(
            json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "domain", d->domain,
                                                  "selector", d->selector, "result", d->result,
                                                  "human_result", d->human_result)),
            0);
    }
    return list;
}

static json_t *spf_of(const struct mox_dmarc_report_record *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->spf_result_count; i++) {
        const struct mox_dmarc_report_spf *d = &r->spf_results[i];
        assert_int_equal(
            json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "domain", d->domain,
                                                  "scope", d->scope, "result", d->result,
                                                  "human_result", d->human_result)),
            0);
    }
    return list;
}

static json_t *records_of(const struct mox_dmarc_report *report)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->record_count; i++) {
        const struct mox_dmarc_report_record *r = &report->records[i];
        json_t *row =
            json_pack("{s:s, s:I, s:{s:s, s:s, s:s, s:o}}", "source_ip", r->source_ip, "count",
                      (json_int_t)r->count, "policy_evaluated", "disposition", r->disposition,
                      "dkim", r->dkim, "spf", r->spf, "reason", reasons_of(r));
        json_t *record = json_pack("{s:o, s:{s:s, s:s, s:s}, s:{s:o, s:o}}", "row", row,
                                   "identifiers", "envelope_to", r->envelope_to, "envelope_from",
                                   r->envelope_from, "header_from", r->header_from, "auth_results",
                                   "dkim", dkim_of(r), "spf", spf_of(r));
        assert_int_equal(json_array_append_new(list, record), 0);
    }
    return list;
}

static json_t *ours_of(const struct mox_dmarc_report *r)
{
    const struct mox_dmarc_report_policy *p = &r->policy;
    json_t *metadata =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:I, s:I}, s:[]}", "org_name", r->org_name, "email",
                  r->email, "extra_contact_info", r->extra_contact_info, "report_id", r->report_id,
                  "generator", r->generator, "date_range", "begin", (json_int_t)r->begin, "end",
                  (json_int_t)r->end, "error");
    json_t *policy =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "domain", p->domain, "adkim",
                  p->adkim, "aspf", p->aspf, "p", p->p, "sp", p->sp, "np", p->np, "fo", p->fo,
                  "testing", p->testing, "discovery_method", p->discovery_method);
    json_t *all = json_pack("{s:s, s:o, s:o, s:o}", "version", r->version, "report_metadata",
                            metadata, "policy_published", policy, "record", records_of(r));
    assert_non_null(all);
    return all;
}

static struct {
    const char *file;       /* that is compared now */
    struct mox_slice table; /* of differences */
    unsigned values, differences;
} compared;

/* Whether the table names it. */
static void differs(const char *path)
{
    char row[300];
    (void)snprintf(row, sizeof row, "%s\t%s\t", compared.file, path);
    if (memmem(compared.table.data, compared.table.len, row, strlen(row)) == NULL)
        fail_msg("%s: %s differs", compared.file, path);
    compared.differences++;
}

/* Their word as reports have it: "TrustedForwarder" is "trusted_forwarder". */
static void word_of(const char *theirs, char out[100])
{
    static const char *const words[][2] = {
        {"Unspecified", ""}, {"Relaxed", "r"}, {"Strict", "s"}, {"MailFrom", "mfrom"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(theirs, words[i][0]) == 0)
            theirs = words[i][1];
    size_t to = 0;
    for (const char *c = theirs; *c != '\0' && to < 97; c++) {
        if (*c >= 'A' && *c <= 'Z' && c > theirs)
            out[to++] = '_';
        out[to++] = (char)to_lower((uint8_t)*c);
    }
    out[to] = '\0';
}

static bool same_value(const json_t *ours, const json_t *theirs)
{
    const char *text = json_is_string(ours) ? json_string_value(ours) : "";
    char word[100];
    switch (json_typeof(theirs)) {
    case JSON_STRING:
        word_of(json_string_value(theirs), word);
        return strcmp(text, json_string_value(theirs)) == 0 || strcmp(text, word) == 0;
    case JSON_INTEGER:
        return json_integer_value(ours) == json_integer_value(theirs);
    case JSON_REAL: /* the version, 0 when there is none */
        return strtof(text, NULL) == (float)json_real_value(theirs);
    case JSON_TRUE:
        return strcmp(text, "y") == 0;
    case JSON_FALSE:
        return strcmp(text, "n") == 0 || text[0] == '\0';
    default:
        return text[0] == '\0';
    }
}

static void compare(const char *path, const json_t *ours, const json_t *theirs)
{
    char below[200];
    const char *key;
    json_t *value;
    size_t i;
    if (json_is_object(theirs)) {
        json_object_foreach((json_t *)(uintptr_t)theirs, key, value)
        {
            (void)snprintf(below, sizeof below, "%s%s%s", path, path[0] == '\0' ? "" : ".", key);
            if (strcmp(key, "extensions") != 0) /* we read none */
                compare(below, json_object_get(ours, key), value);
        }
    } else if (json_is_array(theirs)) {
        assert_int_equal(json_array_size(ours), json_array_size(theirs));
        json_array_foreach(theirs, i, value)
        {
            (void)snprintf(below, sizeof below, "%s.%zu", path, i);
            compare(below, json_array_get(ours, i), value);
        }
    } else {
        compared.values++;
        if (!same_value(ours, theirs))
            differs(path);
    }
}

static void compare_file(const char *name, const char *result)
{
    struct test_env t;
    struct mox_dmarc_report *report;
    struct mox_error err = {0};
    char path[512];
    json_error_t why;
    (void)snprintf(path, sizeof path, "reports/dmarc-aggregate/mail-auth/%s", result);
    json_t *theirs = json_load_file(corpus_path(path), 0, &why);
    assert_non_null(theirs);
    (void)snprintf(path, sizeof path, "reports/dmarc-aggregate/%s", name);
    const char *found = corpus_path(path);
    assert_non_null(found);
    (void)snprintf(path, sizeof path, "%s", found);
    test_env_init(&t);
    if (read_dmarc(&t.env, path, &report, &err) != MOX_OK)
        fail_msg("%s: %s", name, err.text);
    json_t *ours = ours_of(report);
    compared.file = result;
    compare("", ours, theirs);
    json_decref(ours);
    json_decref(theirs);
    mox_dmarc_report_free(report);
    test_env_done(&t);
}

static void values_are_those_of_another_parser(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"mail-auth/001.xml", "001.json"},
        {"mail-auth/003.xml", "003.json"},
        {"parsedmarc/rfc9990-sample.xml", "004.json"}, /* the same report */
        {"mail-auth/005.xml", "005.json"},
        {"mail-auth/100.eml", "100.json"},
        {"mail-auth/102.eml", "102.json"},
        {"mail-auth/104.eml", "104.json"},
    };
    if (corpus_path("reports") == NULL) {
        print_message("no corpora\n");
        skip();
    }
    compared.table = read_file(tests_path("mailauth/report-differences.tsv"));
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        compare_file(pairs[i][0], pairs[i][1]);
    print_message("%u values of %zu reports, %u differ as the table has it\n", compared.values,
                  sizeof pairs / sizeof pairs[0], compared.differences);
    unsigned rows = 0;
    for (size_t i = 0; i < compared.table.len; i++)
        rows += compared.table.data[i] == '\n' && i + 1 < compared.table.len &&
                compared.table.data[i + 1] != '#';
    assert_int_equal(compared.differences, rows); /* a row that no longer holds has to go */
    free((void *)(uintptr_t)compared.table.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_report_comes_to_what_the_table_says),
        cmocka_unit_test(each_report_is_in_the_table),
        cmocka_unit_test(values_are_those_of_another_parser),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
