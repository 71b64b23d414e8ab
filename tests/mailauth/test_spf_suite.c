/* SPDX-License-Identifier: MIT */

/* The published test suites of SPF, in the form of openspf.org and in that of mail-auth; spf-differences.tsv
 * names what we judge otherwise, and why. */

#include <mox/dns_answers.h>
#include <mox/spf.h>

#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/corpora.h"
#include "support/testenv.h"
#include "support/yaml.h"

#define RECORDS_MAX 128
/* Rounds of questions that any record may need: each lookup term can wait for the one before, and has up to
 * three answers that depend on each other. */
#define ROUNDS_MAX 40

struct suite {
    struct test_env t;
    char *differences;
    unsigned cases, differ, wrong;
};

/* -- zones: name -> list of one-entry maps, TYPE: value --------------------------------------- */

static struct mox_slice without_dot(const char *name)
{
    struct mox_slice s = slice_of(name);
    return slice(s.data, s.len > 0 && s.data[s.len - 1] == '.' ? s.len - 1 : s.len);
}

static const json_t *name_of(const json_t *zone, const char *name)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)zone, key, value)
    {
        if (mox__slice_eq_nocase(without_dot(key), without_dot(name)))
            return value;
    }
    return NULL;
}

static bool has_type(const json_t *list, const char *type)
{
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)(uintptr_t)list, i, entry)
    {
        if (json_object_get(entry, type) != NULL)
            return true;
    }
    return false;
}

static bool times_out(const json_t *list, const char *type)
{
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)(uintptr_t)list, i, entry)
    {
        if (json_is_string(entry) && strcmp(json_string_value(entry), "TIMEOUT") == 0)
            return !has_type(list, type);
        const json_t *all = json_object_get(entry, "TIMEOUT"), *one = json_object_get(entry, type);
        if ((json_is_string(all) && !has_type(list, type)) ||
            (json_is_string(one) && strcmp(json_string_value(one), "TIMEOUT") == 0))
            return true;
    }
    return false;
}

/* A TXT value: a text, or a list of strings that are one record. */
static struct mox_slice joined(const json_t *value)
{
    static char text[RECORDS_MAX][8192]; /* until the answer is put in */
    static unsigned next;
    char *out = text[next++ % RECORDS_MAX];
    size_t i, len = 0;
    json_t *piece;
    if (json_is_string(value))
        return slice(json_string_value(value), json_string_length(value));
    json_array_foreach((json_t *)(uintptr_t)value, i, piece)
    {
        size_t n = strlen(json_string_value(piece));
        assert_true(len + n < sizeof text[0]);
        memcpy(out + len, json_string_value(piece), n);
        len += n;
    }
    return slice(out, len);
}

static bool fill(struct mox_dns_record *r, enum mox_dns_type type, const json_t *value)
{
    switch (type) {
    case MOX_DNS_A:
        return inet_pton(AF_INET, json_string_value(value), r->data.a) == 1;
    case MOX_DNS_AAAA:
        return inet_pton(AF_INET6, json_string_value(value), r->data.aaaa) == 1;
    case MOX_DNS_MX:
        r->data.mx.preference = (uint16_t)atoi(json_string_value(json_array_get(value, 0)));
        r->data.mx.host = json_string_value(json_array_get(value, 1));
        return true;
    case MOX_DNS_TXT:
        r->data.txt = joined(value);
        return true;
    default:
        r->data.name = json_string_value(value);
        return true;
    }
}

static const char *type_name(enum mox_dns_type type, const json_t *list)
{
    /* A record of type SPF is served as TXT by a name that has none of its own. */
    if (type == MOX_DNS_TXT && !has_type(list, "TXT"))
        return "SPF";
    return mox_dns_type_name(type);
}

static void answer(const json_t *zone, struct mox_dns_answers *answers, struct mox_dns_question q)
{
    struct mox_dns_record records[RECORDS_MAX];
    struct mox_dns_answer a = {.question = q, .records = records, .status = MOX_DNS_NXDOMAIN};
    const json_t *list = name_of(zone, q.name);
    if (strstr(q.name, "_dns_error") != NULL)
        a.status = MOX_DNS_TIMEOUT;
    for (unsigned hops = 0; list != NULL && hops < 10 && has_type(list, "CNAME"); hops++)
        list = name_of(zone, json_string_value(json_object_get(json_array_get(list, 0), "CNAME")));
    if (list != NULL) {
        const char *type = type_name(q.type, list);
        size_t i;
        json_t *entry;
        a.status = times_out(list, type) ? MOX_DNS_TIMEOUT : MOX_DNS_NODATA;
        json_array_foreach((json_t *)(uintptr_t)list, i, entry)
        {
            const json_t *value = json_object_get(entry, type);
            if (value == NULL || a.status == MOX_DNS_TIMEOUT ||
                (json_is_string(value) && strcmp(json_string_value(value), "NONE") == 0))
                continue;
            assert_true(a.count < RECORDS_MAX);
            if (fill(&records[a.count], q.type, value))
                a.count++;
        }
        if (a.count > 0)
            a.status = MOX_DNS_FOUND;
    }
    assert_int_equal(mox_dns_put(answers, &a), MOX_OK);
}

