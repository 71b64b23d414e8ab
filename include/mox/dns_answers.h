/* SPDX-License-Identifier: MIT */
#ifndef MOX_DNS_ANSWERS_H
#define MOX_DNS_ANSWERS_H

#include <mox/env.h>
#include <mox/error.h>

MOX_BEGIN_DECLS

/** Types of records (RFC 1035 §3.2.2 and others), by their numbers on the wire. */
enum mox_dns_type {
    MOX_DNS_A = 1,
    MOX_DNS_NS = 2,
    MOX_DNS_CNAME = 5,
    MOX_DNS_PTR = 12,
    MOX_DNS_MX = 15,
    MOX_DNS_TXT = 16,
    MOX_DNS_AAAA = 28,
    MOX_DNS_SRV = 33,
    MOX_DNS_TLSA = 52
};

/** How a question was answered. */
enum mox_dns_status {
    MOX_DNS_FOUND,    /* there are records */
    MOX_DNS_NODATA,   /* the name has none of this type */
    MOX_DNS_NXDOMAIN, /* the name does not exist */
    MOX_DNS_TIMEOUT,  /* nobody answered */
    MOX_DNS_SERVFAIL, /* a server failed, refused, or made no sense */
    MOX_DNS_BOGUS     /* the answer is not what the zone's owner signed (RFC 4033 §5) */
};

/** "A", "TXT" …; NULL for a number that has no name here. */
MOX_API const char *mox_dns_type_name(enum mox_dns_type type);
/** The reverse, whatever the case. false: no such type. */
MOX_API bool mox_dns_type_parse(struct mox_slice text, enum mox_dns_type *out);
/** "found", "nodata", "nxdomain", "timeout", "servfail", "bogus". */
MOX_API const char *mox_dns_status_name(enum mox_dns_status status);
/** Whether the same question may get another answer later: timeout, servfail, bogus. */
MOX_API bool mox_dns_is_temporary(enum mox_dns_status status);

/** What one record says; which member holds follows from the type that was asked. Names are text in
 *  lower case without final dot, "" for the root. A record whose names have labels that cannot be
 *  written so (with a dot or a NUL in them) is left out by whoever reads packets. */
struct mox_dns_record {
    uint32_t ttl; /* seconds */
    union {
        uint8_t a[4];
        uint8_t aaaa[16];
        const char *name;     /* NS, CNAME, PTR */
        struct mox_slice txt; /* the record's strings behind each other, as RFC 7208 §3.3 and RFC
                                 6376 §3.6.2.2 want them; any bytes */
        struct {
            uint16_t preference;
            const char *host;
        } mx;
        struct {
            uint16_t priority, weight, port;
            const char *target;
        } srv;
        struct {
            uint8_t usage, selector, matching;
            struct mox_slice data;
        } tlsa;
    } data;
};

struct mox_dns_question {
    const char *name; /* as in struct mox_dns_record */
    enum mox_dns_type type;
};

struct mox_dns_answer {
    struct mox_dns_question question;
    enum mox_dns_status status;
    bool secure; /* DNSSEC proves it, also that there is nothing (RFC 4033 §5) */
    const struct mox_dns_record *records; /* of the type that was asked, where CNAMEs lead to */
    size_t count;                         /* at least 1 with MOX_DNS_FOUND, else 0 */
    const char *problem; /* why it is bogus or failed, for people; NULL: not known */
};

/**
 * What is known of the DNS while a check runs, and what it would like to know. A check that misses an
 * answer says so and returns MOX_NEED_DNS; once the host has put in what is wanted, the check is
 * called again, and goes further:
 *
 *     while ((rc = mox_spf_check(&query, answers, &verdict)) == MOX_NEED_DNS) {
 *         const struct mox_dns_question *q;
 *         for (size_t n = mox_dns_wanted(answers, &q); n > 0; n = mox_dns_wanted(answers, &q))
 *             mox_dns_put(answers, … the answer to q[0] …);
 *     }
 *
 * Several checks of one message share a set: what they want is then asked at once, and once.
 *
 * Threads: owned by one thread at a time, any thread.
 */
struct mox_dns_answers;

/** How many questions a set takes. An SPF record with all that RFC 7208 §4.6.4 permits asks 221. */
#define MOX_DNS_ANSWERS_MAX 1000
/** How many records of an answer are kept, and how many bytes of data all of a set have. */
#define MOX_DNS_RECORDS_MAX 500
#define MOX_DNS_BYTES_MAX   (4 * 1024 * 1024)

MOX_API MOX_MUST_USE int mox_dns_answers_new(struct mox_dns_answers **out,
                                             const struct mox_env *env);
/** NULL is fine. */
MOX_API void mox_dns_answers_free(struct mox_dns_answers *a);

/**
 * Asks. Names compare without case and final dot. A name that cannot be one (an empty label, one of more
 * than 63 bytes, 254 bytes in all, a NUL) does not exist, and nobody is asked.
 *
 * @param out  set with MOX_OK: lives as long as the set, or until the same question is answered anew
 * @return MOX_OK; MOX_NEED_DNS: it is wanted now; MOX_ELIMIT: too many questions; MOX_ENOMEM
 */
MOX_API MOX_MUST_USE int mox_dns_ask(struct mox_dns_answers *a, struct mox_slice name,
                                     enum mox_dns_type type, const struct mox_dns_answer **out);

/** The questions that are asked and not answered, in the order of asking. *out is valid until the next
 *  call with this set. */
MOX_API size_t mox_dns_wanted(const struct mox_dns_answers *a, const struct mox_dns_question **out);

/** Answers a question, wanted or not. All is copied: names in their one form, records left out whose name
 *  is none, `problem` made printable and shortened. A second answer replaces the first. One that is wanted,
 *  and for which there is no room, is MOX_DNS_SERVFAIL.
 *  @return MOX_OK; MOX_ELIMIT: no room for one that is not wanted; MOX_ENOMEM; MOX_EINVAL: the question's
 *          name cannot be one */
MOX_API MOX_MUST_USE int mox_dns_put(struct mox_dns_answers *a,
                                     const struct mox_dns_answer *answer);

/** The same from a DNS message as it came over the wire (RFC 1035 §4), read strictly: one that is cut,
 *  loops, or answers another question is MOX_DNS_SERVFAIL, and `problem` says why. `secure` says what the
 *  resolver found out. @return as mox_dns_put() */
MOX_API MOX_MUST_USE int mox_dns_put_packet(struct mox_dns_answers *a,
                                            const struct mox_dns_question *question,
                                            struct mox_slice packet, bool secure);

/** What was answered, in the order of asking: for "which names did it look at". */
MOX_API size_t mox_dns_answer_count(const struct mox_dns_answers *a);
MOX_API const struct mox_dns_answer *mox_dns_answer_at(const struct mox_dns_answers *a, size_t i);

MOX_END_DECLS

#endif
