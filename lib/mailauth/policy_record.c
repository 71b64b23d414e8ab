/* SPDX-License-Identifier: MIT */
#include "mailauth/policy_record.h"

#include <mox/dns.h>

#include <stdio.h>

#include "base/text.h"

#define FIELD_NAME_MAX 32 /* RFC 8461 §3.1 */

const char *mox_policy_record_status_name(enum mox_policy_record_status status)
{
    static const char *const names[] = {"none", "found", "temperror", "permerror"};
    return names[status];
}

static struct mox_slice skip_space(struct mox_slice s)
{
    while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t'))
        s = slice_from(s, 1);
    return s;
}

bool mox__record_begins(struct mox_slice text, const char *version, struct mox_slice *rest)
{
    size_t len = strlen(version);
    if (text.len < len || memcmp(text.data, version, len) != 0)
        return false;
    *rest = skip_space(slice_from(text, len));
    if (rest->len == 0 || rest->data[0] != ';')
        return false;
    *rest = slice_from(*rest, 1);
    return true;
}

static bool is_name(struct mox_slice s)
{
    if (s.len == 0 || s.len > FIELD_NAME_MAX || !(is_alpha(s.data[0]) || is_digit(s.data[0])))
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (!is_alpha(s.data[i]) && !is_digit(s.data[i]) && strchr("_-.", s.data[i]) == NULL)
            return false;
    return memchr(s.data, '\0', s.len) == NULL;
}

/* Printable ASCII. Of white space there is some in lists alone. */
static bool is_value(struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] != '\t' && (s.data[i] < ' ' || s.data[i] >= 0x7f))
            return false;
    return s.len > 0;
}

int mox__record_next(struct mox_slice *rest, struct record_field *out, struct mox_error *err)
{
    if (mox__slice_trim(*rest).len == 0)
        return MOX_ENOTFOUND;
    const uint8_t *end = memchr(rest->data, ';', rest->len);
    size_t len = end == NULL ? rest->len : (size_t)(end - rest->data);
    struct mox_slice field = mox__slice_trim(slice(rest->data, len));
    const uint8_t *equals = field.len == 0 ? NULL : memchr(field.data, '=', field.len);
    *rest = slice_from(*rest, end == NULL ? len : len + 1);
    if (equals == NULL)
        return mox__fail(err, MOX_ESYNTAX, "a field without `=`; write name=value");
    size_t at = (size_t)(equals - field.data);
    *out = (struct record_field){slice(field.data, at), slice_from(field, at + 1)};
    if (!is_name(out->name))
        return mox__fail(err, MOX_ESYNTAX, "a field whose name is none");
    if (!is_value(out->value))
        return mox__fail(err, MOX_ESYNTAX, "field %.*s has no value, or one that is not printable",
                         (int)out->name.len, (const char *)out->name.data);
    return MOX_OK;
}

/* The one record among all texts of the name. */
static void choose(const struct record_search *s, const struct mox_dns_answer *answer,
                   const char *name, enum mox_policy_record_status *status, char problem[256])
{
    size_t count = 0;
    for (size_t i = 0; i < answer->count; i++) {
        struct mox_error err = {0};
        int rc = s->parse(s->out, answer->records[i].data.txt, &err);
        if (rc == MOX_ENOTFOUND)
            continue;
        count++;
        *status = rc == MOX_OK ? MOX_POLICY_RECORD_FOUND : MOX_POLICY_RECORD_PERMERROR;
        (void)snprintf(problem, 256, "%.255s", err.text);
    }
    if (count == 1)
        return;
    *status = MOX_POLICY_RECORD_NONE;
    (void)snprintf(problem, 256, "%.180s has %s %s", name, count == 0 ? "no" : "more than one",
                   s->what);
}

int mox__record_find(const struct record_search *search, const char *domain,
                     struct mox_dns_answers *answers, enum mox_policy_record_status *status,
                     bool *secure, char problem[256])
{
    char name[MOX_DOMAIN_MAX + 32];
    const struct mox_dns_answer *answer;
    problem[0] = '\0';
    *secure = false;
    *status = MOX_POLICY_RECORD_TEMPERROR;
    (void)snprintf(name, sizeof name, "%s.%.253s", search->prefix, domain);
    int rc = mox_dns_ask(answers, slice_of(name), MOX_DNS_TXT, &answer);
    if (rc == MOX_ELIMIT) {
        (void)snprintf(problem, 256, "too many names are looked up");
        return MOX_OK;
    }
    if (rc != MOX_OK)
        return rc;
    *secure = answer->secure;
    if (mox_dns_is_temporary(answer->status))
        (void)snprintf(problem, 256, "%.180s cannot be looked up: %s", name,
                       mox_dns_status_name(answer->status));
    else
        choose(search, answer, name, status, problem);
    return MOX_OK;
}
