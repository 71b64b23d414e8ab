/* SPDX-License-Identifier: MIT */
#ifndef JUNK_ENTITY_H
#define JUNK_ENTITY_H

#include <mox/types.h>

/* Longest name that is looked for: "thetasym", "#x0010ffff". */
#define ENTITY_NAME_MAX 10

/* The character of an entity of HTML, given without "&" and ";": "amp", "#38", "#x26"; 0 for none. */
uint32_t mox__html_entity(struct mox_slice name);

#endif
