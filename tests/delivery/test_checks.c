/* SPDX-License-Identifier: MIT */
#include <mox/checks.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/dns_zone.h>

#include "base/buf.h"
#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

/* A message of a sender with everything in order, signed with a key made here. */

#define NOW_US     (INT64_C(1760000000) * 1000000)
#define ROUNDS_MAX 20

static const char message[] = "From: Jane <jane@News.Sender.example>\r\n"
                              "To: <joe@rcpt.example>\r\n"
                              "Subject: hello\r\n"
                              "Date: Thu, 9 Oct 2025 10:00:00 +0000\r\n"
                              "Message-ID: <1@sender.example>\r\n"
                              "\r\n"
                              "Hello Joe.\r\n";

/* SPF needs three rounds: the record, what it includes, and the host in that. */
static const char names[] = "1.2.0.192.in-addr.arpa\tPTR\tmail.sender.example\n"
                            "mail.sender.example\tA\t192.0.2.1\n"
                            "sender.example\tTXT\tv=spf1 include:_spf.sender.example -all\n"
                            "_spf.sender.example\tTXT\tv=spf1 a:out.sender.example -all\n"
                            "out.sender.example\tA\t192.0.2.1\n"
                            "_dmarc.sender.example\tTXT\tv=DMARC1; p=reject\n";

struct fixture {
    struct test_env t;
    struct mox_dns_zone *zone;
    struct mox_dns_answers *answers;
    struct mox_checks *checks;
    const struct mox_checks_verdict *verdict;
    struct mox_checks_query query;
    char *signed_message;
    char zone_text[4096];
    unsigned rounds;
};

static void sign(struct fixture *f, const char *text)
{
    struct mox_dkim_key *key;
    struct mox_signed_message *m;
    struct mox_dkim_signer signer;
    struct mox_error err;
    char record[500], *field;
    assert_int_equal(mox_dkim_key_generate(&key, &f->t.env, MOX_DKIM_ED25519, 0), MOX_OK);
    assert_int_equal(mox_dkim_key_record(key, record, sizeof record), MOX_OK);
    assert_int_equal(mox_signed_message_new(&m, &f->t.env, slice_of(text)), MOX_OK);
    mox_dkim_signer_init(&signer);
    signer.key = key;
    signer.domain = "sender.example";
    signer.selector = "s1";
    signer.now_us = NOW_US;
    assert_int_equal(mox_dkim_sign(&field, &f->t.env, m, &signer, &err), MOX_OK);
    size_t size = strlen(field) + strlen(text) + 1;
    f->signed_message = malloc(size);
    assert_non_null(f->signed_message);
    (void)snprintf(f->signed_message, size, "%s%s", field, text);
    (void)snprintf(f->zone_text, sizeof f->zone_text, "%ss1._domainkey.sender.example\tTXT\t%s\n",
                   names, record);
    mox_text_free(&f->t.env, field);
    mox_signed_message_free(m);
    mox_dkim_key_free(key);
}

static void begin_with(struct fixture *f, const char *text)
{
    memset(f, 0, sizeof *f);
    test_env_init(&f->t);
    sign(f, text);
    mox_checks_query_init(&f->query);
    f->query.ip = "192.0.2.1";
    f->query.helo = "mail.sender.example";
    f->query.mail_from_localpart = "jane";
    f->query.mail_from_domain = "sender.example";
    f->query.authserv_id = "mx.rcpt.example";
    f->query.now_us = NOW_US;
}

static void begin(struct fixture *f)
{
    begin_with(f, message);
}

static void end(struct fixture *f)
{
    mox_checks_free(f->checks);
    mox_dns_answers_free(f->answers);
    mox_dns_zone_free(f->zone);
    free(f->signed_message);
    test_env_done(&f->t);
}