/* -- judging --------------------------------------------------------------------------------- */

static void check(struct suite *s, const json_t *zone, const struct mox_spf_query *q,
                  struct mox_spf_verdict *v)
{
    struct mox_dns_answers *answers = NULL;
    const struct mox_dns_question *wanted;
    unsigned rounds = 0;
    int rc;
    assert_int_equal(mox_dns_answers_new(&answers, &s->t.env), MOX_OK);
    while ((rc = mox_spf_check(q, answers, v)) == MOX_NEED_DNS) {
        assert_true(++rounds <= ROUNDS_MAX);
        for (size_t n; (n = mox_dns_wanted(answers, &wanted)) > 0;) {
            char name[MOX_DOMAIN_MAX + 1];
            struct mox_dns_question question = {name, wanted[0].type};
            (void)snprintf(name, sizeof name, "%s", wanted[0].name);
            answer(zone, answers, question);
        }
    }
    assert_int_equal(rc, MOX_OK);
    mox_dns_answers_free(answers);
}

/* What the differences say of this test: our result; NULL. */
static const char *difference(const struct suite *s, const char *file, const char *name,
                              char out[static 32])
{
    char key[512];
    (void)snprintf(key, sizeof key, "\n%s\t%s\t", file, name);
    const char *at = strstr(s->differences, key);
    if (at == NULL)
        return NULL;
    at += strlen(key);
    (void)snprintf(out, 32, "%.*s", (int)strcspn(at, "\t\n"), at);
    return out;
}

static bool is_among(const json_t *accepted, const char *result)
{
    size_t i;
    json_t *one;
    if (json_is_string(accepted))
        return strcmp(json_string_value(accepted), result) == 0;
    json_array_foreach((json_t *)(uintptr_t)accepted, i, one)
    {
        if (strcmp(json_string_value(one), result) == 0)
            return true;
    }
    return false;
}

static void judge(struct suite *s, const char *file, const char *name,
                  const struct mox_spf_verdict *v, const json_t *accepted, const char *explanation)
{
    char ours[32];
    const char *result = mox_spf_result_name(v->result), *other = difference(s, file, name, ours);
    bool right = other != NULL ? strcmp(other, result) == 0 : is_among(accepted, result);
    if (right && other == NULL && explanation[0] != '\0')
        right = strcmp(strcmp(explanation, "DEFAULT") == 0 ? "" : explanation, v->explanation) == 0;
    s->cases++;
    s->differ += other != NULL;
    s->wrong += !right;
    if (!right)
        print_message("%s\t%s\t%s\t(%s; %s; explanation \"%s\")\n", file, name, result,
                      v->mechanism, v->problem, v->explanation);
}

/* -- openspf.org ----------------------------------------------------------------------------- */

static void split(const char *address, char localpart[256], char domain[512])
{
    const char *at = strrchr(address, '@');
    (void)snprintf(localpart, 256, "%.*s", at == NULL ? 0 : (int)(at - address), address);
    (void)snprintf(domain, 512, "%s", at == NULL ? address : at + 1);
}

static void openspf_case(struct suite *s, const char *file, const char *name, const json_t *test,
                         const json_t *zone)
{
    char localpart[256], domain[512];
    struct mox_spf_query q;
    struct mox_spf_verdict v;
    mox_spf_query_init(&q);
    split(yaml_text(test, "mailfrom"), localpart, domain);
    q.ip = yaml_text(test, "host");
    q.helo = yaml_text(test, "helo");
    q.mail_from_localpart = localpart;
    q.mail_from_domain = domain;
    q.receiver = "receiver.example.com";
    check(s, zone, &q, &v);
    judge(s, file, name, &v, json_object_get(test, "result"), yaml_text(test, "explanation"));
}

static void openspf(struct suite *s, const char *file)
{
    json_t *documents = yaml_load(corpus_path(file)), *document;
    size_t i;
    json_array_foreach(documents, i, document)
    {
        const char *name;
        json_t *test;
        json_object_foreach(json_object_get(document, "tests"), name,
                            test) if (json_object_get(test, "skip") == NULL)
            openspf_case(s, file, name, test, json_object_get(document, "zonedata"));
    }
    json_decref(documents);
}

static void run(void (*play)(struct suite *s))
{
    struct suite s = {.cases = 0};
    if (corpus_path("spf") == NULL) {
        print_message("no corpora\n");
        skip();
    }
    test_env_init(&s.t);
    struct mox_slice differences = read_file(tests_path("mailauth/spf-differences.tsv"));
    s.differences = (char *)(uintptr_t)differences.data;
    play(&s);
    print_message("%u tests, %u of them judged otherwise with a reason\n", s.cases, s.differ);
    free(s.differences);
    test_env_done(&s.t);
    assert_true(s.cases > 10);
    assert_int_equal(s.wrong, 0);
}

