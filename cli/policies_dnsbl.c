/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <mox/dnsbl.h>

#include "policies.h"

static void print_verdict(const struct mox_dnsbl_verdict *v)
{
    (void)printf("%s", mox_dnsbl_status_name(v->status));
    if (v->status == MOX_DNSBL_FAIL)
        (void)printf("\t%u.%u.%u.%u", v->code[0], v->code[1], v->code[2], v->code[3]);
    if (v->explanation[0] != '\0')
        (void)printf("\t%s", v->explanation);
    (void)printf("\n");
}

enum exit_code policies_run_dnsbl(struct cli *cli)
{
    struct subject s;
    struct mox_dnsbl_verdict v;
    const char *ip = cli->args[1];
    enum exit_code code = policies_begin(&s, cli);
    while (code == EXIT_OK) {
        int rc = mox_dnsbl_check(s.domain.ascii, ip, s.answers, &v);
        if (rc == MOX_EINVAL)
            code = cli_usage(cli->command, "\"%s\" is no IP address", ip);
        else if (!policies_again(&s, rc, &code))
            break;
    }
    if (code == EXIT_OK)
        print_verdict(&v);
    policies_end(&s);
    return code;
}

enum exit_code policies_run_dnsbl_health(struct cli *cli)
{
    struct subject s;
    struct mox_dnsbl_health h;
    enum exit_code code = policies_begin(&s, cli);
    if (code == EXIT_OK)
        while (policies_again(&s, mox_dnsbl_check_health(s.domain.ascii, s.answers, &h), &code)) {
        }
    if (code == EXIT_OK && h.reason[0] != '\0')
        code = cli_fail("%s: %s", h.temporary ? "temperror" : "not healthy", h.reason);
    if (code == EXIT_OK)
        (void)printf("healthy\n");
    policies_end(&s);
    return code;
}
