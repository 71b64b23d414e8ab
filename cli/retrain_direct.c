/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <mox/config.h>
#include <mox/server.h>
#include <mox/store.h>

#include "interrupt.h"
#include "offline.h"
#include "place.h"
#include "retrain.h"

/* Without a server: under the data directory's lock, as the server opens accounts. */

/* Interrupted, it removes what is half-built; killed, the next one who opens the account does that. */
static int progress(void *user, const struct mox_retrain *r)
{
    retrain_show_progress(user, r->messages, r->total);
    return interrupt_seen() ? MOX_EREFUSED : 0;
}

/* Not a failure: a filter that has learnt nothing is as it should be. */
static enum exit_code show_no_mail(const char *account)
{
    (void)printf("%s: no mail yet, so there is nothing to learn from\n", account);
    return EXIT_OK;
}

static enum exit_code retrain_one(struct cli *cli, const struct mox_server_account *place,
                                  struct mox_error *err)
{
    struct mox_account *account = NULL;
    char name[128]; /* `progress` has no const */
    size_t len = strlen(place->name) < sizeof name ? strlen(place->name) : sizeof name - 1;
    memcpy(name, place->name, len);
    name[len] = '\0';
    struct mox_retrain r = {.size = sizeof r, .progress = progress, .user = name};
    int rc = mox_server_open_account(&account, &cli->env, place, err);
    if (rc == MOX_ENOTFOUND && mox_config_account(place->config, name) != NULL)
        return show_no_mail(name);
    if (rc == MOX_OK)
        rc = mox_account_retrain(account, &r, err);
    mox_account_close(account);
    retrain_hide_progress();
    if (interrupt_seen())
        return cli_fail("%s: interrupted; the filter is as before", name);
    if (rc < 0)
        return cli_fail("%s", *err->text == '\0' ? mox_status_text(rc) : err->text);
    const struct retrain_counts counts = {r.messages, r.hams, r.spams, r.failed, r.words};
    retrain_show(name, &counts);
    return EXIT_OK;
}

static enum exit_code retrain_named(struct cli *cli, struct mox_server_account *place)
{
    enum exit_code code = EXIT_OK;
    for (unsigned i = 0; i < cli->arg_count && !interrupt_seen(); i++) {
        struct mox_error err = {0};
        place->name = cli->args[i];
        if (retrain_one(cli, place, &err) != EXIT_OK)
            code = EXIT_FAILED;
    }
    return code;
}

static enum exit_code retrain_all(struct cli *cli, struct mox_server_account *place)
{
    enum exit_code code = EXIT_OK;
    const struct mox_config_domains *domains = place->config->domains;
    bool any = false;
    for (size_t i = 0; i < domains->accounts.count && !interrupt_seen(); i++) {
        struct mox_error err = {0};
        if (domains->accounts.items[i].junk_filter == NULL)
            continue;
        any = true;
        place->name = domains->accounts.items[i].name;
        if (retrain_one(cli, place, &err) != EXIT_OK)
            code = EXIT_FAILED;
    }
    return any ? code
               : cli_fail("no account has a junk filter; give one a JunkFilter in "
                          "domains.conf");
}

enum exit_code retrain_direct(struct cli *cli, const char *path)
{
    struct mox_config *config = NULL;
    struct mox_store *store = NULL;
    struct mox_error err = {0};
    if (mox_config_load(&config, &cli->env, path, NULL) != MOX_OK)
        return cli_fail("%s cannot be used; mox config test says why", path);
    enum exit_code code = offline_check_user(config->data_dir, "start the server first");
    if (code == EXIT_OK && mox_store_open(&store, &cli->env, config->data_dir, &err) < 0)
        code = cli_fail("%s", err.text);
    if (code == EXIT_OK) {
        struct mox_server_account place = {
            .size = sizeof place, .config = config, .store = store, .mode = MOX_ACCOUNT_EXISTING};
        place_tell_default(cli);
        interrupt_catch();
        code = cli->arg_count > 0 ? retrain_named(cli, &place) : retrain_all(cli, &place);
    }
    mox_store_close(store);
    mox_config_free(config);
    return code;
}
