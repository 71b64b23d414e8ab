/* SPDX-License-Identifier: MIT */
#include "dns/record.h"

#include "base/text.h"
#include "dns/question.h"

/* More says nothing further about what failed. */
#define PROBLEM_MAX 200

/* What the arena may add to each piece for its alignment, and the NUL. */
#define PIECE_OVERHEAD 32

static size_t kept(const struct mox_dns_answer *answer)
{
    if (answer->status != MOX_DNS_FOUND)
        return 0;
    return answer->count < MOX_DNS_RECORDS_MAX ? answer->count : MOX_DNS_RECORDS_MAX;
}

/* The name in a record of the type, and NULL in those without. */
static const char **name_in(enum mox_dns_type type, struct mox_dns_record *r)
{
    switch (type) {
    case MOX_DNS_NS:
    case MOX_DNS_CNAME:
    case MOX_DNS_PTR:
        return &r->data.name;
    case MOX_DNS_MX:
        return &r->data.mx.host;
    case MOX_DNS_SRV:
        return &r->data.srv.target;
    case MOX_DNS_A:
    case MOX_DNS_AAAA:
    case MOX_DNS_TXT:
    case MOX_DNS_TLSA:
        break;
    }
    return NULL;
}

/* The same for bytes. */
static struct mox_slice *bytes_in(enum mox_dns_type type, struct mox_dns_record *r)
{
    return type == MOX_DNS_TXT ? &r->data.txt : type == MOX_DNS_TLSA ? &r->data.tlsa.data : NULL;
}

size_t mox__dns_copy_bytes(const struct mox_dns_answer *answer)
{
    size_t count = kept(answer), bytes = PROBLEM_MAX + 2 * PIECE_OVERHEAD;
    for (size_t i = 0; i < count; i++) {
        struct mox_dns_record r = answer->records[i];
        const struct mox_slice *data = bytes_in(answer->question.type, &r);
        bytes += sizeof r + PIECE_OVERHEAD;
        if (data != NULL)
            bytes += data->len;
        if (name_in(answer->question.type, &r) != NULL)
            bytes += MOX_DOMAIN_MAX;
    }
    return bytes;
}

static bool copy_text(struct arena *a, const char **text)
{
    *text = mox__arena_strndup(a, *text, strlen(*text));
    return *text != NULL;
}

/* Gives the record texts of its own. *is_kept: its names are names. */
static bool own(struct arena *a, enum mox_dns_type type, struct mox_dns_record *r, bool *is_kept)
{
    char name[MOX_DOMAIN_MAX + 1];
    const char **text = name_in(type, r);
    struct mox_slice *bytes = bytes_in(type, r);
    *is_kept = text == NULL || mox__dns_name(slice_of(*text), name);
    if (!*is_kept)
        return true;
    if (text != NULL) {
        *text = name;
        return copy_text(a, text);
    }
    if (bytes != NULL) {
        bytes->data = (const uint8_t *)mox__arena_strndup(a, bytes->data, bytes->len);
        return bytes->data != NULL;
    }
    return true;
}

static int copy_records(struct arena *a, const struct mox_dns_answer *from,
                        struct mox_dns_answer *to)
{
    size_t count = kept(from);
    struct mox_dns_record *records = arena_new(a, struct mox_dns_record, count);
    if (records == NULL)
        return MOX_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        bool is_kept;
        records[to->count] = from->records[i];
        if (!own(a, from->question.type, &records[to->count], &is_kept))
            return MOX_ENOMEM;
        to->count += is_kept;
    }
    if (to->count > 0)
        to->records = records;
    return MOX_OK;
}

static int copy_problem(struct arena *a, const char *from, const char **to)
{
    size_t len = strlen(from);
    char *text = mox__arena_strndup(a, from, len < PROBLEM_MAX ? len : PROBLEM_MAX);
    if (text == NULL)
        return MOX_ENOMEM;
    for (char *c = text; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    *to = text;
    return MOX_OK;
}

int mox__dns_copy_answer(struct arena *a, const struct mox_dns_answer *from,
                         struct mox_dns_answer *to)
{
    *to = (struct mox_dns_answer){.status = from->status, .secure = from->secure};
    int rc = kept(from) > 0 ? copy_records(a, from, to) : MOX_OK;
    if (rc == MOX_OK && from->problem != NULL)
        rc = copy_problem(a, from->problem, &to->problem);
    if (to->status == MOX_DNS_FOUND && to->count == 0)
        to->status = MOX_DNS_NODATA;
    return rc;
}
