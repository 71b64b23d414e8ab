/* SPDX-License-Identifier: MIT */
#include "smtp/path.h"

#include <mox/dns.h>
#include <stdio.h>
#include <string.h>

#include "base/ip.h"
#include "base/text.h"
#include "dns/nfc.h"

/*
 * Path           = "<" [ A-d-l ":" ] Mailbox ">"          A-d-l is parsed and ignored
 * Mailbox        = Local-part "@" ( Domain / address-literal )
 * Local-part     = Dot-string / Quoted-string
 * Quoted-string  = DQUOTE *( qtext / "\" %d32-126 ) DQUOTE
 */

/* RFC 5321 §4.5.3.1.3; with the brackets. */
#define PATH_MAX_BYTES 256
/* §4.5.3.1.1 has 64, but bounce addresses of mailing lists are longer. */
#define LOCALPART_MAX          128
#define LOCALPART_MAX_PEDANTIC 64

bool mox__smtp_cut_path(struct mox_slice *in, struct mox_slice *inner)
{
    bool quoted = false;
    if (in->len == 0 || in->data[0] != '<')
        return false;
    for (size_t i = 1; i < in->len; i++) {
        uint8_t c = in->data[i];
        if (quoted && c == '\\') {
            i++;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (c == '>' && !quoted) {
            *inner = slice(in->data + 1, i - 1);
            *in = slice_from(*in, i + 1);
            return true;
        }
    }
    return false;
}

static bool is_atext(uint8_t c)
{
    return is_alpha(c) || is_digit(c) || c >= 0x80 ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* The local part as it is meant: without quotes and backslashes. */
struct localpart {
    uint8_t bytes[PATH_MAX_BYTES];
    size_t len;
};

static bool add_byte(struct localpart *l, uint8_t c)
{
    if (l->len == sizeof l->bytes)
        return false;
    l->bytes[l->len++] = c;
    return true;
}

/* Dot-string: atoms with single dots between them. */
static bool take_dot_string(struct mox_slice *in, struct localpart *l)
{
    bool atom = false; /* the byte in front is one of an atom */
    size_t i = 0;
    for (; i < in->len && (is_atext(in->data[i]) || (in->data[i] == '.' && atom)); i++) {
        atom = in->data[i] != '.';
        if (!add_byte(l, in->data[i]))
            return false;
    }
    *in = slice_from(*in, i);
    return atom;
}

static bool take_quoted_string(struct mox_slice *in, struct localpart *l)
{
    for (size_t i = 1; i < in->len; i++) {
        uint8_t c = in->data[i];
        if (c == '"') {
            *in = slice_from(*in, i + 1);
            return true;
        }
        if (c == '\\' && ++i < in->len)
            c = in->data[i];
        if (c < ' ' || c == 0x7f || !add_byte(l, c))
            return false;
    }
    return false;
}

static bool is_ip_text(struct mox_slice text, bool v6, char out[SMTP_LITERAL_MAX])
{
    struct ip ip;
    char shown[IP_TEXT_MAX];
    bool has_colon = text.len > 0 && memchr(text.data, ':', text.len) != NULL;
    if (has_colon != v6 || !mox__ip_parse(text, &ip))
        return false;
    mox__ip_format(&ip, shown);
    (void)snprintf(out, SMTP_LITERAL_MAX, ip.v6 ? "[IPv6:%s]" : "[%s]", shown);
    return true;
}

bool mox__smtp_literal_parse(struct mox_slice text, bool pedantic, char out[SMTP_LITERAL_MAX])
{
    if (text.len < 2 || text.data[0] != '[' || text.data[text.len - 1] != ']')
        return false;
    struct mox_slice ip = slice(text.data + 1, text.len - 2);
    if (mox__slice_starts_nocase(ip, "IPv6:"))
        return is_ip_text(slice_from(ip, 5), true, out);
    return is_ip_text(ip, false, out) || (!pedantic && is_ip_text(ip, true, out));
}

static int take_literal(struct arena *a, struct mox_slice text, unsigned flags,
                        struct mox_smtp_path *out, const char **problem)
{
    char literal[SMTP_LITERAL_MAX];
    if (!mox__smtp_literal_parse(text, (flags & PATH_PEDANTIC) != 0, literal)) {
        *problem = "address literals are [192.0.2.1] or [IPv6:2001:db8::1]";
        return MOX_ESYNTAX;
    }
    out->is_literal = true;
    out->domain = out->domain_unicode = mox__arena_strndup(a, literal, strlen(literal));
    return out->domain == NULL ? MOX_ENOMEM : MOX_OK;
}

static int take_domain(struct arena *a, struct mox_slice text, unsigned flags,
                       struct mox_smtp_path *out, const char **problem)
{
    if (text.len > 0 && text.data[0] == '[')
        return take_literal(a, text, flags, out, problem);
    if (!mox__slice_is_ascii(text) && (flags & PATH_UTF8) == 0)
        return MOX_EUNSUPPORTED;
    struct mox_domain name;
    int rc = mox_domain_parse(&name, text, 0);
    if (rc < 0) {
        *problem = "the part behind the @ is not a domain name";
        return rc == MOX_ENOMEM ? rc : MOX_ESYNTAX;
    }
    out->domain = mox__arena_strndup(a, name.ascii, strlen(name.ascii));
    out->domain_unicode = out->domain;
    if (strcmp(name.ascii, name.unicode) != 0)
        out->domain_unicode = mox__arena_strndup(a, name.unicode, strlen(name.unicode));
    return out->domain == NULL || out->domain_unicode == NULL ? MOX_ENOMEM : MOX_OK;
}

/* Equal to the eye is equal to us: NFC. It can be longer than what came, and what others get from us has
 * to be within the limit too. */
static int keep_localpart(struct arena *a, const struct localpart *l, size_t max,
                          struct mox_smtp_path *out)
{
    struct buf normal;
    mox__buf_init(&normal, a->env, 4 * PATH_MAX_BYTES); /* NFC grows to three times at most */
    int rc = mox__nfc(&normal, slice(l->bytes, l->len));
    if (rc == MOX_OK && normal.len > max)
        rc = MOX_ESYNTAX;
    if (rc == MOX_OK) {
        out->localpart = mox__arena_strndup(a, normal.data, normal.len);
        rc = out->localpart == NULL ? MOX_ENOMEM : MOX_OK;
    }
    mox__buf_free(&normal);
    return rc;
}

static int take_localpart(struct arena *a, struct mox_slice *in, unsigned flags,
                          struct mox_smtp_path *out, const char **problem)
{
    struct localpart l = {.len = 0};
    struct mox_slice rest = *in;
    bool quoted = rest.len > 0 && rest.data[0] == '"';
    if (!(quoted ? take_quoted_string(&rest, &l) : take_dot_string(&rest, &l)) || rest.len == 0 ||
        rest.data[0] != '@') {
        *problem = "want localpart@domain";
        return MOX_ESYNTAX;
    }
    *in = slice_from(rest, 1);
    if (!mox__slice_is_ascii(slice(l.bytes, l.len)) && (flags & PATH_UTF8) == 0)
        return MOX_EUNSUPPORTED;
    *problem = "the part before the @ is too long or not UTF-8";
    size_t max = (flags & PATH_PEDANTIC) != 0 ? LOCALPART_MAX_PEDANTIC : LOCALPART_MAX;
    return l.len > max ? MOX_ESYNTAX : keep_localpart(a, &l, max, out);
}

/* `@a.example,@b.example:` in front: RFC 5321 §4.1.2 says to accept and ignore it. */
static struct mox_slice skip_source_route(struct mox_slice in)
{
    size_t i = 0;
    if (in.len == 0 || in.data[0] != '@')
        return in;
    while (i < in.len && in.data[i] != ':' && in.data[i] != '"')
        i++;
    return i < in.len && in.data[i] == ':' ? slice_from(in, i + 1) : in;
}

static int keep_special(struct arena *a, const char *localpart, bool postmaster,
                        struct mox_smtp_path *out)
{
    char *text = mox__arena_strndup(a, localpart, strlen(localpart));
    if (text == NULL)
        return MOX_ENOMEM;
    out->address = out->localpart = text;
    out->domain = out->domain_unicode = text + strlen(text);
    out->is_postmaster = postmaster;
    return MOX_OK;
}

int mox__smtp_path_parse(struct arena *a, struct mox_slice inner, unsigned flags,
                         struct mox_smtp_path *out, const char **problem)
{
    *out = (struct mox_smtp_path){0};
    *problem = "";
    if (inner.len == 0 && (flags & PATH_NULL) != 0)
        return keep_special(a, "", false, out);
    if ((flags & PATH_POSTMASTER) != 0 && mox__slice_is_nocase(inner, "postmaster"))
        return keep_special(a, "postmaster", true, out);

    struct mox_slice mailbox = skip_source_route(inner), domain = mailbox;
    if (mailbox.len + 2 > PATH_MAX_BYTES) {
        *problem = "the path is longer than 256 bytes";
        return MOX_ESYNTAX;
    }
    int rc = take_localpart(a, &domain, flags, out, problem);
    if (rc == MOX_OK)
        rc = take_domain(a, domain, flags, out, problem);
    if (rc == MOX_OK) {
        out->address = mox__arena_strndup(a, mailbox.data, mailbox.len);
        rc = out->address == NULL ? MOX_ENOMEM : MOX_OK;
    }
    return rc;
}

/* Whether the local part can stand without quotes. */
static bool is_dot_string(const char *text)
{
    struct localpart l = {.len = 0};
    struct mox_slice rest = slice_of(text);
    return take_dot_string(&rest, &l) && rest.len == 0;
}

void mox__smtp_path_write(struct buf *out, const struct mox_smtp_path *path)
{
    if (path->is_postmaster || path->domain[0] == '\0') {
        mox__buf_text(out, path->localpart);
        return;
    }
    if (is_dot_string(path->localpart))
        mox__buf_text(out, path->localpart);
    else
        mox__buf_quoted(out, slice_of(path->localpart));
    mox__buf_printf(out, "@%s", path->domain);
}
