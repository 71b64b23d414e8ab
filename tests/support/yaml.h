/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_YAML_H
#define SUPPORT_YAML_H

#include <jansson.h>

/* The documents of a YAML file, as an array, for json_decref(). Scalars are strings, as they stand there.
 * Fails the test when it cannot be read. */
json_t *yaml_load(const char *path);

/* The text of a member, or "" when it is absent or no text. */
const char *yaml_text(const json_t *object, const char *key);

#endif
