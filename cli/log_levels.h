/* SPDX-License-Identifier: MIT */
#ifndef CLI_LOG_LEVELS_H
#define CLI_LOG_LEVELS_H

#include "command.h"

/* All that the libraries and this program log as. */
#define LOG_PACKAGES "main, smtpserver, imapserver, store, junk, dns, dnsbl, config, ctl"

/* A name that is none of these is a typo: its level would have no effect. */
enum exit_code log_check_package(const struct command *command, const char *name);

#endif
