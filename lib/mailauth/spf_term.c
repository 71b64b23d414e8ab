/* SPDX-License-Identifier: MIT */
#include "mailauth/spf_term.h"

#include "base/text.h"
#include "mailauth/spf_macro.h"

static const char version[] = "v=spf1";
#define VERSION_LEN (sizeof version - 1)

bool mox__spf_is_record(struct mox_slice text)
{
    return mox__slice_starts_nocase(text, version) &&
           (text.len == VERSION_LEN || text.data[VERSION_LEN] == ' ');
}

struct mox_slice mox__spf_terms(struct mox_slice record)
{
    return slice_from(record, VERSION_LEN);
}

static bool wrong(const char **problem, const char *text)
{
    *problem = text;
    return false;
}

/* ---- pieces of terms ---- */

/* Decimal without leading zeros, up to `max` (§12 ip4-cidr-length). */
static bool prefix(struct mox_slice s, unsigned max, unsigned *out)
{
    uint64_t n;
    if ((s.len > 1 && s.data[0] == '0') || !mox__slice_uint(s, max, &n))
        return false;
    *out = (unsigned)n;
    return true;
}

/* Takes "/digits" off the end; false when it is no such thing. Without a stroke there is nothing to take. */
static bool take_prefix(struct mox_slice *s, const char *stroke, unsigned max, unsigned *out)
{
    size_t digits = 0, len = strlen(stroke);
    while (digits < s->len && is_digit(s->data[s->len - 1 - digits]))
        digits++;
    size_t at = s->len - digits;
    if (at < len || memcmp(s->data + at - len, stroke, len) != 0)
        return true;
    if (!prefix(slice_from(*s, at), max, out))
        return false;
    s->len = at - len;
    return true;
}

/* [":" domain-spec] [dual-cidr-length] */
static bool read_host(struct spf_term *t, struct mox_slice args, const char **problem)
{
    t->prefix4 = 32;
    t->prefix6 = 128;
    if (!take_prefix(&args, "//", 128, &t->prefix6) || !take_prefix(&args, "/", 32, &t->prefix4))
        return wrong(problem, "a length of a prefix is wrong");
    if (args.len == 0)
        return true;
    t->domain = slice_from(args, 1);
    return (args.data[0] == ':' && mox__spf_is_domain_spec(t->domain)) ||
           wrong(problem, "the name is wrong");
}

static bool read_domain(struct spf_term *t, struct mox_slice args, const char **problem)
{
    if (args.len == 0 || args.data[0] != ':')
        return wrong(problem, "it needs a name behind a colon");
    t->domain = slice_from(args, 1);
    return mox__spf_is_domain_spec(t->domain) || wrong(problem, "the name is wrong");
}

static bool read_ptr(struct spf_term *t, struct mox_slice args, const char **problem)
{
    return args.len == 0 || read_domain(t, args, problem);
}

static bool read_all(struct spf_term *t, struct mox_slice args, const char **problem)
{
    (void)t;
    return args.len == 0 || wrong(problem, "it takes nothing behind it");
}

/* What is left of the network's text, without its prefix. */
static bool read_network(struct mox_slice args, unsigned max, unsigned *bits,
                         struct mox_slice *text, const char **problem)
{
    *bits = max;
    if (args.len == 0 || args.data[0] != ':')
        return wrong(problem, "it needs a network behind a colon");
    *text = slice_from(args, 1);
    return take_prefix(text, "/", max, bits) || wrong(problem, "the length of the prefix is wrong");
}

static bool read_ip4(struct spf_term *t, struct mox_slice args, const char **problem)
{
    struct mox_slice text;
    if (!read_network(args, 32, &t->prefix4, &text, problem))
        return false;
    return (memchr(text.data, ':', text.len) == NULL && mox__ip_parse(text, &t->network)) ||
           wrong(problem, "it is no IPv4 address");
}

