/* SPDX-License-Identifier: MIT */
#ifndef MOX_SASL_H
#define MOX_SASL_H

#include <mox/engine.h>
#include <mox/env.h>
#include <mox/error.h>

MOX_BEGIN_DECLS

/**
 * SASL exchanges (RFC 4422), server and client side, for any protocol. They do no I/O: the protocol
 * does the framing (base64, "334", "+") and hands decoded responses and challenges in.
 *
 *   step = mox_sasl_server_step(s, initial response, or data NULL);
 *   for (;;)
 *     MOX_SASL_CHALLENGE  send mox_sasl_server_challenge(), step again with the client's response
 *     MOX_SASL_ASK        find the answer to mox_sasl_server_question(), mox_sasl_server_answer() it
 *     MOX_SASL_SUCCESS    mox_sasl_server_username() is logged in
 *     MOX_SASL_FAILURE    mox_sasl_server_failure() says how to refuse
 *
 * Threads: an exchange is owned by one thread at a time. They share nothing.
 */
struct mox_sasl_server;

enum mox_sasl_step { MOX_SASL_CHALLENGE, MOX_SASL_ASK, MOX_SASL_SUCCESS, MOX_SASL_FAILURE };

/** What only the host knows. */
enum mox_sasl_ask {
    MOX_SASL_ASK_PASSWORD = 1, /* is `password` the user's? (PLAIN, LOGIN) and may he log in */
    MOX_SASL_ASK_RECORD,       /* the user's stored record of the kind `record` (CRAM-MD5, SCRAM) */
    MOX_SASL_ASK_ADMIT,       /* the user has proved to be himself by that record: may he log in? */
    MOX_SASL_ASK_CERTIFICATE, /* is the certificate of this connection the user's? (EXTERNAL) */
    MOX_SASL_ASK_TOKEN        /* does `token` admit the user? (OAUTHBEARER, RFC 7628) */
};

/** In place of a mechanism's name where no mechanism was asked for: the client's certificate logs it in
 *  as the connection begins. */
#define MOX_SASL_BY_CERTIFICATE "TLSCLIENTAUTH"

/** Borrowed until the answer, also when the exchange is aborted meanwhile. Texts are NUL-terminated UTF-8;
 *  the exchange wipes them. */
struct mox_sasl_question {
    size_t size;
    enum mox_sasl_ask ask;
    const char *mechanism; /* "PLAIN", "SCRAM-SHA-256-PLUS" …: a constant */
    const char *username;  /* NFC; "" for CERTIFICATE and TOKEN: whoever it belongs to */
    const char *password;  /* PASSWORD: as sent */
    const char *record;    /* RECORD: "cram-md5", "scram-sha-1" or "scram-sha-256" */
    const char *token;     /* TOKEN */
};

#define MOX_SASL_RECORD_MAX   512
#define MOX_SASL_USERNAME_MAX 384 /* bytes with the NUL: an address */

/** The answer to a question, beside a status:
 *  MOX_OK; MOX_EDENIED: no such user, or the wrong password, certificate or token;
 *  MOX_ENOTFOUND (RECORD): the user has no record of this kind; the exchange goes on and fails at its
 *  end, as it does for a user that does not exist; MOX_EREFUSED: known, but may not log in, and `text`
 *  is for him; others: cannot be found out now. */
struct mox_sasl_answer {
    size_t size;                      /* mox_sasl_answer_init() sets it */
    char record[MOX_SASL_RECORD_MAX]; /* RECORD */
    /** CERTIFICATE, TOKEN: who it is, if the question did not say. RECORD without a record: the user name
     *  in the one form that all its spellings have, if there are more than of case; else "". */
    char username[MOX_SASL_USERNAME_MAX];
    char text[260]; /* MOX_EREFUSED; not for RECORD, where nobody has proved yet who he is */
};

/** An answer that says nothing yet. */
MOX_API void mox_sasl_answer_init(struct mox_sasl_answer *answer);

