/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <stdio.h>
#include <stdlib.h>

#include <mox/config.h>
#include <mox/dns_zone.h>
#include <mox/unbound.h>

#include "mailfile.h"
#include "place.h"

struct cli_names {
    struct mox_dns_answers *answers;
    struct mox_dns_zone *zone;
    struct mox_unbound *unbound; /* without a zone */
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

/* What mox.conf says, where the command line says nothing; a command needs no mox.conf. */
static enum exit_code take_config(struct mox_unbound_config *out, const struct mox_config *files,
                                  char anchor[PATH_MAX])
{
    const struct mox_config_resolver *r = &files->mox->resolver;
    if (out->forward == NULL && r->forward[0] != '\0')
        out->forward = r->forward;
    if (out->trust_anchor == NULL && r->trust_anchor[0] != '\0') {
        if (mox_config_path(files, r->trust_anchor, anchor, PATH_MAX) != MOX_OK)
            return cli_fail("the path %s is too long", r->trust_anchor);
        out->trust_anchor = anchor;
    }
    return EXIT_OK;
}

static enum exit_code load_config(struct mox_config **out, const struct cli *cli)
{
    char path[PATH_MAX];
    *out = NULL;
    if (!place_is_named(cli))
        return EXIT_OK;
    enum exit_code code = place_of_config(cli, path);
    if (code == EXIT_OK && mox_config_load(out, &cli->env, path, NULL) != MOX_OK)
        code = cli_fail("%s cannot be used; mox config test says why", path);
    return code;
}

static enum exit_code open_network(struct cli_names *names, const struct cli *cli)
{
    struct mox_unbound_config config;
    struct mox_config *files = NULL;
    struct mox_error err = {0};
    char anchor[PATH_MAX];
    mox_unbound_config_init(&config);
    config.forward = cli_flag(cli, "resolver");
    config.trust_anchor = cli_flag(cli, "trust-anchor");
    enum exit_code code = load_config(&files, cli);
    if (code == EXIT_OK && files != NULL)
        code = take_config(&config, files, anchor);
    if (code == EXIT_OK &&
        mox_unbound_new(&names->unbound, &cli->env, NULL, &config, &err) != MOX_OK)
        code = cli_fail("%s", err.text);
    mox_config_free(files);
    return code;
}

enum exit_code cli_names_open(struct cli_names **out, const struct cli *cli)
{
    const char *path = cli_flag(cli, "zone");
    *out = NULL;
    struct cli_names *names = calloc(1, sizeof *names);
    if (names == NULL || mox_dns_answers_new(&names->answers, &cli->env) != MOX_OK) {
        free(names);
        return cli_fail("out of memory");
    }
    enum exit_code code = path != NULL ? open_zone(names, cli, path) : open_network(names, cli);
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
    mox_unbound_free(names->unbound);
    free(names);
}

struct mox_dns_answers *cli_names_answers(struct cli_names *names)
{
    return names->answers;
}

enum exit_code cli_names_answer(struct cli_names *names)
{
    int rc = names->zone != NULL ? mox_dns_zone_answer(names->zone, names->answers)
                                 : mox_unbound_answer(names->unbound, names->answers);
    return rc == MOX_OK ? EXIT_OK : cli_fail("look up names: %s", mox_status_text(rc));
}