/* An IPv4-mapped network is one of IPv6 here, which no client is in (§5). */
static bool read_ip6(struct spf_term *t, struct mox_slice args, const char **problem)
{
    struct mox_slice text;
    if (!read_network(args, 128, &t->prefix6, &text, problem))
        return false;
    if (memchr(text.data, ':', text.len) == NULL || !mox__ip_parse(text, &t->network))
        return wrong(problem, "it is no IPv6 address");
    if (!t->network.v6) {
        struct ip v4 = t->network;
        t->network = (struct ip){.v6 = true, .bytes = {[10] = 0xff, [11] = 0xff}};
        memcpy(t->network.bytes + 12, v4.bytes, 4);
    }
    return true;
}

static const struct {
    const char *name;
    bool (*read)(struct spf_term *t, struct mox_slice args, const char **problem);
} mechanisms[] = {
    [SPF_ALL] = {"all", read_all}, [SPF_INCLUDE] = {"include", read_domain},
    [SPF_A] = {"a", read_host},    [SPF_MX] = {"mx", read_host},
    [SPF_PTR] = {"ptr", read_ptr}, [SPF_IP4] = {"ip4", read_ip4},
    [SPF_IP6] = {"ip6", read_ip6}, [SPF_EXISTS] = {"exists", read_domain},
};

const char *mox__spf_kind_name(enum spf_kind kind)
{
    static const char *const modifiers[] = {"redirect", "exp", "modifier"};
    return kind < SPF_REDIRECT ? mechanisms[kind].name : modifiers[kind - SPF_REDIRECT];
}

static bool read_mechanism(struct spf_term *t, struct mox_slice text, size_t name_len,
                           const char **problem)
{
    for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++)
        if (mox__slice_is_nocase(slice(text.data, name_len), mechanisms[i].name)) {
            t->kind = (enum spf_kind)i;
            return mechanisms[i].read(t, slice_from(text, name_len), problem);
        }
    return wrong(problem, "there is no such mechanism");
}

static bool read_modifier(struct spf_term *t, struct mox_slice name, struct mox_slice value,
                          const char **problem)
{
    t->domain = value;
    t->kind = mox__slice_is_nocase(name, "redirect") ? SPF_REDIRECT
              : mox__slice_is_nocase(name, "exp")    ? SPF_EXP
                                                     : SPF_UNKNOWN;
    if (t->kind == SPF_UNKNOWN)
        return mox__spf_is_macro_string(value, true) || wrong(problem, "its value is wrong");
    return mox__spf_is_domain_spec(value) || wrong(problem, "the name is wrong");
}

static bool read_term(struct spf_term *t, const char **problem)
{
    static const char qualifiers[] = "+-~?";
    static const enum mox_spf_result results[] = {MOX_SPF_PASS, MOX_SPF_FAIL, MOX_SPF_SOFTFAIL,
                                                  MOX_SPF_NEUTRAL};
    struct mox_slice text = t->text;
    const char *q = text.data[0] != '\0' ? strchr(qualifiers, text.data[0]) : NULL;
    t->qualifier = q != NULL ? results[q - qualifiers] : MOX_SPF_PASS;
    text = slice_from(text, q != NULL);
    size_t name = 0;
    while (name < text.len &&
           (is_alpha(text.data[name]) || is_digit(text.data[name]) || text.data[name] == '-' ||
            text.data[name] == '_' || text.data[name] == '.'))
        name++;
    if (name == 0 || !is_alpha(text.data[0]))
        return wrong(problem, "it is no term");
    if (name < text.len && text.data[name] == '=')
        return q == NULL
                   ? read_modifier(t, slice(text.data, name), slice_from(text, name + 1), problem)
                   : wrong(problem, "a modifier has no qualifier");
    return read_mechanism(t, text, name, problem);
}

enum spf_next mox__spf_next(struct mox_slice *rest, struct spf_term *out, const char **problem)
{
    size_t start = 0;
    while (start < rest->len && rest->data[start] == ' ')
        start++;
    size_t end = start;
    while (end < rest->len && rest->data[end] != ' ')
        end++;
    *out = (struct spf_term){.text = slice(rest->data + start, end - start)};
    *rest = slice_from(*rest, end);
    if (start == end)
        return SPF_END;
    return read_term(out, problem) ? SPF_TERM : SPF_BROKEN;
}
