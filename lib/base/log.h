/* SPDX-License-Identifier: MIT */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <mox/env.h>

#include "base/priv.h"

/* One line, if its level is wanted:
 *
 *   log_line(&s->env, MOX_LOG_INFO, "smtpserver", "new connection", NULL,
 *            F_HEX("cid", s->cid), F_TEXT("remote", ip));
 *
 * The message is a constant; what varies goes into fields, so that people can search. At least one
 * field is given. */
#define log_line(env, level, pkg, message, error, ...)                                             \
    mox__log((env), (level), (pkg), (message), (error), (const struct mox_log_field[]){__VA_ARGS__}, \
             sizeof((const struct mox_log_field[]){__VA_ARGS__}) / sizeof(struct mox_log_field))

#define F_TEXT(k, v) {.key = (k), .type = MOX_LOG_TEXT, .value = {.text = (v)}}
#define F_BYTES(k, v) {.key = (k), .type = MOX_LOG_BYTES, .value = {.bytes = (v)}}
#define F_INT(k, v) {.key = (k), .type = MOX_LOG_INT, .value = {.i = (int64_t)(v)}}
#define F_UINT(k, v) {.key = (k), .type = MOX_LOG_UINT, .value = {.u = (uint64_t)(v)}}
#define F_HEX(k, v) {.key = (k), .type = MOX_LOG_HEX, .value = {.u = (uint64_t)(v)}}
#define F_DURATION(k, us) {.key = (k), .type = MOX_LOG_DURATION, .value = {.i = (int64_t)(us)}}
#define F_TIME(k, us) {.key = (k), .type = MOX_LOG_TIME, .value = {.i = (int64_t)(us)}}

MOX_PRIV bool mox__log_enabled(const struct mox_env *env, enum mox_log_level level,
                               const char *pkg);
MOX_PRIV void mox__log(const struct mox_env *env, enum mox_log_level level, const char *pkg,
                       const char *message, const char *error, const struct mox_log_field *fields,
                       size_t count);

#endif