/* Answers a round with the zone. */
static int run_rounds(struct fixture *f, struct mox_slice content)
{
    int rc = mox_dns_answers_new(&f->answers, &f->t.env);
    if (rc == MOX_OK)
        rc = mox_checks_new(&f->checks, &f->t.env, &f->query, content);
    while (rc == MOX_OK && (rc = mox_checks_run(f->checks, f->answers)) == MOX_NEED_DNS) {
        assert_true(++f->rounds < ROUNDS_MAX);
        rc = mox_dns_zone_answer(f->zone, f->answers);
    }
    return rc;
}

static void check(struct fixture *f)
{
    struct mox_error err;
    assert_int_equal(mox_dns_zone_parse(&f->zone, &f->t.env, slice_of(f->zone_text), "names", &err),
                     MOX_OK);
    assert_int_equal(run_rounds(f, slice_of(f->signed_message)), MOX_OK);
    f->verdict = mox_checks_verdict(f->checks);
}

/* Another value for all lines of a name. */
static void replace(struct fixture *f, const char *name, const char *type, const char *value)
{
    char out[sizeof f->zone_text] = "", line[600];
    for (char *p = f->zone_text; *p != '\0'; p += strcspn(p, "\n") + 1)
        if (strncmp(p, name, strlen(name)) != 0 || p[strlen(name)] != '\t')
            strncat(out, p, strcspn(p, "\n") + 1);
    (void)snprintf(line, sizeof line, "%s\t%s\t%s\n", name, type, value);
    strncat(out, line, sizeof out - strlen(out) - 1);
    memcpy(f->zone_text, out, sizeof out);
}

static void everything_passes(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    check(&f);
    const struct mox_checks_verdict *v = f.verdict;
    assert_int_equal(v->iprev->status, MOX_IPREV_PASS);
    assert_string_equal(v->iprev->name, "mail.sender.example");
    assert_int_equal(v->spf->result, MOX_SPF_PASS);
    assert_int_equal(v->dkim_count, 1);
    assert_int_equal(v->dkim[0].status, MOX_DKIM_PASS);
    assert_null(v->dkim_problem);
    assert_int_equal(v->arc->status, MOX_ARC_NONE);
    assert_int_equal(v->dmarc->status, MOX_DMARC_PASS);
    assert_string_equal(v->from_localpart, "jane");
    assert_string_equal(v->from_domain, "news.sender.example");
    assert_string_equal(v->from_org_domain, "sender.example");
    assert_int_equal(v->from, MOX_VALIDATION_DMARC);
    assert_int_equal(v->mail_from, MOX_VALIDATION_PASS);
    assert_int_equal(v->helo, MOX_VALIDATION_UNKNOWN);
    assert_int_equal(v->dkim_domain_count, 1);
    assert_string_equal(v->dkim_domains[0], "sender.example");
    end(&f);
}

/* As many as the longest chain, which is SPF's: iprev's two, DKIM's one and DMARC's are within. */
static void rounds_are_those_of_the_longest_chain(void **state)
{
    (void)state;
    struct fixture f;
    const struct mox_dns_question *wanted;
    begin(&f);
    check(&f);
    assert_int_equal(f.rounds, 3);
    end(&f);

    /* All that does not depend on an answer is asked at once. */
    begin(&f);
    assert_int_equal(mox_dns_answers_new(&f.answers, &f.t.env), MOX_OK);
    assert_int_equal(mox_checks_new(&f.checks, &f.t.env, &f.query, slice_of(f.signed_message)),
                     MOX_OK);
    assert_int_equal(mox_checks_run(f.checks, f.answers), MOX_NEED_DNS);
    assert_int_equal(mox_dns_wanted(f.answers, &wanted), 5);
    end(&f);

    /* Without SPF's chain iprev's is the longest. */
    begin(&f);
    replace(&f, "sender.example", "TXT", "v=spf1 ip4:192.0.2.1 -all");
    check(&f);
    assert_int_equal(f.rounds, 2);
    assert_int_equal(f.verdict->dmarc->status, MOX_DMARC_PASS);
    end(&f);
}

