/* SPDX-License-Identifier: MIT */
#include <mox/dmarc.h>

#include "base/error.h"
#include "base/text.h"
#include "mailauth/tags.h"

/* A policy record (RFC 7489 §6.3, §6.4). Only v= and p= must be right: what is wrong in other tags counts
 * as if it was not there. */

#define TAGS_MAX 64
/* RFC 7489 §6.3: ri= is a 32-bit number of seconds. */
#define INTERVAL_DEFAULT 86400

struct reader {
    struct mox_dmarc_record *out;
    bool has_policy, bad_subdomain_policy;
};

static bool policy(struct mox_slice value, enum mox_dmarc_policy *out)
{
    static const char *const names[] = {"none", "quarantine", "reject"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (mox__slice_is_nocase(value, names[i])) {
            *out = (enum mox_dmarc_policy)i;
            return true;
        }
    return false;
}

static void tag_sp(struct reader *r, struct mox_slice value)
{
    r->out->has_subdomain_policy = policy(value, &r->out->subdomain_policy);
    r->bad_subdomain_policy = !r->out->has_subdomain_policy;
}

/* r or s; anything else is r. */
static bool is_strict(struct mox_slice value)
{
    return mox__slice_is_nocase(value, "s");
}

static void tag_adkim(struct reader *r, struct mox_slice value)
{
    r->out->strict_dkim = is_strict(value);
}

static void tag_aspf(struct reader *r, struct mox_slice value)
{
    r->out->strict_spf = is_strict(value);
}

static void tag_pct(struct reader *r, struct mox_slice value)
{
    uint64_t n;
    if (mox__slice_uint(value, 100, &n))
        r->out->percent = (unsigned)n;
}

static void tag_ri(struct reader *r, struct mox_slice value)
{
    uint64_t n;
    if (mox__slice_uint(value, UINT32_MAX, &n))
        r->out->interval_seconds = (uint32_t)n;
}

static void tag_fo(struct reader *r, struct mox_slice value)
{
    struct mox_slice rest = value, option;
    r->out->failure_0 = false;
    while (mox__colon_next(&rest, &option)) {
        r->out->failure_0 = r->out->failure_0 || mox__slice_is(option, "0");
        r->out->failure_1 = r->out->failure_1 || mox__slice_is(option, "1");
        r->out->failure_d = r->out->failure_d || mox__slice_is_nocase(option, "d");
        r->out->failure_s = r->out->failure_s || mox__slice_is_nocase(option, "s");
    }
}

/* scheme ":" and something printable behind it (RFC 3986 §3). */
static bool is_uri(struct mox_slice s)
{
    size_t at = 0;
    while (at < s.len && (is_alpha(s.data[at]) || (at > 0 && is_digit(s.data[at]))))
        at++;
    if (at == 0 || at + 1 >= s.len || s.data[at] != ':')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] <= ' ' || s.data[i] >= 0x7f)
            return false;
    return true;
}

/* "!" 1*DIGIT [ "k" / "m" / "g" / "t" ], taken off the end (§6.4); false: it is no size. */
static bool take_size(struct mox_slice *s, uint64_t *bytes)
{
    static const char units[] = "kmgt";
    const uint8_t *mark = memrchr(s->data, '!', s->len);
    *bytes = 0;
    if (mark == NULL)
        return true;
    struct mox_slice size = slice_from(*s, (size_t)(mark - s->data) + 1);
    unsigned shift = 0;
    if (size.len > 0 && size.data[size.len - 1] != '\0') {
        const char *unit = strchr(units, to_lower(size.data[size.len - 1]));
        shift = unit == NULL ? 0 : 10 * (unsigned)(unit - units + 1);
        size.len -= unit != NULL;
    }
    s->len = (size_t)(mark - s->data);
    if (!mox__slice_uint(size, UINT64_MAX >> shift, bytes))
        return false;
    *bytes <<= shift;
    return true;
}

