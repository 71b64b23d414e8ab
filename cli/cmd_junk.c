/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/junk_file.h>

#include "junk.h"

/* Experiments with the junk filter, on folders of messages and files of words of their own. */

#define MEMORY_MAX ((size_t)1 << 30)

/* ---- flags ---- */

enum exit_code junk_number(const struct cli *cli, const char *flag, double least, double most,
                           double *out)
{
    const char *text = cli_flag(cli, flag);
    char *end;
    if (text == NULL)
        return EXIT_OK;
    const double n = strtod(text, &end);
    if (end == text || *end != '\0' || !(n >= least && n <= most))
        return cli_usage(cli->command, "-%s wants a number from %g to %g", flag, least, most);
    *out = n;
    return EXIT_OK;
}

static void truth(const struct cli *cli, const char *flag, bool *out)
{
    if (cli_flag(cli, flag) != NULL)
        *out = cli_has(cli, flag);
}

enum exit_code junk_params(const struct cli *cli, struct mox_junk_params *params)
{
    double top = params->top_words, rare = params->rare_words;
    truth(cli, "one-grams", &params->onegrams);
    truth(cli, "two-grams", &params->twograms);
    truth(cli, "three-grams", &params->threegrams);
    enum exit_code code = junk_number(cli, "max-power", 0.000001, 0.499999, &params->max_power);
    if (code == EXIT_OK)
        code = junk_number(cli, "top-words", 1, 1000, &top);
    if (code == EXIT_OK)
        code = junk_number(cli, "ignore-words", 0, 0.499999, &params->ignore_words);
    if (code == EXIT_OK)
        code = junk_number(cli, "rare-words", 0, 1000, &rare);
    params->top_words = (unsigned)top;
    params->rare_words = (unsigned)rare;
    return code;
}

/* ---- train ---- */

static const char *path_of(const struct cli *cli)
{
    const char *path = cli_flag(cli, "dbpath");
    if (path == NULL)
        (void)cli_usage(cli->command, "-dbpath is missing");
    return path;
}

/* Opens the file with its own parameters, changed by the flags: *params. */
static enum exit_code open_file(const struct cli *cli, bool is_new, struct mox_junk_file **file,
                                struct mox_junk_params *params)
{
    struct mox_error err;
    const char *path = path_of(cli);
    if (path == NULL)
        return EXIT_USAGE;
    mox_junk_params_init(params);
    enum exit_code code = is_new ? junk_params(cli, params) : EXIT_OK;
    if (code != EXIT_OK)
        return code;
    if (mox_junk_file_open(file, &cli->env, path, is_new ? params : NULL, &err) < 0)
        return cli_fail("%s", err.text);
    *params = *mox_junk_file_params(*file);
    code = junk_params(cli, params);
    if (code != EXIT_OK)
        mox_junk_file_close(*file);
    return code;
}

static bool is_there(const char *path)
{
    FILE *file = path == NULL ? NULL : fopen(path, "rb");
    if (file == NULL)
        return path != NULL && errno != ENOENT;
    (void)fclose(file);
    return true;
}

struct learning {
    const struct mox_junk_params *params;
    struct mox_junk_db db;
    const struct junk_file *files;
};

static enum exit_code learn_one(void *user, size_t index, struct mox_junk_words *words)
{
    const struct learning *l = user;
    struct mox_error err;
    int64_t trace;
    if (mox_junk_learn(&l->db, l->params, words, l->files[index].junk, &trace, &err) < 0)
        return cli_fail("%s: %s", l->files[index].path, err.text);
    return EXIT_OK;
}

static enum exit_code learn_all(const struct cli *cli, struct mox_junk_file *file,
                                const struct junk_files *files)
{
    struct mox_error err;
    struct learning l = {mox_junk_file_params(file), mox_junk_file_db(file), files->files};
    if (mox_junk_file_begin(file, &err) < 0)
        return cli_fail("%s", err.text);
    enum exit_code code = junk_read_all(cli, l.params, files->files, files->count, learn_one, &l);
    if (code == EXIT_OK && mox_junk_file_commit(file, &err) < 0)
        code = cli_fail("%s", err.text);
    return code;
}

static void say_learned(struct mox_junk_file *file, const struct junk_files *files)
{
    const struct mox_junk_db db = mox_junk_file_db(file);
    struct mox_junk_totals totals = {0};
    if (db.ops->totals(db.self, &totals, NULL) == MOX_OK)
        (void)printf("learned %zu messages; the filter knows %u ham, %u spam\n", files->count,
                     totals.hams, totals.spams);
}

