/* SPDX-License-Identifier: MIT */
#ifndef MOX_DSN_H
#define MOX_DSN_H

#include <mox/env.h>
#include <mox/types.h>

MOX_BEGIN_DECLS

/**
 * @file
 * Messages that tell a sender what became of a message (RFC 3461, RFC 3464, RFC 6533).
 */

enum mox_dsn_action {
    MOX_DSN_FAILED,
    MOX_DSN_DELAYED,
    MOX_DSN_DELIVERED,
    MOX_DSN_RELAYED,
    MOX_DSN_EXPANDED
};

struct mox_dsn_recipient {
    const char *address;          /* final recipient, local@domain; UTF-8 */
    const char *original_address; /* as the sender wrote it; "" when not known */
    enum mox_dsn_action action;
    const char *status;      /* "5.1.1" */
    const char *diagnostic;  /* the reply that was given, "550 5.1.1 no such user"; "" for none */
    const char *remote_mta;  /* who said it; "": we */
    int64_t last_attempt_us; /* 0: not told */
    int64_t will_retry_until_us; /* of delayed; 0: not told */
};

/** Texts are borrowed, never NULL. */
struct mox_dsn {
    size_t size;               /* sizeof(struct mox_dsn) */
    const char *from;          /* address of the author: postmaster@… */
    const char *to;            /* who sent the message */
    const char *subject;       /* ASCII; "" for one that fits the actions */
    const char *message_id;    /* of the DSN itself, without <> */
    const char *reporting_mta; /* our host name */
    const char *received_from; /* the client: EHLO name and address; "": not told */
    const char *envelope_id;   /* ENVID; "" */
    int64_t arrived_us;        /* when the message came; 0: not told */
    int64_t now_us;            /* Date */
    const struct mox_dsn_recipient *recipients;
    size_t recipient_count;
    struct mox_slice original_headers; /* of the message; given back, up to 64 KiB */
    bool smtputf8;                     /* write utf-8 forms (RFC 6533), where ASCII does not do */
};

/** The message, with CRLF, in 7bit unless `smtputf8` is needed. Freed with mox_text_free(); *len in bytes.
 *  @return MOX_OK, MOX_ENOMEM, MOX_EINVAL: no recipient */
MOX_API MOX_MUST_USE int mox_dsn_compose(const struct mox_dsn *dsn, const struct mox_env *env,
                                         char **out, size_t *len);

MOX_END_DECLS

#endif
