/* SPDX-License-Identifier: MIT */
#include "retrain.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lines.h"
#include "place.h"

void retrain_show_progress(const char *account, unsigned long long done, unsigned long long total)
{
    if (isatty(STDERR_FILENO))
        (void)fprintf(stderr, "\r\033[K%s: %llu of %llu messages", account, done, total);
}

void retrain_hide_progress(void)
{
    if (isatty(STDERR_FILENO))
        (void)fputs("\r\033[K", stderr);
}

void retrain_show(const char *account, const struct retrain_counts *c)
{
    retrain_hide_progress();
    (void)printf("%s: learnt %llu messages that are not junk and %llu that are, with %llu words",
                 account, c->hams, c->spams, c->words);
    if (c->failed > 0)
        (void)printf("; %llu could not be read", c->failed);
    (void)puts("");
    (void)fflush(stdout);
}

static void take_line(void *user, char *line)
{
    bool *failed = user;
    char *f[7];
    size_t count = lines_split(line, f, 7);
    if (count == 4 && strcmp(f[0], "progress") == 0) {
        retrain_show_progress(f[1], lines_number(f[2]), lines_number(f[3]));
    } else if (count == 7 && strcmp(f[0], "done") == 0) {
        const struct retrain_counts counts = {lines_number(f[2]), lines_number(f[3]), lines_number(f[4]),
                                              lines_number(f[5]), lines_number(f[6])};
        retrain_show(f[1], &counts);
    } else if (count == 3 && strcmp(f[0], "failed") == 0) {
        retrain_hide_progress();
        (void)cli_fail("%s", f[2]); /* it names the account */
        *failed = true;
    }
}

/* One account, or all for "". */
static enum exit_code ask(struct mox_ctl_client *client, const char *account)
{
    const char *const lines[] = {"retrain", account};
    bool failed = false;
    struct lines answer = {.each = take_line, .user = &failed};
    struct mox_error err = {0};
    int rc = mox_ctl_send(client, lines, 2, &err);
    if (rc == MOX_OK)
        rc = mox_ctl_expect_ok(client, &err);
    if (rc == MOX_OK)
        rc = mox_ctl_receive(client, lines_take, &answer, &err);
    if (rc == MOX_OK)
        return failed ? EXIT_FAILED : EXIT_OK;
    retrain_hide_progress();
    return cli_fail("%s", *err.text == '\0' ? mox_status_text(rc) : err.text);
}

/* A server that refuses one account closes the connection. */
static enum exit_code ask_all(struct cli *cli, const char *data_dir, struct mox_ctl_client *client)
{
    enum exit_code code = EXIT_OK;
    struct mox_error err = {0};
    if (cli->arg_count == 0)
        code = ask(client, "");
    for (unsigned i = 0; i < cli->arg_count; i++) {
        if (i > 0 && mox_ctl_connect(&client, &cli->env, data_dir, &err) < 0)
            return cli_fail("%s", err.text);
        if (ask(client, cli->args[i]) != EXIT_OK)
            code = EXIT_FAILED;
        mox_ctl_client_free(client);
        client = NULL;
    }
    mox_ctl_client_free(client);
    return code;
}

enum exit_code retrain_run(struct cli *cli)
{
    char path[PATH_MAX], data[PATH_MAX];
    struct mox_ctl_client *client = NULL;
    struct mox_error err = {0};
    enum exit_code code = place_of_config(cli, path);
    if (code == EXIT_OK)
        code = place_of_data(cli, data);
    if (code != EXIT_OK)
        return code;
    int rc = mox_ctl_connect(&client, &cli->env, data, &err);
    if (rc == MOX_ENOTFOUND)
        return retrain_direct(cli, path);
    return rc < 0 ? cli_fail("%s", err.text) : ask_all(cli, data, client);
}
