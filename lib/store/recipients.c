/* SPDX-License-Identifier: MIT */
#include <mox/address.h>
#include <mox/date.h>
#include <mox/dns.h>
#include <mox/header.h>
#include <mox/org_domain.h>

#include "base/arena.h"
#include "base/text.h"
#include "store/store.h"

/* Whom the user wrote to: for To, Cc and Bcc of messages that are added to a mailbox for sent mail,
 * so that first answers of these people get through. */

/* A message to more people than this is no correspondence. */
#define RECIPIENTS_MAX 1000
/* Texts of so many addresses. */
#define TEXT_MAX (RECIPIENTS_MAX * 400)

static int64_t sent_at(struct mox_slice headers, int64_t received)
{
    struct mox_slice value;
    struct mox_date date;
    if (mox_header_find(headers, "Date", &value) && mox_date_parse(value, &date) == MOX_OK)
        return mox_date_unix(&date) * 1000000;
    return received;
}

/* In Unicode form, as mox_domain_parse() gives it for what came from DNS. */
static void org_domain_of(const struct mox_domain *domain, struct mox_domain *out)
{
    char ascii[MOX_DOMAIN_MAX + 1];
    mox_org_domain(NULL, domain->ascii, ascii);
    if (mox_domain_parse(out, slice_of(ascii), MOX_DOMAIN_UNDERSCORES) < 0)
        *out = *domain;
}

/* Localparts as they are, domains in Unicode form. What is no address at all is skipped. */
static void add_one(struct mox_account *a, struct arena *arena, uint64_t message,
                    const struct mox_address *address, int64_t sent)
{
    struct mox_domain domain, org_domain;
    if (address->kind != MOX_ADDRESS_MAILBOX || address->mailbox.len == 0 ||
        mox_domain_parse(&domain, address->host, MOX_DOMAIN_UNDERSCORES) < 0)
        return;
    org_domain_of(&domain, &org_domain);
    char *localpart = mox__arena_strndup(arena, address->mailbox.data, address->mailbox.len);
    if (localpart == NULL)
        return; /* one that we forget makes its first answer look unknown, no more */
    mox__known_add(a, mox__addressee_hash(MOX_ADDRESSEE_FULL, localpart, domain.unicode));
    mox__known_add(a, mox__addressee_hash(MOX_ADDRESSEE_DOMAIN, NULL, domain.unicode));
    mox__known_add(a, mox__addressee_hash(MOX_ADDRESSEE_ORG_DOMAIN, NULL, org_domain.unicode));
    (void)db_run(&a->writer, SQL_RECIPIENT_INSERT, V_INT(message), V_TEXT(localpart),
                 V_TEXT(domain.unicode), V_TEXT(org_domain.unicode), V_INT(sent));
}

void mox__recipients_add(struct mox_account *a, uint64_t message, struct mox_slice headers,
                         int64_t received)
{
    static const char *const names[] = {"To", "Cc", "Bcc"};
    int64_t sent = sent_at(headers, received);
    struct mox_header_field field;
    struct arena arena;
    size_t left = RECIPIENTS_MAX;
    mox__arena_init(&arena, a->env, TEXT_MAX);
    for (size_t at = 0; mox_header_next(headers, &at, &field) && left > 0;) {
        struct mox_address_list *list = NULL;
        bool wanted = false;
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            wanted = wanted || mox__slice_is_nocase(field.name, names[i]);
        if (!wanted || mox_address_list_parse(&list, a->env, field.value) < 0)
            continue;
        for (size_t i = 0; i < mox_address_list_count(list) && left > 0; i++, left--)
            add_one(a, &arena, message, mox_address_list_at(list, i), sent);
        mox_address_list_free(list);
    }
    mox__arena_reset(&arena);
}
