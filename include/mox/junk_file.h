/* SPDX-License-Identifier: MIT */
#ifndef MOX_JUNK_FILE_H
#define MOX_JUNK_FILE_H

#include <mox/junk.h>

MOX_BEGIN_DECLS

/**
 * What a junk filter has learned, in an SQLite file. Changes gather in memory (up to 24 MB) and are
 * written within a transaction.
 *
 * Threads: one at a time.
 */
struct mox_junk_file;

/**
 * Opens the file, or makes it.
 *
 * @param path    copied
 * @param params  NULL: those that the file was made with, or the defaults for a new one. A file of other
 *                groups of words is refused; the other parameters are not bound to it.
 * @return MOX_OK; MOX_EINVAL for other groups of words: learn again into a new file; MOX_ECORRUPT for a
 *         damaged or foreign file; or another failure. *err says it.
 */
MOX_API MOX_MUST_USE int mox_junk_file_open(struct mox_junk_file **out, const struct mox_env *env,
                                            const char *path, const struct mox_junk_params *params,
                                            struct mox_error *err);
/** What was not committed is forgotten. NULL is fine. */
MOX_API void mox_junk_file_close(struct mox_junk_file *file);

/** Those it was opened with. */
MOX_API const struct mox_junk_params *mox_junk_file_params(const struct mox_junk_file *file);
/** Borrowed: as long as the file is open. To learn needs a transaction, to classify needs none. */
MOX_API struct mox_junk_db mox_junk_file_db(struct mox_junk_file *file);

MOX_API MOX_MUST_USE int mox_junk_file_begin(struct mox_junk_file *file, struct mox_error *err);
/** After a failure the transaction has been rolled back. */
MOX_API MOX_MUST_USE int mox_junk_file_commit(struct mox_junk_file *file, struct mox_error *err);
/** Forgets what was changed since the begin. */
MOX_API void mox_junk_file_rollback(struct mox_junk_file *file);

/** Puts all that the file knows into an empty memory: to classify many messages. */
MOX_API MOX_MUST_USE int mox_junk_file_load(struct mox_junk_file *file,
                                            struct mox_junk_memory *memory, struct mox_error *err);

MOX_END_DECLS

#endif
