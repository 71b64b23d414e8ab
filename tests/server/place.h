/* SPDX-License-Identifier: MIT */
#ifndef TEST_SERVER_PLACE_H
#define TEST_SERVER_PLACE_H

#include <mox/server.h>

#include "support/testenv.h"

#define PLACE_PORTS 5

/* A localserve folder of a test, and ports that nobody else takes. */
struct place {
    char parent[64], dir[80];
    uint16_t base;
    int kept[PLACE_PORTS]; /* sockets that keep the ports, unless the base is 0 */
    struct mox_config *files;
};

/* A test environment whose clocks go. */
void real_time(struct test_env *t);
void make_place(struct place *p, const struct mox_env *env);
void remove_place(struct place *p);
void remove_tree(const char *path);
/* A test server there, on 127.0.0.1. */
void configure(struct mox_server_config *config, const struct place *p);

#endif
