/* SPDX-License-Identifier: MIT */
#include "imap/capability.h"

#include "imap/auth.h"

bool mox__imap_may_login(const struct mox_imap_server *s)
{
    return (mox__imap_auth_offered(s) & MOX_SASL_PASSWORDS) != 0;
}

static bool before_login(const struct mox_imap_server *s)
{
    return s->state == ST_NOT_AUTHENTICATED;
}

static bool can_starttls(const struct mox_imap_server *s)
{
    return before_login(s) && s->config.starttls && !s->peer.tls;
}

static bool cannot_login(const struct mox_imap_server *s)
{
    return before_login(s) && !mox__imap_may_login(s);
}

/* What a store cannot do is not announced once it is known. */

static bool can_copy(const struct mox_imap_server *s)
{
    return !s->have_store || s->store.ops->copy != NULL;
}

static bool can_create(const struct mox_imap_server *s)
{
    return !s->have_store || s->store.ops->change_mailbox != NULL;
}

static const struct {
    const char *name;
    bool (*when)(const struct mox_imap_server *s); /* NULL: always */
} capabilities[] = {
    {"IMAP4rev1", NULL},
    {"LITERAL+", NULL},    /* RFC 7888 */
    {"SASL-IR", NULL},     /* RFC 4959 */
    {"ID", NULL},          /* RFC 2971 */
    {"ENABLE", NULL},      /* RFC 5161 */
    {"IDLE", NULL},        /* RFC 2177 */
    {"NAMESPACE", NULL},   /* RFC 2342 */
    {"UNSELECT", NULL},    /* RFC 3691 */
    {"UIDPLUS", can_copy}, /* RFC 4315 */
    {"MOVE", can_copy},    /* RFC 6851 */
    {"SPECIAL-USE", NULL}, /* RFC 6154 */
    {"CREATE-SPECIAL-USE", can_create},
    {"CHILDREN", NULL}, /* RFC 3348 */
    {"STARTTLS", can_starttls},
    {"LOGINDISABLED", cannot_login},
};

/* Best first, as clients take the first that they know. */
static void put_mechanisms(const struct mox_imap_server *s, struct buf *out)
{
    unsigned offered = before_login(s) ? mox__imap_auth_offered(s) : 0;
    const char *name;
    for (size_t i = 0; (name = mox_sasl_offered_name(offered, i)) != NULL; i++) {
        mox__buf_text(out, " AUTH=");
        mox__buf_text(out, name);
    }
}

void mox__imap_put_capabilities(const struct mox_imap_server *s, struct buf *out)
{
    mox__buf_text(out, "CAPABILITY");
    for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++) {
        if (capabilities[i].when != NULL && !capabilities[i].when(s))
            continue;
        mox__buf_byte(out, ' ');
        mox__buf_text(out, capabilities[i].name);
    }
    put_mechanisms(s, out);
    mox__buf_text(out, " APPENDLIMIT="); /* RFC 7889 */
    mox__buf_uint(out, s->config.max_append_bytes);
}
