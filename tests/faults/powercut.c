/* SPDX-License-Identifier: MIT */
#include "faults/powercut.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults/disk.h"
#include "faults/need.h"
#include "store/filterfix.h"
#include "store/password.h"
#include "store/store.h"
#include "support/cm.h"

#define STEPS_MAX 40

struct expected {
    char *texts[STEPS_MAX + 3]; /* of the account after so many steps; NULL: there is none yet */
    size_t count;
    const struct mox_account_config *config;
    unsigned reopen_every; /* how many disks are opened between two that are cut again meanwhile */
    unsigned checked;
    bool imports; /* one of the steps does */
    struct cut_counts *counts;
};

#define SEEDS        3
#define REOPEN_EVERY 40

/* ---- what must hold afterwards ---- */

static void check_no_spools(struct storefix *f)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/tmp", f->dir);
    DIR *dir = need(opendir(path));
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.')
            cut_failed("tmp/%s was left", e->d_name);
    (void)closedir(dir);
}

/* Opens what was left; an account whose making was not acknowledged may be made again. */
static void open_store(struct storefix *f, bool exists)
{
    struct mox_error err = {0};
    if (mox_store_open(&f->store, &f->t.env, f->dir, &err) < 0 ||
        mox_account_open(&f->account, f->store, "mjl",
                         exists ? MOX_ACCOUNT_EXISTING : MOX_ACCOUNT_CREATE, f->config, &err) < 0)
        cut_failed("%s", err.text);
    f->mail = mox_account_mailstore(f->account);
}

static unsigned marked(struct storefix *f, unsigned flag)
{
    char sql[96];
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM entry WHERE flags & %u = %u",
                   (unsigned)(MOX_FLAG_JUNK | MOX_FLAG_NOTJUNK), flag);
    return (unsigned)query(f, sql);
}

/* It catches up with what is marked; that its counts are those of the messages is verified later. What it had
 * learnt before is not lost: a database that is set aside would be built anew. */
static void check_filter(struct storefix *f)
{
    if (f->config == NULL)
        return;
    assert_learnt(f, marked(f, MOX_FLAG_NOTJUNK), marked(f, MOX_FLAG_JUNK));
    if (test_env_logged(&f->t, "set aside") > 0)
        cut_failed("the filter's database was set aside:\n%s", f->t.log);
}

/* The first line that differs. */
static void say_difference(const char *text, const char *was)
{
    size_t at = 0, line = 0;
    for (; text[at] != '\0' && text[at] == was[at]; at++)
        line = text[at] == '\n' ? at + 1 : line;
    cut_failed("the account has \"%.*s\", but had \"%.*s\"", (int)strcspn(text + line, "\n"),
               text + line, (int)strcspn(was + line, "\n"), was + line);
}

static const char *whole(const char *text)
{
    return text;
}

/* Behind the account's numbers: an import that is not there any more was given some, and its removal, which goes on in the
 * background, is given others. That they are above all that there is is verified later. */
static const char *behind_numbers(const char *text)
{
    return strchr(text, '\n') + 1;
}

/* After how many steps the account looked as it does now. */
static size_t find_text(struct storefix *f, const struct cut *cut, const struct expected *e)
{
    char *text = account_text(f);
    const char *(*part)(const char *) = e->imports ? behind_numbers : whole;
    size_t first = e->texts[0] == NULL && cut->acknowledged == 0 ? 1 : cut->acknowledged;
    size_t last = cut->submitted > first ? cut->submitted : first, at = first;
    while (at <= last && strcmp(part(text), part(e->texts[at])) != 0)
        at++;
    if (at > last)
        say_difference(part(text), part(e->texts[first]));
    free(text);
    return at;
}

void storefix_at(struct storefix *f, const char *root)
{
    memset(f, 0, sizeof *f);
    test_env_init(&f->t);
    (void)snprintf(f->dir, sizeof f->dir, "%s/data", root);
}

static const struct step one_more = {STEP_APPEND, "Inbox", .size = 140000};

static bool may_exist(const struct cut *cut, const struct expected *e)
{
    return cut->acknowledged > 0 || e->texts[0] != NULL;
}

static void check_once(void *user, const struct cut *cut)
{
    const struct expected *e = user;
    struct storefix f;
    storefix_at(&f, cut->dir);
    f.config = e->config;
    open_store(&f, may_exist(cut, e));
    (void)find_text(&f, cut, e);
    check_filter(&f);
    check_no_spools(&f);
    storefix_stop(&f);
    storefix_verify(&f);
    open_store(&f, true); /* and it takes more */
    step_alone(&f, &one_more, 0);
    storefix_stop(&f);
    storefix_verify(&f);
    test_env_done(&f.t);
}

