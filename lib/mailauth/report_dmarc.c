/* SPDX-License-Identifier: MIT */
#include <mox/dmarc_report.h>

#include <expat.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "mailauth/report.h"
#include "mailauth/report_dmarc.h"

/*
 * One document, with expat: the table in report_dmarc_rules.c says what its elements mean. All others are
 * passed over with what is in them, and so is text between elements.
 *
 * What a hostile document may do is bounded by hand where expat has no bound: depth, records, and what it
 * remembers of each name that it meets. There are no entities, so nothing in it grows.
 */

static const char form_name[] = "DMARC report";

/* Known elements are at most 6 deep; extensions of RFC 9990 may have some more. */
#define DEPTH_MAX 32
/* expat remembers the name of each element until the end, in some 100 bytes, so there may not be any
 * number of new ones. */
#define UNKNOWN_MAX 100000
/* The same holds for attributes, and all of one element are gathered before we see it. Reports have none
 * but namespaces; texts such as "arc=pass" have some. */
#define EQUAL_SIGNS_MAX 500000
/* 9999-12-31T23:59:59Z */
#define TIME_MAX INT64_C(253402300799)

/* A report and what it stands on. */
struct owned {
    struct mox_dmarc_report report; /* first: it is what the caller frees */
    struct mox_env env;
    struct arena arena;
    struct mox_dmarc_report_record *records;
    size_t record_room;
};

/* While a document is read. */
struct reader {
    XML_Parser xml;
    struct owned *to;
    enum place places[DEPTH_MAX]; /* of the open elements */
    unsigned depth;
    unsigned unknown;
    const struct rule *leaf;              /* the open one, or NULL */
    char text[MOX_DMARC_REPORT_TEXT_MAX]; /* of the open leaf, as much as fits */
    size_t text_len;
    struct mox_dmarc_report_record record; /* the open one */
    struct mox_dmarc_report_reason reasons[MOX_DMARC_REPORT_LIST_MAX];
    struct mox_dmarc_report_dkim dkim[MOX_DMARC_REPORT_LIST_MAX];
    struct mox_dmarc_report_spf spf[MOX_DMARC_REPORT_LIST_MAX];
    const char *problems[MOX_DMARC_REPORT_LIST_MAX];
    bool done; /* the report is closed: nothing that follows matters */
    int rc;
    struct mox_error *err;
};

/* The first failure ends the reading. */
static void stop(struct reader *r, int rc)
{
    r->rc = rc;
    (void)XML_StopParser(r->xml, XML_FALSE);
}

/* expat may still say something after it was stopped, such as the end of an empty element. */
static bool is_over(const struct reader *r)
{
    return r->done || r->rc != MOX_OK;
}

static void stop_limit(struct reader *r, const char *what, unsigned max)
{
    stop(r, mox__fail(r->err, MOX_ELIMIT, "read %s: it has more than %u %s", form_name, max, what));
}

/* -- structs that begin and end -------------------------------------------------------------- */

static const struct mox_dmarc_report_reason empty_reason = {"", ""};
static const struct mox_dmarc_report_dkim empty_dkim = {"", "", "", ""};
static const struct mox_dmarc_report_spf empty_spf = {"", "", "", ""};
static const struct mox_dmarc_report_record empty_record = {.source_ip = "",
                                                            .disposition = "",
                                                            .dkim = "",
                                                            .spf = "",
                                                            .envelope_to = "",
                                                            .envelope_from = "",
                                                            .header_from = ""};
static const struct mox_dmarc_report empty_report = {
    .version = "",
    .org_name = "",
    .email = "",
    .extra_contact_info = "",
    .report_id = "",
    .generator = "",
    .policy = {.domain = "",
               .adkim = "",
               .aspf = "",
               .p = "",
               .sp = "",
               .np = "",
               .percent = -1,
               .fo = "",
               .testing = "",
               .discovery_method = ""},
};