/** Makes the record of a password, for hosts that keep users of their own: mox_account_set_password()
 *  does it for accounts. Each has a salt of its own; none gives back the password. Takes some
 *  milliseconds.
 *
 * @param kind  "cram-md5", "scram-sha-1" or "scram-sha-256"
 * @return MOX_OK; MOX_EDENIED: not fit for a password (RFC 8265 §4.2), and the text says why; MOX_EINVAL: no
 *         such kind; MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_sasl_record(char out[MOX_SASL_RECORD_MAX], const struct mox_env *env,
                                         const char *kind, const char *password,
                                         struct mox_error *err);

/** How an exchange failed, and so what the protocol says. */
enum mox_sasl_failure {
    MOX_SASL_FAILED_SYNTAX = 1, /* no response of this mechanism; too long */
    MOX_SASL_FAILED_PROTOCOL,   /* SCRAM: a message that breaks RFC 5802's rules */
    MOX_SASL_FAILED_ENCODING,   /* SCRAM: not UTF-8, not NFC, not base64 inside */
    MOX_SASL_FAILED_CREDENTIALS,
    MOX_SASL_FAILED_BINDING, /* the channel is not the client's, or it was talked out of -PLUS */
    MOX_SASL_FAILED_AUTHORIZATION, /* wants to act as somebody else */
    MOX_SASL_FAILED_DISABLED,      /* MOX_EREFUSED: say mox_sasl_server_text() */
    MOX_SASL_FAILED_ABORTED,       /* mox_sasl_server_abort() */
    MOX_SASL_FAILED_TEMPORARY,     /* the host could not find out */
    MOX_SASL_FAILED_MEMORY
};

/** "badcreds", "badchanbind", "badprotocol", "logindisabled", "aborted", "error" (labels of metrics, and
 *  the key `reason` of log lines); "ok" for 0. */
MOX_API const char *mox_sasl_failure_name(enum mox_sasl_failure failure);

struct mox_sasl_server_config {
    size_t size;
    const char *hostname; /* for the challenge of CRAM-MD5; borrowed for the call of _new */
    const struct mox_tls_info *tls; /* NULL without TLS; borrowed for the call of _new */
    /** A secret of the installation, the same for ever: the salts of users that do not exist are made
     *  of it. */
    uint8_t secret[32];
    /** What mox_sasl_offered() gave for this connection: SCRAM refuses a client that was told otherwise
     *  by somebody in between (RFC 5802 §6). Default: all that its `tls` allows. */
    unsigned offered;
};

MOX_API void mox_sasl_server_config_init(struct mox_sasl_server_config *config);

/** Names of mechanisms, as the host offers them: a set of these. */
enum mox_sasl_mechanism {
    MOX_SASL_PLAIN = 1 << 0,
    MOX_SASL_LOGIN = 1 << 1,
    MOX_SASL_CRAM_MD5 = 1 << 2,
    MOX_SASL_SCRAM_SHA_1 = 1 << 3,
    MOX_SASL_SCRAM_SHA_1_PLUS = 1 << 4,
    MOX_SASL_SCRAM_SHA_256 = 1 << 5,
    MOX_SASL_SCRAM_SHA_256_PLUS = 1 << 6,
    MOX_SASL_EXTERNAL = 1 << 7,
    MOX_SASL_OAUTHBEARER = 1 << 8
};
#define MOX_SASL_PASSWORDS (MOX_SASL_PLAIN | MOX_SASL_LOGIN)
/* Hand the secret to whoever reads the connection. */
#define MOX_SASL_CLEAR_TEXT (MOX_SASL_PASSWORDS | MOX_SASL_OAUTHBEARER)

/** The mechanism of this name, in any case of letters; 0 for one that we do not have. */
MOX_API enum mox_sasl_mechanism mox_sasl_mechanism(struct mox_slice name);
MOX_API const char *mox_sasl_mechanism_name(enum mox_sasl_mechanism m);
/** Those of `have` that may be used and announced on this connection, in the same form: without
 *  -PLUS where there is no tls-exporter (RFC 9266: the binding that clients take), without EXTERNAL
 *  where the client has shown no certificate, without clear text where neither TLS nor
 *  `clear_text_allowed` is. */
MOX_API unsigned mox_sasl_offered(unsigned have, const struct mox_tls_info *tls,
                                  bool clear_text_allowed);
/** The nth of a set as announced, best first; NULL behind the last. */
MOX_API const char *mox_sasl_offered_name(unsigned set, size_t n);

/** MOX_ENOMEM; MOX_EINVAL for no mechanism. */
MOX_API MOX_MUST_USE int mox_sasl_server_new(struct mox_sasl_server **out,
                                             const struct mox_env *env, enum mox_sasl_mechanism m,
                                             const struct mox_sasl_server_config *config);
/** Wipes what it knows. NULL is fine. */
MOX_API void mox_sasl_server_free(struct mox_sasl_server *s);

/** Longest response, decoded: three quarters of the 12,288 bytes of RFC 4954 §4. */
#define MOX_SASL_RESPONSE_MAX 9216

/** @param response  borrowed for the call. data NULL: the client sent no initial response; an empty
 *                   one has data that is not NULL. */
MOX_API enum mox_sasl_step mox_sasl_server_step(struct mox_sasl_server *s,
                                                struct mox_slice response);
