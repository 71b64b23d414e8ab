/* SPDX-License-Identifier: MIT */

/* Who sent a message: all checks of it, and the header fields that tell. The names that the library would
 * like to know, all that it can use at once, a zone file answers here.
 *
 *     cc check-message.c $(pkg-config --cflags --libs mox)
 *     ./a.out zone.tsv message.eml 192.0.2.1 mail.example.org someone@example.org
 *             names    message     client    EHLO             MAIL FROM */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/checks.h>
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

static int print(const struct mox_checks *checks, const struct mox_env *env, unsigned rounds)
{
    char *results, *received_spf;
    const struct mox_checks_verdict *v = mox_checks_verdict(checks);
    int rc = mox_checks_headers(checks, &results, &received_spf);
    if (rc != MOX_OK)
        return rc;
    (void)printf("%s%sfrom %s: dmarc %s, asks for %s; %u rounds of questions\n", results,
                 received_spf, v->from_domain, mox_dmarc_status_name(v->dmarc->status),
                 mox_dmarc_policy_name(v->dmarc->disposition), rounds);
    mox_text_free(env, results);
    mox_text_free(env, received_spf);
    return MOX_OK;
}

int main(int argc, char **argv)
{
    struct mox_env env;
    struct mox_error err;
    struct mox_dns_zone *zone = NULL;
    struct mox_dns_answers *answers = NULL;
    struct mox_checks *checks = NULL;
    struct mox_checks_query query;
    unsigned rounds = 0;
    if (argc != 6) {
        (void)fprintf(stderr, "usage: check-message zone.tsv message.eml ip ehlo mail-from\n");
        return 2;
    }
    mox_env_system(&env);
    struct mox_slice names = read_file(argv[1]), content = read_file(argv[2]);
    char *at = strrchr(argv[5], '@');
    mox_checks_query_init(&query);
    query.ip = argv[3];
    query.helo = argv[4];
    query.now_us = env.wall_us(env.user);
    if (at != NULL) { /* else the null path, and EHLO is checked */
        *at = '\0';
        query.mail_from_localpart = argv[5];
        query.mail_from_domain = at + 1;
    }
    int rc = mox_dns_zone_parse(&zone, &env, names, argv[1], &err);
    if (rc < 0)
        (void)fprintf(stderr, "%s\n", err.text);
    if (rc == MOX_OK)
        rc = mox_dns_answers_new(&answers, &env);
    if (rc == MOX_OK)
        rc = mox_checks_new(&checks, &env, &query, content);
    while (rc == MOX_OK && (rc = mox_checks_run(checks, answers)) == MOX_NEED_DNS) {
        rounds++;
        rc = mox_dns_zone_answer(zone, answers);
    }
    if (rc == MOX_OK)
        rc = print(checks, &env, rounds);
    mox_checks_free(checks);
    mox_dns_answers_free(answers);
    mox_dns_zone_free(zone);
    free((void *)(uintptr_t)names.data);
    free((void *)(uintptr_t)content.data);
    return rc == MOX_OK ? 0 : 1;
}
