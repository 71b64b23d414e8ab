/* SPDX-License-Identifier: MIT */
#include "imap/cmd_search_parse.h"

/* search-key (RFC 3501 §9). A new one is a row, and a test. */
#define SET(flag)   ARGS_NONE, SEARCH_VIEW, mox__search_flags, flag, flag
#define UNSET(flag) ARGS_NONE, SEARCH_VIEW, mox__search_flags, flag, 0
static const struct search_key keys[] = {
    {.name = "ALL", ARGS_NONE, SEARCH_VIEW, mox__search_all},
    {.name = "ANSWERED", SET(MOX_FLAG_ANSWERED)},
    {.name = "BCC", ARGS_STRING, SEARCH_HEADER, mox__search_field, .field = "Bcc"},
    {.name = "BEFORE", ARGS_DATE, SEARCH_ROW, mox__search_before},
    {.name = "BODY", ARGS_STRING, SEARCH_TEXT, mox__search_text},
    {.name = "CC", ARGS_STRING, SEARCH_HEADER, mox__search_field, .field = "Cc"},
    {.name = "DELETED", SET(MOX_FLAG_DELETED)},
    {.name = "DRAFT", SET(MOX_FLAG_DRAFT)},
    {.name = "FLAGGED", SET(MOX_FLAG_FLAGGED)},
    {.name = "FROM", ARGS_STRING, SEARCH_HEADER, mox__search_field, .field = "From"},
    {.name = "HEADER", ARGS_FIELD, SEARCH_HEADER, mox__search_field},
    {.name = "KEYWORD", ARGS_KEYWORD, SEARCH_VIEW, mox__search_keyword},
    {.name = "LARGER", ARGS_NUMBER, SEARCH_VIEW, mox__search_larger},
    {.name = "NEW", ARGS_NONE, SEARCH_VIEW, NULL},
    {.name = "NOT", ARGS_KEY, SEARCH_VIEW, NULL},
    {.name = "OLD", ARGS_NONE, SEARCH_VIEW, mox__search_rows, .negated = true},
    {.name = "ON", ARGS_DATE, SEARCH_ROW, mox__search_on},
    {.name = "OR", ARGS_KEYS, SEARCH_VIEW, NULL},
    {.name = "RECENT", ARGS_NONE, SEARCH_VIEW, mox__search_rows},
    {.name = "SEEN", SET(MOX_FLAG_SEEN)},
    {.name = "SENTBEFORE", ARGS_DATE, SEARCH_HEADER, mox__search_sent_before},
    {.name = "SENTON", ARGS_DATE, SEARCH_HEADER, mox__search_sent_on},
    {.name = "SENTSINCE", ARGS_DATE, SEARCH_HEADER, mox__search_sent_since},
    {.name = "SINCE", ARGS_DATE, SEARCH_ROW, mox__search_since},
    {.name = "SMALLER", ARGS_NUMBER, SEARCH_VIEW, mox__search_smaller},
    {.name = "SUBJECT", ARGS_STRING, SEARCH_HEADER, mox__search_field, .field = "Subject"},
    {.name = "TEXT", ARGS_STRING, SEARCH_TEXT, mox__search_text, .value = 1},
    {.name = "TO", ARGS_STRING, SEARCH_HEADER, mox__search_field, .field = "To"},
    {.name = "UID", ARGS_UIDS, SEARCH_VIEW, mox__search_rows},
    {.name = "UNANSWERED", UNSET(MOX_FLAG_ANSWERED)},
    {.name = "UNDELETED", UNSET(MOX_FLAG_DELETED)},
    {.name = "UNDRAFT", UNSET(MOX_FLAG_DRAFT)},
    {.name = "UNFLAGGED", UNSET(MOX_FLAG_FLAGGED)},
    {.name = "UNKEYWORD", ARGS_KEYWORD, SEARCH_VIEW, mox__search_keyword, .negated = true},
    {.name = "UNSEEN", UNSET(MOX_FLAG_SEEN)},
};

static struct search_node *take_key(struct search_parser *p);

static struct search_node *new_node(struct search_parser *p, enum search_kind kind)
{
    struct search_node *n = arena_new(p->l->arena, struct search_node, 1);
    if (n == NULL)
        p->l->no_memory = true;
    else
        n->kind = kind;
    p->program->nodes++;
    return n;
}

/* --- nodes with children --- */

/* Children by level, each level in the order of the command. */
struct child_list {
    struct search_node *first[SEARCH_LEVELS], **last[SEARCH_LEVELS];
};

static void add_child(struct child_list *list, struct search_node *child)
{
    struct search_node ***last = &list->last[child->level];
    if (*last == NULL)
        *last = &list->first[child->level];
    **last = child;
    *last = &child->next;
}

static struct search_node *with_children(struct search_parser *p, enum search_kind kind,
                                         struct child_list *list)
{
    struct search_node *n = new_node(p, kind);
    if (n == NULL)
        return NULL;
    for (unsigned level = SEARCH_LEVELS; level-- > 0;) {
        if (list->first[level] == NULL)
            continue;
        *list->last[level] = n->children;
        n->children = list->first[level];
        if (n->level < (enum search_level)level)
            n->level = (enum search_level)level;
    }
    return n;
}

