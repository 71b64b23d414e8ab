/* SPDX-License-Identifier: MIT */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <jansson.h>

#include "command.h"

/* What --json prints. */

/* Prints the object, with a line end behind it, and takes it; NULL stands for one that there was no memory
 * for. All but ASCII is escaped: strangers' text may not reach a terminal. */
enum exit_code cli_json_print(json_t *object);

#endif
