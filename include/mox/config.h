/* SPDX-License-Identifier: MIT */
#ifndef MOX_CONFIG_H
#define MOX_CONFIG_H

#include <mox/env.h>
#include <mox/error.h>
#include <mox/junk.h>
#include <mox/log.h>
#include <mox/ruleset.h>

MOX_BEGIN_DECLS

/**
 * @file
 * The configuration of a server: mox.conf (struct mox_config_static) and domains.conf (struct
 * mox_config_domains) in one folder. A server gets both as they were loaded: what is edited then, it sees
 * when it is started again. What each field means, and what its default is, says mox_config_describe(),
 * from the same table that reads and writes the files.
 *
 * Lists have their items behind a pointer; maps are lists sorted by name. Strings are
 * NUL-terminated and never NULL; an empty one stands for an absent one. Structs grow at their end.
 *
 * Of libmoxd, which stands on libmox: link with `pkg-config --libs moxd`.
 */

struct mox_config_strings {
    const char **items;
    size_t count;
};

/** PackageLogLevels: what one package logs. */
struct mox_config_level {
    const char *pkg;
    enum mox_log_level level;
};

/** A certificate chain and its key, PEM files; see mox_config_path(). */
struct mox_config_keycert {
    const char *cert_file, *key_file;
};

struct mox_config_tls {
    struct {
        struct mox_config_keycert *items;
        size_t count; /* at least 1 */
    } key_certs;
    bool client_auth_disabled;
};

/** Who is asked for names of the DNS; see struct mox_unbound_config. Empty: the default. */
struct mox_config_resolver {
    const char *forward;
    const char *trust_anchor; /* see mox_config_path() */
};

struct mox_config_smtp {
    bool enabled;
    uint16_t port; /* never 0 after loading: the default is filled in, here and below */
    bool no_starttls, require_starttls;
    int64_t first_time_sender_delay_us; /* 0: none */
    struct mox_config_strings dnsbls;   /* zones, in order; ASCII form */
};

struct mox_config_service {
    bool enabled;
    uint16_t port;
    bool no_require_starttls; /* Submission and IMAP */
};

struct mox_config_listener {
    const char *name;
    struct mox_config_strings ips; /* text forms, valid */
    const char *hostname;          /* empty: that of the server, see mox_config_hostname() */
    const struct mox_config_tls *tls; /* or NULL */
    int64_t smtp_max_message_size;    /* bytes */
    struct mox_config_smtp smtp;
    struct mox_config_service submission, submissions, imap, imaps;
    struct mox_config_strings nat_ips; /* text forms, valid: how the internet sees `ips` */
};

/** Names of the mailboxes with a role; empty: none has it. */
struct mox_config_special_use {
    const char *sent, *archive, *trash, *drafts, *junk;
};

struct mox_config_initial_mailboxes {
    struct mox_config_special_use special_use;
    struct mox_config_strings regular;
};

/** How often, or how much, for an address and for the two networks around it: IPv4 /32, /26 and /21,
 *  IPv6 /64, /48 and /32. -1: no limit. Never 0 after loading. */
struct mox_config_limit {
    int64_t address, network, wide_network;
};

struct mox_config_limits {
    struct mox_config_limit connections_per_minute, open_connections;
    struct mox_config_limit failed_logins_per_minute, failed_logins_per_day;
    struct mox_config_limit messages_per_minute, messages_per_day; /* into one account */
    struct mox_config_limit bytes_per_minute, bytes_per_day;
};

/** How clients are slowed down, in microseconds; 0: not at all. */
struct mox_config_delays {
    int64_t bad_client_us;         /* before each read, and for each byte of a reply */
    int64_t auth_failure_us;       /* more for each login after the third that failed */
    int64_t unknown_recipients_us; /* before the refusal of a message to nobody */
};

struct mox_config_static {
    const char *data_dir; /* as written; see mox_config.data_dir */
    enum mox_log_level log_level;
    struct {
        struct mox_config_level *items;
        size_t count;
    } package_log_levels;
    const char *hostname; /* normalized */
    struct {
        struct mox_config_listener *items;
        size_t count;
    } listeners;
    struct {
        const char *account, *mailbox;
    } postmaster;
    struct mox_config_strings default_mailboxes;
    const struct mox_config_initial_mailboxes *initial_mailboxes; /* or NULL */
    bool pedantic;
    struct mox_config_limits limits;
    struct mox_config_delays delays;
    struct mox_config_resolver resolver;
    int64_t quota_message_size; /* bytes of all messages of an account; 0: no limit */
};

/** Where reports about a domain come to. */
struct mox_config_reports {
    const char *localpart, *domain; /* domain: empty for the one that it is about */
    const char *account, *mailbox;
};

/** An address that stands for several of ours. */
struct mox_config_alias {
    const char *localpart;
    struct mox_config_strings addresses; /* of accounts */
    bool post_public;                    /* who is no member may write to it */
    bool list_members;                   /* members may see who else is */
    bool allow_msg_from;                 /* members may write in its name */
};

