/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* Answers as the text of a zone (mox/dns_zone.h), so that another process reaches the same verdict. What
 * cannot be written there is left out, and does not exist then: names with a tab or a line end, and texts
 * that would be read as an outcome. */

static const char *const outcomes[] = {
    [MOX_DNS_FOUND] = "!NODATA",      [MOX_DNS_NODATA] = "!NODATA",
    [MOX_DNS_NXDOMAIN] = "!NXDOMAIN", [MOX_DNS_TIMEOUT] = "!TIMEOUT",
    [MOX_DNS_SERVFAIL] = "!SERVFAIL", [MOX_DNS_BOGUS] = "!BOGUS"};

static bool reads_as_outcome(struct mox_slice text)
{
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
        if (text.len == strlen(outcomes[i]) && memcmp(text.data, outcomes[i], text.len) == 0)
            return true;
    return false;
}

static bool is_plain(const char *name)
{
    for (const char *p = name; *p != '\0'; p++)
        if (*p <= ' ' || *p >= 0x7f)
            return false;
    return name[0] != '\0' && name[0] != '#';
}

/* White space of all kinds is the same in the records that are asked for here. */
static void put_txt(FILE *out, struct mox_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        (void)fputc(strchr("\r\n", text.data[i]) != NULL ? ' ' : text.data[i], out);
}

static void put_value(FILE *out, enum mox_dns_type type, const struct mox_dns_record *r)
{
    char text[INET6_ADDRSTRLEN] = "";
    switch (type) {
    case MOX_DNS_A:
        (void)fputs(inet_ntop(AF_INET, r->data.a, text, sizeof text), out);
        break;
    case MOX_DNS_AAAA:
        (void)fputs(inet_ntop(AF_INET6, r->data.aaaa, text, sizeof text), out);
        break;
    case MOX_DNS_TXT:
        put_txt(out, r->data.txt);
        break;
    case MOX_DNS_MX:
        (void)fprintf(out, "%u %s", r->data.mx.preference, r->data.mx.host);
        break;
    default: /* NS, CNAME, PTR: checks ask for no other types */
        (void)fputs(r->data.name, out);
    }
}

static bool can_be_written(const struct mox_dns_answer *a, const struct mox_dns_record *r)
{
    switch (a->question.type) {
    case MOX_DNS_A:
    case MOX_DNS_AAAA:
        return true;
    case MOX_DNS_TXT:
        return !reads_as_outcome(r->data.txt);
    case MOX_DNS_MX:
        return is_plain(r->data.mx.host);
    case MOX_DNS_NS:
    case MOX_DNS_CNAME:
    case MOX_DNS_PTR:
        return is_plain(r->data.name);
    default:
        return false;
    }
}

static void put_line(FILE *out, const struct mox_dns_answer *a, const struct mox_dns_record *r)
{
    (void)fprintf(out, "%s\t%s\t", a->question.name, mox_dns_type_name(a->question.type));
    if (r == NULL)
        (void)fputs(outcomes[a->status], out);
    else
        put_value(out, a->question.type, r);
    (void)fputc('\n', out);
}

static void put_answer(FILE *out, const struct mox_dns_answer *a)
{
    size_t written = 0;
    for (size_t i = 0; i < a->count; i++)
        if (can_be_written(a, &a->records[i])) {
            put_line(out, a, &a->records[i]);
            written++;
        }
    if (written == 0)
        put_line(out, a, NULL);
}

enum exit_code check_zone(const struct mox_dns_answers *answers, char **text, size_t *len)
{
    FILE *out = open_memstream(text, len);
    if (out == NULL)
        return cli_fail("out of memory");
    for (size_t i = 0; i < mox_dns_answer_count(answers); i++) {
        const struct mox_dns_answer *a = mox_dns_answer_at(answers, i);
        if (is_plain(a->question.name) && mox_dns_type_name(a->question.type) != NULL)
            put_answer(out, a);
    }
    return fclose(out) == 0 ? EXIT_OK : cli_fail("out of memory");
}
