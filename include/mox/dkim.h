/* SPDX-License-Identifier: MIT */
#ifndef MOX_DKIM_H
#define MOX_DKIM_H

#include <mox/dns.h>
#include <mox/dns_answers.h>
#include <mox/org_domain.h>
#include <mox/signed_message.h>

MOX_BEGIN_DECLS

/** Results of RFC 8601 §2.7.1. */
enum mox_dkim_status {
    MOX_DKIM_NONE,
    MOX_DKIM_PASS,
    MOX_DKIM_FAIL,
    MOX_DKIM_POLICY,
    MOX_DKIM_NEUTRAL,
    MOX_DKIM_TEMPERROR,
    MOX_DKIM_PERMERROR
};

/** "none", "pass" … */
MOX_API const char *mox_dkim_status_name(enum mox_dkim_status status);

/** What is true of a signature beside its status, which is the RFC's: who decides about mail turns a
 *  pass with some of these into `policy`. */
enum mox_dkim_flags {
    MOX_DKIM_BODY_LIMITED = 1 << 0,     /* l= : anything may follow what was signed */
    MOX_DKIM_SUBJECT_UNSIGNED = 1 << 1, /* Subject is not in h= */
    MOX_DKIM_WEAK_HASH = 1 << 2,        /* rsa-sha1 (RFC 8301 §3.1) */
    MOX_DKIM_TESTING = 1 << 3           /* t=y in the key: treat the message as if unsigned */
};

/** How many signatures are judged, from the top; those below are MOX_DKIM_POLICY, without a key looked
 *  up (RFC 6376 §6.1 leaves the number to the verifier). */
#define MOX_DKIM_SIGNATURES_MAX 20
/** Key sizes (RFC 8301 §3.2): smaller is no signature, larger is not computed. */
#define MOX_DKIM_RSA_BITS_MIN 1024
#define MOX_DKIM_RSA_BITS_MAX 4096

/** One signature. Texts are NUL-terminated, "" when absent or unreadable, and live as long as the check. */
struct mox_dkim_result {
    enum mox_dkim_status status;
    unsigned flags;        /* a set of enum mox_dkim_flags */
    const char *domain;    /* d=, ASCII, lower case */
    const char *selector;  /* s= */
    const char *algorithm; /* a=: "rsa-sha256", "ed25519-sha256", "rsa-sha1" */
    const char *identity;  /* i=, decoded; "" when not given */
    const char *signature; /* b= without white space, its first 12 characters (RFC 8601 §2.7.1) */
    const char *reason; /* why it is not a pass: one line of ours, printable ASCII; "" for a pass */
    unsigned key_bits;  /* 0: not known */
    bool secure;        /* DNSSEC proves the key, or its absence */
    bool for_tlsrpt; /* the key may sign TLS reports: its s= has "tlsrpt" or "*" (RFC 8460 §3) */
    int64_t signed_us, expires_us; /* t=, x=: wall clock; 0 when not given */
};

struct mox_dkim_config {
    size_t size;                   /* sizeof(struct mox_dkim_config) */
    int64_t now_us;                /* wall clock: for x= */
    mox_org_domain_fn *org_domain; /* a d= above the organizational domain signs nothing; NULL: the
                                      built-in list */
    void *org_domain_user;
    bool pedantic;        /* refuse underscores in selectors */
    bool localhost_signs; /* d=localhost is fine: in a server for tests */
};

MOX_API void mox_dkim_config_init(struct mox_dkim_config *config);

/**
 * Verifies the signatures of a message (RFC 6376, 8301, 8463).
 *
 * Threads: owned by one thread at a time, any thread.
 */
struct mox_dkim_verify;

/** @param message  borrowed while the check lives */
MOX_API MOX_MUST_USE int mox_dkim_verify_new(struct mox_dkim_verify **out,
                                             const struct mox_env *env,
                                             struct mox_signed_message *message,
                                             const struct mox_dkim_config *config);
/** NULL is fine. */
MOX_API void mox_dkim_verify_free(struct mox_dkim_verify *v);