/* The power is cut again while what was left is opened and used. What was seen by then has to stay. */
static void check_reopening(const struct expected *before, const struct cut *cut)
{
    struct expected e = *before;
    struct storefix f;
    storefix_at(&f, cut->dir);
    f.config = e.config;
    if (cut->killed)
        record_resume(cut->dir, cut->record, cut->at);
    else
        record_start(cut->dir, cut->acknowledged, cut->submitted);
    open_store(&f, may_exist(cut, &e));
    e.texts[e.count + 1] = need(strdup(e.texts[find_text(&f, cut, &e)]));
    record_submitted(e.count + 1);
    record_acknowledged(e.count + 1);
    check_filter(&f);
    step_alone(&f, &one_more, e.count + 2);
    e.texts[e.count + 2] = account_text(&f);
    storefix_stop(&f);
    struct record *r = record_stop();
    cut_everywhere(r, 1, check_once, &e, e.counts);
    record_free(r);
    free(e.texts[e.count + 1]);
    free(e.texts[e.count + 2]);
    test_env_done(&f.t);
}

/* What the next process finds is not there for good: a name is not on the disk with its folder. */
static bool made_folder(const struct cut *cut)
{
    const struct op *last = &cut->record->ops[cut->at - 1];
    return cut->killed && last->kind == OP_CREATE && last->folder;
}

static void check(void *user, const struct cut *cut)
{
    struct expected *e = user;
    if (++e->checked % e->reopen_every == 0 || made_folder(cut))
        check_reopening(e, cut);
    else
        check_once(e, cut);
}

/* ---- running a workload ---- */

void make_root(char root[32])
{
    (void)strcpy(root, "/dev/shm/mox-run.XXXXXX");
    assert_non_null(mkdtemp(root));
}

static void start(struct storefix *f, const struct workload *w)
{
    storefix_start(f);
    mox__store_password_cost(f->store, 1, 8192);
    if (w->checkpoint_pages > 0)
        f->store->checkpoint_pages = w->checkpoint_pages;
}

static void prepare(struct storefix *f, const char *root, const struct workload *w)
{
    storefix_at(f, root);
    f->config = w->config_is_new ? NULL : w->config;
    if (w->setup != NULL) {
        start(f, w);
        steps_slowly(f, w->setup, w->setup_count, NULL);
        storefix_stop(f);
    }
    f->config = w->config;
}

static void learn(struct expected *e, const struct workload *w)
{
    char root[32];
    struct storefix f;
    make_root(root);
    prepare(&f, root, w);
    if (w->setup != NULL)
        start(&f, w);
    assert_true(w->count <= STEPS_MAX);
    steps_slowly(&f, w->steps, w->count, e->texts);
    e->count = w->count;
    storefix_stop(&f);
    test_env_done(&f.t);
    remove_tree(root);
}

/* The record is complete: what it says is what is there. */
static void check_record(const struct record *r, const char *root)
{
    struct disk *d = disk_new(r->files);
    for (size_t i = 0; i < r->count; i++)
        disk_do(d, &r->ops[i]);
    struct tree *t = disk_cut(d, LEAVES_ALL, 0);
    assert_true(tree_is(t, root));
    tree_free(t);
    disk_free(d);
}

static struct record *do_recorded(const struct expected *e, const struct workload *w)
{
    char root[32];
    struct storefix f;
    make_root(root);
    prepare(&f, root, w);
    record_start(root, 0, 0);
    if (w->setup != NULL)
        start(&f, w);
    steps_recorded(&f, w->steps, w->count);
    char *text = account_text(&f);
    assert_string_equal(text, e->texts[w->count]);
    free(text);
    storefix_stop(&f);
    struct record *r = record_stop();
    check_record(r, root);
    test_env_done(&f.t);
    remove_tree(root);
    return r;
}

static unsigned reopen_every(const struct workload *w)
{
    const char *by_hand = getenv("MOX_CUT_REOPEN");
    if (by_hand != NULL && atoi(by_hand) > 0)
        return (unsigned)atoi(by_hand);
    return w->reopen_every > 0 ? w->reopen_every : REOPEN_EVERY;
}

void power_cuts(const struct workload *w)
{
    struct cut_counts counts = {0};
    struct expected e = {.config = w->config, .reopen_every = reopen_every(w), .counts = &counts};
    for (size_t i = 0; i < w->count; i++)
        e.imports = e.imports || w->steps[i].kind == STEP_IMPORT;
    learn(&e, w);
    struct record *r = do_recorded(&e, w);
    if (w->look != NULL)
        w->look(r);
    cut_everywhere(r, w->seeds > 0 ? w->seeds : SEEDS, check, &e, &counts);
    print_message("cut at %zu points, %zu different disks checked\n", counts.points, counts.disks);
    record_free(r);
    for (size_t i = 0; i <= e.count; i++)
        free(e.texts[i]);
}

const struct step some_mail[4] = {
    {STEP_APPEND, "Inbox", .size = 100},
    {STEP_APPEND, "Inbox", .size = 200000},
    {STEP_APPEND, "Inbox", .size = 100, .flags = MOX_FLAG_SEEN, .keyword = "work"},
    {STEP_APPEND, "Archive", .size = 140000},
};
