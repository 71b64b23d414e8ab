/* SPDX-License-Identifier: MIT */
#include "imap/cmd_search.h"

#include "imap/flags.h"

/* What stands behind a key. */
enum search_args {
    ARGS_NONE,
    ARGS_KEYWORD, /* flag-keyword */
    ARGS_DATE,
    ARGS_NUMBER,
    ARGS_STRING, /* of the field named in the row, or of the text */
    ARGS_FIELD,  /* a field's name and a string */
    ARGS_UIDS,
    ARGS_KEY,    /* NOT */
    ARGS_KEYS    /* OR: two */
};

/* search-key (RFC 3501 §9). A new one is a row, and a test. */
static const struct search_key {
    const char *name;
    enum search_args args;
    enum search_level level;
    search_test *test;
    uint32_t mask, value; /* for mox__search_flags */
    bool negated;
    const char *field;    /* the header field that is looked at */
} keys[] = {
    {.name = "ALL", ARGS_NONE, SEARCH_VIEW, mox__search_all},
    {.name = "ANSWERED", ARGS_NONE, SEARCH_VIEW, mox__search_flags, MOX_FLAG_ANSWERED, MOX_FLAG_ANSWERED},
    {.name = "BCC", ARGS_STRING, SEARCH_CONTENT, mox__search_field, .field = "Bcc"},
    {.name = "BEFORE", ARGS_DATE, SEARCH_ROW, mox__search_before},
    {.name = "BODY", ARGS_STRING, SEARCH_TEXT, mox__search_text},
    {.name = "CC", ARGS_STRING, SEARCH_CONTENT, mox__search_field, .field = "Cc"},
    {.name = "DELETED", ARGS_NONE, SEARCH_VIEW, mox__search_flags, MOX_FLAG_DELETED, MOX_FLAG_DELETED},
    {.name = "DRAFT", ARGS_NONE, SEARCH_VIEW, mox__search_flags, MOX_FLAG_DRAFT, MOX_FLAG_DRAFT},
    {.name = "FLAGGED", ARGS_NONE, SEARCH_VIEW, mox__search_flags, MOX_FLAG_FLAGGED, MOX_FLAG_FLAGGED},
    {.name = "FROM", ARGS_STRING, SEARCH_CONTENT, mox__search_field, .field = "From"},
    {.name = "HEADER", ARGS_FIELD, SEARCH_CONTENT, mox__search_field},
    {.name = "KEYWORD", ARGS_KEYWORD, SEARCH_VIEW, mox__search_keyword},
    {.name = "LARGER", ARGS_NUMBER, SEARCH_ROW, mox__search_larger},
    {.name = "NEW", ARGS_NONE, SEARCH_VIEW, NULL},
    {.name = "NOT", ARGS_KEY, SEARCH_VIEW, NULL},
    {.name = "OLD", ARGS_NONE, SEARCH_VIEW, mox__search_rows, .negated = true},
    {.name = "ON", ARGS_DATE, SEARCH_ROW, mox__search_on},
    {.name = "OR", ARGS_KEYS, SEARCH_VIEW, NULL},
    {.name = "RECENT", ARGS_NONE, SEARCH_VIEW, mox__search_rows},
    {.name = "SEEN", ARGS_NONE, SEARCH_VIEW, mox__search_flags, MOX_FLAG_SEEN, MOX_FLAG_SEEN},
    {.name = "SENTBEFORE", ARGS_DATE, SEARCH_CONTENT, mox__search_sent_before},
    {.name = "SENTON", ARGS_DATE, SEARCH_CONTENT, mox__search_sent_on},
    {.name = "SENTSINCE", ARGS_DATE, SEARCH_CONTENT, mox__search_sent_since},
    {.name = "SINCE", ARGS_DATE, SEARCH_ROW, mox__search_since},
    {.name = "SMALLER", ARGS_NUMBER, SEARCH_ROW, mox__search_smaller},
    {.name = "SUBJECT", ARGS_STRING, SEARCH_CONTENT, mox__search_field, .field = "Subject"},
    {.name = "TEXT", ARGS_STRING, SEARCH_TEXT, mox__search_text, .value = 1},
    {.name = "TO", ARGS_STRING, SEARCH_CONTENT, mox__search_field, .field = "To"},
    {.name = "UID", ARGS_UIDS, SEARCH_VIEW, mox__search_rows},
    {.name = "UNANSWERED", ARGS_NONE, SEARCH_VIEW, mox__search_flags, MOX_FLAG_ANSWERED},
    {.name = "UNDELETED", ARGS_NONE, SEARCH_VIEW, mox__search_flags, MOX_FLAG_DELETED},
    {.name = "UNDRAFT", ARGS_NONE, SEARCH_VIEW, mox__search_flags, MOX_FLAG_DRAFT},
    {.name = "UNFLAGGED", ARGS_NONE, SEARCH_VIEW, mox__search_flags, MOX_FLAG_FLAGGED},
    {.name = "UNKEYWORD", ARGS_KEYWORD, SEARCH_VIEW, mox__search_keyword, .negated = true},
    {.name = "UNSEEN", ARGS_NONE, SEARCH_VIEW, mox__search_flags, MOX_FLAG_SEEN},
};

