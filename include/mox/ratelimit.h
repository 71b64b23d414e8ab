/* SPDX-License-Identifier: MIT */
#ifndef MOX_RATELIMIT_H
#define MOX_RATELIMIT_H

#include <mox/env.h>
#include <mox/error.h>

MOX_BEGIN_DECLS

/**
 * Counts what addresses do, and says when it is too much: for an address alone and for the two
 * networks around it, in one or more windows of time.
 *
 *     struct mox_ratelimit_config config;
 *     mox_ratelimit_config_init(&config);
 *     config.name = "failed logins";
 *     config.windows[0] = (struct mox_ratelimit_window){60 * 1000000LL, {10, 30, 90}};
 *     config.window_count = 1;
 *     … mox_ratelimit_new(&limiter, &env, &config) …
 *     mox_ratelimit_address(&address, "192.0.2.1");
 *     if (mox_ratelimit_add(limiter, &address, now_us, 1) < 0)
 *         refuse();
 *
 * Windows are aligned to the clock and do not slide: one of a minute begins with each full minute of
 * the times that are passed, and so twice the limit can pass around that moment. When the clock goes
 * back, what happens counts for the newest window there was.
 *
 * Memory: 28 bytes for a counter and 8 for each of its windows; an address has up to three counters,
 * and those that are zero are gone. When the table is full, the counters that were least recently
 * used make room, so that a crowd of addresses is never a reason to refuse another one.
 *
 * Threads: owned by one thread at a time. Limiters share nothing.
 */
struct mox_ratelimit;

/** The classes of an address: itself, and two networks. IPv4 /32, /26 and /21; IPv6 /64, /48 and
 *  /32. An IPv4-mapped IPv6 address is an IPv4 address. */
#define MOX_RATELIMIT_CLASSES 3

/** As good as no limit. Counts end there. */
#define MOX_RATELIMIT_NONE UINT32_MAX

struct mox_ratelimit_window {
    int64_t length_us; /* at least a second; 0: all time, for what is released again */
    uint32_t limits[MOX_RATELIMIT_CLASSES]; /* what may be counted; 0: nothing */
};

#define MOX_RATELIMIT_WINDOWS_MAX 4

struct mox_ratelimit_config {
    size_t size; /* sizeof(struct mox_ratelimit_config) */
    const char
        *name; /* for the host's log; a literal, or it must outlive the limiter; default "" */
    struct mox_ratelimit_window windows[MOX_RATELIMIT_WINDOWS_MAX];
    size_t window_count;
    /** Counters to keep, at most 2^28; default 2^20. A window of all time must stand alone, and
     *  keeps its counters whatever comes: give it three for each thing that can be open at a time. */
    uint32_t capacity;
};

MOX_API void mox_ratelimit_config_init(struct mox_ratelimit_config *config);

/** MOX_ENOMEM; MOX_EINVAL for windows or a capacity that make no sense. */
MOX_API MOX_MUST_USE int mox_ratelimit_new(struct mox_ratelimit **out, const struct mox_env *env,
                                           const struct mox_ratelimit_config *config);
/** NULL is fine, here and below: a limiter that limits nothing. */
MOX_API void mox_ratelimit_free(struct mox_ratelimit *limiter);
MOX_API const char *mox_ratelimit_name(const struct mox_ratelimit *limiter);

/** An address as limiters see it: the leading bits of each class. */
struct mox_ratelimit_address {
    uint64_t networks[MOX_RATELIMIT_CLASSES];
    bool v6;
};

/** @param ip  text form without brackets: "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"
 *  @return whether it is one; else *out is the address 0.0.0.0 */
MOX_API bool mox_ratelimit_address(struct mox_ratelimit_address *out, const char *ip);

/** Counts n more, in every window and class, or nothing at all when that would take one of them over
 *  its limit.
 *
 *  @param now_us  any clock, always the same: microseconds
 *  @return MOX_OK; MOX_ETOOMANY: over a limit; MOX_ENOMEM: there is no memory for even one address
 *          (with a window of all time: for this one), and nothing was counted */
MOX_API MOX_MUST_USE int mox_ratelimit_add(struct mox_ratelimit *limiter,
                                           const struct mox_ratelimit_address *address,
                                           int64_t now_us, uint32_t n);
/** Whether n more would be within the limits. Counts nothing. */
MOX_API bool mox_ratelimit_can_add(struct mox_ratelimit *limiter,
                                   const struct mox_ratelimit_address *address, int64_t now_us,
                                   uint32_t n);
/** Takes back what an earlier add has counted, as far as it is still there. */
MOX_API void mox_ratelimit_release(struct mox_ratelimit *limiter,
                                   const struct mox_ratelimit_address *address, int64_t now_us,
                                   uint32_t n);
/** Forgets what the address alone has been counted, for its networks too: the others there keep
 *  theirs. */
MOX_API void mox_ratelimit_reset(struct mox_ratelimit *limiter,
                                 const struct mox_ratelimit_address *address, int64_t now_us);

/** How many counters it keeps now. */
MOX_API size_t mox_ratelimit_counters(const struct mox_ratelimit *limiter);

MOX_END_DECLS

#endif