/* Whether the list has room for one more. */
static bool has_room(struct reader *r, size_t count, const char *what)
{
    if (count < MOX_DMARC_REPORT_LIST_MAX)
        return true;
    stop_limit(r, what, MOX_DMARC_REPORT_LIST_MAX);
    return false;
}

static void begin_struct(struct reader *r, enum place place)
{
    struct mox_dmarc_report_record *record = &r->record;
    if (place == RECORD)
        *record = empty_record;
    else if (place == REASON && has_room(r, record->reason_count, "reasons in a record"))
        r->reasons[record->reason_count++] = empty_reason;
    else if (place == DKIM && has_room(r, record->dkim_result_count, "DKIM results in a record"))
        r->dkim[record->dkim_result_count++] = empty_dkim;
    else if (place == SPF && has_room(r, record->spf_result_count, "SPF results in a record"))
        r->spf[record->spf_result_count++] = empty_spf;
}

/* A copy in the report's memory of a list; NULL for an empty one. */
static const void *keep(struct reader *r, const void *list, size_t count, size_t size)
{
    if (count == 0 || r->rc != MOX_OK)
        return NULL;
    void *copy = mox__arena_alloc(&r->to->arena, count, size);
    if (copy == NULL)
        stop(r, mox__report_no_room(&r->to->arena, form_name, r->err));
    else
        memcpy(copy, list, count * size);
    return copy;
}

static bool record_room(struct reader *r)
{
    struct owned *to = r->to;
    if (to->report.record_count < to->record_room)
        return true;
    if (to->record_room >= MOX_DMARC_REPORT_RECORDS_MAX) {
        stop_limit(r, "records", MOX_DMARC_REPORT_RECORDS_MAX);
        return false;
    }
    size_t room = to->record_room == 0 ? 16 : to->record_room * 2;
    if (room > MOX_DMARC_REPORT_RECORDS_MAX)
        room = MOX_DMARC_REPORT_RECORDS_MAX;
    void *grown = mox__realloc(&to->env, to->records, room, sizeof *to->records);
    if (grown == NULL) {
        stop(r, mox__fail(r->err, MOX_ENOMEM, "read %s: out of memory", form_name));
        return false;
    }
    to->records = grown;
    to->record_room = room;
    return true;
}

static void end_record(struct reader *r)
{
    struct mox_dmarc_report_record *record = &r->record;
    if (!record_room(r))
        return;
    record->reasons = keep(r, r->reasons, record->reason_count, sizeof r->reasons[0]);
    record->dkim_results = keep(r, r->dkim, record->dkim_result_count, sizeof r->dkim[0]);
    record->spf_results = keep(r, r->spf, record->spf_result_count, sizeof r->spf[0]);
    r->to->records[r->to->report.record_count++] = *record;
}

static void end_feedback(struct reader *r)
{
    struct mox_dmarc_report *report = &r->to->report;
    report->records = r->to->records;
    report->errors = keep(r, r->problems, report->error_count, sizeof r->problems[0]);
    r->done = true;
    if (r->rc == MOX_OK)
        stop(r, MOX_OK);
}

/* -- leaves ---------------------------------------------------------------------------------- */

/* The struct that elements directly inside of this place fill. */
static void *struct_of(struct reader *r, enum place in)
{
    switch (in) {
    case ROW:
    case EVALUATED:
    case IDENTIFIERS:
        return &r->record;
    case REASON:
        return &r->reasons[r->record.reason_count - 1];
    case DKIM:
        return &r->dkim[r->record.dkim_result_count - 1];
    case SPF:
        return &r->spf[r->record.spf_result_count - 1];
    default:
        return &r->to->report;
    }
}

