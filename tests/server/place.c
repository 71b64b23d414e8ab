/* SPDX-License-Identifier: MIT */
#include "server/place.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/cm.h"

void real_time(struct test_env *t)
{
    struct mox_env system;
    mox_env_system(&system);
    test_env_init(t);
    t->log_level = MOX_LOG_INFO;
    t->env.monotonic_us = system.monotonic_us;
    t->env.wall_us = system.wall_us;
    t->env.random = system.random;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void remove_tree(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void release(struct place *p, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)close(p->kept[i]);
}

/* Takes the ports of this base, unless somebody has one of them. Then only those get in who bind with
 * SO_REUSEADDR, as the server does: other tests look elsewhere, also while no server listens. */
static bool take_base(struct place *p, unsigned base)
{
    static const unsigned ports[PLACE_PORTS] = {25, 143, 465, 587, 993};
    const int on = 1;
    for (size_t i = 0; i < PLACE_PORTS; i++) {
        struct sockaddr_in a = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)(base + ports[i])),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
        p->kept[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (bind(p->kept[i], (const struct sockaddr *)&a, sizeof a) < 0) {
            release(p, i + 1);
            return false;
        }
        assert_int_equal(setsockopt(p->kept[i], SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    }
    p->base = (uint16_t)base;
    return true;
}

/* Below the ports that the system gives to the clients of other tests, and far from the base of a test
 * that was started next to this one. */
static void find_base(struct place *p)
{
    unsigned base = 2000 + (unsigned)getpid() * 7919U % 29000;
    while (!take_base(p, base))
        base = base > 31000 ? 2000 : base + 7;
}

void make_place(struct place *p, const struct mox_env *env)
{
    struct mox_localserve_config config;
    struct mox_error err;
    (void)snprintf(p->parent, sizeof p->parent, "/tmp/mox-server-XXXXXX");
    assert_non_null(mkdtemp(p->parent));
    (void)snprintf(p->dir, sizeof p->dir, "%s/server", p->parent);
    find_base(p);
    mox_localserve_config_init(&config);
    config.dir = p->dir;
    if (mox_localserve_prepare(&p->files, env, &config, &err) < 0)
        fail_msg("%s", err.text);
}

void remove_place(struct place *p)
{
    mox_config_free(p->files);
    remove_tree(p->parent);
    if (p->base != 0)
        release(p, PLACE_PORTS);
}

void configure(struct mox_server_config *config, const struct place *p)
{
    mox_server_config_init(config);
    config->config = p->files;
    config->port_base = p->base;
    config->ip = "127.0.0.1";
    config->localserve = true;
    config->check_senders = false;
}
