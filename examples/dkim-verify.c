/* SPDX-License-Identifier: MIT */

/* Verifies the DKIM signatures of a message. The library does no look-ups: it says which names it would
 * like to know, and here a zone file answers; a program with a resolver asks that instead.
 *
 *     cc dkim-verify.c $(pkg-config --cflags --libs mox) && ./a.out zone.tsv message.eml
 *
 * zone.tsv has lines of name, type and value with tabs between:
 * "2026a._domainkey.example.com	TXT	v=DKIM1;k=ed25519;p=…". */

#include <stdio.h>
#include <stdlib.h>

#include <mox/dkim.h>
#include <mox/dns_zone.h>

#define FILE_MAX (64 * 1024 * 1024)

/* Files have LF at the end of lines; mail has CRLF, and that is signed. */
static struct mox_slice read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(FILE_MAX);
    size_t len = 0;
    if (f == NULL || data == NULL) {
        perror(path);
        exit(2);
    }
    for (int c, last = 0; (c = getc(f)) != EOF && len + 2 <= FILE_MAX; last = c) {
        if (c == '\n' && last != '\r')
            data[len++] = '\r';
        data[len++] = (uint8_t)c;
    }
    (void)fclose(f);
    return (struct mox_slice){data, len};
}

static void print(const struct mox_dkim_verify *verify)
{
    for (size_t i = 0; i < mox_dkim_result_count(verify); i++) {
        const struct mox_dkim_result *r = mox_dkim_result_at(verify, i);
        (void)printf("%s: %s of %s%s%s\n", mox_dkim_status_name(r->status), r->algorithm, r->domain,
                     r->reason[0] != '\0' ? ": " : "", r->reason);
    }
    if (mox_dkim_result_count(verify) == 0)
        (void)printf("none\n");
}

int main(int argc, char **argv)
{
    struct mox_env env;
    struct mox_error err;
    struct mox_dns_zone *zone = NULL;
    struct mox_dns_answers *answers = NULL;
    struct mox_signed_message *message = NULL;
    struct mox_dkim_verify *verify = NULL;
    struct mox_dkim_config config;
    if (argc != 3) {
        (void)fprintf(stderr, "usage: dkim-verify zone.tsv message.eml\n");
        return 2;
    }
    mox_env_system(&env);
    struct mox_slice names = read_file(argv[1]), content = read_file(argv[2]);
    mox_dkim_config_init(&config);
    config.now_us = env.wall_us(env.user);

    int rc = mox_dns_zone_parse(&zone, &env, names, argv[1], &err);
    if (rc < 0)
        (void)fprintf(stderr, "%s\n", err.text);
    if (rc == MOX_OK)
        rc = mox_dns_answers_new(&answers, &env);
    if (rc == MOX_OK)
        rc = mox_signed_message_new(&message, &env, content);
    if (rc == MOX_OK)
        rc = mox_dkim_verify_new(&verify, &env, message, &config);

    if (rc == MOX_OK)
        rc = mox_dkim_verify_run(verify, answers);
    while (rc == MOX_NEED_DNS) { /* once: the keys of all signatures are wanted together */
        rc = mox_dns_zone_answer(zone, answers);
        if (rc == MOX_OK)
            rc = mox_dkim_verify_run(verify, answers);
    }
    if (rc == MOX_OK)
        print(verify);

    mox_dkim_verify_free(verify);
    mox_signed_message_free(message);
    mox_dns_answers_free(answers);
    mox_dns_zone_free(zone);
    free((void *)(uintptr_t)names.data);
    free((void *)(uintptr_t)content.data);
    return rc == MOX_OK ? 0 : 1;
}
