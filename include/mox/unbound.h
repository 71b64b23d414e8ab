/* SPDX-License-Identifier: MIT */
#ifndef MOX_UNBOUND_H
#define MOX_UNBOUND_H

#include <mox/resolver.h>

MOX_BEGIN_DECLS

struct ev_loop;

/**
 * Names from the network, by libunbound on a libev loop: it asks, keeps answers as long as they say, and
 * validates them by DNSSEC itself. It has no thread of its own; its memory is not the env's but malloc's.
 *
 * Of libmoxd, which stands on libmox: link with `pkg-config --libs moxd`.
 *
 * Threads: owned by the thread that runs the loop.
 */
struct mox_unbound;

/** Where the distribution keeps the key of the root zone (Debian's package dns-root-data). */
#define MOX_ROOT_ANCHOR "/usr/share/dns/root.key"

/** Texts are borrowed for the call. */
struct mox_unbound_config {
    size_t size; /* sizeof(struct mox_unbound_config) */
    /** Who is asked for everything: "192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:53". NULL: the servers of
     *  /etc/resolv.conf; when it names none, those of the zones, from the root on. /etc/hosts is not
     *  read. */
    const char *forward;
    /** A file with DS or DNSKEY records that validation begins with. NULL: MOX_ROOT_ANCHOR; when that is
     *  not there, nothing is validated, and the log says so once. */
    const char *trust_anchor;
    unsigned max_lookups; /* at a time; further ones wait in order; default 100 */
    int64_t timeout_us;   /* for one lookup; default 30 s */
};

MOX_API void mox_unbound_config_init(struct mox_unbound_config *config);

/** @param loop  borrowed for its life; NULL: one of its own, for mox_unbound_answer()
 *  @return MOX_EINVAL: `forward` is no address; MOX_EIO: the trust anchor cannot be read; MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_unbound_new(struct mox_unbound **out, const struct mox_env *env,
                                         struct ev_loop *loop,
                                         const struct mox_unbound_config *config,
                                         struct mox_error *err);

/** Lookups under way are forgotten: their `done` is not called. Not from a `done`. NULL is fine. */
MOX_API void mox_unbound_free(struct mox_unbound *u);

/** To ask. Lives as long as `u`. */
MOX_API const struct mox_resolver *mox_unbound_resolver(const struct mox_unbound *u);

/** Answers all that a set wants, and waits for it. Only with a loop of its own.
 *  @return MOX_OK, MOX_ELIMIT, MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_unbound_answer(struct mox_unbound *u, struct mox_dns_answers *answers);

MOX_END_DECLS

#endif
