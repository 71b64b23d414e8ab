/* SPDX-License-Identifier: MIT */
#ifndef CLI_WHEN_H
#define CLI_WHEN_H

#include <stdint.h>

#include "command.h"

/* The time that a verdict is of: --now, or the clock. In microseconds since 1970. Says what is wrong with
 * the flag's value. */
enum exit_code when_now(const struct cli *cli, int64_t *out);

/* A row of a command's table of flags. */
#define WHEN_FLAG                                                                                  \
    {                                                                                              \
        "now", "time", "judge as of then: 2024-05-01T12:00:00Z, or seconds since 1970"             \
    }

#endif