static void play_rfc7208(struct suite *s)
{
    openspf(s, "spf/rfc7208/rfc7208-tests.yml");
}

static void play_pyspf(struct suite *s)
{
    openspf(s, "spf/pyspf/pyspf-tests.yml");
}

static void the_suite_of_rfc_7208_is_passed(void **state)
{
    (void)state;
    run(play_rfc7208);
}

static void the_suite_of_pyspf_is_passed(void **state)
{
    (void)state;
    run(play_pyspf);
}

/* -- mail-auth: lines `type: name value` ------------------------------------------------------ */

/* The records as a zone of the other form. Lines may share their type, which YAML's maps do not show: the
 * file is read as text. */
static void add_record(json_t *zone, const char *type, const char *name, const char *value)
{
    json_t *list = json_object_get(zone, name);
    if (list == NULL) {
        list = json_array();
        json_object_set_new(zone, name, list);
    }
    if (strcmp(type, "mx") == 0) {
        char host[512]; /* the value is the address of a host without a name */
        (void)snprintf(host, sizeof host, "mail.%s", name);
        json_array_append_new(list, json_pack("{s:[s,s]}", "MX", "10", host));
        add_record(zone, strchr(value, ':') != NULL ? "aaaa" : "a", host, value);
    } else
        json_array_append_new(list, json_pack("{s:s}",
                                              strcmp(type, "a") == 0      ? "A"
                                              : strcmp(type, "aaaa") == 0 ? "AAAA"
                                              : strcmp(type, "ptr") == 0  ? "PTR"
                                                                          : "TXT",
                                              value));
}

static void read_record(json_t *zone, char *line)
{
    char *save = NULL, *type = strtok_r(line, ": ", &save), *name = strtok_r(NULL, " ", &save);
    bool is_list = type != NULL && (strcmp(type, "spf") != 0 && strcmp(type, "exp") != 0);
    if (name == NULL || save == NULL)
        return;
    for (char *more = NULL, *value = is_list ? strtok_r(save, ", ", &more) : save; value != NULL;
         value = is_list ? strtok_r(NULL, ", ", &more) : NULL)
        add_record(zone, type, name, value);
}

struct mail_auth {
    struct suite *s;
    const char *file;
    json_t *zone;
    char domain[256], sender[256], ip[64], expect[512];
    bool in_records;
    unsigned number;
};

static void mail_auth_case(struct mail_auth *m)
{
    char localpart[256], domain[512], name[32], *explanation = strchr(m->expect, ' ');
    struct mox_spf_query q;
    struct mox_spf_verdict v;
    if (m->expect[0] == '\0')
        return;
    if (explanation != NULL)
        *explanation++ = '\0';
    mox_spf_query_init(&q);
    split(m->sender, localpart, domain);
    q.ip = m->ip;
    q.helo = m->domain;
    q.mail_from_localpart = localpart;
    q.mail_from_domain = domain;
    check(m->s, m->zone, &q, &v);
    json_t *accepted = json_string(m->expect);
    (void)snprintf(name, sizeof name, "%u", ++m->number);
    judge(m->s, m->file, name, &v, accepted, explanation != NULL ? explanation : "");
    json_decref(accepted);
    m->expect[0] = '\0';
}

static void mail_auth_line(struct mail_auth *m, char *line)
{
    static const struct {
        const char *key;
        size_t offset, size;
    } keys[] = {{"domain: ", offsetof(struct mail_auth, domain), 256},
                {"sender: ", offsetof(struct mail_auth, sender), 256},
                {"ip: ", offsetof(struct mail_auth, ip), 64},
                {"expect: ", offsetof(struct mail_auth, expect), 512}};
    if (strncmp(line, "---", 3) == 0) {
        json_decref(m->zone);
        m->zone = json_object();
    }
    if (line[0] != ' ')
        m->in_records = strncmp(line, "records:", 8) == 0;
    else if (m->in_records)
        read_record(m->zone, line + strspn(line, " "));
    line += strspn(line, " -");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strncmp(line, keys[i].key, strlen(keys[i].key)) == 0)
            (void)snprintf((char *)m + keys[i].offset, keys[i].size, "%s",
                           line + strlen(keys[i].key));
    mail_auth_case(m);
}

static void mail_auth_file(void *user, const char *path, struct mox_slice data)
{
    const char *slash = strrchr(path, '/');
    struct mail_auth m = {.s = user, .file = slash + 1, .zone = json_object()};
    char *text = malloc(data.len + 1), *save = NULL;
    memcpy(text, data.data, data.len);
    text[data.len] = '\0';
    for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
        mail_auth_line(&m, line);
    json_decref(m.zone);
    free(text);
}

static void play_mail_auth(struct suite *s)
{
    each_file(corpus_path("spf/mail-auth"), mail_auth_file, s);
}

static void the_tests_of_mail_auth_are_passed(void **state)
{
    (void)state;
    run(play_mail_auth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_suite_of_rfc_7208_is_passed),
        cmocka_unit_test(the_suite_of_pyspf_is_passed),
        cmocka_unit_test(the_tests_of_mail_auth_are_passed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