struct mox_config_domain {
    const char *name; /* normalized */
    const char *description;
    const char *localpart_catchall_separator;
    struct mox_config_strings localpart_catchall_separators;
    bool localpart_case_sensitive;
    bool disabled;
    const struct mox_config_reports *dmarc, *tlsrpt; /* or NULL */
    struct {
        struct mox_config_alias *items;
        size_t count;
    } aliases;
};

struct mox_config_destination {
    const char *address; /* as written: `local@domain`, or `@domain` for all others of the domain */
    const char *mailbox; /* empty: Inbox */
    struct {
        struct mox_ruleset *items;
        size_t count;
    } rulesets;
    const char *smtp_error;                       /* "550 text" or "421 text": all mail is refused */
    const char *message_auth_required_smtp_error; /* empty: From need not be proved */
};

struct mox_config_subject_pass {
    int64_t period_us; /* 0: no tokens */
};

struct mox_config_junk_filter {
    double threshold;
    struct mox_junk_params params;
};

struct mox_config_account {
    const char *name;
    const char *domain; /* normalized */
    const char *description;
    const char *login_disabled; /* what users are told; empty: they can log in */
    struct {
        struct mox_config_destination *items;
        size_t count;
    } destinations;
    /* What the account may send in 24 hours; never 0 after loading. */
    uint32_t max_outgoing_messages_per_day;       /* each recipient counts */
    uint32_t max_first_time_recipients_per_day;
    struct mox_config_subject_pass subject_pass;
    const char *rejects_mailbox; /* empty: what is rejected is not kept */
    bool keep_rejects;           /* without end */
    const char *introbox;        /* empty: none */
    struct mox_junk_flags_config automatic_junk_flags;
    const struct mox_config_junk_filter *junk_filter; /* NULL: none */
    int64_t quota_message_size;                       /* bytes; 0: the server's; negative: none */
    bool no_first_time_sender_delay;
};

struct mox_config_domains {
    struct {
        struct mox_config_domain *items;
        size_t count;
    } domains;
    struct {
        struct mox_config_account *items;
        size_t count;
    } accounts;
    struct mox_config_strings monitor_dnsbls; /* zones; ASCII form */
};

struct mox_config_table;

/** Both files, loaded and checked. Read-only.
 *
 *  Threads: any, at the same time, as nothing changes. */
struct mox_config {
    const struct mox_config_static *mox;
    const struct mox_config_domains *domains;
    const char *dir;      /* folder of the files, "." at least */
    const char *data_dir; /* DataDir, seen from the working directory */
    const struct mox_config_table *table; /* of addresses */
};

/** The mistakes found in the files, as `<path>:<line>: what is wrong; what to do`. */
struct mox_config_errors {
    struct mox_env env;
    char **texts;
    size_t count;
    size_t dropped; /* further ones, not kept */
};

MOX_API void mox_config_errors_init(struct mox_config_errors *errors, const struct mox_env *env);
MOX_API void mox_config_errors_free(struct mox_config_errors *errors);

/**
 * Loads and checks both files. Changes nothing on disk.
 *
 * @param path  of mox.conf, or of the folder that has it; domains.conf stands beside it
 * @param errors  all mistakes are added to it; may be NULL
 * @return MOX_OK; MOX_ENOTFOUND: a file does not exist; MOX_ESYNTAX: there are mistakes; MOX_EIO,
 *         MOX_ENOMEM. Each failure has at least one text, unless memory is short.
 */
MOX_API MOX_MUST_USE int mox_config_load(struct mox_config **out, const struct mox_env *env,
                                         const char *path, struct mox_config_errors *errors);
/** NULL is fine. */
MOX_API void mox_config_free(struct mox_config *config);

/** A file name of mox.conf, which is relative to its folder, as seen from the working directory.
 *  MOX_ELIMIT when it does not fit. */
MOX_API MOX_MUST_USE int mox_config_path(const struct mox_config *config, const char *file,
                                         char *out, size_t size);
/** What mox_config.data_dir would be, read from mox.conf (or the folder that has it) alone, whatever
 *  else is wrong there. MOX_ENOTFOUND, MOX_ESYNTAX, MOX_EIO, MOX_ELIMIT, MOX_ENOMEM. */
MOX_API MOX_MUST_USE int mox_config_data_dir(const struct mox_env *env, const char *path, char *out,
                                             size_t size, struct mox_error *err);
/** The listener's host name: its own, or the server's. */
MOX_API const char *mox_config_hostname(const struct mox_config *config,
                                        const struct mox_config_listener *listener);
/** Gives a logger the levels of mox.conf. MOX_ELIMIT for too many packages. */
MOX_API MOX_MUST_USE int mox_config_log_levels(const struct mox_config *config,
                                               struct mox_logger *logger);
/** The account of that name, or NULL. */
MOX_API const struct mox_config_account *mox_config_account(const struct mox_config *config,
                                                            const char *name);

