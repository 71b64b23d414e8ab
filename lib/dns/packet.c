/* SPDX-License-Identifier: MIT */
#include "dns/packet.h"

#include "base/text.h"
#include "dns/answers.h"
#include "dns/question.h"

/* CNAMEs in one answer: RFC 1034 §3.6.2 wants chains of one link; resolvers follow about this many. */
#define CHAIN_MAX 16
/* What the records of one packet may take: MOX_DNS_RECORDS_MAX with the longest names. */
#define READ_BYTES_MAX (512 * 1024)

/* One packet while it is read. `problem` says what is wrong with it. */
struct reader {
    struct mox_slice packet;
    const struct mox_dns_question *question;
    struct dns_header header;
    size_t answers;       /* where that section begins */
    bool has_soa, has_ns; /* in the authority section */
    unsigned extended_rcode;
    struct dns_name name; /* whose records are the answer: where the CNAMEs lead */
    const char *problem;
};

struct alias {
    struct dns_name from, to;
};

static int bad(struct reader *r, const char *problem)
{
    r->problem = problem;
    return MOX_ESYNTAX;
}

static int malformed(struct reader *r)
{
    return bad(r, "the packet is malformed or cut");
}

/* "REFUSED" and so on (RFC 1035 §4.1.1). */
static const char *rcode_problem(unsigned rcode)
{
    switch (rcode) {
    case 1:
        return "the server did not understand the query (FORMERR)";
    case 2:
        return "the server failed (SERVFAIL)";
    case 4:
        return "the server cannot do that (NOTIMP)";
    case 5:
        return "the server refused (REFUSED)";
    default:
        return "the server answered with an error that has no place here";
    }
}

static int read_header(struct reader *r, struct dns_cursor *c)
{
    if (!mox__dns_read_header(c, &r->header))
        return malformed(r);
    unsigned flags = r->header.flags, rcode = flags & DNS_RCODE;
    if ((flags & DNS_QR) == 0)
        return bad(r, "it is a query, not an answer");
    if ((flags & DNS_OPCODE) != 0)
        return bad(r, "it answers another kind of request");
    if (rcode != DNS_NOERROR && rcode != DNS_NXDOMAIN)
        return bad(r, rcode_problem(rcode));
    if ((flags & DNS_TC) != 0)
        return bad(r, "the answer was cut to fit into its packet");
    return MOX_OK;
}

/* The question of ours, and no other (RFC 5452 §4.2). */
static int read_question(struct reader *r, struct dns_cursor *c)
{
    char asked[MOX_DOMAIN_MAX + 1];
    uint16_t type, class;
    if (r->header.questions != 1)
        return bad(r, "it does not have one question");
    if (!mox__dns_read_name(c, &r->name) || !mox__dns_read_u16(c, &type) ||
        !mox__dns_read_u16(c, &class))
        return malformed(r);
    if (!mox__dns_name(slice_of(r->question->name), asked) || !r->name.is_text ||
        strcmp(r->name.text, asked) != 0 || type != (unsigned)r->question->type ||
        class != DNS_CLASS_IN)
        return bad(r, "it answers another question");
    return MOX_OK;
}

static void see_authority(struct reader *r, const struct dns_frame *f)
{
    r->has_soa = r->has_soa || f->type == DNS_TYPE_SOA;
    r->has_ns = r->has_ns || f->type == MOX_DNS_NS;
}

static void see_additional(struct reader *r, const struct dns_frame *f)
{
    if (f->type == DNS_TYPE_OPT) /* RFC 6891 §6.1.3 */
        r->extended_rcode = f->ttl >> 24;
}

/* All sections to the end of the packet, so that nothing that was announced is missing. */
static int check_frames(struct reader *r, struct dns_cursor c)
{
    size_t authority = r->header.answers, additional = authority + r->header.authorities;
    for (size_t i = 0; i < additional + r->header.additionals; i++) {
        struct dns_frame f;
        if (!mox__dns_read_frame(&c, &f))
            return malformed(r);
        if (i >= additional)
            see_additional(r, &f);
        else if (i >= authority)
            see_authority(r, &f);
    }
    if (c.at != c.packet.len)
        return malformed(r);
    return r->extended_rcode == 0 ? MOX_OK : bad(r, rcode_problem(r->extended_rcode << 4));
}

static int read_alias(struct reader *r, const struct dns_frame *f, struct alias *out)
{
    struct dns_cursor owner = {r->packet, f->name}, target = {r->packet, f->data};
    bool ok = mox__dns_read_name(&owner, &out->from) && mox__dns_read_name(&target, &out->to) &&
              target.at == f->end;
    return ok ? MOX_OK : malformed(r);
}

static bool same_name(const struct dns_name *a, const struct dns_name *b)
{
    return a->is_text && b->is_text && strcmp(a->text, b->text) == 0;
}