static void headers_tell_it_all(void **state)
{
    (void)state;
    struct fixture f;
    char *results, *spf;
    begin(&f);
    check(&f);
    assert_int_equal(mox_checks_headers(f.checks, &results, &spf), MOX_OK);
    static const char begins[] =
        "Authentication-Results: mx.rcpt.example;\r\n"
        "\tiprev=pass (without dnssec) policy.iprev=192.0.2.1;\r\n"
        "\tdkim=pass (without dnssec) header.d=sender.example header.s=s1\r\n"
        "\theader.a=ed25519-sha256 header.b=";
    static const char ends[] = ";\r\n"
                               "\tspf=pass (without dnssec) smtp.mailfrom=sender.example;\r\n"
                               "\tdmarc=pass (without dnssec) header.from=news.sender.example\r\n";
    assert_memory_equal(results, begins, strlen(begins));
    assert_true(strlen(results) > strlen(ends));
    assert_string_equal(results + strlen(results) - strlen(ends), ends);
    assert_string_equal(spf,
                        "Received-SPF: pass (domain sender.example) client-ip=192.0.2.1;\r\n"
                        "\tenvelope-from=\"jane@sender.example\"; helo=mail.sender.example;\r\n"
                        "\tmechanism=\"include:_spf.sender.example\"; receiver=mx.rcpt.example;\r\n"
                        "\tidentity=mailfrom\r\n");
    mox_text_free(&f.t.env, results);
    mox_text_free(&f.t.env, spf);
    end(&f);
}

static void a_null_path_is_judged_by_helo(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    f.query.mail_from_localpart = f.query.mail_from_domain = "";
    check(&f);
    assert_int_equal(f.verdict->spf->identity, MOX_SPF_IDENTITY_HELO);
    assert_int_equal(f.verdict->helo, MOX_VALIDATION_NONE);
    assert_int_equal(f.verdict->mail_from, MOX_VALIDATION_UNKNOWN);
    end(&f);
}

#ifdef MOX_HAVE_IDN
/* RFC 6531 lets EHLO and our own name have U-labels; the DNS has none. */
static void names_in_unicode(void **state)
{
    (void)state;
    struct fixture f;
    char *results, *spf;
    begin(&f);
    f.query.mail_from_localpart = f.query.mail_from_domain = "";
    f.query.helo = "b\xc3\xbc.example";
    f.query.authserv_id = "m\xc3\xbc.example";
    replace(&f, "xn--b-eha.example", "TXT", "v=spf1 ip4:192.0.2.1 -all");
    check(&f);
    assert_int_equal(f.verdict->helo, MOX_VALIDATION_PASS);
    assert_int_equal(mox_checks_headers(f.checks, &results, &spf), MOX_OK);
    assert_non_null(strstr(results, "Authentication-Results: \"m\xc3\xbc.example\";"));
    assert_non_null(strstr(spf, "helo=xn--b-eha.example;"));
    assert_non_null(strstr(spf, "receiver=xn--m-eha.example;"));
    mox_text_free(&f.t.env, results);
    mox_text_free(&f.t.env, spf);
    end(&f);
}
#endif

