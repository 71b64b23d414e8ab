/* SPDX-License-Identifier: MIT */

/* The durable store and the one in memory give the same answers to the same operations: results, lists,
 * counts, rows, and what is read through views, also through old ones; and what the durable one has
 * is sound and there when it is opened again. Input: operations, some bytes each. */

#include <stdio.h>
#include <stdlib.h>

#include "fuzz/input.h"
#include "store/storefix.h"

#define HELD_MAX 4
#define OPS_MAX  60

static const char *const names[] = {"Inbox",   "a",  "a/b",     "a/b/c", "b",
                                    "Inbox/x", "a-", "a/b/c/d", "B",     "c/d"};
#define NAMES (sizeof names / sizeof names[0])

static const char *const keywords[] = {"blue", "green", "red", "blue"};

/* One of the two stores, in the shape that the calls of storefix.h take. */
struct pair {
    struct storefix durable, memory;
    struct {
        struct mox_view *views[2];
    } held[HELD_MAX];
    size_t held_count;
};

static void open_durable(struct storefix *f)
{
    static const struct mox_mailbox none;
    const struct mox_account_config only_inbox = {.size = sizeof only_inbox, .mailboxes = &none};
    struct mox_error err = {0};
    if (mox_store_open(&f->store, &f->t.env, f->dir, &err) < 0 ||
        mox_account_open(&f->account, f->store, "mjl", MOX_ACCOUNT_CREATE, &only_inbox, &err) < 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        abort();
    }
    f->mail = mox_account_mailstore(f->account);
}

static uint64_t id_of(struct storefix *f, const char *name)
{
    const struct mox_mailboxes *list = NULL;
    assert(f->mail.ops->mailboxes(f->mail.self, &list, NULL) == MOX_OK);
    const struct mox_mailbox *mb = mox_mailboxes_find(list, name);
    uint64_t id = mb == NULL ? 0 : mb->id;
    mox_mailboxes_unref(list);
    return id;
}

static struct mox_view *view_of(struct storefix *f, const char *name)
{
    struct mox_view *view = NULL;
    uint64_t id = id_of(f, name);
    if (id != 0)
        assert(f->mail.ops->view(f->mail.self, id, &view, NULL) == MOX_OK);
    return view;
}

/* --- comparing --- */

static bool row_has(const struct mox_view *v, const struct mox_view_row *row, const char *keyword)
{
    unsigned count;
    const char *const *list = mox_view_keywords(v, &count);
    for (unsigned i = 0; i < count; i++)
        if (strcmp(list[i], keyword) == 0)
            return (row->keywords >> i & 1) != 0;
    return false;
}

struct sum {
    uint64_t count, bytes, hash;
};

static void add(struct sum *s, struct mox_slice data)
{
    for (size_t i = 0; i < data.len; i++)
        s->hash = (s->hash ^ data.data[i]) * UINT64_C(0x100000001b3);
    s->hash = (s->hash ^ 0x100u) * UINT64_C(0x100000001b3);
}

static int sum_up(void *user, const struct mox_message_data *data)
{
    struct sum *s = user;
    assert(data->bytes == data->prefix.len + data->content.len && data->uid > 0);
    s->count++;
    s->bytes += data->bytes;
    s->hash = (s->hash ^ data->uid) * UINT64_C(0x100000001b3);
    add(s, data->envelope);
    add(s, data->body);
    add(s, data->bodystructure);
    add(s, data->structure);
    add(s, data->prefix);
    add(s, data->content);
    return 0;
}

static struct sum read_all(struct storefix *f, const struct mox_view *view)
{
    struct sum s = {.hash = 1};
    const struct mox_uid_range all = {1, UINT32_MAX};
    const unsigned wants = MOX_FETCH_ENVELOPE | MOX_FETCH_BODY | MOX_FETCH_BODYSTRUCTURE |
                           MOX_FETCH_STRUCTURE | MOX_FETCH_CONTENT;
    assert(f->mail.ops->fetch(f->mail.self, view, &all, 1, wants, sum_up, &s, NULL) == MOX_OK);
    assert(s.count == mox_view_count(view));
    return s;
}

