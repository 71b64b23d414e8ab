/* SPDX-License-Identifier: MIT */
#ifndef CLI_CERTIFICATE_H
#define CLI_CERTIFICATE_H

#include "command.h"

/* What fits a line of the control socket: a certificate of 6,000 bytes. */
#define CERTIFICATE_MAX 8000

/* Reads a PEM file, or standard input for NULL: the first certificate in base64, on one line. */
enum exit_code certificate_read(const char *file, char out[CERTIFICATE_MAX + 1]);

#endif
