/* SPDX-License-Identifier: MIT */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <stdbool.h>

/* Long work that undoes itself when it is interrupted. From here on SIGINT and SIGTERM are only noted; a second one
 * ends the process at once. */
void interrupt_catch(void);
bool interrupt_seen(void);

#endif
