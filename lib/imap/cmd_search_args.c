/* SPDX-License-Identifier: MIT */
#include "imap/cmd_search_parse.h"

#include "imap/flags.h"

void *mox__search_miss(struct search_parser *p, const char *expected)
{
    p->l->expected = expected;
    return NULL;
}

static bool is_set_char(uint8_t c)
{
    return is_digit(c) || c == ',' || c == ':' || c == '*';
}

/* Numbers beyond the last message match nothing: a client cannot know how many are left while it
 * writes the command. */
bool mox__search_take_set(struct search_parser *p, struct search_node *n, enum seqset_kind kind)
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
    return rc == MOX_OK || mox__search_miss(p, "a set of messages such as 1:3,5") != NULL;
}

/* The rows that are \Recent in this session. */
static bool recent_rows(struct search_parser *p, struct row_set *out)
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

static bool take_recent(struct search_parser *p, struct search_node *n)
{
    if (!p->recent_known && !recent_rows(p, &p->recent)) {
        p->l->no_memory = true;
        return false;
    }
    p->recent_known = true;
    n->arg.rows = p->recent;
    return true;
}

static bool take_keyword(struct search_parser *p, struct search_node *n)
{
    struct mox_slice name;
    if (!mox__lex_atom(p->l, &name))
        return false;
    const uint32_t flag = mox__flag_named(name);
    if (flag != 0) { /* $Junk and the like */
        n->test = mox__search_flags;
        n->arg.flags.mask = n->arg.flags.value = flag;
        return true;
    }
    n->arg.keyword.name = name;
    n->arg.keyword.next = p->program->keywords;
    p->program->keywords = n;
    return true;
}

/* A keyword that the mailbox has not is no error: nothing has it. */
void mox__search_find_keywords(struct search_program *p, const struct mox_view *view)
{
    unsigned count = 0;
    const char *const *names = mox_view_keywords(view, &count);
    for (struct search_node *n = p->keywords; n != NULL; n = n->arg.keyword.next) {
        for (unsigned i = 0; i < count; i++) {
            if (mox__slice_is_nocase(n->arg.keyword.name, names[i]))
                n->arg.keyword.bit = UINT64_C(1) << i;
        }
    }
}

/* An astring in UTF-8, which US-ASCII is too. */
static bool take_needle(struct search_parser *p, struct needle *out)
{
    struct mox_slice text;
    if (!mox__lex_astring(p->l, &text))
        return false;
    if (!mox__slice_is_utf8(text))
        return mox__search_miss(p, "text in UTF-8") != NULL;
    if (mox__needle_init(out, p->l->arena, text) == MOX_OK)
        return true;
    p->l->no_memory = true;
    return false;
}

static bool take_text(struct search_parser *p, const struct search_key *key, struct search_node *n)
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

static bool take_string(struct search_parser *p, const struct search_key *key,
                        struct search_node *n)
{
    if (key->field == NULL)
        return take_text(p, key, n);
    n->arg.field.name = slice_of(key->field);
    return take_needle(p, &n->arg.field.value);
}

static bool take_field(struct search_parser *p, struct search_node *n)
{
    return mox__lex_astring(p->l, &n->arg.field.name) && mox__lex_space(p->l) &&
           take_needle(p, &n->arg.field.value);
}

bool mox__search_take_args(struct search_parser *p, const struct search_key *key,
                           struct search_node *n)
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
        return mox__search_take_set(p, n, SEQSET_UID);
    default:
        break;
    }
    if (key->test == mox__search_rows)
        return take_recent(p, n);
    n->arg.flags.mask = key->mask;
    n->arg.flags.value = key->value;
    return true;
}
