/* SPDX-License-Identifier: MIT */

/* Where in a mail a report is found, and how it is unpacked; test_report_dmarc.c and test_report_tls.c
 * read what is in it. */

#include <mox/dmarc_report.h>
#include <mox/tls_report.h>

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "packing.h"
#include "support/cm.h"
#include "support/testenv.h"

static const char xml[] = "<?xml version=\"1.0\"?>\n<feedback><version>1.5</version></feedback>\n";
static const char json[] = "{\"report-id\": \"r7\"}\n";

static struct mox_slice bytes(const struct buf *b)
{
    return slice(b->data, b->len);
}

static void start(struct buf *b, const struct mox_env *env)
{
    mox__buf_init(b, env, SIZE_MAX / 2);
}

/* What parsing a mail for a DMARC report came to. */
static int parse_dmarc(struct test_env *t, struct mox_slice mail, struct mox_error *err)
{
    struct mox_dmarc_report *r;
    *err = (struct mox_error){0};
    int rc = mox_dmarc_report_parse_message(&r, &t->env, mail, err);
    assert_true((rc == MOX_OK) == (r != NULL));
    assert_true(rc == MOX_OK || (err->status == rc && err->text[0] != '\0'));
    if (rc == MOX_OK)
        assert_string_equal(r->version, "1.5");
    mox_dmarc_report_free(r);
    return rc;
}

static int parse_tls(struct test_env *t, struct mox_slice mail, struct mox_error *err)
{
    struct mox_tls_report *r;
    *err = (struct mox_error){0};
    int rc = mox_tls_report_parse_message(&r, &t->env, mail, err);
    assert_true((rc == MOX_OK) == (r != NULL));
    assert_true(rc == MOX_OK || (err->status == rc && err->text[0] != '\0'));
    if (rc == MOX_OK)
        assert_string_equal(r->report_id, "r7");
    mox_tls_report_free(r);
    return rc;
}

/* A part, or a whole message, of these header lines (with their line ends) and bytes in base64. */
static void put_part(struct buf *out, const char *headers, struct mox_slice body)
{
    struct buf text;
    start(&text, out->env);
    mox__base64_encode(&text, body);
    mox__buf_text(out, headers);
    mox__buf_text(out, "Content-Transfer-Encoding: base64\r\n\r\n");
    for (size_t at = 0; at < text.len; at += 76)
        mox__buf_printf(out, "%.*s\r\n", (int)(text.len - at < 76 ? text.len - at : 76),
                        (const char *)text.data + at);
    mox__buf_free(&text);
}

