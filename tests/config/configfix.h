/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_CONFIGFIX_H
#define CONFIG_CONFIGFIX_H

#include <mox/config.h>

#include "support/testenv.h"

/* A folder config/ with both files and what they name. */
struct fixture {
    struct test_env t;
    char dir[64];
    char path[128]; /* of config/ */
    struct mox_config_errors errors;
    struct mox_config *config;
};

/* What setup writes: good files, to be changed by a test. */
extern const char config_good_static[], config_good_domains[];
#define CONFIG_TEXT_MAX 8192

/* For cmocka; *state is a struct fixture. */
int config_setup(void **state);
int config_teardown(void **state);

void config_put(const struct fixture *f, const char *name, const char *text);
/* The good mox.conf with lines added in front of some text of it. */
void config_put_with(const struct fixture *f, const char *before, const char *lines);
/* The good domains.conf with lines behind it: of account bob, then of its last destination. */
void config_put_domains_and(const struct fixture *f, const char *lines);
/* Loads anew. */
int config_load(struct fixture *f);
/* Whether that reported a mistake at this line, with these words. */
bool config_told(const struct fixture *f, const char *file, const char *line, const char *mention);

#endif
