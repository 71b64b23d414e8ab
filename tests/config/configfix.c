/* SPDX-License-Identifier: MIT */
#include "config/configfix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/cm.h"

const char config_good_static[] = "DataDir: ../data\n"
                                  "LogLevel: info\n"
                                  "PackageLogLevels:\n"
                                  "\tstore: debug\n"
                                  "Hostname: mail.example.org\n"
                                  "Listeners:\n"
                                  "\tpublic:\n"
                                  "\t\tIPs:\n"
                                  "\t\t\t- 192.0.2.1\n"
                                  "\t\t\t- ::\n"
                                  "\t\tHostname: mx.example.org\n"
                                  "\t\tTLS:\n"
                                  "\t\t\tKeyCerts:\n"
                                  "\t\t\t\t-\n"
                                  "\t\t\t\t\tCertFile: cert.pem\n"
                                  "\t\t\t\t\tKeyFile: key.pem\n"
                                  "\t\tSMTP:\n"
                                  "\t\t\tEnabled: true\n"
                                  "\t\tIMAPS:\n"
                                  "\t\t\tEnabled: true\n"
                                  "\t\t\tPort: 1993\n"
                                  "Postmaster:\n"
                                  "\tAccount: alice\n"
                                  "\tMailbox: Postmaster\n";

const char config_good_domains[] = "Domains:\n"
                                   "\texample.org:\n"
                                   "\t\tLocalpartCatchallSeparators:\n"
                                   "\t\t\t- +\n"
                                   "\t\t\t- --\n"
                                   "\tcase.example:\n"
                                   "\t\tLocalpartCaseSensitive: true\n"
                                   "\toff.example:\n"
                                   "\t\tDisabled: true\n"
                                   "\tplain.example: nil\n"
                                   "Accounts:\n"
                                   "\talice:\n"
                                   "\t\tDomain: example.org\n"
                                   "\t\tDestinations:\n"
                                   "\t\t\talice@example.org: nil\n"
                                   "\t\t\tLists@example.org:\n"
                                   "\t\t\t\tMailbox: Lists\n"
                                   "\t\t\tAlice@case.example: nil\n"
                                   "\t\t\talice@off.example: nil\n"
                                   "\t\t\t@plain.example:\n"
                                   "\t\t\t\tMailbox: All\n"
                                   "\tbob:\n"
                                   "\t\tDomain: example.org\n"
                                   "\t\tDestinations:\n"
                                   "\t\t\tbob@example.org: nil\n"
                                   "\t\t\t\"a b\"@example.org: nil\n"
                                   "\t\t\tpostmaster@case.example: nil\n";

void config_put(const struct fixture *f, const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", f->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

int config_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    test_env_init(&f->t);
    mox_config_errors_init(&f->errors, &f->t.env);
    strcpy(f->dir, "/tmp/mox-config.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->path, sizeof f->path, "%s/config", f->dir);
    assert_int_equal(mkdir(f->path, 0700), 0);
    config_put(f, "mox.conf", config_good_static);
    config_put(f, "domains.conf", config_good_domains);
    config_put(f, "cert.pem", "");
    config_put(f, "key.pem", "");
    *state = f;
    return 0;
}

int config_teardown(void **state)
{
    struct fixture *f = *state;
    mox_config_free(f->config);
    mox_config_errors_free(&f->errors);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", f->dir);
    assert_int_equal(system(command), 0);
    test_env_done(&f->t);
    free(f);
    return 0;
}

int config_load(struct fixture *f)
{
    mox_config_free(f->config);
    mox_config_errors_free(&f->errors);
    return mox_config_load(&f->config, &f->t.env, f->path, &f->errors);
}

void config_put_with(const struct fixture *f, const char *before, const char *lines)
{
    char changed[CONFIG_TEXT_MAX];
    const char *at = strstr(config_good_static, before);
    assert_non_null(at);
    (void)snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - config_good_static),
                   config_good_static, lines, at);
    config_put(f, "mox.conf", changed);
}

void config_put_domains_and(const struct fixture *f, const char *lines)
{
    char changed[CONFIG_TEXT_MAX];
    (void)snprintf(changed, sizeof changed, "%s%s", config_good_domains, lines);
    config_put(f, "domains.conf", changed);
}

bool config_told(const struct fixture *f, const char *file, const char *line, const char *mention)
{
    char start[256];
    (void)snprintf(start, sizeof start, "%s/%s:%s: ", f->path, file, line);
    for (size_t i = 0; i < f->errors.count; i++)
        if (strncmp(f->errors.texts[i], start, strlen(start)) == 0 &&
            strstr(f->errors.texts[i], mention) != NULL)
            return true;
    return false;
}
