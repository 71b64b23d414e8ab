/* SPDX-License-Identifier: MIT */
#include "base/arena.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "mailauth/auth_results.h"

/* authres-payload = [CFWS] authserv-id [CFWS authres-version]
 *                   ([CFWS] ";" [CFWS] "none" / 1*([CFWS] ";" resinfo)) [CFWS]
 * resinfo         = method [["/" version]] "=" result ["reason" "=" value]
 *                   *(ptype "." property "=" pvalue)      with CFWS everywhere (RFC 8601 §2.2) */

/* What the texts of a field take: each is no longer than what it was read from, and each has at least
 * two bytes there. */
#define ARENA_MAX (2 * 1024 * 1024)

#define VERSION_MAX 999

struct parsed {
    struct mox_env env;
    struct arena arena;
    struct mox_auth_results results;
};

struct reader {
    struct mox_slice text;
    size_t at;
    struct arena *arena;
    struct buf scratch;  /* what is being decoded */
    const char *comment; /* the first that says something since it was set to NULL */
    int rc;              /* sticks; no function below goes on after a failure */
    struct mox_error *err;
};

/* Notes a failure; false, for whoever returns it. */
static bool fail(struct reader *r, int status, const char *what)
{
    if (r->rc == MOX_OK)
        r->rc = mox__fail(r->err, status, "Authentication-Results: %s at byte %zu", what, r->at);
    return false;
}

static bool syntax(struct reader *r, const char *what)
{
    return fail(r, MOX_ESYNTAX, what);
}

/* The byte at the place, 0 at the end: there is no NUL in the text. */
static uint8_t peek(const struct reader *r)
{
    return r->at < r->text.len ? r->text.data[r->at] : 0;
}