/* A failure of each name, of each kind, and what becomes of the check that needs it. */
static void failures_of_the_dns_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *name, *type, *value;
        enum mox_iprev_status iprev;
        enum mox_spf_result spf;
        enum mox_dkim_status dkim;
        enum mox_dmarc_status dmarc;
    } cases[] = {
        {"1.2.0.192.in-addr.arpa", "PTR", "!NXDOMAIN", MOX_IPREV_PERMERROR, MOX_SPF_PASS,
         MOX_DKIM_PASS, MOX_DMARC_PASS},
        {"1.2.0.192.in-addr.arpa", "PTR", "!TIMEOUT", MOX_IPREV_TEMPERROR, MOX_SPF_PASS,
         MOX_DKIM_PASS, MOX_DMARC_PASS},
        {"1.2.0.192.in-addr.arpa", "PTR", "other.example", MOX_IPREV_FAIL, MOX_SPF_PASS,
         MOX_DKIM_PASS, MOX_DMARC_PASS},
        {"sender.example", "TXT", "!SERVFAIL", MOX_IPREV_PASS, MOX_SPF_TEMPERROR, MOX_DKIM_PASS,
         MOX_DMARC_PASS},
        {"sender.example", "TXT", "!NXDOMAIN", MOX_IPREV_PASS, MOX_SPF_NONE, MOX_DKIM_PASS,
         MOX_DMARC_PASS},
        {"_spf.sender.example", "TXT", "!BOGUS", MOX_IPREV_PASS, MOX_SPF_TEMPERROR, MOX_DKIM_PASS,
         MOX_DMARC_PASS},
        {"_spf.sender.example", "TXT", "!NODATA", MOX_IPREV_PASS, MOX_SPF_PERMERROR, MOX_DKIM_PASS,
         MOX_DMARC_PASS},
        {"s1._domainkey.sender.example", "TXT", "!TIMEOUT", MOX_IPREV_PASS, MOX_SPF_PASS,
         MOX_DKIM_TEMPERROR, MOX_DMARC_PASS},
        {"s1._domainkey.sender.example", "TXT", "!NODATA", MOX_IPREV_PASS, MOX_SPF_PASS,
         MOX_DKIM_PERMERROR, MOX_DMARC_PASS},
        {"_dmarc.sender.example", "TXT", "!SERVFAIL", MOX_IPREV_PASS, MOX_SPF_PASS, MOX_DKIM_PASS,
         MOX_DMARC_TEMPERROR},
        {"_dmarc.sender.example", "TXT", "!NXDOMAIN", MOX_IPREV_PASS, MOX_SPF_PASS, MOX_DKIM_PASS,
         MOX_DMARC_NONE},
        {"_dmarc.sender.example", "TXT", "v=DMARC1; p=what", MOX_IPREV_PASS, MOX_SPF_PASS,
         MOX_DKIM_PASS, MOX_DMARC_PERMERROR},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        begin(&f);
        replace(&f, cases[i].name, cases[i].type, cases[i].value);
        check(&f);
        assert_int_equal(f.verdict->iprev->status, cases[i].iprev);
        assert_int_equal(f.verdict->spf->result, cases[i].spf);
        assert_int_equal(f.verdict->dkim[0].status, cases[i].dkim);
        assert_int_equal(f.verdict->dmarc->status, cases[i].dmarc);
        end(&f);
    }
}

/* A forged sender: nothing proves the domain in From, and its owner wants it refused. */
static void a_forged_sender(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    replace(&f, "sender.example", "TXT", "v=spf1 -all");
    memcpy(strstr(f.signed_message, "Hello Joe"), "Hello Jim", 9);
    check(&f);
    assert_int_equal(f.verdict->spf->result, MOX_SPF_FAIL);
    assert_int_equal(f.verdict->dkim[0].status, MOX_DKIM_FAIL);
    assert_int_equal(f.verdict->dmarc->status, MOX_DMARC_FAIL);
    assert_int_equal(f.verdict->dmarc->disposition, MOX_DMARC_POLICY_REJECT);
    assert_int_equal(f.verdict->from, MOX_VALIDATION_NONE);
    assert_int_equal(f.verdict->mail_from, MOX_VALIDATION_FAIL);
    assert_int_equal(f.verdict->dkim_domain_count, 0);
    end(&f);
}

/* RFC 7489 §6.6.4; and the header says why nothing is done. */
static void a_forged_sender_that_is_spared(void **state)
{
    (void)state;
    for (unsigned draw = 9; draw <= 10; draw++) {
        struct fixture f;
        char *results, *spf;
        begin(&f);
        f.query.ip = "192.0.2.9";
        f.query.draw = draw;
        replace(&f, "_dmarc.sender.example", "TXT", "v=DMARC1; p=reject; pct=10");
        memcpy(strstr(f.signed_message, "Hello Joe"), "Hello Jim", 9);
        check(&f);
        assert_int_equal(f.verdict->dmarc->status, MOX_DMARC_FAIL);
        assert_int_equal(f.verdict->dmarc->disposition,
                         draw < 10 ? MOX_DMARC_POLICY_REJECT : MOX_DMARC_POLICY_NONE);
        assert_int_equal(mox_checks_headers(f.checks, &results, &spf), MOX_OK);
        assert_int_equal(strstr(results, "override sampled_out") != NULL, draw == 10);
        mox_text_free(&f.t.env, results);
        mox_text_free(&f.t.env, spf);
        end(&f);
    }
}

