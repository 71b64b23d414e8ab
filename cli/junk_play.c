/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include <mox/date.h>
#include <mox/header.h>

#include "junk.h"
#include "mailfile.h"

#define MEMORY_MAX ((size_t)1 << 30)

/* A filter in memory. */
struct experiment {
    const struct cli *cli;
    struct mox_junk_params params;
    struct mox_junk_memory *memory;
    struct mox_junk_db db;
    struct junk_files files;
    double threshold;
};

static enum exit_code renew(struct experiment *x)
{
    mox_junk_memory_free(x->memory);
    if (mox_junk_memory_new(&x->memory, &x->cli->env, MEMORY_MAX) < 0)
        return cli_fail("out of memory");
    x->db = mox_junk_memory_db(x->memory);
    return EXIT_OK;
}

static enum exit_code begin(struct experiment *x, const struct cli *cli)
{
    *x = (struct experiment){.cli = cli, .threshold = 0.95};
    mox_junk_params_init(&x->params);
    enum exit_code code = junk_params(cli, &x->params);
    if (code == EXIT_OK)
        code = junk_number(cli, "spam-threshold", 0, 1, &x->threshold);
    if (code == EXIT_OK)
        code = renew(x);
    if (code == EXIT_OK)
        code = junk_list(&x->files, cli->args[0], cli->args[1]);
    return code;
}

static enum exit_code end(struct experiment *x, enum exit_code code)
{
    junk_files_free(&x->files);
    mox_junk_memory_free(x->memory);
    return code;
}

static enum exit_code learn(struct experiment *x, const struct junk_file *file)
{
    return junk_learn(x->cli, &x->db, &x->params, file);
}

static enum exit_code classify(struct experiment *x, struct junk_file *file)
{
    struct mox_junk_verdict verdict;
    enum exit_code code = junk_classify(x->cli, &x->db, &x->params, file->path, &verdict);
    if (code == EXIT_OK)
        file->probability = verdict.probability;
    return code;
}

/* ---- analyze ---- */

static enum exit_code split(struct experiment *x, double ratio)
{
    const size_t train = (size_t)(ratio * (double)x->files.count);
    enum exit_code code = EXIT_OK;
    for (size_t i = 0; i < train && code == EXIT_OK; i++)
        code = learn(x, &x->files.files[i]);
    for (size_t i = train; i < x->files.count && code == EXIT_OK; i++)
        code = classify(x, &x->files.files[i]);
    if (code == EXIT_OK)
        junk_report(x->files.files + train, x->files.count - train, x->threshold);
    return code;
}

/* Each part is classified by what all others teach. */
static enum exit_code cross(struct experiment *x, size_t folds)
{
    enum exit_code code = EXIT_OK;
    for (size_t fold = 0; fold < folds && code == EXIT_OK; fold++) {
        code = renew(x);
        for (size_t i = 0; i < x->files.count && code == EXIT_OK; i++)
            if (i % folds != fold)
                code = learn(x, &x->files.files[i]);
        for (size_t i = fold; i < x->files.count && code == EXIT_OK; i += folds)
            code = classify(x, &x->files.files[i]);
    }
    if (code == EXIT_OK)
        junk_report(x->files.files, x->files.count, x->threshold);
    return code;
}

enum exit_code junk_run_analyze(struct cli *cli)
{
    struct experiment x;
    double ratio = 0.5, seed = 1, folds = 0;
    enum exit_code code = begin(&x, cli);
    if (code == EXIT_OK)
        code = junk_number(cli, "train-ratio", 0, 1, &ratio);
    if (code == EXIT_OK)
        code = junk_number(cli, "seed", 0, 1e15, &seed);
    if (code == EXIT_OK)
        code = junk_number(cli, "folds", 2, 1000, &folds);
    if (code == EXIT_OK) {
        junk_shuffle(&x.files, (uint64_t)seed);
        code = folds > 0 ? cross(&x, (size_t)folds) : split(&x, ratio);
    }
    return end(&x, code);
}

/* ---- play ---- */

static enum exit_code read_date(struct junk_file *file)
{
    struct mailfile mail;
    struct mox_slice value;
    struct mox_date date;
    enum exit_code code = mailfile_read(&mail, file->path);
    if (code != EXIT_OK)
        return code;
    if (mox_header_find(mail.content, "Date", &value) && mox_date_parse(value, &date) == MOX_OK)
        file->date = mox_date_unix(&date);
    mailfile_free(&mail);
    return EXIT_OK;
}

static int by_date(const void *a, const void *b)
{
    const int64_t left = ((const struct junk_file *)a)->date;
    const int64_t right = ((const struct junk_file *)b)->date;
    return (left > right) - (left < right);
}

enum exit_code junk_run_play(struct cli *cli)
{
    struct experiment x;
    enum exit_code code = begin(&x, cli);
    for (size_t i = 0; i < x.files.count && code == EXIT_OK; i++)
        code = read_date(&x.files.files[i]);
    if (code == EXIT_OK)
        qsort(x.files.files, x.files.count, sizeof *x.files.files, by_date);
    for (size_t i = 0; i < x.files.count && code == EXIT_OK; i++) {
        code = classify(&x, &x.files.files[i]);
        if (code == EXIT_OK)
            code = learn(&x, &x.files.files[i]);
    }
    if (code == EXIT_OK)
        junk_report(x.files.files, x.files.count, x.threshold);
    return end(&x, code);
}
