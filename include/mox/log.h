/* SPDX-License-Identifier: MIT */
#ifndef MOX_LOG_H
#define MOX_LOG_H

#include <mox/env.h>
#include <mox/error.h>

MOX_BEGIN_DECLS

/**
 * A log that writes logfmt lines (`l=info m="new connection" pkg=smtpserver cid=1f …`) to a file
 * descriptor, one write(2) per line, with a level per package that can change at any time.
 *
 * Threads: any, at the same time.
 */
struct mox_logger;

/** @param fd borrowed, stays open for the logger's life */
MOX_API MOX_MUST_USE int mox_logger_new(struct mox_logger **out, int fd);
MOX_API void mox_logger_free(struct mox_logger *logger);

/** Sets the level of one package, or of all without a level of their own for pkg == NULL. */
MOX_API MOX_MUST_USE int mox_logger_level(struct mox_logger *logger, const char *pkg,
                                          enum mox_log_level level);
/** Takes a package's own level away; MOX_ENOTFOUND if it has none. */
MOX_API int mox_logger_level_clear(struct mox_logger *logger, const char *pkg);

/** Calls `each` for the default (pkg == NULL) and then for each package with a level of its own, by
 *  name. The logger must not be called from it. */
MOX_API void mox_logger_levels(struct mox_logger *logger,
                               void (*each)(void *user, const char *pkg, enum mox_log_level level),
                               void *user);

/** Plain lines (`info: message: error (key: value; …)`) instead of logfmt, for commands. */
MOX_API void mox_logger_plain(struct mox_logger *logger, bool plain);

/** Makes `env` log to `logger`. The rest of env stays. */
MOX_API void mox_logger_attach(struct mox_logger *logger, struct mox_env *env);

/** "error", "info" …; NULL for a value that is none. */
MOX_API const char *mox_log_level_name(enum mox_log_level level);
/** The reverse; MOX_ESYNTAX for a word that is none. "warn" and "print", "fatal" are levels too. */
MOX_API MOX_MUST_USE int mox_log_level_parse(const char *name, enum mox_log_level *level);

MOX_END_DECLS

#endif