/* A localpart that nobody has does not spare its domain's policy. */
static void a_sender_without_a_name_is_judged_by_its_domain(void **state)
{
    (void)state;
    static char nul[] = "a\0b", longer[20000];
    memset(longer, 'x', sizeof longer);
    const struct mox_slice locals[] = {slice("", 0), slice(nul, 3), slice(longer, 1200),
                                       slice(longer, sizeof longer)};
    for (size_t i = 0; i < sizeof locals / sizeof locals[0]; i++) {
        struct fixture f;
        struct buf text;
        struct mox_error err;
        begin(&f);
        f.query.ip = "192.0.2.9";
        mox__buf_init(&text, &f.t.env, 30000);
        mox__buf_text(&text, "From: \"Bank\" <\"");
        mox__buf_append(&text, locals[i].data, locals[i].len);
        mox__buf_text(&text, "\"@sender.example>\r\n\r\nbody\r\n");
        assert_false(text.failed);
        assert_int_equal(
            mox_dns_zone_parse(&f.zone, &f.t.env, slice_of(f.zone_text), "names", &err), MOX_OK);
        assert_int_equal(run_rounds(&f, slice(text.data, text.len)), MOX_OK);
        f.verdict = mox_checks_verdict(f.checks);
        assert_string_equal(f.verdict->from_localpart, "");
        assert_string_equal(f.verdict->from_domain, "sender.example");
        assert_int_equal(f.verdict->from, MOX_VALIDATION_NONE);
        assert_int_equal(f.verdict->dmarc->disposition, MOX_DMARC_POLICY_REJECT);
        mox__buf_free(&text);
        end(&f);
    }
}

static void how_near_the_domain_is(void **state)
{
    (void)state;
    struct fixture f;
    begin_with(&f, "From: a@sender.example\r\nSubject: s\r\n\r\nb\r\n");
    check(&f);
    assert_int_equal(f.verdict->from, MOX_VALIDATION_STRICT);
    end(&f);
    begin(&f);
    replace(&f, "_dmarc.sender.example", "TXT", "!NXDOMAIN");
    check(&f);
    assert_int_equal(f.verdict->from, MOX_VALIDATION_RELAXED);
    end(&f);
    /* SPF alone. */
    begin(&f);
    replace(&f, "s1._domainkey.sender.example", "TXT", "!NXDOMAIN");
    check(&f);
    assert_int_equal(f.verdict->from, MOX_VALIDATION_DMARC);
    end(&f);
    /* SPF proves more than the signature. */
    begin(&f);
    f.query.mail_from_domain = "news.sender.example";
    replace(&f, "news.sender.example", "TXT", "v=spf1 ip4:192.0.2.1 -all");
    check(&f);
    assert_int_equal(f.verdict->from, MOX_VALIDATION_STRICT);
    end(&f);
    begin(&f);
    f.query.mail_from_domain = "elsewhere.example";
    replace(&f, "s1._domainkey.sender.example", "TXT", "!NXDOMAIN");
    check(&f);
    assert_int_equal(f.verdict->from, MOX_VALIDATION_NONE);
    end(&f);
}