static struct search_node *negate(struct search_parser *p, struct search_node *child)
{
    struct child_list list = {0};
    if (child == NULL)
        return NULL;
    add_child(&list, child);
    return with_children(p, SEARCH_NOT, &list);
}

static struct search_node *take_or(struct search_parser *p)
{
    struct child_list list = {0};
    for (int i = 0; i < 2; i++) {
        struct search_node *child = mox__lex_space(p->l) ? take_key(p) : NULL;
        if (child == NULL)
            return NULL;
        add_child(&list, child);
    }
    return with_children(p, SEARCH_OR, &list);
}

/* search-key *(SP search-key) */
static struct search_node *take_keys(struct search_parser *p)
{
    struct child_list list = {0};
    do {
        struct search_node *child = take_key(p);
        if (child == NULL)
            return NULL;
        add_child(&list, child);
    } while (mox__lex_space(p->l));
    return with_children(p, SEARCH_AND, &list);
}

static struct search_node *take_parentheses(struct search_parser *p)
{
    struct search_node *n = mox__lex_byte(p->l, '(') ? take_keys(p) : NULL;
    return n != NULL && mox__lex_byte(p->l, ')') ? n : NULL;
}

static struct search_node *take_leaf(struct search_parser *p, const struct search_key *key)
{
    struct search_program *program = p->program;
    if (key->level == SEARCH_HEADER && ++program->fields > SEARCH_FIELDS_MAX)
        return mox__search_miss(p, "fewer keys that look at header fields");
    if (key->level == SEARCH_TEXT && program->text_count == SEARCH_TEXTS_MAX)
        return mox__search_miss(p, "fewer BODY and TEXT keys");
    struct search_node *n = new_node(p, SEARCH_LEAF);
    if (n == NULL)
        return NULL;
    n->level = key->level;
    n->test = key->test;
    if (key->args != ARGS_NONE && !mox__lex_space(p->l))
        return NULL;
    if (!mox__search_take_args(p, key, n))
        return NULL;
    program->has_row = program->has_row || n->level == SEARCH_ROW;
    return key->negated ? negate(p, n) : n;
}

/* --- keys --- */

static struct search_node *new_set(struct search_parser *p, enum seqset_kind kind)
{
    struct search_node *n = new_node(p, SEARCH_LEAF);
    if (n == NULL)
        return NULL;
    n->test = mox__search_rows;
    return mox__search_take_set(p, n, kind) ? n : NULL;
}

static const struct search_key *find_key(struct mox_slice name)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (mox__slice_is_nocase(name, keys[i].name))
            return &keys[i];
    }
    return NULL;
}

/* NEW is short for RECENT UNSEEN. */
static struct search_node *take_new(struct search_parser *p)
{
    struct child_list list = {0};
    const char *const both[] = {"RECENT", "UNSEEN"};
    for (int i = 0; i < 2; i++) {
        struct search_node *n = take_leaf(p, find_key(slice_of(both[i])));
        if (n == NULL)
            return NULL;
        add_child(&list, n);
    }
    return with_children(p, SEARCH_AND, &list);
}

static struct search_node *take_named(struct search_parser *p)
{
    const uint8_t *start = p->l->at;
    struct mox_slice name;
    const struct search_key *key = mox__lex_atom(p->l, &name) ? find_key(name) : NULL;
    if (key == NULL) {
        p->l->at = start;
        return mox__search_miss(p, "a search key");
    }
    if (key->args == ARGS_KEY)
        return mox__lex_space(p->l) ? negate(p, take_key(p)) : NULL;
    if (key->args == ARGS_KEYS)
        return take_or(p);
    return key->test == NULL ? take_new(p) : take_leaf(p, key);
}

static struct search_node *take_key(struct search_parser *p)
{
    const int c = mox__lex_peek(p->l);
    struct search_node *n = NULL;
    if (p->depth == SEARCH_DEPTH_MAX)
        return mox__search_miss(p, "fewer keys inside each other");
    p->depth++;
    if (c == '(')
        n = take_parentheses(p);
    else if (c == '*' || (c >= 0 && is_digit((uint8_t)c)))
        n = new_set(p, SEQSET_LENIENT);
    else
        n = take_named(p);
    p->depth--;
    return n;
}

/* ["CHARSET" SP astring SP] */
static int take_charset(struct lexer *l)
{
    struct mox_slice charset;
    if (!mox__lex_word(l, "CHARSET"))
        return MOX_OK;
    if (!mox__lex_space(l) || !mox__lex_astring(l, &charset))
        return mox__lex_failure(l);
    if (!mox__slice_is_nocase(charset, "UTF-8") && !mox__slice_is_nocase(charset, "US-ASCII"))
        return MOX_EUNSUPPORTED;
    return mox__lex_space(l) ? MOX_OK : mox__lex_failure(l);
}

int mox__search_parse(struct search_program *out, struct lexer *l,
                      const struct search_session *session)
{
    struct search_parser p = {.program = out, .l = l, .session = session};
    *out = (struct search_program){0};
    int rc = take_charset(l);
    if (rc < 0)
        return rc;
    out->root = take_keys(&p);
    if (out->root == NULL || !mox__lex_end(l))
        return mox__lex_failure(l);
    out->level = out->root->level;
    out->matches = arena_new(l->arena, struct needle_match, out->text_count + 1);
    return out->matches == NULL ? MOX_ENOMEM : MOX_OK;
}
