/* SPDX-License-Identifier: MIT */
#ifndef MOX_AUTH_DB_H
#define MOX_AUTH_DB_H

#include <mox/env.h>
#include <mox/error.h>

MOX_BEGIN_DECLS

/**
 * What all accounts share about logging in: the keys of client certificates, and who has tried to log
 * in. It is `auth.db` in the data directory, an SQLite database as the accounts have.
 *
 * Threads: any, at the same time.
 */
struct mox_auth_db;

/** Opens it, and creates it when it is missing. Open a struct mox_store of the directory before, and
 *  close it afterwards: that has the lock on the directory. MOX_ECORRUPT (damaged, foreign or from a newer
 *  version), MOX_EIO, MOX_ENOSPACE. */
MOX_API MOX_MUST_USE int mox_auth_db_open(struct mox_auth_db **out, const struct mox_env *env,
                                          const char *data_dir, struct mox_error *err);
/** Writes what waits. NULL is fine. */
MOX_API void mox_auth_db_close(struct mox_auth_db *db);

/* ---- keys of clients ---- */

#define MOX_FINGERPRINT_BYTES  32
#define MOX_CLIENT_KEYS_MAX    100000
#define MOX_CLIENT_KEY_ADDRESS 384 /* bytes with the NUL, as in the next lines */
#define MOX_CLIENT_KEY_ACCOUNT 65
#define MOX_CLIENT_KEY_NAME    128
#define MOX_CLIENT_KEY_KIND    24

/** Who shows that he has this key in a TLS handshake is this user. */
struct mox_client_key {
    size_t size;
    uint8_t fingerprint[MOX_FINGERPRINT_BYTES]; /* SHA-256 of the SubjectPublicKeyInfo (RFC 5280) */
    char account[MOX_CLIENT_KEY_ACCOUNT];
    char address[MOX_CLIENT_KEY_ADDRESS]; /* with which he logs in */
    char name[MOX_CLIENT_KEY_NAME];       /* for people */
    char kind[MOX_CLIENT_KEY_KIND];       /* "ecdsa-p256", "rsa-2048" */
    bool no_imap_preauth;                 /* IMAP clients log in by EXTERNAL, and are not before */
    int64_t created_us;
};

/** Durable when it returns. MOX_EEXISTS: the key is a user's already, and err says whose; MOX_ELIMIT,
 *  MOX_ENOMEM, MOX_EIO. Waits for the disk. */
MOX_API MOX_MUST_USE int mox_auth_db_add_key(struct mox_auth_db *db,
                                             const struct mox_client_key *key,
                                             struct mox_error *err);
/** MOX_ENOTFOUND; otherwise as above. */
MOX_API MOX_MUST_USE int mox_auth_db_remove_key(struct mox_auth_db *db, const uint8_t *fingerprint,
                                                struct mox_error *err);
/** Whether the key is known. Quick: from memory. @param key  filled; may be NULL */
MOX_API bool mox_auth_db_find_key(struct mox_auth_db *db, const uint8_t *fingerprint,
                                  struct mox_client_key *key);
/** All of them, or an account's, by fingerprint. `each` must not call the database; a failure of it
 *  ends the listing and is returned. */
MOX_API MOX_MUST_USE int mox_auth_db_keys(struct mox_auth_db *db, const char *account,
                                          int (*each)(void *user, const struct mox_client_key *key),
                                          void *user);

/* ---- attempts to log in ---- */

/** They are kept for so long, */
#define MOX_LOGIN_ATTEMPT_DAYS 30
/** and so many for each account, the newest, of those that failed and of the others. */
#define MOX_LOGIN_ATTEMPTS_MAX 10000

/** Attempts that differ in time alone are one, with a count. Texts are borrowed; what is no UTF-8, and
 *  control characters, become '?', and long ones are cut. NULL is "". */
struct mox_login_attempt {
    size_t size;
    const char *account;    /* NULL: none that we have; listed as "-" */
    const char *address;    /* as the client said */
    const char *remote_ip, *local_ip;
    const char *tls;        /* "TLS1.3 TLS_AES_128_GCM_SHA256"; empty: none */
    const char *protocol;   /* "imap", "submission" */
    const char *user_agent; /* what the client calls itself */
    const char *mechanism;  /* "plain", "scram-sha-256" … */
    const char *result;     /* "ok", or why not: "badcreds" … */
    int64_t first_us, last_us; /* set by the listing, as is the count */
    uint64_t count;
};

/** Notes an attempt, now. Quick: it is written within about a second, by a thread of the database's own,
 *  together with others. When more wait than is good (a flood, or a disk that fails) it is dropped, and
 *  the log says so.
 *  @return its number; 0: it was dropped */
MOX_API uint64_t mox_auth_db_note_login(struct mox_auth_db *db,
                                        const struct mox_login_attempt *attempt);
/** The client has said what it calls itself just after it logged in: as long as the attempt is not
 *  written yet, it gets that name. Quick. */
MOX_API void mox_auth_db_name_client(struct mox_auth_db *db, uint64_t attempt,
                                     const char *user_agent);
/** What was noted up to now, the newest first: of an account ("-": none), or all for NULL. Waits for
 *  the disk. `each` as above.
 *  @param limit  the most that are listed; 0: all */
MOX_API MOX_MUST_USE int
mox_auth_db_logins(struct mox_auth_db *db, const char *account, size_t limit,
                   int (*each)(void *user, const struct mox_login_attempt *attempt), void *user,
                   struct mox_error *err);

MOX_END_DECLS

#endif
