/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_UNICODE_H
#define DELIVERY_UNICODE_H

#include "base/arena.h"

/* The Unicode form of a domain name: checks give names in ASCII form, dialogues and what accounts remember
 * have them in this one. The name itself when there is nothing to decode; NULL: out of memory. */
const char *mox__in_unicode(struct arena *a, const char *ascii);

#endif
