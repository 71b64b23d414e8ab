/* SPDX-License-Identifier: MIT */
/* A whole mail server in the event loop of another program: SMTP, submission and IMAP on localhost,
 * for a test suite or a development tool. The program has a timer of its own and goes on working.
 *
 *     cc localserve-embedded.c $(pkg-config --cflags --libs moxd) -lev -o localserve-embedded
 *     ./localserve-embedded /tmp/mail 2000
 */
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>

#include <mox/server.h>

static void tick(struct ev_loop *loop, ev_timer *w, int events)
{
    (void)loop;
    (void)w;
    (void)events;
    (void)fprintf(stderr, "the program's own work goes on\n");
}

/* The server finishes what is under way; then it says so by `stopped`. */
static void on_signal(struct ev_loop *loop, ev_signal *w, int events)
{
    (void)loop;
    (void)events;
    mox_server_stop(w->data);
}

static void stopped(void *user)
{
    ev_break(user, EVBREAK_ALL);
}

static void print_addresses(const struct mox_server *server)
{
    for (size_t i = 0; i < mox_server_address_count(server); i++) {
        struct mox_server_address a = mox_server_address(server, i);
        (void)printf("%s on %s port %u\n", a.service, a.ip, a.port);
    }
    (void)fflush(stdout);
}

static void serve(struct mox_server *server, struct ev_loop *loop)
{
    ev_timer timer;
    ev_signal interrupt, terminate;
    ev_timer_init(&timer, tick, 60., 60.);
    ev_timer_start(loop, &timer);
    ev_signal_init(&interrupt, on_signal, SIGINT);
    ev_signal_init(&terminate, on_signal, SIGTERM);
    interrupt.data = terminate.data = server;
    ev_signal_start(loop, &interrupt);
    ev_signal_start(loop, &terminate);
    mox_server_start(server);
    print_addresses(server);
    ev_run(loop, 0);
}

int main(int argc, char **argv)
{
    struct ev_loop *loop = ev_default_loop(0);
    struct mox_env env;
    struct mox_logger *logger = NULL;
    mox_env_system(&env);
    if (argc < 2 || mox_logger_new(&logger, 2) < 0)
        return 2;
    (void)signal(SIGPIPE, SIG_IGN); /* see mox/server.h */
    mox_logger_attach(logger, &env);
    /* The directory with its account, made on the first run. */
    struct mox_localserve_config local;
    mox_localserve_config_init(&local);
    local.dir = argv[1];
    struct mox_config *files = NULL;
    struct mox_error err;
    int rc = mox_localserve_prepare(&files, &env, &local, &err);

    struct mox_server_config config;
    mox_server_config_init(&config);
    config.config = files;
    config.logger = logger;
    config.loop = loop;
    config.port_base = argc > 2 ? (uint16_t)atoi(argv[2]) : 0;
    config.localserve = true;
    config.limits = false;
    config.stopped = stopped;
    config.stopped_user = loop;
    struct mox_server *server = NULL;
    if (rc == MOX_OK)
        rc = mox_server_new(&server, &env, &config, &err);
    if (rc == MOX_OK)
        serve(server, loop);
    else
        (void)fprintf(stderr, "%s\n", err.text);
    mox_server_free(server);
    mox_config_free(files);
    mox_logger_free(logger);
    return rc == MOX_OK ? 0 : 1;
}
