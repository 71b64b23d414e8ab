/* SPDX-License-Identifier: MIT */
#include <mox/tls_report.h>

#include <jansson.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "mailauth/report.h"
#include "mailauth/report_tls.h"

/* The JSON of RFC 8460 §4.4. jansson makes a tree of it, which report_tls_scan.c has found to be small
 * enough; its values are copied into the report. */

static const char form_name[] = "TLS report";

/* A report and what it stands on. */
struct owned {
    struct mox_tls_report report; /* first: it is what the caller frees */
    struct mox_env env;
    struct arena arena;
};

/* The first failure sticks: read all of an object, then look at `rc` once. */
struct reader {
    struct arena *arena;
    int rc;
    struct mox_error *err;
};

/* -- values ---------------------------------------------------------------------------------- */

static void wrong(struct reader *r, const char *key, const char *what)
{
    if (r->rc == MOX_OK)
        r->rc = mox__fail(r->err, MOX_ESYNTAX, "read %s: \"%s\" is not %s", form_name, key, what);
}

static void no_room(struct reader *r)
{
    if (r->rc == MOX_OK)
        r->rc = mox__report_no_room(r->arena, form_name, r->err);
}

/* The value of a key; NULL when it is absent or null. */
static const json_t *value_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

static struct mox_slice bytes_of(const json_t *text)
{
    return slice(json_string_value(text), json_string_length(text));
}

static const char *text(struct reader *r, const json_t *object, const char *key)
{
    const json_t *value = value_of(object, key);
    if (value == NULL)
        return "";
    if (!json_is_string(value)) {
        wrong(r, key, "a text");
        return "";
    }
    const char *copy = mox__report_text(r->arena, bytes_of(value), MOX_TLS_REPORT_TEXT_MAX);
    if (copy == NULL)
        no_room(r);
    return copy == NULL ? "" : copy;
}

/* A text of a list of words. */
static const char *word(struct reader *r, const json_t *object, const char *key)
{
    const json_t *value = value_of(object, key);
    if (!json_is_string(value))
        return text(r, object, key);
    const char *copy = mox__report_word(r->arena, bytes_of(value), MOX_TLS_REPORT_TEXT_MAX);
    if (copy == NULL)
        no_room(r);
    return copy == NULL ? "" : copy;
}

static uint64_t count(struct reader *r, const json_t *object, const char *key)
{
    const json_t *value = value_of(object, key);
    if (value == NULL)
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        wrong(r, key, "a count");
        return 0;
    }
    return (uint64_t)json_integer_value(value);
}

static int64_t time_of(struct reader *r, const json_t *object, const char *key)
{
    const json_t *value = value_of(object, key);
    int64_t seconds = 0;
    if (value != NULL &&
        (!json_is_string(value) || !mox__tls_report_time(bytes_of(value), &seconds)))
        wrong(r, key, "a time such as 2016-04-01T00:00:00Z");
    return seconds;
}

/* An object; NULL, of which all values are absent, when there is none. */
static const json_t *object_of(struct reader *r, const json_t *object, const char *key)
{
    const json_t *value = value_of(object, key);
    if (value != NULL && !json_is_object(value))
        wrong(r, key, "an object");
    return json_is_object(value) ? value : NULL;
}

/* Room for `size` bytes for each element of a list, and how many they are; NULL for none. */
static void *room_for(struct reader *r, const json_t *list, const char *key, size_t size,
                      size_t *elements)
{
    *elements = 0;
    if (list == NULL)
        return NULL;
    if (!json_is_array(list)) {
        wrong(r, key, "a list");
        return NULL;
    }
    if (json_array_size(list) == 0)
        return NULL;
    void *room = mox__arena_alloc(r->arena, json_array_size(list), size);
    if (room == NULL)
        no_room(r);
    else
        *elements = json_array_size(list);
    return room;
}

/* A list of texts; one alone is taken too: RFC 8460 §4.4 has "mx-host" both ways. */
static const char *const *texts(struct reader *r, const json_t *object, const char *key,
                                size_t *elements)
{
    const json_t *list = value_of(object, key);
    bool one = json_is_string(list);
    const char **room;
    if (one) {
        room = arena_new(r->arena, const char *, 1);
        *elements = room == NULL ? 0 : 1;
        if (room == NULL)
            no_room(r);
    } else {
        room = (const char **)room_for(r, list, key, sizeof(const char *), elements);
    }
    for (size_t i = 0; i < *elements; i++) {
        const json_t *value = one ? list : json_array_get(list, i);
        if (!json_is_string(value))
            wrong(r, key, "a list of texts");
        room[i] = mox__report_text(r->arena, bytes_of(value), MOX_TLS_REPORT_TEXT_MAX);
        if (room[i] == NULL)
            no_room(r);
    }
    return room;
}

/* -- objects --------------------------------------------------------------------------------- */

