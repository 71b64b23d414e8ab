/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_ERRORS_H
#define CONFIG_ERRORS_H

#include <mox/config.h>

/* A person corrects some at a time; the rest would scroll away. */
#define CONFIG_MAX_ERRORS 100

/* Adds a text. Beyond CONFIG_MAX_ERRORS it is only counted. MOX_ENOMEM. `errors` may be NULL. */
int mox__config_error(struct mox_config_errors *errors, const char *format, ...) MOX_PRINTF(2, 3);

#endif
