/* SPDX-License-Identifier: MIT */
#include "place.h"

#include <mox/config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static enum exit_code join(char out[PATH_MAX], const char *folder, const char *file)
{
    int len = snprintf(out, PATH_MAX, "%s/%s", folder, file);
    if (len < 0 || len >= PATH_MAX)
        return cli_fail("the path %s is too long", folder);
    return EXIT_OK;
}

enum exit_code place_of_localserve(const struct cli *cli, char out[PATH_MAX])
{
    const char *dir = cli_flag(cli, "dir"), *base = getenv("XDG_CONFIG_HOME");
    if (dir != NULL && *dir == '\0')
        return cli_usage(cli->command, "-dir is empty");
    if (dir != NULL)
        return snprintf(out, PATH_MAX, "%s", dir) < PATH_MAX
                   ? EXIT_OK
                   : cli_fail("the path %s is too long", dir);
    if (base != NULL && *base == '/') /* a relative one is to be ignored */
        return join(out, base, "mox-localserve");
    base = getenv("HOME");
    if (base == NULL || *base == '\0')
        return cli_fail("no home directory in $HOME; name a folder with -dir");
    return join(out, base, ".config/mox-localserve");
}

static const char default_path[] = "config/mox.conf";

bool place_is_named(const struct cli *cli)
{
    return cli_flag(cli, "config") != NULL || cli_flag(cli, "dir") != NULL ||
           getenv("MOXCONF") != NULL || exists(default_path);
}

enum exit_code place_of_config(const struct cli *cli, char out[PATH_MAX])
{
    const char *file = cli_flag(cli, "config"), *dir = cli_flag(cli, "dir");
    if (file != NULL && dir != NULL)
        return cli_usage(cli->command, "-config and -dir exclude each other");
    if (file == NULL && dir == NULL)
        file = getenv("MOXCONF");
    if (file == NULL && dir == NULL && exists(default_path))
        file = default_path;
    if (file != NULL)
        return snprintf(out, PATH_MAX, "%s", file) < PATH_MAX
                   ? EXIT_OK
                   : cli_fail("the path %s is too long", file);
    char folder[PATH_MAX];
    enum exit_code code = place_of_localserve(cli, folder);
    return code == EXIT_OK ? join(out, folder, "mox.conf") : code;
}

void place_tell_default(const struct cli *cli)
{
    char path[PATH_MAX];
    if (!place_is_named(cli) && place_of_config(cli, path) == EXIT_OK)
        (void)fprintf(stderr,
                      "mox: no server is running; using %s, that of mox localserve: no -config, -dir, "
                      "$MOXCONF or %s names another\n",
                      path, default_path);
}

static enum exit_code no_config(const char *path)
{
    return cli_fail("no %s; name it with -config, -dir or $MOXCONF, or make one with mox "
                    "localserve -initonly", path);
}

enum exit_code place_of_data(const struct cli *cli, char out[PATH_MAX])
{
    char path[PATH_MAX];
    struct mox_error err;
    enum exit_code code = place_of_config(cli, path);
    if (code != EXIT_OK)
        return code;
    if (exists(path))
        return mox_config_data_dir(&cli->env, path, out, PATH_MAX, &err) == MOX_OK
                   ? EXIT_OK
                   : cli_fail("%s", err.text);
    const char *dir = cli_flag(cli, "dir");
    char accounts[PATH_MAX];
    if (dir != NULL && join(accounts, dir, "accounts") == EXIT_OK && exists(accounts)) {
        (void)snprintf(out, PATH_MAX, "%s", dir);
        return EXIT_OK;
    }
    return no_config(path);
}

enum exit_code place_find_server(const struct cli *cli, struct mox_ctl_client **out)
{
    char data[PATH_MAX];
    struct mox_error err;
    *out = NULL;
    enum exit_code code = place_of_data(cli, data);
    if (code != EXIT_OK)
        return code;
    int rc = mox_ctl_connect(out, &cli->env, data, &err);
    return rc < 0 && rc != MOX_ENOTFOUND ? cli_fail("%s", err.text) : EXIT_OK;
}

enum exit_code place_connect(const struct cli *cli, struct mox_ctl_client **out)
{
    char data[PATH_MAX];
    struct mox_error err;
    *out = NULL;
    enum exit_code code = place_of_data(cli, data);
    if (code != EXIT_OK)
        return code;
    if (mox_ctl_connect(out, &cli->env, data, &err) < 0)
        return cli_fail("%s", err.text);
    return EXIT_OK;
}

enum exit_code place_talk(struct mox_ctl_client *client, const char *const *lines, size_t count,
                          int (*each)(void *user, struct mox_slice piece), void *user)
{
    struct mox_error err = {0};
    int rc = mox_ctl_send(client, lines, count, &err);
    if (rc == MOX_OK)
        rc = mox_ctl_expect_ok(client, &err);
    if (rc == MOX_OK && each != NULL)
        rc = mox_ctl_receive(client, each, user, &err);
    mox_ctl_client_free(client);
    return rc < 0 ? cli_fail("%s", *err.text == '\0' ? mox_status_text(rc) : err.text) : EXIT_OK;
}

enum exit_code place_ask(const struct cli *cli, const char *const *lines, size_t count,
                         int (*each)(void *user, struct mox_slice piece), void *user)
{
    struct mox_ctl_client *client = NULL;
    enum exit_code code = place_connect(cli, &client);
    return code == EXIT_OK ? place_talk(client, lines, count, each, user) : code;
}