static void take_failure(struct reader *r, const json_t *o, struct mox_tls_report_failure *f)
{
    f->result_type = word(r, o, "result-type");
    f->sending_mta_ip = text(r, o, "sending-mta-ip");
    f->receiving_mx_hostname = text(r, o, "receiving-mx-hostname");
    f->receiving_mx_helo = text(r, o, "receiving-mx-helo");
    f->receiving_ip = text(r, o, "receiving-ip");
    f->failed_sessions = count(r, o, "failed-session-count");
    f->additional_information = text(r, o, "additional-information");
    f->failure_reason_code = text(r, o, "failure-reason-code");
}

static void take_failures(struct reader *r, const json_t *o, struct mox_tls_report_policy *p)
{
    static const char key[] = "failure-details";
    const json_t *list = value_of(o, key);
    struct mox_tls_report_failure *room = room_for(r, list, key, sizeof *room, &p->failure_count);
    for (size_t i = 0; i < p->failure_count; i++) {
        const json_t *element = json_array_get(list, i);
        if (!json_is_object(element))
            wrong(r, key, "a list of objects");
        take_failure(r, element, &room[i]);
    }
    p->failures = room;
}

static void take_policy(struct reader *r, const json_t *o, struct mox_tls_report_policy *p)
{
    const json_t *policy = object_of(r, o, "policy"), *summary = object_of(r, o, "summary");
    p->type = word(r, policy, "policy-type");
    p->strings = texts(r, policy, "policy-string", &p->string_count);
    p->domain = word(r, policy, "policy-domain");
    p->mx_hosts = texts(r, policy, "mx-host", &p->mx_host_count);
    p->successful_sessions = count(r, summary, "total-successful-session-count");
    p->failed_sessions = count(r, summary, "total-failure-session-count");
    take_failures(r, o, p);
}

static void take_policies(struct reader *r, const json_t *o, struct mox_tls_report *report)
{
    static const char key[] = "policies";
    const json_t *list = value_of(o, key);
    struct mox_tls_report_policy *room =
        room_for(r, list, key, sizeof *room, &report->policy_count);
    for (size_t i = 0; i < report->policy_count; i++) {
        const json_t *element = json_array_get(list, i);
        if (!json_is_object(element))
            wrong(r, key, "a list of objects");
        take_policy(r, element, &room[i]);
    }
    report->policies = room;
}

static void take_report(struct reader *r, const json_t *o, struct mox_tls_report *report)
{
    const json_t *range = object_of(r, o, "date-range");
    report->organization_name = text(r, o, "organization-name");
    report->contact_info = text(r, o, "contact-info");
    report->report_id = text(r, o, "report-id");
    report->begin = time_of(r, range, "start-datetime");
    report->end = time_of(r, range, "end-datetime");
    take_policies(r, o, report);
}

/* -- a document ------------------------------------------------------------------------------ */

static int load(json_t **out, struct mox_slice json, struct mox_error *err)
{
    json_error_t why;
    *out = json_loadb((const char *)json.data, json.len, JSON_DISABLE_EOF_CHECK, &why);
    if (*out != NULL)
        return MOX_OK;
    if (json_error_code(&why) == json_error_out_of_memory)
        return mox__fail(err, MOX_ENOMEM, "read %s: out of memory", form_name);
    return mox__fail(err, MOX_ESYNTAX, "read %s: no JSON object in line %d, column %d", form_name,
                     why.line, why.column); /* its text may have some of the report's in it */
}

static int read_into(struct owned *to, struct mox_slice json, struct mox_error *err)
{
    json_t *tree;
    struct reader r = {.arena = &to->arena, .err = err};
    int rc = load(&tree, json, err);
    if (rc != MOX_OK)
        return rc;
    if (json_is_object(tree))
        take_report(&r, tree, &to->report);
    else
        r.rc = mox__fail(err, MOX_ESYNTAX, "read %s: it is JSON, but not an object", form_name);
    json_decref(tree);
    return r.rc;
}

int mox_tls_report_parse(struct mox_tls_report **out, const struct mox_env *env,
                         struct mox_slice json, struct mox_error *err)
{
    *out = NULL;
    if (json.len >= 3 && memcmp(json.data, "\xef\xbb\xbf", 3) == 0)
        json = slice_from(json, 3); /* RFC 8259 §8.1: may be ignored */
    if (json.len > MOX_TLS_REPORT_JSON_MAX)
        return mox__fail(err, MOX_ELIMIT, "read %s: it has more than %d bytes", form_name,
                         MOX_TLS_REPORT_JSON_MAX);
    int rc = mox__tls_report_scan(json, form_name, err);
    if (rc != MOX_OK)
        return rc;
    struct owned *to = mem_new(env, struct owned, 1);
    if (to == NULL)
        return mox__fail(err, MOX_ENOMEM, "read %s: out of memory", form_name);
    to->env = *env;
    mox__arena_init(&to->arena, &to->env, REPORT_ARENA_MAX);
    rc = read_into(to, json, err);
    if (rc == MOX_OK)
        *out = &to->report;
    else
        mox_tls_report_free(&to->report);
    return rc;
}

void mox_tls_report_free(struct mox_tls_report *report)
{
    if (report == NULL)
        return;
    struct owned *to = container_of(report, struct owned, report);
    struct mox_env env = to->env;
    mox__arena_reset(&to->arena);
    mox__mem_free(&env, to);
}