/* The number that the leaf's text is; an empty one leaves 0. */
static bool take_number(struct reader *r, uint64_t max, uint64_t *out)
{
    struct mox_slice text = mox__slice_trim(slice(r->text, r->text_len));
    *out = 0;
    if (text.len == 0 || mox__slice_uint(text, max, out))
        return true;
    stop(r, mox__fail(r->err, MOX_ESYNTAX, "read %s: in line %lu <%s> is not a number up to %llu",
                      form_name, (unsigned long)XML_GetCurrentLineNumber(r->xml), r->leaf->name,
                      (unsigned long long)max));
    return false;
}

/* The text of the leaf, in the report's memory. */
static const char *take_text(struct reader *r)
{
    struct arena *a = &r->to->arena;
    struct mox_slice raw = slice(r->text, r->text_len);
    const char *text = r->leaf->kind == WORD ? mox__report_word(a, raw, MOX_DMARC_REPORT_TEXT_MAX)
                                             : mox__report_text(a, raw, MOX_DMARC_REPORT_TEXT_MAX);
    if (text == NULL)
        stop(r, mox__report_no_room(a, form_name, r->err));
    return text == NULL ? "" : text;
}

static void end_leaf(struct reader *r)
{
    const struct rule *rule = r->leaf;
    void *member = (char *)struct_of(r, rule->in) + rule->member;
    uint64_t number;
    switch (rule->kind) {
    case TEXT:
    case WORD:
        *(const char **)member = take_text(r);
        break;
    case TIME:
        if (take_number(r, TIME_MAX, &number))
            *(int64_t *)member = (int64_t)number;
        break;
    case COUNT:
        if (take_number(r, INT64_MAX, &number))
            *(uint64_t *)member = number;
        break;
    case PERCENT:
        if (take_number(r, 100, &number))
            *(int *)member = (int)number;
        break;
    case PROBLEM:
        if (has_room(r, r->to->report.error_count, "errors"))
            r->problems[r->to->report.error_count++] = take_text(r);
        break;
    case NONE:
        break;
    }
    r->leaf = NULL;
}

/* -- what expat says ------------------------------------------------------------------------- */

static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *r = user;
    (void)attributes;
    if (is_over(r))
        return;
    if (r->depth == DEPTH_MAX) {
        stop_limit(r, "elements inside of each other", DEPTH_MAX);
        return;
    }
    enum place in = r->depth == 0 ? DOCUMENT : r->places[r->depth - 1];
    const struct rule *rule = mox__dmarc_report_rule(in, name);
    if (rule == NULL && in == DOCUMENT) {
        stop(r,
             mox__fail(r->err, MOX_ESYNTAX,
                       "read %s: it is XML, but its first element is not <feedback>", form_name));
        return;
    }
    r->places[r->depth++] = rule == NULL ? UNKNOWN : rule->to;
    if (rule == NULL) {
        if (++r->unknown > UNKNOWN_MAX)
            stop_limit(r, "unknown elements", UNKNOWN_MAX);
        return;
    }
    begin_struct(r, rule->to);
    if (rule->to == LEAF) {
        r->leaf = rule;
        r->text_len = 0;
    }
}

static void XMLCALL on_end(void *user, const XML_Char *name)
{
    struct reader *r = user;
    (void)name;
    if (is_over(r))
        return;
    enum place place = r->places[--r->depth];
    if (place == LEAF)
        end_leaf(r);
    else if (place == RECORD)
        end_record(r);
    else if (place == FEEDBACK)
        end_feedback(r);
}

static void XMLCALL on_text(void *user, const XML_Char *text, int len)
{
    struct reader *r = user;
    if (is_over(r) || r->depth == 0 || r->places[r->depth - 1] != LEAF)
        return;
    size_t room = sizeof r->text - r->text_len, n = (size_t)len < room ? (size_t)len : room;
    memcpy(r->text + r->text_len, text, n);
    r->text_len += n;
}

/* Entities, and attributes by default, can only be declared in there. */
static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *system_id,
                               const XML_Char *public_id, int has_internal_subset)
{
    struct reader *r = user;
    (void)name, (void)system_id, (void)public_id;
    if (has_internal_subset)
        stop(r, mox__fail(r->err, MOX_ESYNTAX,
                          "read %s: its document type declares something of its own", form_name));
}

