/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "certificate.h"
#include "columns.h"
#include "command.h"
#include "place.h"

/* Client certificates, and who tried to log in: of the running server. */

static int keep_piece(void *user, struct mox_slice piece)
{
    return columns_add(user, piece.data, piece.len) ? MOX_OK : MOX_ENOMEM;
}

/* Sends a command whose answer is a stream, which `table` gets. */
static enum exit_code call(struct cli *cli, const char *const *lines, size_t count,
                           struct columns *table)
{
    return place_ask(cli, lines, count, keep_piece, table);
}

/* -- keys ------------------------------------------------------------------------------------ */

static const char *const key_titles[] = {"fingerprint", "type",    "account", "address",
                                         "preauth",     "created", "name"};
#define KEY_TITLES (sizeof key_titles / sizeof key_titles[0])

static enum exit_code run_key_list(struct cli *cli)
{
    const char *const lines[] = {"tlspubkeylist", cli->arg_count > 0 ? cli->args[0] : ""};
    struct columns table = {.titles = key_titles, .count = KEY_TITLES};
    enum exit_code code = call(cli, lines, 2, &table);
    if (code == EXIT_OK)
        columns_print(&table);
    columns_free(&table);
    return code;
}

/* The line of that fingerprint, field by field. */
static bool print_key(const struct columns *table, const char *fingerprint)
{
    size_t len = strlen(fingerprint), at = 0;
    while (at < table->len) {
        const char *line = table->text + at, *end = memchr(line, '\n', table->len - at);
        size_t size = end == NULL ? table->len - at : (size_t)(end - line);
        at += size + 1;
        if (size <= len || strncmp(line, fingerprint, len) != 0 || line[len] != '\t')
            continue;
        for (size_t i = 0; i < KEY_TITLES; i++) {
            const char *tab = memchr(line, '\t', size);
            size_t field = tab == NULL ? size : (size_t)(tab - line);
            (void)printf("%-12s %.*s\n", key_titles[i], (int)field, line);
            line += field + (tab != NULL);
            size -= field + (tab != NULL);
        }
        return true;
    }
    return false;
}

static enum exit_code run_key_get(struct cli *cli)
{
    static const char *const lines[] = {"tlspubkeylist", ""};
    struct columns table = {.titles = key_titles, .count = KEY_TITLES};
    enum exit_code code = call(cli, lines, 2, &table);
    if (code == EXIT_OK && !print_key(&table, cli->args[0]))
        code = cli_fail("no key has the fingerprint %s", cli->args[0]);
    columns_free(&table);
    return code;
}

static enum exit_code run_key_add(struct cli *cli)
{
    char certificate[CERTIFICATE_MAX + 1];
    const char *name = cli_flag(cli, "name");
    const char *const lines[] = {"tlspubkeyadd", cli->args[0], name == NULL ? "" : name,
                                 cli_has(cli, "no-imap-preauth") ? "no" : "yes", certificate};
    enum exit_code code = certificate_read(cli->arg_count > 1 ? cli->args[1] : NULL, certificate);
    if (code != EXIT_OK)
        return code;
    struct columns table = {.titles = key_titles, .count = KEY_TITLES};
    code = call(cli, lines, 5, &table);
    if (code == EXIT_OK) /* what can be removed again */
        (void)printf("%.*s\n", table.text == NULL ? 0 : (int)strcspn(table.text, "\t"),
                     table.text == NULL ? "" : table.text);
    columns_free(&table);
    return code;
}

static enum exit_code run_key_remove(struct cli *cli)
{
    const char *const lines[] = {"tlspubkeyrm", cli->args[0]};
    return place_ask(cli, lines, 2, NULL, NULL);
}

/* -- attempts to log in ---------------------------------------------------------------------- */

#define ATTEMPTS_DEFAULT "100"

static enum exit_code run_login_attempts(struct cli *cli)
{
    static const char *const titles[] = {"last",      "first",   "count",     "result",
                                         "account",   "address", "remote",    "protocol",
                                         "mechanism", "tls",     "user-agent"};
    const char *count = cli_flag(cli, "n");
    const char *const lines[] = {"loginattempts", cli->arg_count > 0 ? cli->args[0] : "",
                                 count == NULL ? ATTEMPTS_DEFAULT : count};
    struct columns table = {.titles = titles, .count = sizeof titles / sizeof titles[0]};
    enum exit_code code = call(cli, lines, 3, &table);
    if (code == EXIT_OK)
        columns_print(&table);
    columns_free(&table);
    return code;
}

static const struct flag add_flags[] = {
    {"name", "text", "what people call the key, such as its device"},
    {"no-imap-preauth", NULL, "IMAP programs log in by AUTHENTICATE EXTERNAL, as some need to"},
    {NULL, NULL, NULL},
};

static const struct flag attempt_flags[] = {
    {"n", "count", "how many, the newest; 0: all; default " ATTEMPTS_DEFAULT},
    {NULL, NULL, NULL},
};

static const struct command commands[] = {
    {.words = "config tlspubkey list",
     .args = "[account]",
     .summary = "list the keys of client certificates",
     .help = "Lists whose programs log in by a client certificate: the fingerprint of each key, which is\n"
             "the SHA-256 of its SubjectPublicKeyInfo in base64url, its type, account, login address,\n"
             "whether an IMAP connection is logged in from the start, when it was added, and its name.",
     .max_args = 1,
     .run = run_key_list},
    {.words = "config tlspubkey get",
     .args = "fingerprint",
     .summary = "show one key of a client certificate",
     .help = "Shows what is known of a key. Put -- before a fingerprint that begins with a dash.",
     .min_args = 1,
     .max_args = 1,
     .run = run_key_get},
    {.words = "config tlspubkey add",
     .args = "address [certificate.pem]",
     .summary = "let a client certificate log in",
     .help = "Adds the key of a certificate, of a PEM file or standard input: from now on, who has its\n"
             "private key logs in to submission and IMAP with that address. Names, dates and issuers in\n"
             "the certificate do not matter; one that is signed by itself is fine. RSA keys need 2048\n"
             "bits, ECDSA keys P-256, P-384 or P-521. Prints the key's fingerprint.\n"
             "\n"
             "    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \\\n"
             "        -subj /CN=laptop -days 9999 -keyout laptop-key.pem -out laptop.pem\n"
             "    mox config tlspubkey add -name laptop mox@localhost laptop.pem",
     .flags = add_flags,
     .min_args = 1,
     .max_args = 2,
     .run = run_key_add},
    {.words = "config tlspubkey rm",
     .args = "fingerprint",
     .summary = "no longer let a client certificate log in",
     .help = "Removes a key. Who has it cannot log in any more; connections that are logged in\n"
             "already stay. Put -- before a fingerprint that begins with a dash.",
     .min_args = 1,
     .max_args = 1,
     .run = run_key_remove},
    {.words = "loginattempts",
     .args = "[account]",
     .summary = "show who tried to log in",
     .help = "Lists attempts to log in to submission and IMAP, the newest first: when the last and the\n"
             "first of equal ones were, how many, how they ended, for which account and address, from\n"
             "where and how. An account of - is none that exists. They are kept for 30 days, and the\n"
             "newest 10,000 for each account of those that failed, and of those that did not.\n"
             "\n"
             "    mox loginattempts alice\n"
             "    mox loginattempts -n 0 -",
     .flags = attempt_flags,
     .max_args = 1,
     .run = run_login_attempts},
};

const struct command_group logins_group = {"Logins", commands,
                                           sizeof commands / sizeof commands[0]};
