/* SPDX-License-Identifier: MIT */
#include "server/explain.h"

#include "base/error.h"
#include "base/text.h"
#include "message/header.h"

/* All lists are bounded, and what a stranger wrote in them is. */
#define ANSWER_MAX (1024 * 1024)

/* A stored message, on its way to its content and its facts. */
struct stored {
    struct explained e;
    const char *mailbox;
    uint64_t mailbox_id;
    uint32_t uid;
    struct mox_mailstore store;
    int rc;
    struct mox_error *err;
};

static void put_flags(struct outline *o, uint32_t flags)
{
    static const char *const names[] = {"seen",      "answered", "flagged", "deleted",  "draft",
                                        "forwarded", "junk",     "notjunk", "phishing", "mdnsent"};
    mox__outline_list(o, "flags");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if ((flags & 1u << i) != 0)
            mox__outline_item(o, names[i]);
    mox__outline_close(o);
}

/* What the server wrote into the message when it came; what the sender wrote there is not looked at. */
static void put_field(const struct explained *e, const char *key, const char *name)
{
    struct mox_slice value = slice(NULL, 0);
    (void)mox_header_find(e->prefix, name, &value);
    mox__outline_slice(e->outline, key, value);
}

static int put_stored(struct stored *s)
{
    struct explained *e = &s->e;
    struct outline *o = e->outline;
    mox__outline_text(o, "account", mox_account_name(e->explain->account));
    mox__outline_text(o, "mailbox", s->mailbox);
    mox__outline_uint(o, "uid", s->uid);
    put_flags(o, e->facts->flags);
    mox__outline_bool(o, "is_reject", e->facts->is_reject);
    put_field(e, "reason", "X-Mox-Reason");
    put_field(e, "authentication_results", "Authentication-Results");
    mox__explain_arrival(o, e->facts);
    return mox__explain_now(e, s->err);
}

/* ---- finding it ---- */

static int with_facts(void *user, const struct mox_account_facts *facts)
{
    struct stored *s = user;
    s->e.facts = facts;
    return put_stored(s);
}

static int with_content(void *user, const struct mox_message_data *data)
{
    struct stored *s = user;
    s->e.prefix = data->prefix;
    s->e.content = data->content;
    s->rc = mox_account_recall(s->e.explain->account, s->mailbox_id, s->uid, with_facts, s, s->err);
    return s->rc;
}

static int find_mailbox(struct stored *s)
{
    const struct mox_mailboxes *all;
    int rc = s->store.ops->mailboxes(s->store.self, &all, s->err);
    if (rc < 0)
        return rc;
    const struct mox_mailbox *m = mox_mailboxes_find(all, s->mailbox);
    s->mailbox_id = m == NULL ? 0 : m->id;
    mox_mailboxes_unref(all);
    return s->mailbox_id != 0 ? MOX_OK
                              : mox__fail(s->err, MOX_ENOTFOUND, "account %s has no mailbox %s",
                                          mox_account_name(s->e.explain->account), s->mailbox);
}

static int find_message(struct stored *s)
{
    struct mox_view *view;
    const struct mox_uid_range range = {s->uid, s->uid};
    int rc = find_mailbox(s);
    if (rc == MOX_OK)
        rc = s->store.ops->view(s->store.self, s->mailbox_id, &view, s->err);
    if (rc < 0)
        return rc;
    s->rc = mox__fail(s->err, MOX_ENOTFOUND, "mailbox %s has no message with UID %u", s->mailbox,
                      s->uid);
    rc = s->store.ops->fetch(s->store.self, view, &range, 1, MOX_FETCH_CONTENT, with_content, s,
                             s->err);
    mox_view_unref(view);
    return rc < 0 ? rc : s->rc;
}

int mox_explain_stored(char **out, const struct mox_env *env, const struct mox_explain *explain,
                       const char *mailbox, uint32_t uid, struct mox_error *err)
{
    char name[MOX_MAILBOX_NAME_MAX + 1];
    struct buf text;
    struct outline outline;
    *out = NULL;
    int rc = mox_mailbox_name_check(mailbox, name, err);
    if (rc < 0)
        return rc;
    struct stored s = {.e = {.env = env, .explain = explain, .outline = &outline},
                       .mailbox = name,
                       .uid = uid,
                       .store = mox_account_mailstore(explain->account),
                       .err = err};
    mox__buf_init(&text, env, ANSWER_MAX);
    mox__outline_begin(&outline, &text, explain->json);
    rc = find_message(&s);
    mox__outline_end(&outline);
    mox__buf_byte(&text, '\0');
    if (rc == MOX_OK && text.failed)
        rc = mox__fail(err, MOX_ENOMEM, "explain a message: out of memory");
    if (rc < 0) {
        mox__buf_free(&text);
        return rc;
    }
    *out = (char *)text.data; /* the caller's from here on */
    return MOX_OK;
}
