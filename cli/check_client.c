/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include <mox/header.h>

/* Who handed a message over, as the server that took it wrote into its first Received field (RFC 5321 §4.4) and into
 * Return-Path. Fields of a machine to itself are passed over: of filters, and of the way into a mailbox. */

/* Fields that are looked at: those stations are few. */
#define FIELDS_MAX 16

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct mox_slice from(struct mox_slice s, size_t n)
{
    return (struct mox_slice){s.data + n, s.len - n};
}

/* The word at the begin, and what is behind it. */
static struct mox_slice word(struct mox_slice *s)
{
    size_t n = 0;
    while (s->len > 0 && is_space(s->data[0]))
        *s = from(*s, 1);
    while (n < s->len && !is_space(s->data[n]))
        n++;
    const struct mox_slice w = {s->data, n};
    *s = from(*s, n);
    return w;
}

static bool is_word(struct mox_slice w, const char *text)
{
    return w.len == strlen(text) && strncasecmp((const char *)w.data, text, w.len) == 0;
}

/* Only what may be shown, for a stranger wrote it. */
static void copy(char *out, size_t size, struct mox_slice text)
{
    out[0] = '\0';
    if (text.len >= size)
        return;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f)
            return;
    memcpy(out, text.data, text.len);
    out[text.len] = '\0';
}

/* What stands at the begin, up to a bracket or a blank, if that is an address. */
static bool take_ip(struct mox_slice s, char out[CHECK_IP_MAX])
{
    uint8_t binary[16];
    size_t n = 0;
    if (s.len > 5 && strncasecmp((const char *)s.data, "IPv6:", 5) == 0)
        s = from(s, 5);
    while (n < s.len && !is_space(s.data[n]) && s.data[n] != ']' && s.data[n] != ')')
        n++;
    copy(out, CHECK_IP_MAX, (struct mox_slice){s.data, n});
    return inet_pton(AF_INET, out, binary) == 1 || inet_pton(AF_INET6, out, binary) == 1;
}

/* Whether the bracket at `at` holds what the client called itself: "(HELO [192.0.2.1])", "helo=[192.0.2.1]". */
static bool is_claim(struct mox_slice s, size_t at)
{
    if (at < 5 || (s.data[at - 1] != ' ' && s.data[at - 1] != '='))
        return false;
    const struct mox_slice name = {s.data + at - 5, 4};
    return is_word(name, "helo") || is_word(name, "ehlo");
}

/* "([192.0.2.1] …)", "(name [192.0.2.1])", "(192.0.2.1)": the first address in brackets of any kind. */
static bool find_ip(struct mox_slice s, char out[CHECK_IP_MAX])
{
    for (size_t i = 0; i + 1 < s.len; i++)
        if ((s.data[i] == '[' || s.data[i] == '(') && !is_claim(s, i) &&
            take_ip(from(s, i + 1), out))
            return true;
    return false;
}

/* What stands in front of the word "by", which is what the client is said to be. */
static struct mox_slice until_by(struct mox_slice s)
{
    struct mox_slice rest = s;
    while (rest.len > 0) {
        const struct mox_slice w = word(&rest);
        if (is_word(w, "by"))
            return (struct mox_slice){s.data, (size_t)(w.data - s.data)};
    }
    return s;
}

/* One Received field: "from HELO (NAME [ADDRESS]) by …". */
static bool read_received(struct mox_slice value, struct check_client *out)
{
    struct mox_slice rest = value;
    if (!is_word(word(&rest), "from"))
        return false;
    const struct mox_slice helo = word(&rest); /* which may be "by" */
    rest = until_by(rest);
    copy(out->helo, sizeof out->helo, helo);
    return find_ip(rest, out->ip) || find_ip(helo, out->ip);
}

static bool is_loopback(const char *ip)
{
    return strncmp(ip, "127.", 4) == 0 || strcmp(ip, "::1") == 0;
}

static void read_return_path(struct mox_slice value, struct check_client *out)
{
    struct mox_slice path = word(&value);
    if (path.len >= 2 && path.data[0] == '<' && path.data[path.len - 1] == '>')
        path = (struct mox_slice){path.data + 1, path.len - 2};
    copy(out->mail_from, sizeof out->mail_from, path);
}

bool check_client_find(struct check_client *out, struct mox_slice content)
{
    struct mox_header_field field;
    struct check_client own = {.ip = ""};
    unsigned fields = 0;
    *out = own;
    for (size_t at = 0; fields < FIELDS_MAX && mox_header_next(content, &at, &field);) {
        struct check_client found = own;
        if (fields == 0 && is_word(field.name, "Return-Path")) /* below it is anybody's */
            read_return_path(field.value, &own);
        if (!is_word(field.name, "Received"))
            continue;
        fields++;
        if (!read_received(field.value, &found))
            continue;
        if (out->ip[0] == '\0' || !is_loopback(found.ip))
            *out = found;
        if (!is_loopback(out->ip))
            break;
    }
    return out->ip[0] != '\0';
}
