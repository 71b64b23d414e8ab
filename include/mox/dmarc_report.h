/* SPDX-License-Identifier: MIT */
#ifndef MOX_DMARC_REPORT_H
#define MOX_DMARC_REPORT_H

#include <mox/env.h>
#include <mox/error.h>

MOX_BEGIN_DECLS

/*
 * Aggregate reports of DMARC, as receivers of a domain's mail send them to its owner (RFC 7489 §7.2 and
 * appendix C; what RFC 9990 adds is read too). Nothing in one is proved: a report is what its sender says.
 *
 * Texts are of a stranger. They are UTF-8 in one line, cut at MOX_DMARC_REPORT_TEXT_MAX bytes; control
 * characters, and those that turn the direction of writing, are "?". "" stands for what is absent or empty.
 * What the RFC has a list of words for is in lower case, and may be another word all the same.
 */

#define MOX_DMARC_REPORT_TEXT_MAX 1024
/** The mail, and the report in it when it is unpacked, in bytes. */
#define MOX_DMARC_REPORT_MESSAGE_MAX (15 * 1024 * 1024)
#define MOX_DMARC_REPORT_XML_MAX     (20 * 1024 * 1024)
/** A report of 20 MB has some 35,000. */
#define MOX_DMARC_REPORT_RECORDS_MAX 100000
/** In each list of a record; its errors are as many at most. */
#define MOX_DMARC_REPORT_LIST_MAX 100

/** Why a policy was not applied. */
struct mox_dmarc_report_reason {
    const char *type; /* "forwarded", "sampled_out", "trusted_forwarder", "mailing_list",
                         "local_policy", "other" */
    const char *comment;
};

/** What DKIM said of one signature. */
struct mox_dmarc_report_dkim {
    const char *domain, *selector;
    const char *result; /* "none", "pass", "fail", "policy", "neutral", "temperror", "permerror" */
    const char *human_result;
};

/** What SPF said. */
struct mox_dmarc_report_spf {
    const char *domain;
    const char *scope; /* "helo", "mfrom" */
    const char
        *result; /* "none", "neutral", "pass", "fail", "softfail", "temperror", "permerror" */
    const char *human_result;
};

/** Messages with the same properties. */
struct mox_dmarc_report_record {
    const char *source_ip;
    uint64_t count; /* at most INT64_MAX */
    const char *disposition; /* "none", "quarantine", "reject"; RFC 9990: also "pass" */
    const char *dkim, *spf;  /* passing and aligned: "pass", "fail" */
    const struct mox_dmarc_report_reason *reasons;
    size_t reason_count;
    const char *envelope_to, *envelope_from, *header_from; /* domains */
    const struct mox_dmarc_report_dkim *dkim_results;
    size_t dkim_result_count;
    const struct mox_dmarc_report_spf *spf_results;
    size_t spf_result_count;
};

/** The policy that the reporter found in the DNS. */
struct mox_dmarc_report_policy {
    const char *domain;
    const char *adkim, *aspf;     /* "r", "s" */
    const char *p, *sp, *np;      /* "none", "quarantine", "reject" */
    int percent;                  /* -1: not said */
    const char *fo;               /* as in a record, such as "1:d" */
    const char *testing;          /* "y", "n" */
    const char *discovery_method; /* "psl", "treewalk" */
};

/** One report, with all that it points to. */
struct mox_dmarc_report {
    const char *version; /* "1.0" */
    const char *org_name, *email, *extra_contact_info, *report_id, *generator;
    int64_t begin, end; /* seconds since 1970, up to the year 9999 */
    const char *const *errors;
    size_t error_count;
    struct mox_dmarc_report_policy policy;
    const struct mox_dmarc_report_record *records;
    size_t record_count;
};

/**
 * Reads a report as bare XML. What is absent is tolerated, as is what is unknown and what follows the
 * report; a document type with declarations of its own is refused, so that no entity ever grows.
 * Memory: expat takes ours from malloc(), not from the env; it is some 80 MB at worst.
 *
 * @param out  freed with mox_dmarc_report_free()
 * @return MOX_ESYNTAX: no XML, another kind of it, or no number where one is due; MOX_ELIMIT; MOX_ENOMEM;
 *         MOX_EUNSUPPORTED in a build without the feature `reports`. *err says more.
 */
MOX_API MOX_MUST_USE int mox_dmarc_report_parse(struct mox_dmarc_report **out,
                                                const struct mox_env *env, struct mox_slice xml,
                                                struct mox_error *err);

/**
 * Reads the report that a mail brings: in its first part of a usable type (application/zip with exactly
 * one file, application/gzip, application/x-gzip, text/xml, application/xml), or of none or
 * application/octet-stream, when its begin looks like one of these. Messages in the message are not
 * looked into: a bounce may have one of our own reports.
 *
 * @param content  the message
 * @return as above; MOX_ENOTFOUND: no such part
 */
MOX_API MOX_MUST_USE int mox_dmarc_report_parse_message(struct mox_dmarc_report **out,
                                                        const struct mox_env *env,
                                                        struct mox_slice content,
                                                        struct mox_error *err);

/** NULL is fine. */
MOX_API void mox_dmarc_report_free(struct mox_dmarc_report *report);

MOX_END_DECLS

#endif
