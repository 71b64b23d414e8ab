/* SPDX-License-Identifier: MIT */
#ifndef CLI_DKIM_H
#define CLI_DKIM_H

#include <mox/dkim.h>

#include "command.h"

/* What the commands `mox dkim …` do: dkim_keys.c, dkim_sign.c, dkim_verify.c. */
enum exit_code dkim_run_gened25519(struct cli *cli);
enum exit_code dkim_run_genrsa(struct cli *cli);
enum exit_code dkim_run_txt(struct cli *cli);
enum exit_code dkim_run_sign(struct cli *cli);
enum exit_code dkim_run_verify(struct cli *cli);
enum exit_code dkim_run_lookup(struct cli *cli);

/* The private key in a PEM file, or "-" for standard input. Says what is wrong. Freed with
 * mox_dkim_key_free() after EXIT_OK. */
enum exit_code dkim_read_key(const struct cli *cli, const char *path, struct mox_dkim_key **out);

#endif