static enum exit_code run_train(struct cli *cli)
{
    struct junk_files files;
    struct mox_junk_file *file;
    struct mox_junk_params params;
    junk_keep_memory();
    enum exit_code code = junk_list(&files, cli->args[0], cli->args[1]);
    if (code != EXIT_OK)
        return code;
    code = open_file(cli, !is_there(cli_flag(cli, "dbpath")), &file, &params);
    if (code == EXIT_OK) {
        junk_shuffle(&files, 1); /* all of one kind first would teach less */
        code = learn_all(cli, file, &files);
        if (code == EXIT_OK)
            say_learned(file, &files);
        mox_junk_file_close(file);
    }
    junk_files_free(&files);
    return code;
}

/* ---- check, test ---- */

static enum exit_code open_known(const struct cli *cli, struct mox_junk_file **file,
                                 struct mox_junk_params *params)
{
    const char *path = path_of(cli);
    if (path == NULL)
        return EXIT_USAGE;
    if (!is_there(path))
        return cli_fail("%s is not there; make it with mox junk train", path);
    return open_file(cli, false, file, params);
}

static enum exit_code run_check(struct cli *cli)
{
    struct mox_junk_file *file;
    struct mox_junk_params params;
    struct mox_junk_verdict v;
    enum exit_code code = open_known(cli, &file, &params);
    if (code != EXIT_OK)
        return code;
    const struct mox_junk_db db = mox_junk_file_db(file);
    code = junk_classify(cli, &db, &params, cli->args[0], &v);
    if (code == EXIT_OK) {
        (void)printf("probability  %.9f\nfrom words   %+.3f\nfrom rest    %+.3f\n", v.probability,
                     v.from_words, v.from_rest);
        (void)printf("words        %zu\ntrained      %u ham, %u spam\n\n", v.word_count, v.hams,
                     v.spams);
        (void)printf("%-32s  %6s  %6s  %6s\n", "word", "score", "ham", "spam");
        for (size_t i = 0; i < v.shown; i++)
            (void)printf("%-32s  %6.4f  %6u  %6u\n", v.words[i].text, v.words[i].score,
                         v.words[i].hams, v.words[i].spams);
    }
    mox_junk_file_close(file);
    return code;
}

struct classifying {
    const struct cli *cli;
    const struct mox_junk_params *params;
    struct mox_junk_db db;
    struct junk_file *files;
};

static enum exit_code classify_one(void *user, size_t index, struct mox_junk_words *words)
{
    const struct classifying *c = user;
    struct junk_file *f = &c->files[index];
    struct mox_junk_verdict verdict;
    struct mox_error err;
    if (mox_junk_classify(&c->db, c->params, words, &verdict, &err) < 0)
        return cli_fail("%s: %s", f->path, err.text);
    f->probability = verdict.probability;
    if (cli_has(c->cli, "scores"))
        (void)printf("%s\t%s\t%.12g\n", f->junk ? "spam" : "ham", f->path, f->probability);
    return EXIT_OK;
}

/* All that the file knows, in memory: each look-up in it would cost as much as a whole message. */
static enum exit_code load(const struct cli *cli, struct mox_junk_memory **memory,
                           struct mox_junk_params *params)
{
    struct mox_junk_file *file;
    struct mox_error err;
    enum exit_code code = open_known(cli, &file, params);
    if (code != EXIT_OK)
        return code;
    if (mox_junk_memory_new(memory, &cli->env, MEMORY_MAX) < 0)
        code = cli_fail("out of memory");
    else if (mox_junk_file_load(file, *memory, &err) < 0)
        code = cli_fail("%s", err.text);
    mox_junk_file_close(file);
    return code;
}

static enum exit_code run_test(struct cli *cli)
{
    struct mox_junk_memory *memory = NULL;
    struct mox_junk_params params;
    struct junk_files files = {0};
    double threshold = 0.95;
    junk_keep_memory();
    enum exit_code code = junk_number(cli, "spam-threshold", 0, 1, &threshold);
    if (code == EXIT_OK)
        code = load(cli, &memory, &params);
    if (code == EXIT_OK)
        code = junk_list(&files, cli->args[0], cli->args[1]);
    if (code == EXIT_OK) {
        struct classifying c = {cli, &params, mox_junk_memory_db(memory), files.files};
        code = junk_read_all(cli, &params, files.files, files.count, classify_one, &c);
    }
    if (code == EXIT_OK && !cli_has(cli, "scores"))
        junk_report(files.files, files.count, threshold);
    junk_files_free(&files);
    mox_junk_memory_free(memory);
    return code;
}