/* Goes where the CNAMEs lead, in whatever order they stand. */
static int follow(struct reader *r, const struct alias *aliases, size_t count)
{
    for (size_t links = 0; links <= count; links++) {
        const struct alias *next = NULL;
        for (size_t i = 0; i < count; i++) {
            if (!same_name(&aliases[i].from, &r->name))
                continue;
            if (next != NULL && !same_name(&next->to, &aliases[i].to))
                return bad(r, "a name has two CNAMEs"); /* RFC 2181 §10.1 */
            next = &aliases[i];
        }
        if (next == NULL)
            return MOX_OK;
        if (!next->to.is_text)
            return bad(r, "a CNAME leads to a name that cannot be written");
        r->name = next->to;
    }
    return bad(r, "CNAMEs make a loop");
}

static int find_name(struct reader *r)
{
    struct alias aliases[CHAIN_MAX];
    size_t count = 0;
    struct dns_cursor c = {r->packet, r->answers};
    if (r->question->type == MOX_DNS_CNAME)
        return MOX_OK;
    for (size_t i = 0; i < r->header.answers; i++) {
        struct dns_frame f;
        if (!mox__dns_read_frame(&c, &f))
            return malformed(r);
        if (f.type != MOX_DNS_CNAME || f.class != DNS_CLASS_IN)
            continue;
        if (count == CHAIN_MAX)
            return bad(r, "there are too many CNAMEs");
        int rc = read_alias(r, &f, &aliases[count++]);
        if (rc < 0)
            return rc;
    }
    return follow(r, aliases, count);
}

/* The record if it is one of the answer's. *is_kept: it is. */
static int read_record(struct reader *r, struct arena *a, const struct dns_frame *f,
                       struct mox_dns_record *out, bool *is_kept)
{
    *is_kept = false;
    if (f->type != (unsigned)r->question->type || f->class != DNS_CLASS_IN)
        return MOX_OK;
    struct dns_cursor c = {r->packet, f->name};
    struct dns_name owner;
    if (!mox__dns_read_name(&c, &owner))
        return malformed(r);
    if (!same_name(&owner, &r->name))
        return MOX_OK;
    int rc = mox__dns_read_data(a, r->packet, f, out, is_kept);
    return rc == MOX_ESYNTAX ? malformed(r) : rc;
}

static int read_records(struct reader *r, struct arena *a, struct mox_dns_record *records,
                        size_t *count)
{
    struct dns_cursor c = {r->packet, r->answers};
    *count = 0;
    for (size_t i = 0; i < r->header.answers && *count < MOX_DNS_RECORDS_MAX; i++) {
        struct dns_frame f;
        bool is_kept;
        if (!mox__dns_read_frame(&c, &f))
            return malformed(r);
        int rc = read_record(r, a, &f, &records[*count], &is_kept);
        if (rc < 0)
            return rc;
        *count += is_kept;
    }
    return MOX_OK;
}

/* What it means that there are records, or none (RFC 2308 §2). */
static int judge(struct reader *r, size_t count, enum mox_dns_status *status)
{
    if ((r->header.flags & DNS_RCODE) == DNS_NXDOMAIN) {
        *status = MOX_DNS_NXDOMAIN;
        return count == 0 ? MOX_OK : bad(r, "a name that does not exist has records");
    }
    *status = count > 0 ? MOX_DNS_FOUND : MOX_DNS_NODATA;
    bool is_referral = r->has_ns && !r->has_soa && (r->header.flags & DNS_AA) == 0;
    return count == 0 && is_referral ? bad(r, "the server only names others to ask") : MOX_OK;
}

static int read_packet(struct reader *r, struct arena *a, struct mox_dns_answer *answer)
{
    struct dns_cursor c = {.packet = r->packet};
    if (r->packet.len > DNS_PACKET_MAX)
        return malformed(r);
    int rc = read_header(r, &c);
    if (rc == MOX_OK)
        rc = read_question(r, &c);
    r->answers = c.at;
    if (rc == MOX_OK)
        rc = check_frames(r, c);
    if (rc == MOX_OK)
        rc = find_name(r);
    if (rc < 0)
        return rc;
    size_t room = r->header.answers < MOX_DNS_RECORDS_MAX ? r->header.answers : MOX_DNS_RECORDS_MAX;
    struct mox_dns_record *records = arena_new(a, struct mox_dns_record, room + 1);
    if (records == NULL)
        return MOX_ENOMEM;
    rc = read_records(r, a, records, &answer->count);
    answer->records = records;
    return rc < 0 ? rc : judge(r, answer->count, &answer->status);
}

int mox_dns_put_packet(struct mox_dns_answers *answers, const struct mox_dns_question *question,
                       struct mox_slice packet, bool secure)
{
    struct reader r = {.packet = packet, .question = question};
    struct mox_dns_answer answer = {.question = *question, .secure = secure};
    struct arena arena;
    mox__arena_init(&arena, mox__dns_answers_env(answers), READ_BYTES_MAX);
    int rc = read_packet(&r, &arena, &answer);
    if (rc == MOX_ESYNTAX)
        answer = (struct mox_dns_answer){
            .question = *question, .status = MOX_DNS_SERVFAIL, .problem = r.problem};
    if (rc != MOX_ENOMEM)
        rc = mox_dns_put(answers, &answer);
    mox__arena_reset(&arena);
    return rc;
}