/** What an address is to this server. */
enum mox_config_found {
    MOX_CONFIG_FOUND,
    MOX_CONFIG_NO_ADDRESS,      /* the domain is ours, the address is unknown */
    MOX_CONFIG_NO_DOMAIN,       /* the domain is not ours */
    MOX_CONFIG_DOMAIN_DISABLED  /* ours, but takes and sends no mail now; the rest is filled */
};

/** Members of an alias, each an address that was found. */
struct mox_config_member {
    const char *localpart, *domain; /* in normal form */
    const struct mox_config_account *account;
    const struct mox_config_destination *destination;
    const char *mailbox;
};

struct mox_config_target {
    const struct mox_config_account *account; /* or NULL */
    const struct mox_config_alias *alias;     /* the address is one, and `account` is NULL; or NULL */
    const struct mox_config_member *members;  /* of it */
    size_t member_count;
    bool dmarc_reports, tls_reports; /* the address is for these */
    const struct mox_config_domain *domain;   /* NULL for postmaster at a host name */
    /** With the mailbox alone for reports; NULL for an alias and for the server's postmaster. */
    const struct mox_config_destination *destination;
    const char *mailbox;                 /* never empty; of no use for an alias */
    const struct mox_rulesets *rulesets; /* of the destination; or NULL */
};

enum mox_config_use {
    MOX_CONFIG_LOGIN,    /* also MAIL FROM: only addresses of configured domains */
    MOX_CONFIG_RECIPIENT /* also postmaster without domain and at our host names (RFC 5321 §4.5.1) */
};

/**
 * Looks an address up: without case (unless the domain is case-sensitive), first among those for
 * reports, without what follows a catchall separator, and in the end by the domain's catchall address.
 * A domain without addresses whose reports come to another one counts as not ours.
 *
 * @param localpart  decoded, without quotes
 * @param domain  A-labels or U-labels in any case; empty for `postmaster` alone
 * @param out  filled also when the account is only known with a domain disabled
 */
MOX_API enum mox_config_found mox_config_lookup(const struct mox_config *config,
                                                struct mox_slice localpart,
                                                struct mox_slice domain, enum mox_config_use use,
                                                struct mox_config_target *out);
/** The rulesets of a member's own address; or NULL. */
MOX_API const struct mox_rulesets *
mox_config_member_rulesets(const struct mox_config *config, const struct mox_config_member *member);
/** The same for `local@domain` as a person writes it; a text without '@' is a local part. */
MOX_API enum mox_config_found mox_config_lookup_address(const struct mox_config *config,
                                                        struct mox_slice address,
                                                        enum mox_config_use use,
                                                        struct mox_config_target *out);

/** What the account's mailboxes say of the messages in them: for struct mox_account_config. Lives as long as the
 *  configuration. NULL: nothing. */
MOX_API struct mox_junk_flags *mox_config_junk_flags(const struct mox_config *config,
                                                     const struct mox_config_account *account);

/** Sets every field to its default. Strings and items that the caller then adds stay the caller's. */
MOX_API void mox_config_static_init(struct mox_config_static *mox);
MOX_API void mox_config_domains_init(struct mox_config_domains *domains);
MOX_API void mox_config_listener_init(struct mox_config_listener *listener);
/** Sets every field to what a new account starts with: more than the defaults, by which a section that is not
 *  there is off. It has a mailbox for rejects, a junk filter, automatic junk flags, and words for subjects. */
MOX_API void mox_config_account_new_defaults(struct mox_config_account *account);

/**
 * Writes a file: to a temporary file in the same folder, mode 0660 or that of the file there, synced
 * and renamed, and the folder synced. An existing file keeps its comments and every line that says
 * the same as before; a new one explains each field.
 *
 * @param path  of the file itself
 * @return MOX_OK; MOX_EINVAL: a value cannot be written; MOX_ESYNTAX: the file there has mistakes, so
 *         that what a person wrote would be lost; MOX_EIO, MOX_ENOSPACE, MOX_ENOMEM. The file is then
 *         as before.
 */
MOX_API MOX_MUST_USE int mox_config_write_static(const struct mox_config_static *mox,
                                                 const struct mox_env *env, const char *path,
                                                 struct mox_error *err);
MOX_API MOX_MUST_USE int mox_config_write_domains(const struct mox_config_domains *domains,
                                                  const struct mox_env *env, const char *path,
                                                  struct mox_error *err);

/** Applies to domains.conf what differs between `from`, as it was loaded, and `to`: what a person has
 *  changed in the file since then stays too. Results as above; MOX_EINVAL also when both changes do
 *  not fit together. */
MOX_API MOX_MUST_USE int mox_config_update_domains(const struct mox_config_domains *from,
                                                   const struct mox_config_domains *to,
                                                   const struct mox_env *env, const char *path,
                                                   struct mox_error *err);

enum mox_config_file { MOX_CONFIG_STATIC, MOX_CONFIG_DOMAINS };

/** An example file with every field and its documentation; *out is freed with
 *  mox_text_free(). MOX_ENOMEM. */
MOX_API MOX_MUST_USE int mox_config_describe(char **out, const struct mox_env *env,
                                             enum mox_config_file file);

MOX_END_DECLS

#endif
