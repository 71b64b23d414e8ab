/* SPDX-License-Identifier: MIT */
#ifndef CLI_JUNK_H
#define CLI_JUNK_H

#include <mox/junk.h>

#include "command.h"

/* What the experiments with the junk filter share. */

struct junk_file {
    char *path;
    bool junk;
    int64_t date; /* play: of its Date field; 0: none */
    double probability;
};

/* Files of a folder of ham and one of spam, with what came out for each. */
struct junk_files {
    struct junk_file *files;
    size_t count, room;
};

/* The files of both folders and of those in them, each folder's in the order of their paths. */
enum exit_code junk_list(struct junk_files *out, const char *ham_dir, const char *spam_dir);
void junk_files_free(struct junk_files *files);
/* Puts them in an order that the seed decides. */
void junk_shuffle(struct junk_files *files, uint64_t seed);

/* The parameters of the flags; `params` has the others already. */
enum exit_code junk_params(const struct cli *cli, struct mox_junk_params *params);
/* The number that a flag gives, between the two; *out keeps its value when it is not given. */
enum exit_code junk_number(const struct cli *cli, const char *flag, double least, double most,
                           double *out);

/* Memory that was freed is used again, not given back to the system: most pages of a short run would be
 * fetched from it many times. Before anything large is allocated. */
void junk_keep_memory(void);
/* Takes a message apart; *words is freed with mox_junk_words_free(). */
enum exit_code junk_read(const struct cli *cli, const struct mox_junk_params *params,
                         const char *path, struct mox_junk_words **words);
typedef enum exit_code junk_each(void *user, size_t index, struct mox_junk_words *words);
/* The same for many, by several threads: `each` gets them in their order, on this one. */
enum exit_code junk_read_all(const struct cli *cli, const struct mox_junk_params *params,
                             const struct junk_file *files, size_t count, junk_each *each,
                             void *user);

/* One file. Each says what went wrong. */
enum exit_code junk_learn(const struct cli *cli, const struct mox_junk_db *db,
                          const struct mox_junk_params *params, const struct junk_file *file);
enum exit_code junk_classify(const struct cli *cli, const struct mox_junk_db *db,
                             const struct mox_junk_params *params, const char *path,
                             struct mox_junk_verdict *verdict);

/* How the files from `begin` to `end` were told apart: at the threshold, and over others. */
void junk_report(const struct junk_file *files, size_t count, double threshold);

enum exit_code junk_run_analyze(struct cli *cli);
enum exit_code junk_run_play(struct cli *cli);

#endif
