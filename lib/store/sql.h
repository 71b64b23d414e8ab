/* SPDX-License-Identifier: MIT */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include "store/db.h"

/* The text of a statement. */
const char *mox__sql_text(enum sql which);

#endif