/* A message whose only part is of this type ("": it has none). */
static int dmarc_of(const char *type, struct mox_slice body, const char *why)
{
    struct test_env t;
    struct buf mail;
    struct mox_error err;
    test_env_init(&t);
    start(&mail, &t.env);
    if (type[0] != '\0')
        mox__buf_printf(&mail, "Content-Type: %s\r\n", type);
    put_part(&mail, "Subject: Report\r\n", body);
    int rc = parse_dmarc(&t, bytes(&mail), &err);
    if (strstr(err.text, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
    mox__buf_free(&mail);
    test_env_done(&t);
    return rc;
}

/* Archives of the tests, made once. */
static struct test_env pack_env;
static struct buf gzipped, zipped;

static int make_archives(void **state)
{
    (void)state;
    test_env_init(&pack_env);
    start(&gzipped, &pack_env.env);
    start(&zipped, &pack_env.env);
    pack_gzip(&gzipped, slice_of(xml));
    pack_zip(&zipped, &(struct zip_file){.bytes = slice_of(xml)}, 1, "");
    return 0;
}

static int free_archives(void **state)
{
    (void)state;
    mox__buf_free(&gzipped);
    mox__buf_free(&zipped);
    test_env_done(&pack_env);
    return 0;
}

static void each_usable_type_is_read(void **state)
{
    (void)state;
    static const char *const xml_types[] = {
        "text/xml",
        "Application/XML; charset=utf-8",
        "application/octet-stream; name=x",
        "",
    };
    static const char *const gzip_types[] = {"application/gzip", "application/x-gzip",
                                             "application/octet-stream", ""};
    static const char *const zip_types[] = {"application/zip; name=\"a!b!1!2.zip\"",
                                            "application/octet-stream", ""};
    for (size_t i = 0; i < sizeof xml_types / sizeof xml_types[0]; i++)
        assert_int_equal(dmarc_of(xml_types[i], slice_of(xml), ""), MOX_OK);
    for (size_t i = 0; i < sizeof gzip_types / sizeof gzip_types[0]; i++)
        assert_int_equal(dmarc_of(gzip_types[i], bytes(&gzipped), ""), MOX_OK);
    for (size_t i = 0; i < sizeof zip_types / sizeof zip_types[0]; i++)
        assert_int_equal(dmarc_of(zip_types[i], bytes(&zipped), ""), MOX_OK);
    /* The label says that it is a report; how it is packed its bytes say. */
    assert_int_equal(dmarc_of("application/zip", bytes(&gzipped), ""), MOX_OK);
    assert_int_equal(dmarc_of("application/gzip", slice_of(xml), ""), MOX_OK);
}

static void other_types_are_not_looked_into(void **state)
{
    (void)state;
    static const char *const types[] = {"text/plain", "text/html", "application/json",
                                        "application/tlsrpt+gzip", "message/rfc822"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        assert_int_equal(dmarc_of(types[i], slice_of(xml), "no part"), MOX_ENOTFOUND);
    assert_int_equal(dmarc_of("", slice_of("Dear Sir, <?xml ?>"), "no part"), MOX_ENOTFOUND);
    assert_int_equal(dmarc_of("", slice_of(""), "no part"), MOX_ENOTFOUND);
}

static void an_untyped_part_is_told_by_its_begin(void **state)
{
    (void)state;
    static const char *const begins[] = {
        "<?xml version=\"1.0\"?><feedback><version>1.5</version></feedback>",
        "\xef\xbb\xbf<?xml version=\"1.0\"?><feedback><version>1.5</version></feedback>",
        "\r\n\t <?xml version=\"1.0\"?><feedback><version>1.5</version></feedback>",
        "<feedback><version>1.5</version></feedback>",
    };
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
        assert_int_equal(dmarc_of("", slice_of(begins[i]), ""), MOX_OK);
    char far[600];
    memset(far, ' ', sizeof far);
    memcpy(far + 520, "<feedback/>", 11);
    assert_int_equal(dmarc_of("", slice(far, sizeof far), "no part"), MOX_ENOTFOUND);
}

static void check_mail(const char *text, int want_dmarc, int want_tls)
{
    struct test_env t;
    struct mox_error err;
    test_env_init(&t);
    int rc = parse_dmarc(&t, slice_of(text), &err);
    if (rc != want_dmarc)
        fail_msg("DMARC: %d %s in\n%s", rc, err.text, text);
    rc = parse_tls(&t, slice_of(text), &err);
    if (rc != want_tls)
        fail_msg("TLS: %d %s in\n%s", rc, err.text, text);
    test_env_done(&t);
}

#define XML_PART  "Content-Type: text/xml\n\n<feedback><version>1.5</version></feedback>\n"
#define BAD_PART  "Content-Type: text/xml\n\n<html/>\n"
#define JSON_PART "Content-Type: application/TLSRPT+json\n\n{\"report-id\": \"r7\"} trailing\n"
#define TEXT_PART "Content-Type: text/plain\n\nSee attachment.\n"
#define MIXED     "Content-Type: multipart/mixed; boundary=a\n\n--a\n"
#define REPORT    "Content-Type: multipart/report; report-type=tlsrpt; boundary=a\n\n--a\n"

static void the_first_usable_leaf_counts(void **state)
{
    (void)state;
    check_mail(XML_PART, MOX_OK, MOX_ENOTFOUND);
    check_mail(MIXED TEXT_PART "--a\n" XML_PART "--a\n" BAD_PART "--a--\n", MOX_OK, MOX_ENOTFOUND);
    check_mail(MIXED TEXT_PART "--a\n" BAD_PART "--a\n" XML_PART "--a--\n", MOX_ESYNTAX,
               MOX_ENOTFOUND);
    check_mail(MIXED "Content-Type: multipart/related; boundary=b\n\n--b\n" XML_PART
                     "--b--\n--a--\n",
               MOX_OK, MOX_ENOTFOUND);
    check_mail(MIXED "\nuntyped text\n--a\n\n <?xml version='1.0'?><feedback><version>1.5</version>"
                     "</feedback>\n--a--\n",
               MOX_OK, MOX_ENOTFOUND);
    /* A bounce with a report of ours in it. */
    check_mail("Content-Type: multipart/report; report-type=delivery-status; boundary=a\n\n--a\n"
               "Content-Type: message/rfc822\n\n" XML_PART "--a--\n",
               MOX_ENOTFOUND, MOX_ENOTFOUND);
    check_mail("\n", MOX_ENOTFOUND, MOX_ENOTFOUND);
    check_mail("", MOX_ENOTFOUND, MOX_ENOTFOUND);
}

static void tls_reports_are_whole_messages_or_parts_of_a_report(void **state)
{
    (void)state;
    check_mail(JSON_PART, MOX_ENOTFOUND, MOX_OK);
    check_mail(REPORT TEXT_PART "--a\n" JSON_PART "--a--\n", MOX_ENOTFOUND, MOX_OK);
    check_mail(
        "Content-Type: multipart/report; report-type=\"TLSRPT\"; boundary=a\n\n--a\n" JSON_PART
        "--a--\n",
        MOX_ENOTFOUND, MOX_OK);
    check_mail(MIXED
               "Content-Type: multipart/report; report-type=tlsrpt; boundary=b\n\n--b\n" JSON_PART
               "--b--\n--a--\n",
               MOX_ENOTFOUND, MOX_OK);
    check_mail(MIXED JSON_PART "--a--\n", MOX_ENOTFOUND, MOX_ENOTFOUND);
    check_mail("Content-Type: multipart/related; boundary=a\n\n--a\n" JSON_PART "--a--\n",
               MOX_ENOTFOUND, MOX_ENOTFOUND);
    check_mail(
        "Content-Type: multipart/report; report-type=delivery-status; boundary=a\n\n--a\n" JSON_PART
        "--a--\n",
        MOX_ENOTFOUND, MOX_ESYNTAX);
    check_mail("Content-Type: multipart/report; boundary=a\n\n--a\n" JSON_PART "--a--\n",
               MOX_ENOTFOUND, MOX_ESYNTAX);
    check_mail(REPORT "Content-Type: multipart/mixed; boundary=b\n\n--b\n" JSON_PART
                      "--b--\n--a--\n",
               MOX_ENOTFOUND, MOX_ENOTFOUND);
    check_mail("Content-Type: multipart/report; report-type=delivery-status; boundary=a\n\n--a\n"
               "Content-Type: multipart/mixed; boundary=b\n\n--b\n" JSON_PART "--b--\n--a--\n",
               MOX_ENOTFOUND, MOX_ESYNTAX);
    check_mail("Content-Type: application/json\n\n{\"report-id\": \"r7\"}\n", MOX_ENOTFOUND,
               MOX_ENOTFOUND);
}

static void a_gzipped_tls_report_is_read_and_a_zip_is_not(void **state)
{
    (void)state;
    struct test_env t;
    struct buf packed, mail;
    struct mox_error err;
    for (int zip = 0; zip < 2; zip++) {
        test_env_init(&t);
        start(&packed, &t.env);
        start(&mail, &t.env);
        if (zip)
            pack_zip(&packed, &(struct zip_file){.bytes = slice_of(json)}, 1, "");
        else
            pack_gzip(&packed, slice_of(json));
        put_part(&mail, "Content-Type: application/tlsrpt+gzip\r\n", bytes(&packed));
        assert_int_equal(parse_tls(&t, bytes(&mail), &err), zip ? MOX_ESYNTAX : MOX_OK);
        mox__buf_free(&packed);
        mox__buf_free(&mail);
        test_env_done(&t);
    }
}

static void a_zip_has_exactly_one_file(void **state)
{
    (void)state;
    static const char *const why[] = {"0 files", "", "2 files", "3 files"};
    const struct zip_file files[3] = {
        {.bytes = slice_of(xml)}, {.bytes = slice_of(xml)}, {.bytes = slice_of(xml)}};
    for (size_t n = 0; n < 4; n++) {
        struct buf zip;
        start(&zip, &pack_env.env);
        pack_zip(&zip, files, n, "");
        assert_int_equal(dmarc_of("application/zip", bytes(&zip), why[n]),
                         n == 1 ? MOX_OK : MOX_ESYNTAX);
        mox__buf_free(&zip);
    }
}

static void zips_of_all_kinds(void **state)
{
    (void)state;
    static const struct {
        struct zip_file file;
        const char *comment, *why;
    } rows[] = {
        {{.stored = true}, "", ""},
        {{.flags = 0x808}, "made by x", ""}, /* a descriptor behind the data; a name in UTF-8 */
        {{.stored = false}, "PK\5\6 at the begin of a comment", ""},
        {{.flags = 1}, "", "encrypted"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct zip_file file = rows[i].file;
        struct buf zip;
        file.bytes = slice_of(xml);
        start(&zip, &pack_env.env);
        pack_zip(&zip, &file, 1, rows[i].comment);
        assert_int_equal(dmarc_of("application/zip", bytes(&zip), rows[i].why),
                         rows[i].why[0] == '\0' ? MOX_OK : MOX_ESYNTAX);
        mox__buf_free(&zip);
    }
}

static void archives_cut_anywhere_are_refused(void **state)
{
    (void)state;
    for (size_t n = 1; n < gzipped.len; n++)
        assert_int_equal(dmarc_of("application/gzip", slice(gzipped.data, n), ""), MOX_ESYNTAX);
    for (size_t n = 1; n < zipped.len; n++)
        assert_int_equal(dmarc_of("application/zip", slice(zipped.data, n), ""), MOX_ESYNTAX);
}

/* The flags of headers and names may change without harm; never what the report says. */
static void a_damaged_archive_gives_no_other_report(void **state)
{
    (void)state;
    struct buf *const archives[] = {&gzipped, &zipped};
    for (size_t i = 0; i < 2; i++) {
        unsigned refused = 0;
        for (size_t at = 0; at < archives[i]->len; at++) {
            archives[i]->data[at] ^= 0x21;
            int rc = dmarc_of("application/zip", bytes(archives[i]), "");
            archives[i]->data[at] ^= 0x21;
            refused += rc == MOX_ESYNTAX || rc == MOX_ELIMIT;
            assert_true(rc == MOX_OK || rc == MOX_ESYNTAX || rc == MOX_ELIMIT);
        }
        assert_true(refused > strlen(xml) / 2);
    }
}

static void gzip_members_follow_each_other_and_padding_ends_them(void **state)
{
    (void)state;
    struct buf gz;
    start(&gz, &pack_env.env);
    pack_gzip(&gz, slice(xml, 30));
    pack_gzip(&gz, slice_from(slice_of(xml), 30));
    mox__buf_append(&gz, "\0\0\0\0", 4);
    assert_int_equal(dmarc_of("application/gzip", bytes(&gz), ""), MOX_OK);
    mox__buf_clear(&gz);
    for (int i = 0; i < 101; i++)
        pack_gzip(&gz, slice_of(" "));
    assert_int_equal(dmarc_of("application/gzip", bytes(&gz), "100 members"), MOX_ELIMIT);
    mox__buf_free(&gz);
}

/* 200 MB of spaces, in an archive of 200 KB; and that no more is held than a report may have. */
static void bombs_are_refused_while_they_are_unpacked(void **state)
{
    (void)state;
    struct test_env t;
    struct mox_error err;
    size_t size = 200 * 1024 * 1024;
    uint8_t *spaces = malloc(size);
    assert_non_null(spaces);
    memset(spaces, ' ', size);
    for (int zip = 0; zip < 2; zip++) {
        struct buf packed, mail;
        start(&packed, &pack_env.env);
        start(&mail, &pack_env.env);
        if (zip)
            pack_zip(&packed, &(struct zip_file){.bytes = slice(spaces, size)}, 1, "");
        else
            pack_gzip(&packed, slice(spaces, size));
        assert_true(packed.len < 300 * 1024);
        put_part(&mail, "Content-Type: application/zip\r\n", bytes(&packed));
        test_env_init(&t);
        assert_int_equal(parse_dmarc(&t, bytes(&mail), &err), MOX_ELIMIT);
        assert_non_null(strstr(err.text, "20971520 bytes when unpacked"));
        test_env_done(&t);
        mox__buf_free(&packed);
        mox__buf_free(&mail);
    }
    free(spaces);
}

static void a_message_over_15_mb_is_not_looked_at(void **state)
{
    (void)state;
    struct test_env t;
    struct mox_error err;
    size_t size = MOX_DMARC_REPORT_MESSAGE_MAX;
    char *mail = malloc(size + 1);
    assert_non_null(mail);
    memset(mail, ' ', size + 1);
    memcpy(mail, XML_PART, sizeof XML_PART - 1);
    test_env_init(&t);
    assert_int_equal(parse_dmarc(&t, slice(mail, size), &err), MOX_OK);
    assert_int_equal(parse_dmarc(&t, slice(mail, size + 1), &err), MOX_ELIMIT);
    assert_int_equal(parse_tls(&t, slice(mail, size + 1), &err), MOX_ELIMIT);
    test_env_done(&t);
    free(mail);
}

static void each_failing_allocation_is_said(void **state)
{
    (void)state;
    struct buf mail;
    struct test_env t;
    struct mox_error err;
    for (int zip = 0; zip < 2; zip++) {
        int rc = MOX_ENOMEM;
        start(&mail, &pack_env.env);
        put_part(&mail, "Content-Type: application/zip\r\n", bytes(zip ? &zipped : &gzipped));
        for (long n = 1; rc != MOX_OK; n++) {
            test_env_init(&t);
            t.fail_at = n;
            rc = parse_dmarc(&t, bytes(&mail), &err);
            assert_true(rc == MOX_OK || rc == MOX_ENOMEM);
            assert_true(n < 1000 && (n > 5 || rc == MOX_ENOMEM));
            test_env_done(&t);
        }
        mox__buf_free(&mail);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_usable_type_is_read),
        cmocka_unit_test(other_types_are_not_looked_into),
        cmocka_unit_test(an_untyped_part_is_told_by_its_begin),
        cmocka_unit_test(the_first_usable_leaf_counts),
        cmocka_unit_test(tls_reports_are_whole_messages_or_parts_of_a_report),
        cmocka_unit_test(a_gzipped_tls_report_is_read_and_a_zip_is_not),
        cmocka_unit_test(a_zip_has_exactly_one_file),
        cmocka_unit_test(zips_of_all_kinds),
        cmocka_unit_test(archives_cut_anywhere_are_refused),
        cmocka_unit_test(a_damaged_archive_gives_no_other_report),
        cmocka_unit_test(gzip_members_follow_each_other_and_padding_ends_them),
        cmocka_unit_test(bombs_are_refused_while_they_are_unpacked),
        cmocka_unit_test(a_message_over_15_mb_is_not_looked_at),
        cmocka_unit_test(each_failing_allocation_is_said),
    };
    return cmocka_run_group_tests(tests, make_archives, free_archives);
}
