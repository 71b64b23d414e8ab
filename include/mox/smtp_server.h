/* SPDX-License-Identifier: MIT */
#ifndef MOX_SMTP_SERVER_H
#define MOX_SMTP_SERVER_H

#include <mox/engine.h>
#include <mox/env.h>
#include <mox/sasl.h>

MOX_BEGIN_DECLS

/**
 * The server side of one SMTP connection (RFC 5321), for delivery from other servers or for
 * submission by users. It does no I/O: bytes of the client go in, replies wait in a bounded output
 * buffer, decisions are asked through callbacks.
 *
 * Threads: owned by one thread at a time, any thread. Servers share nothing.
 */
struct mox_smtp_server;

/** A reply. `text` may hold several lines, separated by LF. */
struct mox_smtp_reply {
    int code;            /* 250, 451, 550 … */
    char enhanced[12];   /* "2.1.5" (RFC 3463) */
    char text[512];
    /** From this reply on the client is slow (mox_smtp_server_pace()), until it has logged in: for
     *  answers to `deliver`, when the message was junk to one of its recipients, or one too many. */
    bool slow;
};

/** Fills all of it; `slow` is off. */
MOX_API void mox_smtp_reply_set(struct mox_smtp_reply *reply, int code, const char *enhanced,
                                const char *format, ...) MOX_PRINTF(4, 5);

/** A mailbox of MAIL or RCPT. Texts are NUL-terminated and borrowed for the transaction. */
struct mox_smtp_path {
    const char *address;   /* as written between < and >, without source route; "" is the null path */
    const char *localpart; /* decoded: without quotes and backslashes, NFC; may be empty */
    const char *domain;    /* ASCII form, lower case; "" for the null path and a bare postmaster */
    const char *domain_unicode; /* U-labels; the same text as `domain` when there are none */
    bool is_literal;       /* the domain is an address literal, with brackets */
    bool is_postmaster;    /* the bare <postmaster> of RFC 5321 §4.5.1 */
};

enum mox_smtp_body { MOX_SMTP_7BIT, MOX_SMTP_8BITMIME, MOX_SMTP_BINARYMIME };

/** All that is known of the connection and the transaction. Borrowed: until the transaction ends. */
struct mox_smtp_envelope {
    const char *hello;     /* what EHLO or HELO said; an address literal with brackets */
    bool hello_is_literal;
    bool esmtp;            /* EHLO */
    const struct mox_peer *peer;
    bool tls;
    const struct mox_tls_info *tls_info; /* when tls */
    const char *username;  /* who logged in, or NULL */
    const char *hostname;  /* ours, as greeted */
    const char *received_id; /* for the Received header and error replies */

    struct mox_smtp_path mail_from;
    const struct mox_smtp_path *recipients; /* accepted ones, in order */
    size_t recipient_count;
    enum mox_smtp_body body;
    bool smtputf8;         /* the flag was given */
    bool requiretls;
    uint64_t declared_bytes; /* SIZE=, 0 when absent */
    int64_t hold_until_us; /* HOLDFOR, HOLDUNTIL (RFC 4865): wall clock; 0 when absent */

    /* Of the content, complete when `deliver` is called. */
    uint64_t content_bytes; /* as handed to `data` */
    bool has_8bit;
    bool has_body;          /* an empty line was seen */
};

/** Decisions. Each gets the `user` of mox_smtp_server_new() and must not call the server. Those
 *  with a reply: it returns MOX_OK and the usual reply is sent, or *reply if its code was made 2xx; or MOX_LATER
 *  and has mox_smtp_server_reply() called when the answer is known; or a failure, and *reply is sent
 *  (prepared with the usual refusal). What is no verdict (MOX_ENOMEM, MOX_EIO, MOX_ECORRUPT,
 *  MOX_EBUSY, MOX_EINVAL) and leaves reply->code as it was is answered with 451 4.3.0, MOX_ENOSPACE
 *  and MOX_EQUOTA make 452 of it. A reply of 421 closes the connection. Failures get the received id
 *  at their end. */
struct mox_smtp_server_callbacks {
    size_t size; /* sizeof(struct mox_smtp_server_callbacks): later versions append members */