/* -- a document ------------------------------------------------------------------------------ */

static int xml_failure(const struct reader *r)
{
    enum XML_Error code = XML_GetErrorCode(r->xml);
    if (code == XML_ERROR_NO_MEMORY)
        return mox__fail(r->err, MOX_ENOMEM, "read %s: out of memory", form_name);
    return mox__fail(r->err, MOX_ESYNTAX, "read %s: no XML in line %lu: %s", form_name,
                     (unsigned long)XML_GetCurrentLineNumber(r->xml), XML_ErrorString(code));
}

static int parse(struct reader *r, struct mox_slice xml)
{
    XML_SetUserData(r->xml, r);
    XML_SetElementHandler(r->xml, on_start, on_end);
    XML_SetCharacterDataHandler(r->xml, on_text);
    XML_SetStartDoctypeDeclHandler(r->xml, on_doctype);
    /* All at once: expat reads a long token anew with each piece that it gets of it. */
    enum XML_Status status = XML_Parse(r->xml, (const char *)xml.data, (int)xml.len, XML_TRUE);
    if (r->rc != MOX_OK || r->done)
        return r->rc;
    return status == XML_STATUS_OK
               ? mox__fail(r->err, MOX_ESYNTAX, "read %s: it has no report", form_name)
               : xml_failure(r);
}

static int read_into(struct owned *to, struct mox_slice xml, struct mox_error *err)
{
    struct reader *r = mem_new(&to->env, struct reader, 1);
    if (r == NULL)
        return mox__fail(err, MOX_ENOMEM, "read %s: out of memory", form_name);
    *r = (struct reader){.to = to, .err = err, .xml = XML_ParserCreate(NULL)};
    int rc = r->xml == NULL ? mox__fail(err, MOX_ENOMEM, "read %s: out of memory", form_name)
                            : parse(r, xml);
    XML_ParserFree(r->xml);
    mox__mem_free(&to->env, r);
    return rc;
}

static bool too_many_attributes(struct mox_slice xml)
{
    size_t signs = 0;
    for (size_t i = 0; i < xml.len; i++)
        signs += xml.data[i] == '=';
    return signs > EQUAL_SIGNS_MAX;
}

int mox_dmarc_report_parse(struct mox_dmarc_report **out, const struct mox_env *env,
                           struct mox_slice xml, struct mox_error *err)
{
    *out = NULL;
    xml = mox__slice_trim(xml); /* a declaration may only stand at the very begin */
    if (xml.len > MOX_DMARC_REPORT_XML_MAX)
        return mox__fail(err, MOX_ELIMIT, "read %s: it has more than %d bytes", form_name,
                         MOX_DMARC_REPORT_XML_MAX);
    if (too_many_attributes(xml))
        return mox__fail(err, MOX_ELIMIT, "read %s: it has more than %d equal signs", form_name,
                         EQUAL_SIGNS_MAX);
    struct owned *to = mem_new(env, struct owned, 1);
    if (to == NULL)
        return mox__fail(err, MOX_ENOMEM, "read %s: out of memory", form_name);
    to->report = empty_report;
    to->env = *env;
    mox__arena_init(&to->arena, &to->env, REPORT_ARENA_MAX);
    int rc = read_into(to, xml, err);
    if (rc == MOX_OK)
        *out = &to->report;
    else
        mox_dmarc_report_free(&to->report);
    return rc;
}

void mox_dmarc_report_free(struct mox_dmarc_report *report)
{
    if (report == NULL)
        return;
    struct owned *to = container_of(report, struct owned, report);
    struct mox_env env = to->env;
    mox__arena_reset(&to->arena);
    mox__mem_free(&env, to->records);
    mox__mem_free(&env, to);
}
