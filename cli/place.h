/* SPDX-License-Identifier: MIT */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include <limits.h>

#include <mox/ctl.h>

#include "command.h"

/* Where mox.conf is: -config, -dir, $MOXCONF, config/mox.conf if it is there, and else the folder of
 * mox localserve. */
enum exit_code place_of_config(const struct cli *cli, char out[PATH_MAX]);
/* Something says where mox.conf is, so that it is not that of mox localserve by default. */
bool place_is_named(const struct cli *cli);
/* Before a command changes data without a server: says which mox.conf it is when nothing has named it. Whoever thinks
 * of another server would see only that all went well. */
void place_tell_default(const struct cli *cli);
/* The folder of mox localserve: -dir, or the default one. */
enum exit_code place_of_localserve(const struct cli *cli, char out[PATH_MAX]);
/* The data directory that mox.conf names. -dir may also be one itself. */
enum exit_code place_of_data(const struct cli *cli, char out[PATH_MAX]);

/* Connects to the running server, or says why not. */
enum exit_code place_connect(const struct cli *cli, struct mox_ctl_client **out);
/* The same, but *out is NULL when no server runs. */
enum exit_code place_find_server(const struct cli *cli, struct mox_ctl_client **out);
/* Sends a command and waits for its ok; then as place_ask(). Frees the client. */
enum exit_code place_talk(struct mox_ctl_client *client, const char *const *lines, size_t count,
                          int (*each)(void *user, struct mox_slice piece), void *user);
/* Sends a command to the running server and waits for its ok; `each` gets the stream that follows, NULL:
 * none does. Says what failed. */
enum exit_code place_ask(const struct cli *cli, const char *const *lines, size_t count,
                         int (*each)(void *user, struct mox_slice piece), void *user);

#endif
