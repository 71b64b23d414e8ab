/* SPDX-License-Identifier: MIT */
#ifndef MOX_SPOOL_H
#define MOX_SPOOL_H

#include <mox/env.h>
#include <mox/error.h>

MOX_BEGIN_DECLS

/**
 * The bytes of a message on their way in: in memory while they are few, in a file from there on, and
 * one contiguous range in the end either way.
 *
 * Threads: owned by one thread at a time, any thread.
 */
struct mox_spool;

/** What a message keeps in memory before it goes to a file; the store keeps bodies up to this size
 *  in its database. */
#define MOX_SPOOL_INLINE_MAX (128 * 1024)

/**
 * @param dir  the folder for the file, on the file system of the messages; borrowed. NULL keeps all
 *             in memory
 * @param max_bytes  a write beyond it fails with MOX_ELIMIT
 */
MOX_API MOX_MUST_USE int mox_spool_new(struct mox_spool **out, const struct mox_env *env,
                                       const char *dir, uint64_t max_bytes);
/** Removes the file, unless it was linked elsewhere. NULL is fine. */
MOX_API void mox_spool_free(struct mox_spool *spool);

/** Appends. Whether it writes to the disk says mox_spool_write_waits(). A failure sticks: MOX_ELIMIT,
 *  MOX_ENOMEM, MOX_ENOSPACE, MOX_EIO. */
MOX_API MOX_MUST_USE int mox_spool_write(struct mox_spool *spool, struct mox_slice data);
/** Whether a write of `len` bytes would go to a file, which may make its caller wait. */
MOX_API bool mox_spool_write_waits(const struct mox_spool *spool, size_t len);

/** The bytes so far. */
MOX_API uint64_t mox_spool_size(const struct mox_spool *spool);

/** All bytes as one range, mapped when they are in a file; borrowed until the spool is written to or
 *  freed. MOX_EIO, MOX_ENOMEM. */
MOX_API MOX_MUST_USE int mox_spool_bytes(struct mox_spool *spool, struct mox_slice *out);

/** The descriptor of the file, borrowed, or -1 while the bytes are in memory. */
MOX_API int mox_spool_fd(const struct mox_spool *spool);

/** Gives the spool's file one more name on the same file system, once all is written. The file is
 *  synced first; the folder is the caller's to sync. MOX_EINVAL while the bytes are in memory. */
MOX_API MOX_MUST_USE int mox_spool_link(struct mox_spool *spool, const char *path);

MOX_END_DECLS

#endif