    /** AUTH: a question of the SASL exchange (mox/sasl.h). NULL: AUTH is not offered. As long as
     *  `mechanisms` of the configuration is what it is by default, only MOX_SASL_ASK_PASSWORD comes:
     *  MOX_OK when q->username and q->password are right, MOX_EDENIED when not. MOX_LATER:
     *  mox_smtp_server_auth() is called when the answer is known. The reply follows from the
     *  exchange. */
    int (*auth)(void *user, const struct mox_sasl_question *q, struct mox_sasl_answer *a);
    /** HELO, or EHLO when envelope->esmtp, on delivery only: the client calls itself envelope->hello.
     *  NULL accepts. Failures start as 550 5.5.0. */
    int (*hello)(void *user, const struct mox_smtp_envelope *envelope, struct mox_smtp_reply *reply);
    /** MAIL FROM. NULL accepts. Failures start as 550 5.1.0. */
    int (*mail)(void *user, const struct mox_smtp_envelope *envelope, struct mox_smtp_reply *reply);
    /** RCPT TO. Required. `path` becomes a recipient with MOX_OK. Failures start as 550 5.1.1. */
    int (*rcpt)(void *user, const struct mox_smtp_envelope *envelope,
                const struct mox_smtp_path *path, struct mox_smtp_reply *reply);
    /** DATA or the first BDAT: content follows. NULL accepts. */
    int (*data_begin)(void *user, const struct mox_smtp_envelope *envelope,
                      struct mox_smtp_reply *reply);
    /** A piece of the message: dots unstuffed (§4.5.2), a bare LF made CRLF. Required. MOX_OK,
     *  MOX_LATER (the piece stays valid until the answer), or a failure: *reply (452 4.3.1 for
     *  MOX_ENOSPACE, else 451 4.3.0) is sent at the end of the content, the rest is drained. */
    int (*data)(void *user, struct mox_slice piece, struct mox_smtp_reply *reply);
    /** The message is complete. Required. With MOX_OK it must be on stable storage (§6.1). */
    int (*deliver)(void *user, const struct mox_smtp_envelope *envelope,
                   struct mox_smtp_reply *reply);
    /** The transaction that `mail` was called for is over, delivered or not; what belongs to it can
     *  go. NULL is fine. Not called while an answer is pending: a host that frees the server then
     *  cleans up itself. */
    void (*reset)(void *user);
    /** An attempt to log in is over: it succeeded, failed, was malformed or given up, or the
     *  connection ended in the middle (then also from mox_smtp_server_free()). For limits and
     *  statistics: the log has its line already. NULL is fine. */
    void (*auth_ended)(void *user, const struct mox_sasl_attempt *attempt);
};

enum mox_smtp_mode { MOX_SMTP_DELIVERY, MOX_SMTP_SUBMISSION };

struct mox_smtp_server_config {
    size_t size; /* sizeof(struct mox_smtp_server_config) */
    enum mox_smtp_mode mode;
    const char *hostname;       /* for the banner and EHLO; copied */
    uint64_t max_message_bytes; /* announced as SIZE (RFC 1870); default 100 MiB */
    unsigned max_recipients;    /* default 1000; §4.5.3.1.8 asks for at least 100 */
    bool starttls;              /* the host can start TLS */
    bool tls_required;          /* for MAIL, and before it AUTH is offered; on delivery for RCPT */
    bool auth_without_tls;      /* PLAIN, LOGIN, OAUTHBEARER on plain connections */
    bool pedantic;              /* refuse what is usually tolerated */
    bool multiple_bounce_recipients; /* several recipients for the null path on delivery */
    uint8_t received_id_key[24]; /* 16 key, 8 prefix: of the installation */

    /* Bounds in time, in microseconds. */
    int64_t first_command_us; /* default 30 s */
    int64_t command_us;       /* default 5 min (§4.5.3.2.7) */
    int64_t data_us;          /* default 3 min per read */
    int64_t data_total_us;    /* default 30 min */
    int64_t drain_us;         /* content over the limit is read for so long; default 1 min */
    unsigned max_bad_commands; /* default 10, before a completed transaction or login */
    int64_t login_delay_us; /* how much longer each AUTH waits after the third that failed; default
                                  1 s, 0: no delay */

    bool requiretls;     /* REQUIRETLS (RFC 8689) is announced and kept; default no */
    bool future_release; /* HOLDFOR, HOLDUNTIL (RFC 4865) are, on submission; default no */

    /** What the host can answer for: a set of enum mox_sasl_mechanism, of which those are announced
     *  that fit the connection. Default MOX_SASL_PASSWORDS. With MOX_SASL_EXTERNAL a client that has
     *  shown a certificate is logged in without AUTH: at EHLO the host is asked
     *  MOX_SASL_ASK_CERTIFICATE for the mechanism MOX_SASL_BY_CERTIFICATE. */
    unsigned mechanisms;
    uint8_t sasl_secret[32]; /* of the installation, for SCRAM: struct mox_sasl_server_config */
};

MOX_API void mox_smtp_server_config_init(struct mox_smtp_server_config *config);