/* Who is asked about, for From fields of all kinds. */
static void who_it_says_it_is_from(void **state)
{
    (void)state;
    static const struct {
        const char *header, *localpart, *domain;
    } cases[] = {
        {"From: a@b.example\r\n", "a", "b.example"},
        {"from : =?utf-8?q?x?= <\"a b\"@B.Example.>\r\n", "a b", "b.example"},
        {"From: \r\n a@b.example\r\n", "a", "b.example"},
        {"From: Doe, Jane <a@b.example>\r\n", "a", "b.example"},
        {"From: g: a@b.example;\r\n", "a", "b.example"},
#ifdef MOX_HAVE_IDN
        {"From: a@b\xc3\xbc.example\r\n", "a", "xn--b-eha.example"},
#endif
        {"From: \"Bank\" <\"\"@b.example>\r\n", "", "b.example"},
        {"From: a@b.example, c@d.example\r\n", "", ""},
        {"From: a@b.example\r\nX: y\r\nFrom: a@b.example\r\n", "", ""},
        {"From: a@[192.0.2.1]\r\n", "", ""},
        {"From: a@b..example\r\n", "", ""},
        {"From: Jane\r\n", "", ""},
        {"From:\r\n", "", ""},
        {"X: y\r\n", "", ""},
        {"", "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        char text[300];
        begin(&f);
        free(f.signed_message);
        (void)snprintf(text, sizeof text, "%s\r\nFrom: x@body.example\r\n", cases[i].header);
        f.signed_message = strdup(text);
        check(&f);
        assert_string_equal(f.verdict->from_localpart, cases[i].localpart);
        assert_string_equal(f.verdict->from_domain, cases[i].domain);
        if (cases[i].domain[0] == '\0')
            assert_int_equal(f.verdict->dmarc->status, MOX_DMARC_NONE);
        end(&f);
    }
}

/* What RFC 6376 calls a pass, and we do not rely on. */
static void signatures_that_cover_too_little(void **state)
{
    (void)state;
    struct fixture f;
    char *results, *spf;
    begin_with(&f, "From: a@sender.example\r\nDate: Thu, 9 Oct 2025 10:00:00 +0000\r\n\r\nb\r\n");
    free(f.signed_message);
    /* h= without Subject: signed anew. */
    struct mox_dkim_key *key;
    struct mox_signed_message *m;
    struct mox_dkim_signer signer;
    struct mox_error err;
    char record[500], line[600], *field;
    static const char text[] = "From: a@sender.example\r\nSubject: s\r\n\r\nb\r\n";
    static const char *const only_from[] = {"From", NULL};
    assert_int_equal(mox_dkim_key_generate(&key, &f.t.env, MOX_DKIM_ED25519, 0), MOX_OK);
    assert_int_equal(mox_dkim_key_record(key, record, sizeof record), MOX_OK);
    assert_int_equal(mox_signed_message_new(&m, &f.t.env, slice_of(text)), MOX_OK);
    mox_dkim_signer_init(&signer);
    signer.key = key;
    signer.domain = "sender.example";
    signer.selector = "s1";
    signer.headers = only_from;
    signer.now_us = NOW_US;
    assert_int_equal(mox_dkim_sign(&field, &f.t.env, m, &signer, &err), MOX_OK);
    (void)snprintf(line, sizeof line, "%s", record);
    replace(&f, "s1._domainkey.sender.example", "TXT", line);
    f.signed_message = malloc(strlen(field) + sizeof text);
    assert_non_null(f.signed_message);
    (void)snprintf(f.signed_message, strlen(field) + sizeof text, "%s%s", field, text);
    mox_text_free(&f.t.env, field);
    mox_signed_message_free(m);
    mox_dkim_key_free(key);

    check(&f);
    assert_int_equal(f.verdict->dkim[0].status, MOX_DKIM_POLICY);
    assert_int_equal(f.verdict->dkim_domain_count, 0);
    assert_false(f.verdict->dmarc->dkim_aligned);
    assert_int_equal(mox_checks_headers(f.checks, &results, &spf), MOX_OK);
    assert_non_null(strstr(results, "dkim=policy"));
    mox_text_free(&f.t.env, results);
    mox_text_free(&f.t.env, spf);
    end(&f);
}

/* A signature that is there twice says no more than one. */
static void a_domain_that_signed_twice(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    size_t field = (size_t)(strstr(f.signed_message, "From: Jane") - f.signed_message);
    size_t len = strlen(f.signed_message);
    char *text = malloc(field + len + 1);
    assert_non_null(text);
    memcpy(text, f.signed_message, field);
    memcpy(text + field, f.signed_message, len + 1);
    free(f.signed_message);
    f.signed_message = text;
    check(&f);
    assert_int_equal(f.verdict->dkim_count, 2);
    assert_int_equal(f.verdict->dkim[1].status, MOX_DKIM_PASS);
    assert_int_equal(f.verdict->dkim_domain_count, 1);
    end(&f);
}

/* The header stays short, however many signatures there are. */
static void many_signatures(void **state)
{
    (void)state;
    struct fixture f;
    char *results, *spf, *text = calloc(1, 100 * 40 + 100);
    assert_non_null(text);
    for (size_t i = 0; i < 100; i++)
        strcat(text, "DKIM-Signature: v=1\r\n");
    strcat(text, "From: a@sender.example\r\n\r\nb\r\n");
    begin(&f);
    free(f.signed_message);
    f.signed_message = text;
    check(&f);
    assert_int_equal(f.verdict->dkim_count, 100);
    assert_int_equal(mox_checks_headers(f.checks, &results, &spf), MOX_OK);
    size_t count = 0;
    for (const char *p = results; (p = strstr(p, "dkim=")) != NULL; p++)
        count++;
    assert_int_equal(count, MOX_DKIM_SIGNATURES_MAX + 1);
    mox_text_free(&f.t.env, results);
    mox_text_free(&f.t.env, spf);
    end(&f);
}

static void no_address_no_checks(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    f.query.ip = "192.0.2.300";
    assert_int_equal(mox_checks_new(&f.checks, &f.t.env, &f.query, slice_of("")), MOX_EINVAL);
    assert_null(f.checks);
    end(&f);
}

/* Each allocation fails once: nothing leaks, nothing is believed. */
static void no_memory(void **state)
{
    (void)state;
    long n = 0;
    int rc = MOX_ENOMEM;
    while (rc != MOX_OK) {
        struct fixture f;
        struct mox_error err;
        char *results = NULL, *spf = NULL;
        begin(&f);
        assert_int_equal(
            mox_dns_zone_parse(&f.zone, &f.t.env, slice_of(f.zone_text), "names", &err), MOX_OK);
        f.t.fail_at = f.t.allocations + ++n;
        rc = run_rounds(&f, slice_of(f.signed_message));
        if (rc == MOX_OK)
            rc = mox_checks_headers(f.checks, &results, &spf);
        if (rc != MOX_OK) {
            assert_int_equal(rc, MOX_ENOMEM);
            assert_null(results);
            assert_null(spf);
        }
        f.t.fail_at = 0;
        mox_text_free(&f.t.env, results);
        mox_text_free(&f.t.env, spf);
        end(&f);
    }
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_passes),
        cmocka_unit_test(rounds_are_those_of_the_longest_chain),
        cmocka_unit_test(headers_tell_it_all),
        cmocka_unit_test(a_null_path_is_judged_by_helo),
#ifdef MOX_HAVE_IDN
        cmocka_unit_test(names_in_unicode),
#endif
        cmocka_unit_test(failures_of_the_dns_are_told_apart),
        cmocka_unit_test(a_forged_sender),
        cmocka_unit_test(a_forged_sender_that_is_spared),
        cmocka_unit_test(a_sender_without_a_name_is_judged_by_its_domain),
        cmocka_unit_test(how_near_the_domain_is),
        cmocka_unit_test(who_it_says_it_is_from),
        cmocka_unit_test(signatures_that_cover_too_little),
        cmocka_unit_test(a_domain_that_signed_twice),
        cmocka_unit_test(many_signatures),
        cmocka_unit_test(no_address_no_checks),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
