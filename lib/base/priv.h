/* SPDX-License-Identifier: MIT */
#ifndef BASE_PRIV_H
#define BASE_PRIV_H

#include <mox/types.h>

/* Marks a mox__ function that libmoxd calls too: exported by libmox in the version node
 * MOX_PRIVATE, without any promise. */
#define MOX_PRIV MOX_API

#endif
