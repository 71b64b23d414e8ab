/* SPDX-License-Identifier: MIT */
#ifndef STORE_GATHER_H
#define STORE_GATHER_H

/* The name of the file layer of gather.c, for sqlite3_open_v2(); registered with SQLite by the first
 * call. NULL when there is no memory for it. */
const char *mox__gather_vfs(void);

#endif
