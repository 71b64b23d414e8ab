/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <mox/mtasts.h>
#include <mox/tlsrpt.h>

#include "policies.h"

/* ---- MTA-STS ---- */

static enum exit_code show_record(struct subject *s)
{
    struct mox_mtasts_found found;
    enum exit_code code;
    while (policies_again(s, mox_mtasts_lookup(&found, s->domain.ascii, s->answers), &code)) {
    }
    if (code != EXIT_OK)
        return code;
    if (found.status != MOX_POLICY_RECORD_FOUND)
        return cli_fail("%s: %s", mox_policy_record_status_name(found.status), found.problem);
    (void)printf("%-12s %s\n%-12s %s\n", "id", found.record.id, "dnssec",
                 found.secure ? "yes" : "no");
    return EXIT_OK;
}

static void print_policy(const struct mox_mtasts_policy *p)
{
    (void)printf("%-12s %s\n%-12s %u seconds\n", "mode", mox_mtasts_mode_name(p->mode), "max age",
                 (unsigned)p->max_age_seconds);
    for (size_t i = 0; i < p->host_count; i++)
        (void)printf("%-12s %s%s\n", "mx", p->hosts[i].any_label ? "*." : "", p->hosts[i].name);
}

/* Reads a byte more than a policy may have, so that one that is too long is seen to be. */
static enum exit_code read_policy(const char *path, uint8_t data[MOX_MTASTS_POLICY_MAX + 1],
                                  size_t *len)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *f = is_stdin ? stdin : fopen(path, "rb");
    if (f == NULL)
        return cli_fail("read %s: %s", path, strerror(errno));
    *len = fread(data, 1, MOX_MTASTS_POLICY_MAX + 1, f);
    bool failed = ferror(f) != 0;
    if (!is_stdin)
        (void)fclose(f);
    return failed ? cli_fail("read %s: it cannot be read", path) : EXIT_OK;
}

static enum exit_code show_policy(const struct cli *cli, const char *path)
{
    uint8_t data[MOX_MTASTS_POLICY_MAX + 1];
    struct mox_mtasts_policy *policy;
    struct mox_error err;
    size_t len = 0;
    enum exit_code code = read_policy(path, data, &len);
    if (code != EXIT_OK)
        return code;
    if (mox_mtasts_policy_parse(&policy, &cli->env, (struct mox_slice){data, len}, &err) != MOX_OK)
        return cli_fail("%s: %s", path, err.text);
    print_policy(policy);
    mox_mtasts_policy_free(&cli->env, policy);
    return EXIT_OK;
}

/* The policy is shown also when the record is missing: its owner may be about to publish it. */
enum exit_code policies_run_mtasts(struct cli *cli)
{
    struct subject s;
    const char *path = cli_flag(cli, "policy");
    enum exit_code code = policies_begin(&s, cli);
    if (code == EXIT_OK) {
        code = show_record(&s);
        if (path != NULL && show_policy(cli, path) != EXIT_OK)
            code = EXIT_FAILED;
    }
    policies_end(&s);
    return code;
}

/* ---- reports on TLS ---- */

enum exit_code policies_run_tlsrpt(struct cli *cli)
{
    struct subject s;
    struct mox_tlsrpt_found found;
    enum exit_code code = policies_begin(&s, cli);
    if (code == EXIT_OK)
        while (policies_again(&s, mox_tlsrpt_lookup(&found, s.domain.ascii, s.answers), &code)) {
        }
    if (code == EXIT_OK && found.status != MOX_POLICY_RECORD_FOUND)
        code = cli_fail("%s: %s", mox_policy_record_status_name(found.status), found.problem);
    if (code == EXIT_OK) {
        for (size_t i = 0; i < found.record.uri_count; i++)
            (void)printf("%-12s %s\n", "reports", found.record.uris[i]);
        (void)printf("%-12s %s\n", "dnssec", found.secure ? "yes" : "no");
    }
    policies_end(&s);
    return code;
}
