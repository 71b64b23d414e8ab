/* SPDX-License-Identifier: MIT */
#include "imap/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "imap/capability.h"

/* CAPABILITY, NOOP, LOGOUT, ID, ENABLE, NAMESPACE. */

/* RFC 2971 §3.3: at most 30 pairs. */
#define ID_PAIRS_MAX 30
/* Bytes of a client's name, and of its version, that are told. */
#define CLIENT_TEXT_MAX 100

enum step mox__cmd_capability(struct mox_imap_server *s, struct command *c)
{
    mox__imap_put(s, "* ");
    mox__imap_put_capabilities(s, &s->out);
    mox__imap_put(s, "\r\n");
    return mox__imap_ok(c, NULL, NULL);
}

enum step mox__cmd_noop(struct mox_imap_server *s, struct command *c)
{
    (void)s;
    return mox__imap_ok(c, NULL, NULL);
}

enum step mox__cmd_logout(struct mox_imap_server *s, struct command *c)
{
    mox__imap_put(s, "* BYE thanks\r\n");
    mox__imap_unselect(s);
    s->state = ST_LOGOUT; /* the dispatcher closes after the result */
    return mox__imap_ok(c, NULL, NULL);
}

/* --- ID (RFC 2971) --- */

struct id {
    struct mox_slice keys[ID_PAIRS_MAX];
    unsigned count;
    struct mox_slice name, version; /* of the client (§3.3); empty: it does not say */
};

static bool is_new_key(const struct id *id, struct mox_slice key)
{
    for (unsigned i = 0; i < id->count; i++)
        if (mox__slice_eq_nocase(id->keys[i], key))
            return false;
    return true;
}

static bool take_pairs(struct lexer *l, struct id *id)
{
    struct mox_slice value;
    bool nil = false;
    while (!mox__lex_byte(l, ')')) {
        struct mox_slice key;
        if (id->count > 0 && !mox__lex_space(l))
            return false;
        if (!mox__lex_string(l, &key) || !mox__lex_space(l))
            return false;
        if (id->count == ID_PAIRS_MAX || !is_new_key(id, key)) {
            l->expected = "each field once, at most 30";
            return false;
        }
        id->keys[id->count++] = key;
        if (!mox__lex_nstring(l, &value, &nil))
            return false;
        if (!nil && mox__slice_is_nocase(key, "name"))
            id->name = value;
        else if (!nil && mox__slice_is_nocase(key, "version"))
            id->version = value;
    }
    return true;
}

int mox__parse_id(struct mox_imap_server *s, struct command *c)
{
    (void)s;
    struct lexer *l = &c->args;
    struct id *id = arena_new(&c->arena, struct id, 1);
    if (id == NULL)
        return MOX_ENOMEM;
    if (!mox__lex_space(l) ||
        (!mox__lex_word(l, "NIL") && (!mox__lex_byte(l, '(') || !take_pairs(l, id))) ||
        !mox__lex_end(l))
        return mox__lex_failure(l);
    c->data = id;
    return MOX_OK;
}

static int shown(size_t len)
{
    return (int)(len < CLIENT_TEXT_MAX ? len : CLIENT_TEXT_MAX);
}

static void tell_host(struct mox_imap_server *s, const struct id *id)
{
    char text[2 * CLIENT_TEXT_MAX + 2];
    if (s->cb.client_id == NULL || id->name.len == 0)
        return;
    (void)snprintf(text, sizeof text, "%.*s%s%.*s", shown(id->name.len), (const char *)id->name.data,
                   id->version.len == 0 ? "" : " ", shown(id->version.len),
                   id->version.len == 0 ? "" : (const char *)id->version.data);
    s->cb.client_id(s->user, text);
}

enum step mox__cmd_id(struct mox_imap_server *s, struct command *c)
{
    tell_host(s, c->data);
    log_line(&s->env, MOX_LOG_INFO, "imapserver", "client id", NULL, F_HEX("cid", s->peer.cid),
             F_BYTES("id", slice_from(c->whole, c->args_at)));
    mox__imap_put(s, "* ID (\"name\" \"mox\"");
    if ((s->state & ST_USER) != 0) /* strangers need not know what to look for */
        mox__imap_put(s, " \"version\" \"" MOX_VERSION "\"");
    mox__imap_put(s, ")\r\n");
    return mox__imap_ok(c, NULL, NULL);
}

/* --- ENABLE (RFC 5161) --- */

/* What can be switched on. Extensions add a row: UTF8=ACCEPT, CONDSTORE, QRESYNC, IMAP4rev2 … */
static const struct switchable {
    const char *name;
    void (*enable)(struct mox_imap_server *s);
} switchables[] = {{NULL, NULL}};

int mox__parse_enable(struct mox_imap_server *s, struct command *c)
{
    (void)s;
    struct lexer *l = &c->args;
    const uint8_t *start = l->at;
    struct mox_slice name;
    do {
        if (!mox__lex_space(l) || !mox__lex_atom(l, &name))
            return mox__lex_failure(l);
    } while (l->at < l->end);
    l->at = start;
    return MOX_OK;
}

enum step mox__cmd_enable(struct mox_imap_server *s, struct command *c)
{
    struct mox_slice name;
    mox__imap_put(s, "* ENABLED");
    while (mox__lex_space(&c->args) && mox__lex_atom(&c->args, &name)) {
        for (const struct switchable *w = switchables; w->name != NULL; w++) {
            if (!mox__slice_is_nocase(name, w->name))
                continue;
            w->enable(s);
            mox__imap_put(s, " ");
            mox__buf_slice(&s->out, name);
        }
    }
    mox__imap_put(s, "\r\n");
    return mox__imap_ok(c, NULL, NULL);
}

/* RFC 2342: one personal name space, nothing of others. */
enum step mox__cmd_namespace(struct mox_imap_server *s, struct command *c)
{
    mox__imap_put(s, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
    return mox__imap_ok(c, NULL, NULL);
}