static void same_views(struct pair *p, const struct mox_view *a, const struct mox_view *b)
{
    assert((a == NULL) == (b == NULL));
    if (a == NULL)
        return;
    assert(mox_view_count(a) == mox_view_count(b) && mox_view_uidnext(a) == mox_view_uidnext(b));
    for (uint32_t i = 0; i < mox_view_count(a); i++) {
        const struct mox_view_row *x = mox_view_row(a, i), *y = mox_view_row(b, i);
        if (x->uid != y->uid || x->flags != y->flags)
            (void)fprintf(stderr, "durable: UID %u flags %x; memory: UID %u flags %x\n", x->uid,
                          x->flags, y->uid, y->flags);
        assert(x->uid == y->uid && x->flags == y->flags);
        for (size_t k = 0; k < 3; k++)
            assert(row_has(a, x, keywords[k]) == row_has(b, y, keywords[k]));
    }
    struct sum x = read_all(&p->durable, a), y = read_all(&p->memory, b);
    assert(x.bytes == y.bytes && x.hash == y.hash);
}

static void same_status(struct pair *p, uint64_t a, uint64_t b)
{
    struct mox_mailbox_status x, y;
    assert(p->durable.mail.ops->status(p->durable.mail.self, a, &x, NULL) == MOX_OK);
    assert(p->memory.mail.ops->status(p->memory.mail.self, b, &y, NULL) == MOX_OK);
    assert(x.messages == y.messages && x.unseen == y.unseen && x.deleted == y.deleted);
    assert(x.uidnext == y.uidnext && x.bytes == y.bytes && x.recent_from == y.recent_from);
}

static void same_mailboxes(struct pair *p)
{
    const struct mox_mailboxes *a = NULL, *b = NULL;
    assert(p->durable.mail.ops->mailboxes(p->durable.mail.self, &a, NULL) == MOX_OK);
    assert(p->memory.mail.ops->mailboxes(p->memory.mail.self, &b, NULL) == MOX_OK);
    assert(a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        const struct mox_mailbox *x = &a->list[i], *y = &b->list[i];
        assert(strcmp(x->name, y->name) == 0 && (x->id == 0) == (y->id == 0));
        assert(x->subscribed == y->subscribed && x->special_use == y->special_use);
        if (x->id == 0)
            continue;
        same_status(p, x->id, y->id);
        struct mox_view *v = view_of(&p->durable, x->name), *w = view_of(&p->memory, y->name);
        same_views(p, v, w);
        mox_view_unref(v);
        mox_view_unref(w);
    }
    mox_mailboxes_unref(a);
    mox_mailboxes_unref(b);
}

/* --- operations --- */

struct ranges {
    struct mox_uid_range list[3];
    size_t count;
};

static struct ranges read_ranges(struct input *in)
{
    struct ranges r = {.count = 1u + input_byte(in) % 3};
    uint32_t uid = 1;
    for (size_t i = 0; i < r.count; i++) {
        r.list[i].first = uid + input_byte(in) % 4u;
        r.list[i].last = r.list[i].first + input_byte(in) % 4u;
        uid = r.list[i].last + 1;
    }
    return r;
}

static void same_result(const struct mox_write *a, const struct mox_write *b)
{
    if (a->status != b->status || (a->modseq == 0) != (b->modseq == 0))
        (void)fprintf(stderr, "durable: %d %s, modseq %llu; memory: %d %s, modseq %llu\n",
                      a->status, a->error.text, (unsigned long long)a->modseq, b->status,
                      b->error.text, (unsigned long long)b->modseq);
    assert(a->status == b->status && (a->modseq == 0) == (b->modseq == 0));
    assert(a->status == MOX_OK || (a->error.text[0] != '\0' && b->error.text[0] != '\0'));
}

