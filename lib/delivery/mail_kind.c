/* SPDX-License-Identifier: MIT */
#include "delivery/mail_kind.h"

#include <string.h>

#include <mox/address.h>
#include <mox/dns.h>

#include "base/buf.h"
#include "base/text.h"
#include "message/content.h"

/* Addresses of To and Cc that are looked at: who is told together with so many is not written to. */
#define ADDRESSES_MAX 2000
/* A parameter's value, for which this is long. */
#define REPORT_TYPE_MAX 100

bool mox__is_mailing_list(struct mox_slice headers)
{
    static const char *const names[] = {"List-Id", "List-Post", "List-Unsubscribe"};
    struct mox_slice value;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (mox_header_find(headers, names[i], &value))
            return true;
    return mox_header_find(headers, "Precedence", &value) &&
           (mox__slice_is_nocase(mox__slice_trim(value), "list") ||
            mox__slice_is_nocase(mox__slice_trim(value), "bulk"));
}

bool mox__is_dsn(struct mox_slice headers, const char *mail_from)
{
    struct mox_slice value, type, subtype;
    struct params params;
    struct param report;
    if (mail_from[0] != '\0' || !mox_header_find(headers, "Content-Type", &value) ||
        !mox__content_type(value, &type, &subtype, &params))
        return false;
    return mox__slice_is_nocase(type, "multipart") && mox__slice_is_nocase(subtype, "report") &&
           mox__param_find(params, "report-type", &report) && report.value.len <= REPORT_TYPE_MAX &&
           mox__slice_is_nocase(report.value, "delivery-status");
}

static bool is_address(const struct mox_address *a, const char *localpart, const char *domain)
{
    struct mox_domain host;
    /* RFC 5321 §4.5.1: a postmaster needs no domain. */
    bool bare = a->host.len == 0 && mox__slice_is_nocase(a->mailbox, "postmaster");
    return a->kind == MOX_ADDRESS_MAILBOX && mox__slice_is_nocase(a->mailbox, localpart) &&
           (bare || mox__slice_is_nocase(a->host, domain) ||
            (mox_domain_parse(&host, a->host, MOX_DOMAIN_UNDERSCORES) == MOX_OK &&
             strcmp(host.ascii, domain) == 0));
}

int mox__is_addressed_to(const struct mox_env *env, struct mox_slice headers, const char *localpart,
                         const char *domain, bool *found)
{
    struct mox_header_field field;
    size_t left = ADDRESSES_MAX;
    *found = localpart[0] == '\0';
    for (size_t at = 0; !*found && left > 0 && mox_header_next(headers, &at, &field);) {
        if (!mox__slice_is_nocase(field.name, "To") && !mox__slice_is_nocase(field.name, "Cc"))
            continue;
        struct mox_address_list *list;
        int rc = mox_address_list_parse(&list, env, field.value);
        if (rc < 0)
            return rc;
        for (size_t i = 0; i < mox_address_list_count(list) && left > 0 && !*found; i++, left--)
            *found = is_address(mox_address_list_at(list, i), localpart, domain);
        mox_address_list_free(list);
    }
    return MOX_OK;
}
