/* SPDX-License-Identifier: MIT */
#include "base/log.h"

bool mox__log_enabled(const struct mox_env *env, enum mox_log_level level, const char *pkg)
{
    return env->log_enabled != NULL && env->log_enabled(env->log_user, level, pkg);
}

void mox__log(const struct mox_env *env, enum mox_log_level level, const char *pkg,
              const char *message, const char *error, const struct mox_log_field *fields,
              size_t count)
{
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
