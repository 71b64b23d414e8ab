/* SPDX-License-Identifier: MIT */
#include "retrain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* Lines of the server, put together from pieces. */
struct answer {
    char line[1024];
    size_t len;
    bool failed;
};

/* Cuts a line at its tabs; returns how many fields there are. */
static size_t split(char *line, char *fields[], size_t max)
{
    size_t count = 0;
    for (char *at = line; at != NULL && count < max; count++) {
        fields[count] = at;
        at = strchr(at, '\t');
        if (at != NULL)
            *at++ = '\0';
    }
    return count;
}

static unsigned long long number(const char *text)
{
    return strtoull(text, NULL, 10);
}

static void take_line(struct answer *a)
{
    char *f[7];
    size_t count = split(a->line, f, 7);
    if (count == 4 && strcmp(f[0], "progress") == 0) {
        retrain_show_progress(f[1], number(f[2]), number(f[3]));
    } else if (count == 7 && strcmp(f[0], "done") == 0) {
        const struct retrain_counts counts = {number(f[2]), number(f[3]), number(f[4]),
                                              number(f[5]), number(f[6])};
        retrain_show(f[1], &counts);
    } else if (count == 3 && strcmp(f[0], "failed") == 0) {
        retrain_hide_progress();
        (void)cli_fail("%s", f[2]); /* it names the account */
        a->failed = true;
    }
}

static int take_piece(void *user, struct mox_slice piece)
{
    struct answer *a = user;
    for (size_t i = 0; i < piece.len; i++) {
        if (piece.data[i] != '\n') {
            a->line[a->len] = (char)piece.data[i];
            a->len += a->len < sizeof a->line - 1;
            continue;
        }
        a->line[a->len] = '\0';
        take_line(a);
        a->len = 0;
    }
    return MOX_OK;
}

/* One account, or all for "". */
static enum exit_code ask(struct mox_ctl_client *client, const char *account)
{
    const char *const lines[] = {"retrain", account};
    struct answer answer = {0};
    struct mox_error err = {0};
    int rc = mox_ctl_send(client, lines, 2, &err);
    if (rc == MOX_OK)
        rc = mox_ctl_expect_ok(client, &err);
    if (rc == MOX_OK)
        rc = mox_ctl_receive(client, take_piece, &answer, &err);
    if (rc == MOX_OK)
        return answer.failed ? EXIT_FAILED : EXIT_OK;
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
