/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/imap_server.h>
#include <mox/spool.h>

#include "program.h"
#include "report.h"

/* What sessions cost one thread, without sockets: small commands, opening a mailbox of 100,000
 * messages, and telling a thousand idle sessions of a new message. Prints; never fails on time. */

#define MESSAGES      100000
#define IDLE_SESSIONS 1000

struct client {
    struct mox_imap_server *server;
    struct mox_mailstore *store;
    bool woken;
    size_t said; /* bytes */
};

static struct report report;

static int login(void *user, const struct mox_sasl_question *q, struct mox_sasl_answer *a,
                 struct mox_mailstore *store)
{
    const struct client *c = user;
    (void)q;
    (void)a;
    *store = *c->store;
    return MOX_OK;
}

static void wake(void *user)
{
    struct client *c = user;
    c->woken = true;
}

static const struct mox_imap_server_callbacks callbacks = {
    .size = sizeof callbacks, .auth = login, .wake = wake};

static void check(int rc)
{
    if (rc < 0)
        abort();
}

static void settle(struct client *c)
{
    for (;;) {
        const uint8_t *out = NULL;
        unsigned wants = mox_imap_server_wants(c->server);
        if (wants & MOX_WANTS_WRITE) {
            size_t len = mox_imap_server_output(c->server, &out);
            c->said += len;
            mox_imap_server_sent(c->server, len);
        } else if (c->woken) {
            c->woken = false;
            check(mox_imap_server_woken(c->server));
        } else if (wants & MOX_WANTS_RUN) {
            check(mox_imap_server_run(c->server));
        } else {
            return;
        }
    }
}

static void say(struct client *c, const char *text)
{
    check(mox_imap_server_input(c->server, (const uint8_t *)text, strlen(text)));
    settle(c);
}

static void connect_client(struct client *c, const struct mox_env *env, struct mox_mailstore *store)
{
    struct mox_imap_server_config config;
    const struct mox_peer peer = {.size = sizeof peer, .tls = true};
    *c = (struct client){.store = store};
    mox_imap_server_config_init(&config);
    check(mox_imap_server_new(&c->server, env, &config, &peer, &callbacks, c));
    say(c, "a login u p\r\n");
}

static void quiet(struct mox_write *w)
{
    (void)w;
}

static void deliver(struct mox_mailstore *store, struct mox_spool *spool)
{
    struct mox_append op = {.write = {.done = quiet}, .mailbox_name = "Inbox", .spool = spool};
    store->ops->append(store->self, &op);
}

static void small_commands(struct client *c)
{
    char many[14 * 1000 + 1] = "";
    size_t len = 0;
    for (int i = 0; i < 1000; i++)
        len += (size_t)snprintf(many + len, sizeof many - len, "a%03d noop\r\n", i);
    double start = seconds_now();
    for (int i = 0; i < 300; i++)
        say(c, many);
    report_value(&report, "NOOP, pipelined", "messages=100000", 300000 / (seconds_now() - start),
                 "/s", NULL);
}

static void openings(struct client *c)
{
    double start = seconds_now();
    for (int i = 0; i < 20000; i++)
        say(c, "s select inbox\r\n");
    report_value(&report, "SELECT of a mailbox in use", "messages=100000",
                 20000 / (seconds_now() - start), "/s", NULL);
}

static void appends(struct client *c)
{
    double start = seconds_now();
    for (int i = 0; i < 10000; i++)
        say(c, "x append other {29+}\r\nSubject: one\r\nTo: a@b.c\r\n\r\nx\r\n\r\n");
    report_value(&report, "APPEND", "bytes=29", 10000 / (seconds_now() - start), "/s", NULL);
}

static void idling(const struct mox_env *env, struct mox_mailstore *store, struct mox_spool *spool)
{
    struct client *clients = calloc(IDLE_SESSIONS, sizeof *clients);
    if (clients == NULL)
        return;
    for (int i = 0; i < IDLE_SESSIONS; i++) {
        connect_client(&clients[i], env, store);
        say(&clients[i], "s examine inbox\r\n");
        say(&clients[i], "i idle\r\n");
    }
    double start = seconds_now();
    for (int round = 0; round < 100; round++) {
        deliver(store, spool);
        for (int i = 0; i < IDLE_SESSIONS; i++)
            settle(&clients[i]);
    }
    report_value(&report, "telling an idle session of a message", "sessions=1000",
                 (seconds_now() - start) * 1e6 / 100 / IDLE_SESSIONS, "us", NULL);
    for (int i = 0; i < IDLE_SESSIONS; i++)
        mox_imap_server_free(clients[i].server);
    free(clients);
}

int main(void)
{
    struct mox_env env;
    struct mox_mailstore store;
    struct mox_spool *spool = NULL;
    struct client c;
    const char text[] = "Subject: one\r\nTo: a@b.c\r\n\r\nx\r\n";
    program_start();
    report_open(&report, "imap-session");
    mox_env_system(&env);
    check(mox_memory_mailstore_new(&store, &env));
    check(mox_spool_new(&spool, &env, NULL, 1000));
    check(mox_spool_write(spool, (struct mox_slice){(const uint8_t *)text, sizeof text - 1}));
    for (int i = 0; i < MESSAGES; i++)
        deliver(&store, spool);
    connect_client(&c, &env, &store);
    say(&c, "c create other\r\n");
    say(&c, "s select inbox\r\n");
    small_commands(&c);
    openings(&c);
    appends(&c);
    idling(&env, &store, spool);
    mox_imap_server_free(c.server);
    mox_spool_free(spool);
    mox_memory_mailstore_free(&store);
    report_close(&report);
    return 0;
}