/** Queues the banner. Without `rcpt`, `data` or `deliver`, or a host name: MOX_EINVAL; MOX_ENOMEM.
 *
 * @param env, config, peer, callbacks  copied */
MOX_API MOX_MUST_USE int mox_smtp_server_new(struct mox_smtp_server **out, const struct mox_env *env,
                                             const struct mox_smtp_server_config *config,
                                             const struct mox_peer *peer,
                                             const struct mox_smtp_server_callbacks *callbacks,
                                             void *user);
MOX_API void mox_smtp_server_free(struct mox_smtp_server *s);

/**
 * Gives the server bytes of the client. Only while mox_smtp_server_wants() has MOX_WANTS_READ.
 *
 * @param data  any split of the stream: a command may arrive one byte at a time
 * @param len   1..MOX_INPUT_MAX bytes; all of them are taken
 * @return MOX_OK, also when a command was refused: that is what the reply says. A failure ends the
 *         connection: MOX_ENOMEM, or MOX_ELIMIT for a command line over 2048 bytes (RFC 5321
 *         §4.5.3.1.4 asks for 512). What is left in the output is still to be sent.
 */
MOX_API MOX_MUST_USE int mox_smtp_server_input(struct mox_smtp_server *s, const uint8_t *data,
                                               size_t len);
/** Output that waits: *data is borrowed until the next call. */
MOX_API size_t mox_smtp_server_output(struct mox_smtp_server *s, const uint8_t **data);
MOX_API void mox_smtp_server_sent(struct mox_smtp_server *s, size_t len);
/** A set of enum mox_wants. It is empty while a login waits for the deadline. */
MOX_API unsigned mox_smtp_server_wants(struct mox_smtp_server *s);
/** When mox_smtp_server_tick() is due: microseconds of the monotonic clock; INT64_MAX: never. */
MOX_API int64_t mox_smtp_server_deadline(struct mox_smtp_server *s);
MOX_API MOX_MUST_USE int mox_smtp_server_tick(struct mox_smtp_server *s);
/** The client closed its side. */
MOX_API void mox_smtp_server_eof(struct mox_smtp_server *s);
/** Bytes behind the STARTTLS line: they belong to the handshake, so that injected plain text breaks
 *  it instead of being obeyed. Borrowed until mox_smtp_server_tls_started(). */
MOX_API size_t mox_smtp_server_tls_rest(struct mox_smtp_server *s, const uint8_t **data);
MOX_API void mox_smtp_server_tls_started(struct mox_smtp_server *s, const struct mox_tls_info *info);
/** The answer to `auth` that returned MOX_LATER, on the owner's thread: its status, and what goes with it
 *  (borrowed for the call; NULL when the status is enough). MOX_EINVAL: nobody waits for it. */
MOX_API MOX_MUST_USE int mox_smtp_server_auth(struct mox_smtp_server *s, int status,
                                              const struct mox_sasl_answer *answer);
/** The same for all other callbacks: what the callback would have returned; *reply replaces the
 *  prepared reply unless it is NULL. */
MOX_API MOX_MUST_USE int mox_smtp_server_reply(struct mox_smtp_server *s, int status,
                                               const struct mox_smtp_reply *reply);
/** The connection as it is now: with TLS after STARTTLS. Borrowed for the server's life. */
MOX_API const struct mox_peer *mox_smtp_server_peer(const struct mox_smtp_server *s);
/** 421 4.3.2 at the next occasion, and close (RFC 5321 §3.8). */
MOX_API void mox_smtp_server_shutdown(struct mox_smtp_server *s);
/** Bytes per second that the client deserves, 0 for full speed: 1 from the third login that failed
 *  on, and when the host said so (struct mox_smtp_reply). A login ends it. */
MOX_API unsigned mox_smtp_server_pace(struct mox_smtp_server *s);
/** Room for a received id with its NUL. */
#define MOX_SMTP_RECEIVED_ID_MAX 23
/** The id that stands in Received headers and error replies for a connection.
 *  @param key  received_id_key of the configuration */
MOX_API void mox_smtp_received_id(const uint8_t key[24], uint64_t cid,
                                  char out[MOX_SMTP_RECEIVED_ID_MAX]);
/** The reverse. MOX_ESYNTAX; MOX_ENOTFOUND: made with another key. */
MOX_API MOX_MUST_USE int mox_smtp_received_id_decode(const uint8_t key[24], const char *id,
                                                     uint64_t *cid);
/** The same calls as an engine for a host of several protocols. `free` frees the server. */
MOX_API struct mox_engine mox_smtp_server_engine(struct mox_smtp_server *s);

MOX_END_DECLS

#endif
