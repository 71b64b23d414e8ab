/* SPDX-License-Identifier: MIT */
#ifndef MOX_TLS_REPORT_H
#define MOX_TLS_REPORT_H

#include <mox/env.h>
#include <mox/error.h>

MOX_BEGIN_DECLS

/*
 * Reports on TLS of connections to a domain's mail servers (RFC 8460 §4), as senders of mail send them to
 * its owner. Nothing in one is proved: a report is what its sender says.
 *
 * Texts are of a stranger. They are UTF-8 in one line, cut at MOX_TLS_REPORT_TEXT_MAX bytes; control
 * characters, and those that turn the direction of writing, are "?". "" stands for what is absent or empty.
 * What the RFC has a list of words for is in lower case, and may be another word all the same.
 */

#define MOX_TLS_REPORT_TEXT_MAX 1024
/** The mail, and the report in it when it is unpacked, in bytes. */
#define MOX_TLS_REPORT_MESSAGE_MAX (15 * 1024 * 1024)
#define MOX_TLS_REPORT_JSON_MAX    (20 * 1024 * 1024)
/** How many values (texts, numbers, lists, objects) and names of values a report has in all: a failure
 *  has 15, so these are some 30,000 failures. What they take as JSON in memory is some 60 MB at worst. */
#define MOX_TLS_REPORT_VALUES_MAX 500000
/** How deep lists and objects are nested in each other; RFC 8460 needs 5. */
#define MOX_TLS_REPORT_DEPTH_MAX 32

/** Sessions that failed in the same way (RFC 8460 §4.3). */
struct mox_tls_report_failure {
    const char
        *result_type; /* "starttls-not-supported", "certificate-expired", "sts-policy-invalid" … */
    const char *sending_mta_ip, *receiving_mx_hostname, *receiving_mx_helo, *receiving_ip;
    uint64_t failed_sessions;
    const char *additional_information, *failure_reason_code;
};

/** A policy that was applied, and how that went. */
struct mox_tls_report_policy {
    const char *type; /* "tlsa", "sts", "no-policy-found" */
    const char *const *strings;
    size_t string_count;
    const char *domain;
    const char *const *mx_hosts;
    size_t mx_host_count;
    uint64_t successful_sessions, failed_sessions; /* at most INT64_MAX */
    const struct mox_tls_report_failure *failures;
    size_t failure_count;
};

/** One report, with all that it points to. */
struct mox_tls_report {
    const char *organization_name, *contact_info, *report_id;
    int64_t begin, end; /* seconds since 1970; 0: not said */
    const struct mox_tls_report_policy *policies;
    size_t policy_count;
};

/**
 * Reads a report as bare JSON. What is absent or null is tolerated, as is what is unknown and what follows
 * the report. A time without a zone is in UTC, as a large provider sends it.
 * Memory: jansson takes ours from malloc(), not from the env.
 *
 * @param out  freed with mox_tls_report_free()
 * @return MOX_ESYNTAX: no JSON, or a value of the wrong type; MOX_ELIMIT; MOX_ENOMEM; MOX_EUNSUPPORTED in a
 *         build without the feature `reports`. *err says more.
 */
MOX_API MOX_MUST_USE int mox_tls_report_parse(struct mox_tls_report **out,
                                              const struct mox_env *env, struct mox_slice json,
                                              struct mox_error *err);

/**
 * Reads the report that a mail brings: the first application/tlsrpt+json or application/tlsrpt+gzip that
 * is the whole message, or a part of a multipart/report (RFC 8460 §5.3). A multipart/report on something
 * else is MOX_ESYNTAX.
 *
 * @param content  the message
 * @return as above; MOX_ENOTFOUND: no such part
 */
MOX_API MOX_MUST_USE int mox_tls_report_parse_message(struct mox_tls_report **out,
                                                      const struct mox_env *env,
                                                      struct mox_slice content,
                                                      struct mox_error *err);

/** NULL is fine. */
MOX_API void mox_tls_report_free(struct mox_tls_report *report);

MOX_END_DECLS

#endif
