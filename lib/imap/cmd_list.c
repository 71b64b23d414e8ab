/* SPDX-License-Identifier: MIT */
#include "imap/commands.h"

#include <string.h>

#include "imap/listline.h"
#include "imap/match.h"

/* LIST and LSUB (RFC 3501 §6.3.8, §6.3.9), with the options that clients send to servers without
 * LIST-EXTENDED: LIST (SPECIAL-USE) and RETURN (SPECIAL-USE) of RFC 6154 §5.2, and their neighbours
 * SUBSCRIBED and CHILDREN. Attributes of roles and children are there with and without. */

enum { LIST_PATTERNS_MAX = 100 };

/* Bytes compared in one step, some ms: the owner of the session has others that wait for it, and
 * what a client may ask for, all patterns against all names, takes minutes. */
#define WORK_MAX (4 * 1024 * 1024)

struct list {
    const char *reference;
    const char
        *patterns[LIST_PATTERNS_MAX]; /* joined with the reference; without impossible ones */
    unsigned pattern_count;
    bool extended;        /* options or several patterns (RFC 5258 §3) */
    bool only_subscribed; /* selection SUBSCRIBED */
    bool only_used;       /* selection SPECIAL-USE */
    bool show_subscribed; /* RETURN (SUBSCRIBED) */
    bool ask_delimiter;   /* LIST "" "" */
    const struct mox_mailboxes *names;
    size_t at;                              /* the next name */
    unsigned tried;                         /* patterns that were compared with it */
    bool matched[MOX_MAILBOX_NAME_MAX + 1]; /* its beginnings, by the last of these */
    size_t work;                            /* of this step */
};

struct option {
    const char *name;
    size_t offset; /* of the bool in struct list that it sets; 0: no effect, it is so always */
};

static const struct option selections[] = {{"SUBSCRIBED", offsetof(struct list, only_subscribed)},
                                           {"SPECIAL-USE", offsetof(struct list, only_used)},
                                           {"REMOTE", 0}, /* there are no remote mailboxes */
                                           {NULL, 0}};

static const struct option returns[] = {{"SUBSCRIBED", offsetof(struct list, show_subscribed)},
                                        {"CHILDREN", 0},
                                        {"SPECIAL-USE", 0},
                                        {NULL, 0}};

/* "(OPTION OPTION)" */
static bool take_options(struct lexer *l, const struct option *options, struct list *list)
{
    if (!mox__lex_byte(l, '('))
        return false;
    for (bool first = true; !mox__lex_byte(l, ')'); first = false) {
        struct mox_slice word;
        if ((!first && !mox__lex_space(l)) || !mox__lex_atom(l, &word))
            return false;
        const struct option *o = options;
        while (o->name != NULL && !mox__slice_is_nocase(word, o->name))
            o++;
        if (o->name == NULL) {
            l->expected = "a known LIST option";
            return false;
        }
        if (o->offset != 0)
            *(bool *)((char *)list + o->offset) = true;
    }
    return true;
}

static int add_pattern(struct command *c, struct list *list, const char *pattern)
{
    const char *joined = NULL;
    if (list->extended && *pattern == '\0')
        return MOX_OK;
    if (list->pattern_count == LIST_PATTERNS_MAX) {
        c->args.expected = "fewer patterns";
        return MOX_ESYNTAX;
    }
    int rc = mox__pattern_join(&c->arena, list->reference, pattern, &joined);
    if (rc == MOX_ELIMIT)
        c->args.expected = "a shorter pattern";
    if (joined != NULL)
        list->patterns[list->pattern_count++] = joined;
    return rc;
}

static int take_patterns(struct command *c, struct list *list)
{
    struct lexer *l = &c->args;
    const char *pattern;
    int rc = MOX_OK;
    if (!mox__lex_byte(l, '(')) {
        if (!mox__lex_list_pattern(l, &pattern))
            return mox__lex_failure(l);
        list->ask_delimiter = !list->extended && *pattern == '\0';
        return add_pattern(c, list, pattern);
    }
    list->extended = true;
    for (bool first = true; rc == MOX_OK && !mox__lex_byte(l, ')'); first = false) {
        if ((!first && !mox__lex_space(l)) || !mox__lex_list_pattern(l, &pattern))
            return mox__lex_failure(l);
        rc = add_pattern(c, list, pattern);
    }
    return rc;
}

static struct list *list_new(struct command *c)
{
    struct list *list = arena_new(&c->arena, struct list, 1);
    c->data = list;
    return list;
}

int mox__parse_list(struct mox_imap_server *s, struct command *c)
{
    (void)s;
    struct lexer *l = &c->args;
    struct list *list = list_new(c);
    if (list == NULL)
        return MOX_ENOMEM;
    if (!mox__lex_space(l))
        return mox__lex_failure(l);
    list->extended = mox__lex_peek(l) == '(';
    if (list->extended && (!take_options(l, selections, list) || !mox__lex_space(l)))
        return mox__lex_failure(l);
    if (!mox__lex_mailbox(l, &list->reference) || !mox__lex_space(l))
        return mox__lex_failure(l);
    int rc = take_patterns(c, list);
    if (rc < 0)
        return rc;
    if (l->at < l->end && (!mox__lex_space(l) || !mox__lex_word(l, "RETURN") ||
                           !mox__lex_space(l) || !take_options(l, returns, list)))
        return mox__lex_failure(l);
    return mox__lex_end(l) ? MOX_OK : mox__lex_failure(l);
}