static bool is_white(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Whether the white space here has a line end; moves to its end. */
static bool skip_white(struct reader *r, size_t *len)
{
    size_t start = r->at;
    bool folded = false;
    for (; is_white(peek(r)); r->at++)
        folded |= peek(r) == '\r' || peek(r) == '\n';
    *len = r->at - start;
    return folded;
}

/* A copy of what was decoded. */
static bool keep(struct reader *r, const char **out)
{
    *out = NULL;
    if (!r->scratch.failed)
        *out = mox__arena_strndup(r->arena, r->scratch.data, r->scratch.len);
    return *out != NULL || fail(r, MOX_ENOMEM, "out of memory");
}

/* The byte here, or the one that is escaped here, into the scratch. */
static void take_byte(struct reader *r)
{
    if (peek(r) == '\\' && r->at + 1 < r->text.len)
        r->at++;
    mox__buf_byte(&r->scratch, is_white(peek(r)) ? ' ' : peek(r));
    r->at++;
}

/* Single spaces between words, none at both ends. */
static void squeeze(struct buf *b)
{
    size_t len = 0;
    for (size_t i = 0; i < b->len; i++)
        if (b->data[i] != ' ' || (len > 0 && b->data[len - 1] != ' '))
            b->data[len++] = b->data[i];
    b->len = len > 0 && b->data[len - 1] == ' ' ? len - 1 : len;
}

/* The comment that opens here; comments nest. */
static bool take_comment(struct reader *r)
{
    size_t depth = 1;
    mox__buf_clear(&r->scratch);
    for (r->at++; r->at < r->text.len; take_byte(r)) {
        if (peek(r) == '(')
            depth++;
        else if (peek(r) == ')' && --depth == 0)
            break;
    }
    if (depth > 0)
        return syntax(r, "a comment without end");
    r->at++;
    squeeze(&r->scratch);
    return r->comment != NULL || r->scratch.len == 0 || keep(r, &r->comment);
}

static bool skip_cfws(struct reader *r)
{
    size_t len;
    while (is_white(peek(r)) || peek(r) == '(') {
        (void)skip_white(r, &len);
        if (peek(r) == '(' && !take_comment(r))
            return false;
    }
    return true;
}

/* The quoted string that opens here, into the scratch. A fold in it is one space, whatever stands around
 * the line end: that is how it came to be there. */
static bool take_quoted(struct reader *r)
{
    mox__buf_clear(&r->scratch);
    for (r->at++; peek(r) != '"';) {
        size_t len = 0;
        bool folded = skip_white(r, &len);
        for (len = folded ? 1 : len; len > 0; len--)
            mox__buf_byte(&r->scratch, ' ');
        if (r->at == r->text.len)
            return syntax(r, "a quoted string without end");
        if (peek(r) != '"')
            take_byte(r);
    }
    r->at++;
    return true;
}

/* What values without quotes consist of. RFC 2045 §5.1 has no tspecials in them; addresses of IPv6 and
 * base64 come without quotes all the same. */
static bool is_bare(uint8_t c)
{
    return c > ' ' && strchr(";()\"\\", c) == NULL;
}

static struct mox_slice take_bare(struct reader *r)
{
    size_t start = r->at;
    while (is_bare(peek(r)))
        r->at++;
    return slice(r->text.data + start, r->at - start);
}

/* Behind a quoted string: if it was the localpart of an address, the whole address instead, written as
 * such. */
static void take_rest_of_address(struct reader *r)
{
    struct buf localpart = r->scratch;
    if (peek(r) != '@')
        return;
    mox__buf_init(&r->scratch, localpart.env, localpart.max);
    mox__buf_byte(&r->scratch, '"');
    for (size_t i = 0; i < localpart.len; i++) {
        if (localpart.data[i] == '"' || localpart.data[i] == '\\')
            mox__buf_byte(&r->scratch, '\\');
        mox__buf_byte(&r->scratch, localpart.data[i]);
    }
    mox__buf_byte(&r->scratch, '"');
    mox__buf_slice(&r->scratch, take_bare(r));
    r->scratch.failed |= localpart.failed;
    mox__buf_free(&localpart);
}

static bool value(struct reader *r, const char **out, bool *is_address)
{
    *is_address = false;
    if (peek(r) == '"') {
        if (!take_quoted(r))
            return false;
        take_rest_of_address(r);
        return keep(r, out);
    }
    struct mox_slice bare = take_bare(r);
    if (bare.len == 0)
        return syntax(r, "no value");
    *is_address = mox__auth_is_address(bare);
    mox__buf_clear(&r->scratch);
    mox__buf_slice(&r->scratch, bare);
    return keep(r, out);
}

/* Keyword (RFC 5321 §4.1.2), in lower case. */
static bool name(struct reader *r, const char **out)
{
    size_t start = r->at;
    mox__buf_clear(&r->scratch);
    for (uint8_t c = peek(r); is_alpha(c) || is_digit(c) || c == '-' || c == '_'; c = peek(r)) {
        mox__buf_byte(&r->scratch, to_lower(c));
        r->at++;
    }
    if (r->at == start)
        return syntax(r, "no name");
    if (r->at - start > MOX_AUTH_NAME_MAX)
        return fail(r, MOX_ELIMIT, "a name that is too long");
    return keep(r, out);
}

static bool number(struct reader *r, unsigned *out)
{
    size_t start = r->at;
    uint64_t n;
    while (is_digit(peek(r)))
        r->at++;
    if (!mox__slice_uint(slice(r->text.data + start, r->at - start), VERSION_MAX, &n))
        return syntax(r, "no version");
    *out = (unsigned)n;
    return true;
}

/* A byte with CFWS around it. */
static bool mark(struct reader *r, uint8_t c, const char *missing)
{
    if (!skip_cfws(r))
        return false;
    if (peek(r) != c)
        return syntax(r, missing);
    r->at++;
    return skip_cfws(r);
}

/* type.property=value, reason=value, or word=value. */
static bool property(struct reader *r, struct mox_auth_method *m)
{
    struct mox_auth_property p = {.type = ""};
    if (!name(r, &p.property) || !skip_cfws(r))
        return false;
    if (peek(r) == '.') {
        p.type = p.property;
        if (!mark(r, '.', "") || !name(r, &p.property))
            return false;
    }
    if (!mark(r, '=', "no = behind a property") || !value(r, &p.value, &p.is_address))
        return false;
    if (p.type[0] == '\0' && strcmp(p.property, "reason") == 0 && m->reason == NULL) {
        m->reason = p.value;
        return true;
    }
    if (m->property_count == MOX_AUTH_PROPERTIES_MAX)
        return fail(r, MOX_ELIMIT, "too many properties");
    m->properties[m->property_count++] = p;
    return true;
}

static bool at_method_end(const struct reader *r)
{
    return r->at == r->text.len || peek(r) == ';';
}

/* resinfo behind its `;` and CFWS, with the CFWS that follows it. *none: it is no-result. */
static bool method(struct reader *r, struct mox_auth_method *m, bool *none)
{
    m->version = 1;
    r->comment = NULL;
    if (!name(r, &m->method) || !skip_cfws(r))
        return false;
    *none = r->at == r->text.len && strcmp(m->method, "none") == 0;
    if (*none)
        return true;
    if (peek(r) == '/' && !(mark(r, '/', "") && number(r, &m->version)))
        return false;
    if (!mark(r, '=', "no = behind a method") || !name(r, &m->result) || !skip_cfws(r))
        return false;
    while (!at_method_end(r))
        if (!property(r, m) || !skip_cfws(r))
            return false;
    m->comment = r->comment;
    return true;
}

/* The methods, up to the end. `room`: how many there can be. */
static bool methods(struct reader *r, struct mox_auth_method *list, size_t room, size_t *count)
{
    bool none = false;
    if (peek(r) != ';')
        return syntax(r, "no ; and no method");
    while (peek(r) == ';' && !none) {
        if (!mark(r, ';', ""))
            return false;
        if (r->at == r->text.len && *count > 0)
            break; /* a `;` behind the last */
        if (*count == room)
            return fail(r, MOX_ELIMIT, "too many methods");
        if (!method(r, &list[*count], &none))
            return false;
        if (none && *count > 0)
            return syntax(r, "none beside methods");
        *count += none ? 0 : 1;
    }
    return true;
}

/* authserv-id, a value, and the version. */
static bool head(struct reader *r, struct mox_auth_results *results)
{
    bool is_address;
    results->version = 1;
    if (!skip_cfws(r))
        return false;
    bool quoted = peek(r) == '"';
    if (!value(r, &results->authserv_id, &is_address))
        return false;
    if (!quoted && strchr(results->authserv_id, '=') != NULL)
        return syntax(r, "a method instead of the server's name");
    if (!skip_cfws(r))
        return false;
    if (is_digit(peek(r)) && !number(r, &results->version))
        return false;
    return skip_cfws(r);
}

/* RFC 5322 §2.2 and RFC 6532 §3.1: no controls, and bytes over 0x7f only as UTF-8. */
static bool is_header_text(struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((s.data[i] < ' ' && !is_white(s.data[i])) || s.data[i] == 0x7f)
            return false;
    return mox__slice_is_utf8(s);
}

static bool parse(struct reader *r, struct mox_auth_results *results)
{
    size_t room = 0;
    if (r->text.len > MOX_AUTH_RESULTS_MAX)
        return fail(r, MOX_ELIMIT, "too long");
    if (!is_header_text(r->text))
        return syntax(r, "a control character, or text that is not UTF-8");
    for (size_t i = 0; i < r->text.len && room < MOX_AUTH_METHODS_MAX; i++)
        room += r->text.data[i] == ';';
    struct mox_auth_method *list = arena_new(r->arena, struct mox_auth_method, room + 1);
    if (list == NULL)
        return fail(r, MOX_ENOMEM, "out of memory");
    results->methods = list;
    return head(r, results) && methods(r, list, room, &results->method_count);
}

int mox_auth_results_parse(struct mox_auth_results **out, const struct mox_env *env,
                           struct mox_slice text, struct mox_error *err)
{
    *out = NULL;
    struct parsed *p = mem_new(env, struct parsed, 1);
    if (p == NULL)
        return mox__fail(err, MOX_ENOMEM, "Authentication-Results: out of memory");
    p->env = *env;
    mox__arena_init(&p->arena, &p->env, ARENA_MAX);
    struct reader r = {.text = text, .arena = &p->arena, .rc = MOX_OK, .err = err};
    mox__buf_init(&r.scratch, &p->env, 3 * (size_t)MOX_AUTH_RESULTS_MAX);
    bool ok = parse(&r, &p->results);
    mox__buf_free(&r.scratch);
    if (ok)
        *out = &p->results;
    else
        mox_auth_results_free(env, &p->results);
    return r.rc;
}

void mox_auth_results_free(const struct mox_env *env, struct mox_auth_results *results)
{
    if (results == NULL)
        return;
    struct parsed *p = container_of(results, struct parsed, results);
    mox__arena_reset(&p->arena);
    mox__mem_free(env, p);
}