static void uris(struct mox_slice value, struct mox_dmarc_uri list[MOX_DMARC_URIS_MAX],
                 size_t *count)
{
    while (value.len > 0 && *count < MOX_DMARC_URIS_MAX) {
        const uint8_t *comma = memchr(value.data, ',', value.len);
        size_t len = comma == NULL ? value.len : (size_t)(comma - value.data);
        struct mox_slice uri = mox__slice_trim(slice(value.data, len));
        struct mox_dmarc_uri *out = &list[*count];
        value = slice_from(value, comma == NULL ? len : len + 1);
        if (uri.len == 0 || !take_size(&uri, &out->max_bytes) || !is_uri(uri) ||
            uri.len > MOX_DMARC_URI_MAX)
            continue;
        memcpy(out->uri, uri.data, uri.len);
        out->uri[uri.len] = '\0';
        ++*count;
    }
}

static void tag_rua(struct reader *r, struct mox_slice value)
{
    uris(value, r->out->aggregate, &r->out->aggregate_count);
}

static void tag_ruf(struct reader *r, struct mox_slice value)
{
    uris(value, r->out->failure, &r->out->failure_count);
}

static const struct {
    const char *name;
    void (*read)(struct reader *r, struct mox_slice value);
} tags[] = {
    {"sp", tag_sp}, {"adkim", tag_adkim}, {"aspf", tag_aspf}, {"pct", tag_pct},
    {"ri", tag_ri}, {"fo", tag_fo},       {"rua", tag_rua},   {"ruf", tag_ruf},
};

static void read_tag(struct reader *r, size_t place, const struct tag *t)
{
    /* §6.4: p= is the first behind v=; elsewhere it is not there. */
    if (mox__slice_is_nocase(t->name, "p") && place == 1)
        r->has_policy = policy(t->value, &r->out->policy);
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        if (mox__slice_is_nocase(t->name, tags[i].name))
            tags[i].read(r, t->value);
}

static bool is_new(const struct mox_slice *names, size_t count, struct mox_slice name)
{
    for (size_t i = 0; i < count; i++)
        if (mox__slice_eq_nocase(names[i], name))
            return false;
    return true;
}

static int read_tags(struct reader *r, struct mox_slice rest, struct mox_error *err)
{
    struct mox_slice names[TAGS_MAX];
    struct tag t;
    size_t count = 0;
    enum tag_result found;
    names[0] = slice_of("v");
    for (; (found = mox__tag_next(&rest, &t)) == TAG_FOUND; count++) {
        if (count == 0)
            continue; /* v=, which was seen */
        if (count == TAGS_MAX || !is_new(names, count, t.name))
            return mox__fail(err, MOX_ESYNTAX, "the DMARC record has a tag twice, or too many");
        names[count] = t.name;
        read_tag(r, count, &t);
    }
    return found == TAG_END ? MOX_OK
                            : mox__fail(err, MOX_ESYNTAX, "the DMARC record is no list of tags");
}

/* "v" *WSP "=" *WSP "DMARC1", with a `;` behind it (§6.4). */
static bool is_record(struct mox_slice text)
{
    struct tag t;
    struct mox_slice rest = text;
    return mox__tag_next(&rest, &t) == TAG_FOUND && mox__slice_is_nocase(t.name, "v") &&
           mox__slice_is(t.value, "DMARC1") && memchr(text.data, ';', text.len) != NULL;
}

int mox_dmarc_record_parse(struct mox_dmarc_record *out, struct mox_slice text,
                           struct mox_error *err)
{
    struct reader r = {.out = out};
    *out = (struct mox_dmarc_record){
        .percent = 100, .interval_seconds = INTERVAL_DEFAULT, .failure_0 = true};
    if (!is_record(text))
        return mox__fail(err, MOX_ENOTFOUND, "it is no DMARC record");
    int rc = read_tags(&r, text, err);
    if (rc < 0)
        return rc;
    if (!r.has_policy || r.bad_subdomain_policy) {
        /* §6.6.3: who wants reports is to get them, as if the policy was none. */
        if (out->aggregate_count == 0)
            return mox__fail(err, MOX_ESYNTAX,
                             "the DMARC record has no valid %s=", r.has_policy ? "sp" : "p");
        out->policy = MOX_DMARC_POLICY_NONE;
        out->has_subdomain_policy = false;
    }
    if (!out->has_subdomain_policy)
        out->subdomain_policy = out->policy;
    return MOX_OK;
}
