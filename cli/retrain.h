/* SPDX-License-Identifier: MIT */
#ifndef CLI_RETRAIN_H
#define CLI_RETRAIN_H

#include "command.h"

/* `mox retrain`: through the running server (retrain.c), or by itself (retrain_direct.c). */

/* What both print. The line of progress, on a terminal, is written over by the next one. */
void retrain_show_progress(const char *account, unsigned long long done, unsigned long long total);
void retrain_hide_progress(void);
/* The counts of an account. */
struct retrain_counts {
    unsigned long long messages, hams, spams, failed, words;
};
void retrain_show(const char *account, const struct retrain_counts *counts);

enum exit_code retrain_run(struct cli *cli);
/* The data directory being nobody's. `path` is that of mox.conf. */
enum exit_code retrain_direct(struct cli *cli, const char *path);

#endif