static void run_append(struct pair *p, struct input *in)
{
    const char *name = names[input_below(in, NAMES)];
    struct mox_append ops[2];
    unsigned how = input_byte(in);
    struct mox_slice header = input_bytes(in, how % 64);
    for (size_t i = 0; i < 2; i++) {
        struct storefix *f = i == 0 ? &p->durable : &p->memory;
        ops[i] = (struct mox_append){.mailbox = (how & 64) != 0 ? id_of(f, name) : 0,
                                     .mailbox_name = name,
                                     .prefix = slice_of(how % 3 == 0 ? "X-Prefix: 1\r\n" : ""),
                                     .flags = how * 5u % MOX_FLAG_ALL,
                                     .keywords = &keywords[how % 3],
                                     .keyword_count = how % 2,
                                     .received_us = 1000000};
        assert(mox_spool_new(&ops[i].spool, &f->t.env, NULL, UINT64_MAX) == MOX_OK);
        assert(mox_spool_write(ops[i].spool, header) == MOX_OK);
        assert(mox_spool_write(ops[i].spool, slice_of("\r\n\r\nbody\r\n")) == MOX_OK);
        (void)wait_append(f, &ops[i]);
        mox_spool_free(ops[i].spool);
    }
    same_result(&ops[0].write, &ops[1].write);
    assert(ops[0].write.status != MOX_OK || ops[0].uid == ops[1].uid);
}

static void run_flags(struct pair *p, struct input *in)
{
    const char *name = names[input_below(in, NAMES)];
    unsigned how = input_byte(in), mode = input_byte(in);
    struct ranges r = read_ranges(in);
    struct mox_set_flags ops[2];
    for (size_t i = 0; i < 2; i++) {
        struct storefix *f = i == 0 ? &p->durable : &p->memory;
        ops[i] = (struct mox_set_flags){.mailbox = id_of(f, name),
                                        .ranges = r.list,
                                        .range_count = r.count,
                                        .mode = (enum mox_flags_mode)(mode % 3),
                                        .flags = how * 3u % MOX_FLAG_ALL,
                                        .keywords = &keywords[how % 3],
                                        .keyword_count = mode / 3 % 2};
        (void)wait_set_flags(f, &ops[i]);
    }
    same_result(&ops[0].write, &ops[1].write);
}

static void run_expunge(struct pair *p, struct input *in)
{
    const char *name = names[input_below(in, NAMES)];
    bool only_deleted = input_byte(in) % 2 == 0;
    struct ranges r = read_ranges(in);
    struct mox_expunge ops[2];
    for (size_t i = 0; i < 2; i++) {
        struct storefix *f = i == 0 ? &p->durable : &p->memory;
        ops[i] = (struct mox_expunge){.mailbox = id_of(f, name),
                                      .ranges = r.list,
                                      .range_count = r.count,
                                      .only_deleted = only_deleted};
        (void)wait_expunge(f, &ops[i]);
    }
    same_result(&ops[0].write, &ops[1].write);
}

static void run_copy(struct pair *p, struct input *in)
{
    const char *from = names[input_below(in, NAMES)], *to = names[input_below(in, NAMES)];
    bool move = input_byte(in) % 2 == 0;
    struct ranges r = read_ranges(in);
    struct mox_copy ops[2];
    for (size_t i = 0; i < 2; i++) {
        struct storefix *f = i == 0 ? &p->durable : &p->memory;
        ops[i] = (struct mox_copy){.mailbox = id_of(f, from),
                                   .destination = id_of(f, to),
                                   .ranges = r.list,
                                   .range_count = r.count,
                                   .move = move};
        (void)wait_copy(f, &ops[i]);
    }
    same_result(&ops[0].write, &ops[1].write);
    if (ops[0].write.status != MOX_OK)
        return;
    assert(ops[0].count == ops[1].count && ops[0].copied_count == ops[1].copied_count);
    assert(ops[0].count == 0 || ops[0].first_uid == ops[1].first_uid);
    for (size_t i = 0; i < ops[0].copied_count; i++)
        assert(ops[0].copied[i].first == ops[1].copied[i].first &&
               ops[0].copied[i].last == ops[1].copied[i].last);
    mox_copy_free(&ops[0]);
    mox_copy_free(&ops[1]);
}

