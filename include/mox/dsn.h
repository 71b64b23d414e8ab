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

/** The most recipients that are read: messages have at most as many. */
#define MOX_DSN_RECIPIENTS_MAX 1000

/** What such a message says, with all that it points to. Texts are never NULL, and cleaned: one line without
 *  controls; replies in printable ASCII. */
struct mox_dsn_report {
    const char *envelope_id, *reporting_mta, *received_from;
    int64_t arrived_us; /* 0: not told */
    const struct mox_dsn_recipient *recipients;
    size_t recipient_count;
    struct mox_slice original_headers; /* as they are in it; empty when there are none */
};

/**
 * Reads a message as others write it: with types in any case, comments, missing or superfluous blank lines, the message
 * instead of its headers. Recipients without an address or a known action are left out. Nothing in it is proved:
 * anybody can write one.
 *
 * @param content  a whole message; not needed afterwards
 * @param out      freed with mox_dsn_report_free()
 * @return MOX_OK; MOX_ENOTFOUND: it is none, or names no recipient; MOX_ENOMEM
 */
MOX_API MOX_MUST_USE int mox_dsn_parse(struct mox_dsn_report **out, const struct mox_env *env,
                                       struct mox_slice content);
/** NULL is fine. */
MOX_API void mox_dsn_report_free(struct mox_dsn_report *report);

MOX_END_DECLS

#endif
