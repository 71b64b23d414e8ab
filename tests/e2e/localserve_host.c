/* SPDX-License-Identifier: MIT */
/* localserve_host [-transcript] [-initonly] [-ip IP] folder port-base: mox_localserve_run(), for
 * localserve_test.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/log.h>
#include <mox/server.h>

int main(int argc, char **argv)
{
    struct mox_env env;
    struct mox_logger *logger = NULL;
    struct mox_localserve_config config;
    struct mox_error err;
    int status = 0;
    mox_env_system(&env);
    mox_localserve_config_init(&config);
    if (argc < 3 || mox_logger_new(&logger, 2) < 0 ||
        mox_logger_level(logger, NULL, MOX_LOG_DEBUG) < 0)
        return 2;
    mox_logger_attach(logger, &env);
    for (int i = 1; i < argc - 2; i++) {
        config.transcript = config.transcript || strcmp(argv[i], "-transcript") == 0;
        config.init_only = config.init_only || strcmp(argv[i], "-initonly") == 0;
        if (strcmp(argv[i], "-ip") == 0)
            config.ip = argv[i + 1];
    }
    config.dir = argv[argc - 2];
    config.port_base = (uint16_t)atoi(argv[argc - 1]);
    config.logger = logger;
    int rc = mox_localserve_run(&env, &config, &status, &err);
    if (rc < 0)
        (void)fprintf(stderr, "error: %s\n", err.text);
    mox_logger_free(logger);
    return rc < 0 ? 1 : status;
}
