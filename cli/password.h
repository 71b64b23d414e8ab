/* SPDX-License-Identifier: MIT */
#ifndef CLI_PASSWORD_H
#define CLI_PASSWORD_H

#include "command.h"

#define PASSWORD_MIN 8
#define PASSWORD_MAX 1000

/* One line of standard input without its end. On a terminal it is asked for twice, on stderr, and not
 * shown. To be wiped with password_wipe(). */
enum exit_code password_read(char out[PASSWORD_MAX + 1]);
void password_wipe(char password[PASSWORD_MAX + 1]);

#endif
