/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dkim.h"

/* A file with a private key, with room for comments around it. */
#define FILE_MAX (MOX_DKIM_KEY_PEM_MAX + 10240)
/* RFC 1035 §3.3.14: a string of a TXT record. */
#define STRING_MAX   255
#define BITS_DEFAULT 2048

/* Nobody else may read it, and no file is overwritten: a lost key cannot be had again. */
static enum exit_code write_key(const char *path, const char *pem)
{
    size_t len = strlen(pem);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return cli_fail("create %s: %s", path, strerror(errno));
    bool ok = write(fd, pem, len) == (ssize_t)len && fsync(fd) == 0;
    int error = errno;
    ok = close(fd) == 0 && ok;
    return ok ? EXIT_OK : cli_fail("write %s: %s", path, strerror(error));
}

static enum exit_code generate(const struct cli *cli, enum mox_dkim_key_type type, unsigned bits)
{
    char pem[MOX_DKIM_KEY_PEM_MAX], record[MOX_DKIM_KEY_RECORD_MAX];
    const char *path = cli_flag(cli, "out");
    struct mox_dkim_key *key;
    if (mox_dkim_key_generate(&key, &cli->env, type, bits) != MOX_OK)
        return cli_fail("make a key: out of memory");
    enum exit_code code = EXIT_OK;
    if (mox_dkim_key_pem(key, pem, sizeof pem) != MOX_OK ||
        mox_dkim_key_record(key, record, sizeof record) != MOX_OK)
        code = cli_fail("make a key: out of memory");
    else if (path == NULL)
        (void)fputs(pem, stdout);
    else
        code = write_key(path, pem);
    if (code == EXIT_OK)
        (void)fprintf(stderr,
                      "# publish at <selector>._domainkey.<domain>, or see mox dkim txt:\n"
                      "# %s\n",
                      record);
    explicit_bzero(pem, sizeof pem);
    mox_dkim_key_free(key);
    return code;
}

enum exit_code dkim_run_gened25519(struct cli *cli)
{
    return generate(cli, MOX_DKIM_ED25519, 0);
}

enum exit_code dkim_run_genrsa(struct cli *cli)
{
    const char *text = cli_flag(cli, "bits");
    char *end = NULL;
    unsigned long bits = text == NULL ? BITS_DEFAULT : strtoul(text, &end, 10);
    if ((end != NULL && *end != '\0') || bits < MOX_DKIM_RSA_BITS_MIN ||
        bits > MOX_DKIM_RSA_BITS_MAX)
        return cli_usage(cli->command, "-bits is a number from %d to %d, not \"%s\"",
                         MOX_DKIM_RSA_BITS_MIN, MOX_DKIM_RSA_BITS_MAX, text);
    return generate(cli, MOX_DKIM_RSA, (unsigned)bits);
}

enum exit_code dkim_read_key(const struct cli *cli, const char *path, struct mox_dkim_key **out)
{
    char pem[FILE_MAX];
    struct mox_error err = {0};
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *f = is_stdin ? stdin : fopen(path, "re");
    if (f == NULL)
        return cli_fail("read %s: %s", path, strerror(errno));
    (void)setvbuf(f, NULL, _IONBF, 0); /* no copy that is not wiped */
    size_t len = fread(pem, 1, sizeof pem, f);
    bool failed = ferror(f) != 0;
    if (!is_stdin)
        (void)fclose(f);
    int rc = failed ? MOX_EIO
                    : mox_dkim_key_parse(out, &cli->env,
                                         (struct mox_slice){(const uint8_t *)pem, len}, &err);
    explicit_bzero(pem, sizeof pem);
    if (rc == MOX_OK)
        return EXIT_OK;
    return cli_fail("%s: %s", path, failed ? "cannot be read" : err.text);
}

/* In strings of a zone file (RFC 1035 §5.1), of which a record is made by joining them. */
static void print_strings(const char *record)
{
    (void)fputs("TXT (", stdout);
    for (size_t at = 0, len = strlen(record); at < len; at += STRING_MAX)
        (void)printf("\n\t\"%.*s\"", STRING_MAX, record + at);
    (void)fputs(" )\n", stdout);
}

enum exit_code dkim_run_txt(struct cli *cli)
{
    static const char begin[] = "v=DKIM1;";
    char record[MOX_DKIM_KEY_RECORD_MAX], text[MOX_DKIM_KEY_RECORD_MAX + 16];
    const char *hash = cli_flag(cli, "hash");
    struct mox_dkim_key *key;
    if (hash != NULL && strcmp(hash, "sha256") != 0)
        return cli_usage(cli->command,
                         "-hash is sha256, not \"%s\": others sign nothing (RFC 8301)", hash);
    enum exit_code code = dkim_read_key(cli, cli->arg_count > 0 ? cli->args[0] : "-", &key);
    if (code != EXIT_OK)
        return code;
    int rc = mox_dkim_key_record(key, record, sizeof record);
    mox_dkim_key_free(key);
    if (rc != MOX_OK)
        return cli_fail("write the record: %s", mox_status_text(rc));
    (void)snprintf(text, sizeof text, "%s%s%s", begin, hash != NULL ? "h=sha256;" : "",
                   record + sizeof begin - 1);
    if (cli_has(cli, "raw"))
        (void)puts(text);
    else
        print_strings(text);
    return EXIT_OK;
}
