/* SPDX-License-Identifier: MIT */
#include <mox/mtasts.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

/* A policy file (RFC 8461 §3.2): lines of `name: value`. Fields come in any order. */

struct reader {
    const struct mox_env *env;
    struct mox_mtasts_policy *policy;
    struct mox_mtasts_host *hosts; /* the policy's */
    size_t host_room;
    bool has_version, has_mode, has_max_age;
    unsigned line;
    struct mox_error *err;
};

const char *mox_mtasts_mode_name(enum mox_mtasts_mode mode)
{
    static const char *const names[] = {"none", "testing", "enforce"};
    return names[mode];
}

static int wrong(struct reader *r, const char *what)
{
    return mox__fail(r->err, MOX_ESYNTAX, "policy line %u: %s", r->line, what);
}

static int take_version(struct reader *r, struct mox_slice value)
{
    if (r->has_version)
        return MOX_OK;
    r->has_version = true;
    return mox__slice_is(value, "STSv1") ? MOX_OK : wrong(r, "the version is not STSv1");
}

static int take_mode(struct reader *r, struct mox_slice value)
{
    if (r->has_mode)
        return MOX_OK;
    for (int mode = MOX_MTASTS_NONE; mode <= MOX_MTASTS_ENFORCE; mode++)
        if (mox__slice_is(value, mox_mtasts_mode_name((enum mox_mtasts_mode)mode))) {
            r->policy->mode = (enum mox_mtasts_mode)mode;
            r->has_mode = true;
            return MOX_OK;
        }
    return wrong(r, "the mode is not enforce, testing or none");
}

static int take_max_age(struct reader *r, struct mox_slice value)
{
    uint64_t seconds;
    if (r->has_max_age)
        return MOX_OK;
    if (value.len > 10 || !mox__slice_uint(value, MOX_MTASTS_AGE_MAX, &seconds))
        return wrong(r, "max_age is not a number of seconds up to 31557600");
    r->policy->max_age_seconds = (uint32_t)seconds;
    r->has_max_age = true;
    return MOX_OK;
}

static int take_mx(struct reader *r, struct mox_slice value)
{
    struct mox_domain domain;
    if (r->policy->host_count == r->host_room)
        return mox__fail(r->err, MOX_ELIMIT, "policy line %u: more than %d hosts", r->line,
                         MOX_MTASTS_HOSTS_MAX);
    struct mox_mtasts_host *host = &r->hosts[r->policy->host_count];
    host->any_label = value.len > 2 && value.data[0] == '*' && value.data[1] == '.';
    int rc = mox_domain_parse(&domain, host->any_label ? slice_from(value, 2) : value,
                              MOX_DOMAIN_UNDERSCORES);
    if (rc == MOX_ENOMEM)
        return mox__fail(r->err, rc, "policy: out of memory");
    if (rc != MOX_OK)
        return wrong(r, "mx is no name of a host");
    memcpy(host->name, domain.ascii, sizeof host->name);
    r->policy->host_count++;
    return MOX_OK;
}

static const struct {
    const char *name;
    int (*take)(struct reader *r, struct mox_slice value);
} fields[] = {
    {"version", take_version}, {"mode", take_mode}, {"max_age", take_max_age}, {"mx", take_mx}};

static bool is_name(struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_alpha(s.data[i]) && !is_digit(s.data[i]) &&
            (i == 0 || (s.data[i] != '_' && s.data[i] != '-' && s.data[i] != '.')))
            return false;
    return s.len > 0 && s.len <= 32;
}

static bool has_control(struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((s.data[i] < ' ' && s.data[i] != '\t') || s.data[i] == 0x7f)
            return true;
    return false;
}