struct parser {
    struct search_program *program;
    struct lexer *l;
    const struct search_session *session;
    unsigned depth;
    struct row_set recent;
    bool recent_known;
};

static struct search_node *take_key(struct parser *p);

static void *miss(struct parser *p, const char *expected)
{
    p->l->expected = expected;
    return NULL;
}

static struct search_node *new_node(struct parser *p, enum search_kind kind)
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

static struct search_node *with_children(struct parser *p, enum search_kind kind,
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

static struct search_node *negate(struct parser *p, struct search_node *child)
{
    struct child_list list = {0};
    if (child == NULL)
        return NULL;
    add_child(&list, child);
    return with_children(p, SEARCH_NOT, &list);
}

static struct search_node *take_or(struct parser *p)
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
static struct search_node *take_keys(struct parser *p)
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

static struct search_node *take_parentheses(struct parser *p)
{
    struct search_node *n = mox__lex_byte(p->l, '(') ? take_keys(p) : NULL;
    return n != NULL && mox__lex_byte(p->l, ')') ? n : NULL;
}

/* --- arguments of leaves --- */

static bool is_set_char(uint8_t c)
{
    return is_digit(c) || c == ',' || c == ':' || c == '*';
}

/* Numbers beyond the last message match nothing: a client cannot know how many are left while it
 * writes the command. */
static bool take_set(struct parser *p, struct search_node *n, enum seqset_kind kind)
{
    struct lexer *l = p->l;
    struct seqset set;
    const uint8_t *start = l->at;
    while (l->at < l->end && is_set_char(*l->at))
        l->at++;
    int rc = mox__seqset_parse(&set, l->arena, slice(start, (size_t)(l->at - start)));
    if (rc == MOX_OK)
        rc = mox__seqset_rows(&n->arg.rows, l->arena, &set, kind, p->session->view);
    l->no_memory = l->no_memory || rc == MOX_ENOMEM;
    if (rc != MOX_OK)
        l->at = start;
    return rc == MOX_OK || miss(p, "a set of messages such as 1:3,5") != NULL;
}

static struct search_node *new_set(struct parser *p, enum seqset_kind kind)
{
    struct search_node *n = new_node(p, SEARCH_LEAF);
    if (n == NULL)
        return NULL;
    n->test = mox__search_rows;
    return take_set(p, n, kind) ? n : NULL;
}

/* The rows that are \Recent in this session. */
static bool recent_rows(struct parser *p, struct row_set *out)
{
    const struct search_session *s = p->session;
    struct seqset set = {.ranges = arena_new(p->l->arena, struct seqset_range, s->recent_count + 1),
                         .count = 0};
    if (set.ranges == NULL)
        return false;
    for (size_t i = 0; i < s->recent_count; i++) {
        const struct mox_uid_range *r = &s->recent[i];
        if (mox_view_find(s->view, r->first) < mox_view_count(s->view))
            set.ranges[set.count++] = (struct seqset_range){r->first, r->last};
    }
    return mox__seqset_rows(out, p->l->arena, &set, SEQSET_UID, s->view) == MOX_OK;
}

static bool take_recent(struct parser *p, struct search_node *n)
{
    if (!p->recent_known && !recent_rows(p, &p->recent)) {
        p->l->no_memory = true;
        return false;
    }
    p->recent_known = true;
    n->arg.rows = p->recent;
    return true;
}

/* A keyword that the mailbox has not is no error: nothing has it. */
static bool take_keyword(struct parser *p, struct search_node *n)
{
    struct mox_slice name;
    unsigned count = 0;
    if (!mox__lex_atom(p->l, &name))
        return false;
    const uint32_t flag = mox__flag_named(name);
    if (flag != 0) { /* $Junk and the like */
        n->test = mox__search_flags;
        n->arg.flags.mask = n->arg.flags.value = flag;
        return true;
    }
    const char *const *names = mox_view_keywords(p->session->keywords, &count);
    for (unsigned i = 0; i < count; i++) {
        if (mox__slice_is_nocase(name, names[i]))
            n->arg.keyword = UINT64_C(1) << i;
    }
    return true;
}

/* An astring in UTF-8, which US-ASCII is too. */
static bool take_needle(struct parser *p, struct needle *out)
{
    struct mox_slice text;
    if (!mox__lex_astring(p->l, &text))
        return false;
    if (!mox__slice_is_utf8(text))
        return miss(p, "text in UTF-8") != NULL;
    if (mox__needle_init(out, p->l->arena, text) == MOX_OK)
        return true;
    p->l->no_memory = true;
    return false;
}

static bool take_text(struct parser *p, const struct search_key *key, struct search_node *n)
{
    struct search_program *program = p->program;
    if (program->texts == NULL)
        program->texts = arena_new(p->l->arena, struct search_text, SEARCH_TEXTS_MAX);
    if (program->texts == NULL) {
        p->l->no_memory = true;
        return false;
    }
    n->arg.text = program->text_count;
    struct search_text *text = &program->texts[program->text_count++];
    text->headers = key->value != 0;
    return take_needle(p, &text->needle);
}

static bool take_string(struct parser *p, const struct search_key *key, struct search_node *n)
{
    if (key->field == NULL)
        return take_text(p, key, n);
    n->arg.field.name = slice_of(key->field);
    return take_needle(p, &n->arg.field.value);
}

static bool take_field(struct parser *p, struct search_node *n)
{
    return mox__lex_astring(p->l, &n->arg.field.name) && mox__lex_space(p->l) &&
           take_needle(p, &n->arg.field.value);
}

static bool take_args(struct parser *p, const struct search_key *key, struct search_node *n)
{
    switch (key->args) {
    case ARGS_KEYWORD:
        return take_keyword(p, n);
    case ARGS_DATE:
        return mox__lex_date(p->l, &n->arg.day);
    case ARGS_NUMBER:
        return mox__lex_number(p->l, INT64_MAX, &n->arg.bytes);
    case ARGS_STRING:
        return take_string(p, key, n);
    case ARGS_FIELD:
        return take_field(p, n);
    case ARGS_UIDS:
        return take_set(p, n, SEQSET_UID);
    default:
        break;
    }
    if (key->test == mox__search_rows)
        return take_recent(p, n);
    n->arg.flags.mask = key->mask;
    n->arg.flags.value = key->value;
    return true;
}

static struct search_node *take_leaf(struct parser *p, const struct search_key *key)
{
    struct search_program *program = p->program;
    if (key->level == SEARCH_CONTENT && ++program->fields > SEARCH_FIELDS_MAX)
        return miss(p, "fewer keys that look at header fields");
    if (key->level == SEARCH_TEXT && program->text_count == SEARCH_TEXTS_MAX)
        return miss(p, "fewer BODY and TEXT keys");
    struct search_node *n = new_node(p, SEARCH_LEAF);
    if (n == NULL)
        return NULL;
    n->level = key->level;
    n->test = key->test;
    if (key->args != ARGS_NONE && !mox__lex_space(p->l))
        return NULL;
    if (!take_args(p, key, n))
        return NULL;
    program->has_row = program->has_row || n->level == SEARCH_ROW;
    return key->negated ? negate(p, n) : n;
}

/* --- keys --- */

static const struct search_key *find_key(struct mox_slice name)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (mox__slice_is_nocase(name, keys[i].name))
            return &keys[i];
    }
    return NULL;
}

/* NEW is short for RECENT UNSEEN. */
static struct search_node *take_new(struct parser *p)
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

static struct search_node *take_named(struct parser *p)
{
    const uint8_t *start = p->l->at;
    struct mox_slice name;
    const struct search_key *key = mox__lex_atom(p->l, &name) ? find_key(name) : NULL;
    if (key == NULL) {
        p->l->at = start;
        return miss(p, "a search key");
    }
    if (key->args == ARGS_KEY)
        return mox__lex_space(p->l) ? negate(p, take_key(p)) : NULL;
    if (key->args == ARGS_KEYS)
        return take_or(p);
    return key->test == NULL ? take_new(p) : take_leaf(p, key);
}

static struct search_node *take_key(struct parser *p)
{
    const int c = mox__lex_peek(p->l);
    struct search_node *n = NULL;
    if (p->depth == SEARCH_DEPTH_MAX)
        return miss(p, "fewer keys inside each other");
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
    struct parser p = {.program = out, .l = l, .session = session};
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
