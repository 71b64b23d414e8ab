/* SPDX-License-Identifier: MIT */
#include "imap/commands.h"

#include <inttypes.h>
#include <string.h>

/* STATUS (RFC 3501 §6.3.10), answered from the mailbox's counts. */

enum item {
    ITEM_MESSAGES,
    ITEM_UIDNEXT,
    ITEM_UIDVALIDITY,
    ITEM_UNSEEN,
    ITEM_DELETED,
    ITEM_SIZE, /* RFC 8438 */
    ITEM_RECENT,
    ITEM_APPENDLIMIT, /* RFC 7889 */
    ITEMS
};

static const char *const item_names[ITEMS] = {"MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN",
                                              "DELETED",  "SIZE",    "RECENT",      "APPENDLIMIT"};

struct status {
    const char *asked;
    char name[MOX_MAILBOX_NAME_MAX + 1];
    unsigned items; /* a set of bits by enum item */
    uint64_t mailbox;
    struct mox_mailbox_status counts;
    uint32_t recent;
};

static bool take_items(struct lexer *l, unsigned *items)
{
    if (!mox__lex_byte(l, '('))
        return false;
    do {
        struct mox_slice word;
        unsigned i = 0;
        if (!mox__lex_atom(l, &word))
            return false;
        while (i < ITEMS && !mox__slice_is_nocase(word, item_names[i]))
            i++;
        if (i == ITEMS) {
            l->expected = "a known STATUS item";
            return false;
        }
        *items |= 1u << i;
    } while (mox__lex_space(l));
    return mox__lex_byte(l, ')');
}

int mox__parse_status(struct mox_imap_server *s, struct command *c)
{
    (void)s;
    struct lexer *l = &c->args;
    struct status *st = arena_new(&c->arena, struct status, 1);
    c->data = st;
    if (st == NULL)
        return MOX_ENOMEM;
    if (!mox__lex_space(l) || !mox__lex_mailbox(l, &st->asked) || !mox__lex_space(l) ||
        !take_items(l, &st->items) || !mox__lex_end(l))
        return mox__lex_failure(l);
    return MOX_OK;
}

static int find(struct mox_imap_server *s, struct status *st)
{
    const struct mox_mailboxes *list = NULL;
    int rc = s->store.ops->mailboxes(s->store.self, &list, NULL);
    if (rc < 0)
        return rc;
    const struct mox_mailbox *m = mox_mailboxes_find(list, st->name);
    st->mailbox = m == NULL ? 0 : m->id;
    mox_mailboxes_unref(list);
    return st->mailbox == 0 ? MOX_ENOTFOUND
                            : s->store.ops->status(s->store.self, st->mailbox, &st->counts, NULL);
}

/* How many messages no session has seen. Mostly none; otherwise the rows are counted. */
static enum step count_recent(struct mox_imap_server *s, struct command *c)
{
    struct status *st = c->data;
    struct mox_view *view = NULL;
    if ((st->items & 1u << ITEM_RECENT) == 0 || s->store.ops->claim_recent == NULL ||
        st->counts.recent_from >= st->counts.uidnext)
        return STEP_DONE;
    int rc = mox__imap_view(s, st->mailbox, &view, NULL);
    if (rc == MOX_LATER)
        return STEP_RUN;
    if (rc < 0)
        return mox__imap_no_status(s, c, rc, NULL);
    st->recent = mox_view_count(view) - mox_view_find(view, st->counts.recent_from);
    mox_view_unref(view);
    return STEP_DONE;
}

static void put_line(struct mox_imap_server *s, const struct status *st)
{
    const uint64_t values[ITEMS] = {
        [ITEM_MESSAGES] = st->counts.messages,
        [ITEM_UIDNEXT] = st->counts.uidnext,
        [ITEM_UIDVALIDITY] = st->counts.uidvalidity,
        [ITEM_UNSEEN] = st->counts.unseen,
        [ITEM_DELETED] = st->counts.deleted,
        [ITEM_SIZE] = st->counts.bytes,
        [ITEM_RECENT] = st->recent,
        [ITEM_APPENDLIMIT] = s->config.max_append_bytes,
    };
    const char *space = "";
    mox__imap_put(s, "* STATUS ");
    mox__imap_put_mailbox(s, st->name);
    mox__imap_put(s, " (");
    for (unsigned i = 0; i < ITEMS; i++) {
        if ((st->items & 1u << i) == 0)
            continue;
        mox__imap_putf(s, "%s%s %" PRIu64, space, item_names[i], values[i]);
        space = " ";
    }
    mox__imap_put(s, ")\r\n");
}

enum step mox__cmd_status(struct mox_imap_server *s, struct command *c)
{
    struct status *st = c->data;
    if (c->stage == 0) {
        if (!mox__imap_name(c, st->asked, st->name))
            return STEP_DONE;
        int rc = find(s, st);
        if (rc < 0)
            return mox__imap_no_status(s, c, rc, NULL);
        c->stage = 1;
    }
    enum step step = count_recent(s, c);
    if (step != STEP_DONE || c->result != RESULT_NONE)
        return step;
    put_line(s, st);
    return mox__imap_ok(c, NULL, NULL);
}
