/* SPDX-License-Identifier: MIT */
#include <mox/config.h>

#include <stdio.h>

#include "command.h"
#include "place.h"

/* One mistake stands alone; several are a list. */
static enum exit_code show_errors(const struct mox_config_errors *errors)
{
    if (errors->count == 0)
        return cli_fail("out of memory");
    if (errors->count == 1)
        return cli_fail("%s", errors->texts[0]);
    (void)fputs("multiple errors:\n", stderr);
    for (size_t i = 0; i < errors->count; i++)
        (void)fprintf(stderr, "- %s\n", errors->texts[i]);
    if (errors->dropped > 0)
        (void)fprintf(stderr, "- and %zu more\n", errors->dropped);
    return EXIT_FAILED;
}

static enum exit_code run_test(struct cli *cli)
{
    char path[PATH_MAX];
    enum exit_code code = place_of_config(cli, path);
    if (code != EXIT_OK)
        return code;
    struct mox_config *config = NULL;
    struct mox_config_errors errors;
    mox_config_errors_init(&errors, &cli->env);
    int rc = mox_config_load(&config, &cli->env, path, &errors);
    if (rc == MOX_OK)
        (void)puts("config OK");
    else
        code = show_errors(&errors);
    if (rc == MOX_ENOTFOUND)
        (void)fputs("name mox.conf with -config, -dir or $MOXCONF, or make one with mox localserve "
                    "-initonly\n", stderr);
    mox_config_errors_free(&errors);
    mox_config_free(config);
    return code;
}

static enum exit_code describe(struct cli *cli, enum mox_config_file file)
{
    char *text = NULL;
    if (mox_config_describe(&text, &cli->env, file) < 0)
        return cli_fail("out of memory");
    (void)fputs(text, stdout);
    mox_text_free(&cli->env, text);
    return EXIT_OK;
}

static enum exit_code run_describe_static(struct cli *cli)
{
    return describe(cli, MOX_CONFIG_STATIC);
}

static enum exit_code run_describe_domains(struct cli *cli)
{
    return describe(cli, MOX_CONFIG_DOMAINS);
}

static const struct command commands[] = {
    {.words = "config test",
     .args = "",
     .summary = "check the configuration files",
     .help = "Reads mox.conf, and domains.conf beside it, and says \"config OK\" or what is wrong, with\n"
             "file and line. Nothing is changed.",
     .run = run_test},
    {.words = "config describe-static",
     .args = "",
     .summary = "print a mox.conf with every field explained",
     .help = "Prints an example of mox.conf that has every field, each with its documentation.",
     .run = run_describe_static},
    {.words = "config describe-domains",
     .args = "",
     .summary = "print a domains.conf with every field explained",
     .help = "Prints an example of domains.conf that has every field, each with its documentation.",
     .run = run_describe_domains},
};

const struct command_group config_group = {"Configuration", commands,
                                           sizeof commands / sizeof commands[0]};
