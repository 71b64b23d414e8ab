/* SPDX-License-Identifier: MIT */
#include "server/localserve.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

void mox_localserve_config_init(struct mox_localserve_config *config)
{
    *config = (struct mox_localserve_config){
        .size = sizeof *config,
        .transcript_fd = 1,
        .banner_fd = 1,
    };
}

/* -- the banner ------------------------------------------------------------------------------ */

/* The port of a service, or 0. */
static unsigned port_of(const struct mox_server *s, const char *service)
{
    for (size_t i = 0; i < mox_server_address_count(s); i++) {
        struct mox_server_address a = mox_server_address(s, i);
        if (strcmp(a.service, service) == 0)
            return a.port;
    }
    return 0;
}

static void print_addresses(int fd, const struct mox_server *s)
{
    const char *service = "";
    for (size_t i = 0; i < mox_server_address_count(s); i++) {
        struct mox_server_address a = mox_server_address(s, i);
        bool v6 = strchr(a.ip, ':') != NULL;
        if (strcmp(a.service, service) != 0)
            (void)dprintf(fd, "%s  %-12s", i == 0 ? "" : "\n", a.service);
        service = a.service;
        (void)dprintf(fd, "  %s%s%s:%u", v6 ? "[" : "", a.ip, v6 ? "]" : "", a.port);
    }
    (void)dprintf(fd, "\n");
}

static void print_banner(int fd, const struct mox_server *s,
                         const struct mox_localserve_config *config)
{
    const char *host = config->ip != NULL ? config->ip : "localhost";
    (void)dprintf(fd, "mox localserve, with its files in %s\n\n", config->dir);
    print_addresses(fd, s);
    (void)dprintf(
        fd,
        "\nEvery recipient is accepted; mail for unknown ones goes to %s.\n"
        "User %s, password %s. Try it:\n\n"
        "  swaks --server %s:%u --to you@example.org\n"
        "  swaks --server %s:%u -tls -au %s -ap %s --to %s\n"
        "  curl -s --user %s:%s 'imap://%s:%u/Inbox;MAILINDEX=*'\n\n"
        "Recipients ending in temperror, permerror, timeout or 400 to 599 fail so; those\n"
        "starting with rcptto at RCPT, senders starting with mailfrom at MAIL.\n\n",
        LOCALSERVE_ADDRESS, LOCALSERVE_ADDRESS, LOCALSERVE_PASSWORD, host, port_of(s, "smtp"), host,
        port_of(s, "submission"), LOCALSERVE_ADDRESS, LOCALSERVE_PASSWORD, LOCALSERVE_ADDRESS,
        LOCALSERVE_ADDRESS, LOCALSERVE_PASSWORD, host, port_of(s, "imap"));
}

/* -- all in one ------------------------------------------------------------------------------ */

static int serve(const struct mox_env *env, const struct mox_localserve_config *config,
                 const struct mox_config *files, struct mox_logger *logger, int *status,
                 struct mox_error *err)
{
    struct mox_server_config sc;
    mox_server_config_init(&sc);
    sc.config = files;
    sc.logger = logger;
    sc.ip = config->ip;
    sc.port_base = config->port_base;
    sc.localserve = true;
    sc.pedantic = config->pedantic;
    sc.limits = config->limits;
    sc.resolver_forward = config->resolver_forward;
    sc.trust_anchor = config->trust_anchor;
    struct mox_server *s = NULL;
    int rc = mox_server_new(&s, env, &sc, err);
    if (rc < 0)
        return rc;
    if (config->banner_fd >= 0)
        print_banner(config->banner_fd, s, config);
    *status = mox_server_run(s);
    mox_server_free(s);
    return MOX_OK;
}

static int prepare_and_serve(const struct mox_env *env, const struct mox_localserve_config *config,
                             struct mox_logger *logger, int *status, struct mox_error *err)
{
    struct mox_config *files = NULL;
    int rc = mox_localserve_prepare(&files, env, config, err);
    if (rc == MOX_OK && config->init_only && config->banner_fd >= 0)
        (void)dprintf(config->banner_fd, "%s is ready; start without -initonly to serve\n",
                      config->dir);
    if (rc == MOX_OK && !config->init_only)
        rc = serve(env, config, files, logger, status, err);
    mox_config_free(files);
    return rc;
}

int mox_localserve_run(const struct mox_env *env, const struct mox_localserve_config *given,
                       int *status, struct mox_error *err)
{
    struct mox_localserve_config config;
    mox_localserve_config_init(&config);
    memcpy(&config, given, given->size < sizeof config ? given->size : sizeof config);
    *status = 0;

    struct mox_env with_transcript = *env;
    struct transcript *transcript = NULL;
    struct mox_logger *own = NULL; /* the control socket needs one */
    int rc = MOX_OK;
    if (config.transcript)
        rc = mox__transcript_new(&transcript, &with_transcript, config.transcript_fd);
    if (rc == MOX_OK && config.logger == NULL)
        rc = mox_logger_new(&own, 2);
    if (rc < 0)
        (void)mox__fail(err, rc, "start the server: %s", mox_status_text(rc));
    else
        rc = prepare_and_serve(&with_transcript, &config, own != NULL ? own : config.logger, status,
                               err);
    mox_logger_free(own);
    mox__transcript_free(transcript);
    return rc;
}
