/* SPDX-License-Identifier: MIT */
#ifndef CLI_OFFLINE_H
#define CLI_OFFLINE_H

#include <mox/config.h>
#include <mox/store.h>

#include "command.h"

/* The accounts of a configuration, while no server runs: the data directory's lock is ours meanwhile. */
struct offline {
    struct mox_config *config;
    struct mox_store *store;
    struct mox_account *account;
};

/* Loads the configuration and opens the account; `mode` is for one that has no mail yet. Says what is wrong; a
 * server that runs after all is. Closed with offline_close() in any case. */
enum exit_code offline_open(struct offline *o, const struct cli *cli, const char *account,
                            enum mox_account_open mode);
void offline_close(struct offline *o);

/* Root may write everywhere, and what it makes is root's: where somebody else's server keeps accounts, root is
 * told to be somebody else, or to do something else `instead`. */
enum exit_code offline_check_user(const char *data_dir, const char *instead);

/* Loads the configuration that is found or named. */
enum exit_code offline_config(struct mox_config **out, const struct cli *cli);

#endif
