/* SPDX-License-Identifier: MIT */

/* Verifies and seals the message on standard input, for comparison with other programs:
 *
 *     arc-tool verify ZONE                              prints "pass 2" and the like, and why not
 *     arc-tool seal ZONE KEY DOMAIN SELECTOR TIME RESULTS   prints the message with a new set */

#include <mox/arc.h>
#include <mox/dns_zone.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (16u * 1024 * 1024)

static int fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "arc-tool: %s: %s\n", what, why);
    return 1;
}

/* All of a file; freed with free(). `data` is NULL when there is no such file. */
static struct mox_slice read_all(FILE *f)
{
    uint8_t *data = malloc(INPUT_MAX);
    size_t len = f == NULL || data == NULL ? 0 : fread(data, 1, INPUT_MAX, f);
    if (f != NULL && f != stdin)
        (void)fclose(f);
    return (struct mox_slice){data, len};
}

static int seal(const struct mox_env *env, struct mox_signed_message *message,
                const struct mox_arc_verify *verify, struct mox_slice content, char **argv)
{
    struct mox_arc_sealer sealer;
    struct mox_error err = {0};
    char *set = NULL;
    mox_arc_sealer_init(&sealer);
    struct mox_slice pem = read_all(fopen(argv[0], "r"));
    int rc = mox_dkim_key_parse(&sealer.key, env, pem, &err);
    sealer.domain = argv[1];
    sealer.selector = argv[2];
    sealer.authserv_id = argv[1];
    sealer.now_us = atoll(argv[3]) * 1000000;
    sealer.results = (struct mox_slice){(const uint8_t *)argv[4], strlen(argv[4])};
    if (rc == MOX_OK)
        rc = mox_arc_seal(&set, env, message, verify, &sealer, &err);
    if (rc == MOX_OK) {
        (void)fputs(set, stdout);
        (void)fwrite(content.data, 1, content.len, stdout);
    }
    mox_text_free(env, set);
    mox_dkim_key_free(sealer.key);
    free((void *)(uintptr_t)pem.data);
    return rc == MOX_OK ? 0 : fail("seal", err.text);
}

int main(int argc, char **argv)
{
    struct mox_env env;
    struct mox_error err = {0};
    struct mox_dkim_config config;
    struct mox_dns_zone *zone;
    struct mox_dns_answers *answers;
    struct mox_signed_message *message;
    struct mox_arc_verify *verify;
    if (argc != 3 && argc != 8)
        return fail("arguments", "see the top of arc_tool.c");
    mox_env_system(&env);
    mox_dkim_config_init(&config);
    config.now_us = env.wall_us(env.user);
    struct mox_slice text = read_all(fopen(argv[2], "r")), content = read_all(stdin);
    if (mox_dns_zone_parse(&zone, &env, text, argv[2], &err) != MOX_OK)
        return fail("zone", err.text);
    if (mox_dns_answers_new(&answers, &env) != MOX_OK ||
        mox_signed_message_new(&message, &env, content) != MOX_OK ||
        mox_arc_verify_new(&verify, &env, message, &config) != MOX_OK)
        return fail("check", "out of memory");
    int rc;
    while ((rc = mox_arc_verify_run(verify, answers)) == MOX_NEED_DNS)
        if (mox_dns_zone_answer(zone, answers) != MOX_OK)
            return fail("check", "out of memory");
    const struct mox_arc_verdict *v = mox_arc_verdict(verify);
    if (argc == 8)
        rc = seal(&env, message, verify, content, argv + 3);
    else
        (void)printf("%s %zu %s\n", mox_arc_status_name(v->status), v->count, v->reason);
    mox_arc_verify_free(verify);
    mox_signed_message_free(message);
    mox_dns_answers_free(answers);
    mox_dns_zone_free(zone);
    free((void *)(uintptr_t)text.data);
    free((void *)(uintptr_t)content.data);
    return rc;
}
