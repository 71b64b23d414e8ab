/* SPDX-License-Identifier: MIT */
#include "certificate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* With a chain, and texts between its certificates. */
#define FILE_MAX (64 * 1024)

static enum exit_code read_text(const char *file, char text[FILE_MAX + 1])
{
    const char *name = file == NULL ? "standard input" : file;
    FILE *f = file == NULL ? stdin : fopen(file, "r");
    if (f == NULL)
        return cli_fail("read %s: %s", name, strerror(errno));
    size_t len = fread(text, 1, FILE_MAX + 1, f);
    bool failed = ferror(f) != 0;
    if (f != stdin)
        (void)fclose(f);
    if (failed)
        return cli_fail("read %s: %s", name, strerror(errno));
    if (len > FILE_MAX)
        return cli_fail("%s is too large for a certificate", name);
    if (len == 0)
        return cli_fail("%s is empty; it must be a certificate, a PEM file", name);
    if (memchr(text, '\0', len) != NULL)
        return cli_fail("%s is not a PEM file; make one of a certificate in DER with: openssl x509 "
                        "-inform DER -in %s",
                        name, file == NULL ? "file" : file);
    text[len] = '\0';
    return EXIT_OK;
}

static enum exit_code no_certificate(const char *name, const char *text)
{
    if (strstr(text, "PRIVATE KEY-----") != NULL)
        return cli_fail("%s is a private key, which nobody else should see; give the certificate",
                        name);
    if (strstr(text, "-----BEGIN ") != NULL)
        return cli_fail("%s has no certificate; it needs a part that begins with -----BEGIN "
                        "CERTIFICATE-----",
                        name);
    return cli_fail("%s is not a certificate: no PEM file (-----BEGIN CERTIFICATE-----)", name);
}

enum exit_code certificate_read(const char *file, char out[CERTIFICATE_MAX + 1])
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
    static char text[FILE_MAX + 2]; /* too large for the stack; this program reads one */
    const char *name = file == NULL ? "standard input" : file;
    enum exit_code code = read_text(file, text);
    if (code != EXIT_OK)
        return code;
    const char *at = strstr(text, begin), *stop = at == NULL ? NULL : strstr(at, end);
    if (at == NULL)
        return no_certificate(name, text);
    if (stop == NULL)
        return cli_fail("%s is cut off: %s is missing", name, end);
    size_t len = 0;
    for (at += sizeof begin - 1; at < stop; at++) {
        if (strchr(" \t\r\n", *at) != NULL)
            continue;
        if (len == CERTIFICATE_MAX)
            return cli_fail("the certificate in %s is too large", name);
        out[len++] = *at;
    }
    out[len] = '\0';
    return EXIT_OK;
}
