/* SPDX-License-Identifier: MIT */
#include "offline.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mox/server.h>

#include "place.h"

enum exit_code offline_config(struct mox_config **out, const struct cli *cli)
{
    char path[PATH_MAX];
    *out = NULL;
    enum exit_code code = place_of_config(cli, path);
    if (code != EXIT_OK)
        return code;
    return mox_config_load(out, &cli->env, path, NULL) == MOX_OK
               ? EXIT_OK
               : cli_fail("%s cannot be used; mox config test says why", path);
}

enum exit_code offline_check_user(const char *data_dir, const char *instead)
{
    char path[PATH_MAX];
    struct stat st;
    int len = snprintf(path, sizeof path, "%s/accounts", data_dir);
    if (geteuid() != 0 || len < 0 || len >= PATH_MAX || stat(path, &st) != 0 || st.st_uid == 0)
        return EXIT_OK;
    const struct passwd *owner = getpwuid(st.st_uid);
    return cli_fail("%s belongs to user %s (%lu), and no server of that user could use what root "
                    "writes there; run the command as that user, or %s",
                    path, owner == NULL ? "?" : owner->pw_name, (unsigned long)st.st_uid, instead);
}

enum exit_code offline_open(struct offline *o, const struct cli *cli, const char *account,
                            enum mox_account_open mode)
{
    struct mox_error err = {0};
    *o = (struct offline){.config = NULL};
    enum exit_code code = offline_config(&o->config, cli);
    if (code == EXIT_OK)
        code = offline_check_user(o->config->data_dir, "start the server first");
    if (code != EXIT_OK)
        return code;
    int rc = mox_store_open(&o->store, &cli->env, o->config->data_dir, &err);
    if (rc < 0)
        return cli_fail("%s", err.text);
    const struct mox_server_account a = {.size = sizeof a,
                                         .config = o->config,
                                         .store = o->store,
                                         .name = account,
                                         .mode = mode,
                                         .count_arrivals = true};
    rc = mox_server_open_account(&o->account, &cli->env, &a, &err);
    return rc < 0 ? cli_fail("%s", err.text) : EXIT_OK;
}

void offline_close(struct offline *o)
{
    mox_account_close(o->account);
    mox_store_close(o->store);
    mox_config_free(o->config);
}