int mox__parse_lsub(struct mox_imap_server *s, struct command *c)
{
    (void)s;
    struct lexer *l = &c->args;
    struct list *list = list_new(c);
    const char *pattern;
    if (list == NULL)
        return MOX_ENOMEM;
    if (!mox__lex_space(l) || !mox__lex_mailbox(l, &list->reference) || !mox__lex_space(l) ||
        !mox__lex_list_pattern(l, &pattern) || !mox__lex_end(l))
        return mox__lex_failure(l);
    return add_pattern(c, list, pattern);
}

/* Compares the next name, of `len` bytes, up to the first pattern that it matches. False: the step
 * has done enough, and goes on where it stopped. */
static bool compare(struct list *list, const char *name, size_t len)
{
    while (list->tried < list->pattern_count && !(list->tried > 0 && list->matched[len])) {
        if (list->work >= WORK_MAX)
            return false;
        list->work += mox__pattern_match(list->patterns[list->tried++], name, len, list->matched);
    }
    return true;
}

/* Goes over the names of one moment, pausing when the output is full and after much work. */
static enum step each_name(struct mox_imap_server *s, struct command *c,
                           void (*each)(struct mox_imap_server *s, const struct list *list,
                                        size_t index))
{
    struct list *list = c->data;
    if (list->names == NULL) {
        struct mox_error err = {0};
        int rc = s->store.ops->mailboxes(s->store.self, &list->names, &err);
        if (rc < 0)
            return mox__imap_no_status(s, c, rc, &err);
    }
    list->work = 0;
    for (; list->at < list->names->count; list->at++, list->tried = 0) {
        const char *name = list->names->list[list->at].name;
        const size_t len = strlen(name);
        if (mox__imap_output_full(s))
            return STEP_OUTPUT;
        if (len > MOX_MAILBOX_NAME_MAX || list->pattern_count == 0)
            continue; /* nothing matches; no store should have a longer name */
        if (!compare(list, name, len))
            return STEP_RUN;
        each(s, list, list->at);
    }
    return mox__imap_ok(c, NULL, NULL);
}

void mox__cleanup_list(struct mox_imap_server *s, struct command *c)
{
    (void)s;
    struct list *list = c->data;
    if (list != NULL)
        mox_mailboxes_unref(list->names);
}

static void list_name(struct mox_imap_server *s, const struct list *list, size_t index)
{
    const struct mox_mailbox *m = &list->names->list[index];
    if ((m->id == 0 && !list->only_subscribed) || (list->only_subscribed && !m->subscribed) ||
        (list->only_used && m->special_use == 0) || !list->matched[strlen(m->name)])
        return;
    unsigned attrs =
        mox__list_uses(m->special_use) |
        (mox__list_has_children(list->names, m->name) ? ATTR_HASCHILDREN : ATTR_HASNOCHILDREN);
    if (list->only_subscribed)
        attrs |= ATTR_SUBSCRIBED;
    else if (list->show_subscribed && m->subscribed)
        attrs |= ATTR_ALSO_SUBSCRIBED;
    attrs |= m->id == 0 ? ATTR_NONEXISTENT : 0u;
    mox__list_line(s, "LIST", attrs, m->name);
}

enum step mox__cmd_list(struct mox_imap_server *s, struct command *c)
{
    const struct list *list = c->data;
    if (!list->ask_delimiter)
        return each_name(s, c, list_name);
    mox__list_line(s, "LIST", 0, "");
    return mox__imap_ok(c, NULL, NULL);
}

/* --- LSUB --- */

/* Whether a subscribed name before `index` has the same `len` bytes and a slash in front: then the
 * parent was told with it. Names that share them lie side by side. */
static bool was_told(const struct list *list, size_t index, size_t len)
{
    const char *name = list->names->list[index].name;
    while (index-- > 0) {
        const struct mox_mailbox *m = &list->names->list[index];
        if (strncmp(m->name, name, len + 1) != 0)
            return false;
        if (m->subscribed)
            return true;
    }
    return false;
}

static bool is_subscribed(const struct list *list, const char *name, size_t len)
{
    char copy[MOX_MAILBOX_NAME_MAX + 1];
    memcpy(copy, name, len);
    copy[len] = '\0';
    const struct mox_mailbox *m = mox_mailboxes_find(list->names, copy);
    return m != NULL && m->subscribed;
}

/* "%" must show the parents of subscribed names, or a client that looks level by level would not
 * find these (RFC 3501 §6.3.9). */
static void lsub_parents(struct mox_imap_server *s, const struct list *list, size_t index)
{
    const char *name = list->names->list[index].name;
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        size_t len = (size_t)(slash - name);
        if (!list->matched[len] || was_told(list, index, len) || is_subscribed(list, name, len))
            continue;
        char parent[MOX_MAILBOX_NAME_MAX + 1];
        memcpy(parent, name, len);
        parent[len] = '\0';
        mox__list_line(s, "LSUB", ATTR_NOSELECT, parent);
    }
}

static void lsub_name(struct mox_imap_server *s, const struct list *list, size_t index)
{
    const struct mox_mailbox *m = &list->names->list[index];
    if (!m->subscribed)
        return;
    if (strchr(list->patterns[0], '%') != NULL)
        lsub_parents(s, list, index);
    if (list->matched[strlen(m->name)])
        mox__list_line(s, "LSUB", 0, m->name);
}

enum step mox__cmd_lsub(struct mox_imap_server *s, struct command *c)
{
    return each_name(s, c, lsub_name);
}