/** @return MOX_OK: all signatures are judged; MOX_NEED_DNS: answer what `answers` wants, call again;
 *          MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_dkim_verify_run(struct mox_dkim_verify *v,
                                             struct mox_dns_answers *answers);

/** After MOX_OK: the signatures from top to bottom. */
MOX_API size_t mox_dkim_result_count(const struct mox_dkim_verify *v);
MOX_API const struct mox_dkim_result *mox_dkim_result_at(const struct mox_dkim_verify *v, size_t i);
/** Why there is none although there might be: the header cannot be read. NULL: no such problem. */
MOX_API const char *mox_dkim_problem(const struct mox_dkim_verify *v);

/** A private key: RSA or Ed25519. Threads: used by one at a time. */
struct mox_dkim_key;

enum mox_dkim_key_type { MOX_DKIM_RSA, MOX_DKIM_ED25519 };

/** PKCS#8, or PKCS#1 for RSA, in PEM (RFC 7468). @return MOX_ESYNTAX, MOX_ENOMEM, MOX_EREFUSED: RSA of
 *  fewer than 1024 bits or more than 4096 */
MOX_API MOX_MUST_USE int mox_dkim_key_parse(struct mox_dkim_key **out, const struct mox_env *env,
                                            struct mox_slice pem, struct mox_error *err);
/** @param bits  of RSA: 2048 is usual. Takes seconds for 4096.
 *  @return MOX_ENOMEM, MOX_EREFUSED: RSA of fewer than 1024 bits or more than 4096 */
MOX_API MOX_MUST_USE int mox_dkim_key_generate(struct mox_dkim_key **out, const struct mox_env *env,
                                               enum mox_dkim_key_type type, unsigned bits);
/** NULL is fine. Wipes it. */
MOX_API void mox_dkim_key_free(struct mox_dkim_key *key);
MOX_API enum mox_dkim_key_type mox_dkim_key_type(const struct mox_dkim_key *key);
/** As large as what the two below write ever is, in bytes, with the NUL. */
#define MOX_DKIM_KEY_PEM_MAX    6144
#define MOX_DKIM_KEY_RECORD_MAX 1024
/** PKCS#8 in PEM, NUL-terminated; wipe it after use. @return MOX_OK; MOX_ELIMIT: `size` is too small; MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_dkim_key_pem(const struct mox_dkim_key *key, char *out, size_t size);
/** The TXT record that publishes it: "v=DKIM1;k=ed25519;p=…". @return as mox_dkim_key_pem() */
MOX_API MOX_MUST_USE int mox_dkim_key_record(const struct mox_dkim_key *key, char *out,
                                             size_t size);

/** What a signature is made with. Texts are borrowed for the call. */
struct mox_dkim_signer {
    size_t size; /* sizeof(struct mox_dkim_signer) */
    struct mox_dkim_key *key;
    const char *domain, *selector;     /* ASCII */
    const char *identity;              /* i=, "localpart@domain"; NULL: none */
    bool relaxed_header, relaxed_body; /* canonicalization; default both relaxed */
    /** Names for h=, ended by NULL; must have From. NULL: the usual ones (RFC 6376 §5.4.1). Each is named
     *  as often as it is there. */
    const char *const *headers;
    bool seal; /* default: name each field once more than it is there, so that none can be added;
                  DKIM-Signature excepted, of which this makes one */
    int64_t now_us;     /* t= */
    int64_t expires_us; /* x=; 0: never */
};

MOX_API void mox_dkim_signer_init(struct mox_dkim_signer *signer);

/**
 * Signs with SHA-256: gives a DKIM-Signature field with its CRLF, to be put in front of the message.
 *
 * @param out   set to a NUL-terminated text of the env's allocator; freed with mox_text_free()
 * @return MOX_EINVAL: not exactly one From, or a signer that makes no sense: *err says it; MOX_ENOMEM
 */
MOX_API MOX_MUST_USE int mox_dkim_sign(char **out, const struct mox_env *env,
                                       struct mox_signed_message *message,
                                       const struct mox_dkim_signer *signer, struct mox_error *err);

MOX_END_DECLS

#endif