/* ---- the table ---- */

#define DBPATH_FLAG                                                                                \
    {                                                                                              \
        "dbpath", "file", "where the filter keeps what it knows"                                   \
    }
#define PARAM_FLAGS                                                                                \
    {"one-grams", NULL, "single words count; default true, -one-grams=false turns it off"},                                       \
        {"two-grams", NULL, "two words side by side count; default false"},                        \
        {"three-grams", NULL, "three words side by side count; default false"},                    \
        {"max-power", "number", "scores of words stay that far from 0 and 1; default 0.01"},       \
        {"top-words", "number",                                                                    \
         "so many of the strongest words for and against count; default 10"},                      \
        {"ignore-words", "number", "words this near to 0.5 do not count; default 0.1"},            \
    {                                                                                              \
        "rare-words", "number", "words seen at most so often count less; default 2"                \
    }
#define THRESHOLD_FLAG                                                                             \
    {                                                                                              \
        "spam-threshold", "number", "above is spam; default 0.95"                                  \
    }
#define END_FLAG                                                                                   \
    {                                                                                              \
        NULL, NULL, NULL                                                                           \
    }

static const struct flag train_flags[] = {DBPATH_FLAG, PARAM_FLAGS, END_FLAG};
static const struct flag test_flags[] = {
    DBPATH_FLAG,
    {"scores", NULL, "one line for each file: ham or spam, path, probability; with tabs"},
    PARAM_FLAGS,
    THRESHOLD_FLAG,
    END_FLAG};
static const struct flag analyze_flags[] = {
    {"train-ratio", "number", "share of the messages that is learned; default 0.5"},
    {"folds", "number", "cut into so many parts: each is classified by what the others teach"},
    {"seed", "number", "of the order; default 1"},
    PARAM_FLAGS,
    THRESHOLD_FLAG,
    END_FLAG};
static const struct flag play_flags[] = {PARAM_FLAGS, THRESHOLD_FLAG, END_FLAG};

static const struct command commands[] = {
    {.words = "junk train",
     .args = "hamdir spamdir",
     .summary = "teach a filter of its own",
     .help =
         "Learns all messages in two folders, and in folders within them: one file each. What is\n"
         "learned goes to a file of its own, or is added to what is there; accounts are not\n"
         "touched. The parameters are kept in the file, for the other commands.\n"
         "\n"
         "    mox junk train -dbpath /tmp/junk.db ham spam\n"
         "    mox junk test -dbpath /tmp/junk.db other-ham other-spam",
     .flags = train_flags,
     .min_args = 2,
     .max_args = 2,
     .run = run_train},
    {.words = "junk check",
     .args = "message.eml",
     .summary = "how likely a message is junk, and which words say most",
     .help =
         "Shows the probability that a message is junk, - for standard input, and the words that\n"
         "say most for and against it. Words are a small part of the verdict: most comes from how\n"
         "the message is made and from short pieces of its text, which nobody can read. What "
         "words\n"
         "and the rest add to the logarithm of the odds is shown (from words, from rest): above 0\n"
         "speaks for junk, and -2.9 and 2.9 in all are probabilities of 0.05 and 0.95.",
     .flags = train_flags,
     .min_args = 1,
     .max_args = 1,
     .run = run_check},
    {.words = "junk test",
     .args = "hamdir spamdir",
     .summary = "how well a filter tells two folders apart",
     .help =
         "Classifies all messages in two folders, and in folders within them. Specificity is the\n"
         "share of ham that is not marked as spam, sensitivity the share of spam that is. With\n"
         "-scores it prints what came out for each instead.",
     .flags = test_flags,
     .min_args = 2,
     .max_args = 2,
     .run = run_test},
    {.words = "junk analyze",
     .args = "hamdir spamdir",
     .summary = "learn some of two folders, and classify the rest",
     .help =
         "Shuffles the messages of both folders, learns a part, and classifies the others. The\n"
         "same seed gives the same order.",
     .flags = analyze_flags,
     .min_args = 2,
     .max_args = 2,
     .run = junk_run_analyze},
    {.words = "junk play",
     .args = "hamdir spamdir",
     .summary = "classify two folders by date, learning on the way",
     .help =
         "Goes through the messages of both folders by their dates: each is classified by what\n"
         "those before it taught, then learned. That is how an account's filter begins.",
     .flags = play_flags,
     .min_args = 2,
     .max_args = 2,
     .run = junk_run_play},
};

const struct command_group junk_group = {"Experiments with the junk filter", commands,
                                         sizeof commands / sizeof commands[0]};
