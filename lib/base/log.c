/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "base/metric.h"

bool mox__log_enabled(const struct mox_env *env, enum mox_log_level level, const char *pkg)
{
    return env->log_enabled != NULL && env->log_enabled(env->log_user, level, pkg);
}

/* Counted whether they are written or not: a log that is turned down still shows trouble here. */
static const struct mox_metric counted[] = {
    [MOX_LOG_ERROR] = {.name = "mox_logging_level_error_total",
                       .help = "Log lines of level error.",
                       .labels = {"pkg"}},
    [MOX_LOG_WARN] = {.name = "mox_logging_level_warn_total",
                      .help = "Log lines of level warn.",
                      .labels = {"pkg"}},
    [MOX_LOG_INFO] = {.name = "mox_logging_level_info_total",
                      .help = "Log lines of level info.",
                      .labels = {"pkg"}},
};

static void count_line(const struct mox_env *env, enum mox_log_level level, const char *pkg)
{
    if (level >= MOX_LOG_ERROR && level <= MOX_LOG_INFO)
        metric_count(env, &counted[level], pkg);
}

void mox__log(const struct mox_env *env, enum mox_log_level level, const char *pkg,
              const char *message, const char *error, const struct mox_log_field *fields,
              size_t count)
{
    count_line(env, level, pkg);
    if (!mox__log_enabled(env, level, pkg))
        return;
    struct mox_log_line line = {
        .level = level,
        .pkg = pkg,
        .message = message,
        .error = error,
        .fields = fields,
        .field_count = count,
    };
    env->log(env->log_user, &line);
}