/** After MOX_SASL_CHALLENGE; may be empty. Borrowed until the next step. */
MOX_API struct mox_slice mox_sasl_server_challenge(const struct mox_sasl_server *s);
/** After MOX_SASL_ASK. */
MOX_API const struct mox_sasl_question *mox_sasl_server_question(const struct mox_sasl_server *s);
/** @param answer  may be NULL when the status is enough; borrowed for the call */
MOX_API enum mox_sasl_step mox_sasl_server_answer(struct mox_sasl_server *s, int status,
                                                  const struct mox_sasl_answer *answer);
/** The client gave up, or went away: a failure. */
MOX_API void mox_sasl_server_abort(struct mox_sasl_server *s);
MOX_API enum mox_sasl_mechanism mox_sasl_server_mechanism(const struct mox_sasl_server *s);
/** Who wants to log in, as far as known; "" before. */
MOX_API const char *mox_sasl_server_username(const struct mox_sasl_server *s);
/** 0 as long as it did not fail. */
MOX_API enum mox_sasl_failure mox_sasl_server_failure(const struct mox_sasl_server *s);
/** More about the failure, for the log ("" if there is no more to say); with
 *  MOX_SASL_FAILED_DISABLED what to tell the user. */
MOX_API const char *mox_sasl_server_text(const struct mox_sasl_server *s);

/** Whether the failure says nothing about a guesser: the user has no record of the kind that the
 *  mechanism needs, or the server had trouble. */
MOX_API bool mox_sasl_server_is_harmless(const struct mox_sasl_server *s);

/** How an attempt to log in ended, for who counts and limits them. Borrowed. */
struct mox_sasl_attempt {
    size_t size;
    const char *mechanism;         /* "PLAIN" …; "LOGIN" also for IMAP's command of that name */
    const char *username;          /* as the client said; "" if it did not come to that */
    enum mox_sasl_failure failure; /* 0: logged in */
    bool harmless;                 /* mox_sasl_server_is_harmless() */
};

/* ---- the client side ---- */

/** It blocks for no one, but SCRAM costs as much time as the server's number of iterations asks for, in
 *  the step that answers its first challenge: 5 ms for 10,000, half a second for a million. That is what
 *  makes it dear to guess passwords; a host whose thread must not wait lets another one step. */
struct mox_sasl_client;

struct mox_sasl_client_config {
    size_t size;
    const char *username, *password; /* copied; may be NULL where the mechanism needs none */
    const char *authorize;           /* the authorization identity; NULL: the user's own */
    const char *token;               /* OAUTHBEARER; copied */
    const char *hostname;            /* OAUTHBEARER: host and port of the server; may be NULL, 0 */
    uint16_t port;
    const struct mox_tls_info *tls; /* NULL without TLS; borrowed for the call of _new */
    unsigned min_iterations;        /* of SCRAM; default 2048 */
    unsigned max_iterations;        /* default 1,000,000: a server must not keep us busy for ever */
};

MOX_API void mox_sasl_client_config_init(struct mox_sasl_client_config *config);
/** The best of those that the server offers (a set) which the configuration has credentials for: a token
 *  comes before a password, and a certificate last; -PLUS needs a channel that can be bound.
 *  Without clear text unless there is TLS or `clear_text_allowed`. 0: none. */
MOX_API enum mox_sasl_mechanism mox_sasl_client_choose(const struct mox_sasl_client_config *config,
                                                       unsigned offered, bool clear_text_allowed);
/** @param offered  all that the server offers: SCRAM says whether -PLUS was among them
 *  @return MOX_OK; MOX_EINVAL: the configuration lacks what the mechanism needs, or it has what no
 *          response can; MOX_EUNSUPPORTED: -PLUS on a channel that cannot be bound; MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_sasl_client_new(struct mox_sasl_client **out,
                                             const struct mox_env *env, enum mox_sasl_mechanism m,
                                             unsigned offered,
                                             const struct mox_sasl_client_config *config);
/** Wipes what it knows. NULL is fine. */
MOX_API void mox_sasl_client_free(struct mox_sasl_client *c);
/** @param challenge  data NULL at the start: whether there is an initial response
 *  @return MOX_OK: *response is to be sent (borrowed until the next step; data NULL: wait for the
 *          server's first challenge); MOX_ESYNTAX: not a challenge of this mechanism; MOX_EDENIED: the
 *          server refuses, is not who knows our password, or asks too little or too much;
 *          MOX_ENOMEM. A failure sticks; after it send "*". */
MOX_API MOX_MUST_USE int mox_sasl_client_step(struct mox_sasl_client *c, struct mox_slice challenge,
                                              struct mox_slice *response);
/** The server said that we are logged in: MOX_OK, or MOX_EDENIED when it has not proved what the
 *  mechanism asks it to. */
MOX_API MOX_MUST_USE int mox_sasl_client_finish(const struct mox_sasl_client *c);

MOX_END_DECLS

#endif