static int take_line(struct reader *r, struct mox_slice line)
{
    const uint8_t *colon = line.len == 0 ? NULL : memchr(line.data, ':', line.len);
    if (mox__slice_trim(line).len == 0)
        return MOX_OK; /* none belongs there, and some write one at the end */
    if (colon == NULL)
        return wrong(r, "no `:`; write name: value");
    size_t at = (size_t)(colon - line.data);
    struct mox_slice name = slice(line.data, at), value = mox__slice_trim(slice_from(line, at + 1));
    if (!is_name(name))
        return wrong(r, "the name of the field is none");
    if (value.len == 0 || has_control(value) || !mox__slice_is_utf8(value))
        return wrong(r, "the field has no value, or one that is no text");
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (mox__slice_is(name, fields[i].name))
            return fields[i].take(r, value);
    return MOX_OK;
}

/* The next line without its end; *rest moves behind it. */
static struct mox_slice next_line(struct mox_slice *rest)
{
    const uint8_t *lf = memchr(rest->data, '\n', rest->len);
    size_t len = lf == NULL ? rest->len : (size_t)(lf - rest->data);
    struct mox_slice line = slice(rest->data, len);
    *rest = slice_from(*rest, lf == NULL ? len : len + 1);
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

static size_t count_hosts(struct mox_slice text)
{
    size_t count = 0;
    while (text.len > 0)
        count += mox__slice_starts_nocase(next_line(&text), "mx:");
    return count < MOX_MTASTS_HOSTS_MAX ? count : MOX_MTASTS_HOSTS_MAX;
}

static int is_complete(struct reader *r)
{
    const char *missing = !r->has_version   ? "version"
                          : !r->has_mode    ? "mode"
                          : !r->has_max_age ? "max_age"
                          : r->policy->mode != MOX_MTASTS_NONE && r->policy->host_count == 0 ? "mx"
                                                                                             : NULL;
    if (missing == NULL)
        return MOX_OK;
    return mox__fail(r->err, MOX_ESYNTAX, "policy: %s is missing", missing);
}

static int read_policy(struct reader *r, struct mox_slice text)
{
    int rc = MOX_OK;
    r->host_room = count_hosts(text);
    if (r->host_room > 0 &&
        (r->hosts = mem_new(r->env, struct mox_mtasts_host, r->host_room)) == NULL)
        return mox__fail(r->err, MOX_ENOMEM, "policy: out of memory");
    r->policy->hosts = r->hosts;
    while (rc == MOX_OK && text.len > 0) {
        r->line++;
        rc = take_line(r, next_line(&text));
    }
    return rc == MOX_OK ? is_complete(r) : rc;
}

int mox_mtasts_policy_parse(struct mox_mtasts_policy **out, const struct mox_env *env,
                            struct mox_slice text, struct mox_error *err)
{
    struct reader r = {.env = env, .err = err};
    *out = NULL;
    if (text.len > MOX_MTASTS_POLICY_MAX)
        return mox__fail(err, MOX_ELIMIT, "policy: more than %d bytes", MOX_MTASTS_POLICY_MAX);
    r.policy = mem_new(env, struct mox_mtasts_policy, 1);
    if (r.policy == NULL)
        return mox__fail(err, MOX_ENOMEM, "policy: out of memory");
    int rc = read_policy(&r, text);
    if (rc == MOX_OK) {
        *out = r.policy;
        r.policy = NULL;
    }
    mox_mtasts_policy_free(env, r.policy);
    return rc;
}

void mox_mtasts_policy_free(const struct mox_env *env, struct mox_mtasts_policy *policy)
{
    if (policy == NULL)
        return;
    mox__mem_free(env, (void *)policy->hosts);
    mox__mem_free(env, policy);
}

bool mox_mtasts_policy_permits(const struct mox_mtasts_policy *policy, const char *host)
{
    struct mox_slice name = slice_of(host);
    if (name.len > 0 && name.data[name.len - 1] == '.')
        name.len--;
    const uint8_t *dot = name.len == 0 ? NULL : memchr(name.data, '.', name.len);
    size_t label = dot == NULL ? 0 : (size_t)(dot - name.data);
    for (size_t i = 0; i < policy->host_count; i++) {
        const struct mox_mtasts_host *h = &policy->hosts[i];
        if (h->any_label ? label > 0 && mox__slice_is_nocase(slice_from(name, label + 1), h->name)
                         : mox__slice_is_nocase(name, h->name))
            return true;
    }
    return false;
}
