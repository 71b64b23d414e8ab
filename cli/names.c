/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <stdlib.h>

#include <mox/dns_zone.h>

#include "mailfile.h"

struct cli_names {
    struct mox_dns_answers *answers;
    struct mox_dns_zone *zone;
};

static enum exit_code open_zone(struct cli_names *names, const struct cli *cli, const char *path)
{
    struct mailfile file;
    struct mox_error err = {0};
    enum exit_code code = mailfile_read(&file, path);
    if (code != EXIT_OK)
        return code;
    int rc = mox_dns_zone_parse(&names->zone, &cli->env, file.content, path, &err);
    mailfile_free(&file);
    return rc == MOX_OK ? EXIT_OK : cli_fail("%s", err.text);
}

enum exit_code cli_names_open(struct cli_names **out, const struct cli *cli)
{
    const char *path = cli_flag(cli, "zone");
    *out = NULL;
    if (path == NULL)
        return cli_usage(cli->command, "-zone is needed: the file that answers for the DNS");
    struct cli_names *names = calloc(1, sizeof *names);
    if (names == NULL || mox_dns_answers_new(&names->answers, &cli->env) != MOX_OK) {
        free(names);
        return cli_fail("out of memory");
    }
    enum exit_code code = open_zone(names, cli, path);
    if (code != EXIT_OK) {
        cli_names_close(names);
        return code;
    }
    *out = names;
    return EXIT_OK;
}

void cli_names_close(struct cli_names *names)
{
    if (names == NULL)
        return;
    mox_dns_answers_free(names->answers);
    mox_dns_zone_free(names->zone);
    free(names);
}

struct mox_dns_answers *cli_names_answers(struct cli_names *names)
{
    return names->answers;
}

enum exit_code cli_names_answer(struct cli_names *names)
{
    int rc = mox_dns_zone_answer(names->zone, names->answers);
    return rc == MOX_OK ? EXIT_OK : cli_fail("look up names: %s", mox_status_text(rc));
}