static void run_change(struct pair *p, struct input *in)
{
    struct mox_mailbox_change ops[2];
    unsigned kind = input_byte(in) % 6u;
    const char *name = names[input_below(in, NAMES)], *other = names[input_below(in, NAMES)];
    /* What comes into a mailbox for junk is junk in the durable store. */
    unsigned use = input_byte(in) % 32u & ~(unsigned)MOX_USE_JUNK;
    for (size_t i = 0; i < 2; i++) {
        ops[i] = (struct mox_mailbox_change){.kind = (enum mox_mailbox_change_kind)kind,
                                             .name = name,
                                             .new_name = other,
                                             .special_use = use};
        (void)wait_change(i == 0 ? &p->durable : &p->memory, &ops[i]);
    }
    same_result(&ops[0].write, &ops[1].write);
}

/* Views that are held show what they showed, whatever happens. */
static void hold(struct pair *p, struct input *in)
{
    const char *name = names[input_below(in, NAMES)];
    size_t at = p->held_count < HELD_MAX ? p->held_count++ : input_byte(in) % HELD_MAX;
    mox_view_unref(p->held[at].views[0]);
    mox_view_unref(p->held[at].views[1]);
    p->held[at].views[0] = view_of(&p->durable, name);
    p->held[at].views[1] = view_of(&p->memory, name);
}

static void claim(struct pair *p, struct input *in)
{
    const char *name = names[input_below(in, NAMES)];
    uint64_t a = id_of(&p->durable, name), b = id_of(&p->memory, name);
    struct mox_mailbox_status s;
    if (a == 0 || p->memory.mail.ops->status(p->memory.mail.self, b, &s, NULL) < 0)
        return;
    uint32_t x = p->durable.mail.ops->claim_recent(p->durable.mail.self, a, s.uidnext);
    uint32_t y = p->memory.mail.ops->claim_recent(p->memory.mail.self, b, s.uidnext);
    assert(x == y);
}

static void drop_held(struct pair *p)
{
    for (size_t i = 0; i < p->held_count; i++) {
        same_views(p, p->held[i].views[0], p->held[i].views[1]);
        mox_view_unref(p->held[i].views[0]);
        mox_view_unref(p->held[i].views[1]);
        p->held[i].views[0] = p->held[i].views[1] = NULL;
    }
    p->held_count = 0;
}

static void reopen(struct pair *p)
{
    drop_held(p);
    storefix_stop(&p->durable);
    storefix_verify(&p->durable);
    open_durable(&p->durable);
}

static void run(struct pair *p, struct input *in)
{
    static void (*const ops[])(struct pair *, struct input *) = {
        run_append, run_append, run_append, run_flags,  run_expunge, run_copy,
        run_copy,   run_change, run_change, run_change, hold,        claim};
    unsigned which = input_byte(in);
    if (which == 255)
        reopen(p);
    else
        ops[which % (sizeof ops / sizeof ops[0])](p, in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pair p = {.held_count = 0};
    struct input in = {{data, len}};
    storefix_init_fast(&p.durable);
    p.durable.t.log_level = MOX_LOG_ERROR;
    open_durable(&p.durable);
    test_env_init(&p.memory.t);
    assert(mox_memory_mailstore_new(&p.memory.mail, &p.memory.t.env) == MOX_OK);
    for (size_t i = 0; in.rest.len > 0 && i < OPS_MAX; i++)
        run(&p, &in);
    drop_held(&p);
    same_mailboxes(&p);
    storefix_stop(&p.durable);
    storefix_verify(&p.durable);
    open_durable(&p.durable);
    same_mailboxes(&p);
    storefix_stop(&p.durable);
    storefix_done(&p.durable);
    mox_memory_mailstore_free(&p.memory.mail);
    test_env_done(&p.memory.t);
    return 0;
}
