/* SPDX-License-Identifier: MIT */
#include "log_levels.h"

#include <stdio.h>
#include <string.h>

static bool is_package(const char *name)
{
    const size_t len = strlen(name);
    for (const char *at = LOG_PACKAGES; *at != '\0'; at += strspn(at, ", ")) {
        const size_t one = strcspn(at, ",");
        if (one == len && strncmp(at, name, len) == 0)
            return true;
        at += one;
    }
    return false;
}

enum exit_code log_check_package(const struct command *command, const char *name)
{
    return is_package(name)
               ? EXIT_OK
               : cli_usage(command, "no package \"%s\"; packages are " LOG_PACKAGES, name);
}

/* "info", "smtpserver=trace": one of those that -loglevel has. */
static enum exit_code set_level(const struct cli *cli, char *item)
{
    enum mox_log_level level;
    char *equals = strchr(item, '=');
    if (equals != NULL)
        *equals++ = '\0';
    if (equals != NULL && *item == '\0')
        return cli_usage(cli->command, "-loglevel: no package in front of =%s", equals);
    if (mox_log_level_parse(equals == NULL ? item : equals, &level) < 0)
        return cli_usage(cli->command,
                         "unknown log level \"%s\"; use error, warn, info, debug, "
                         "trace, traceauth or tracedata",
                         equals == NULL ? item : equals);
    const enum exit_code code = equals == NULL ? EXIT_OK : log_check_package(cli->command, item);
    if (code != EXIT_OK)
        return code;
    return mox_logger_level(cli->logger, equals == NULL ? NULL : item, level) < 0
               ? cli_usage(cli->command, "-loglevel: too many packages")
               : EXIT_OK;
}

enum exit_code cli_log_levels(const struct cli *cli)
{
    const char *rest = cli_flag(cli, "loglevel");
    enum exit_code code = EXIT_OK;
    while (code == EXIT_OK && rest != NULL && *rest != '\0') {
        char item[64];
        const size_t len = strcspn(rest, ",");
        (void)snprintf(item, sizeof item, "%.*s", (int)len, rest);
        code = set_level(cli, item);
        rest += len + (rest[len] == ',');
    }
    return code;
}
