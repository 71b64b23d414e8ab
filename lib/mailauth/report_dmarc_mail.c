/* SPDX-License-Identifier: MIT */
#include <mox/dmarc_report.h>

#include "base/text.h"
#include "mailauth/report.h"

/* How much of a part without a type says what it is; as WHATWG's MIME Sniffing §7.1 looks at a little
 * more than that. */
#define SNIFF_BYTES 512

static int keep_head(void *user, struct mox_slice piece)
{
    struct buf *head = user;
    size_t room = head->max - head->len;
    mox__buf_append(head, piece.data, piece.len < room ? piece.len : room);
    return head->len == head->max ? MOX_LATER : MOX_OK;
}

static bool looks_like_report(const struct mox_part *part, struct mox_slice content)
{
    uint8_t memory[SNIFF_BYTES];
    struct buf head = buf_over(memory, sizeof memory);
    int rc = mox__report_decode(part, content, keep_head, &head);
    if (rc != MOX_OK && rc != MOX_LATER)
        return false;
    struct mox_slice s = slice(head.data, head.len);
    if (mox__report_packing(s) != REPORT_PLAIN)
        return true;
    if (s.len >= 3 && memcmp(s.data, "\xef\xbb\xbf", 3) == 0)
        s = slice_from(s, 3);
    s = mox__slice_trim(s);
    return mox__slice_starts_nocase(s, "<?xml") || mox__slice_starts_nocase(s, "<feedback");
}

static bool is_type(const struct mox_part *part, const char *type, const char *subtype)
{
    return mox__slice_is_nocase(part->type, type) && mox__slice_is_nocase(part->subtype, subtype);
}

static int judge(const struct mox_part *leaf, struct mox_slice content, struct mox_error *err)
{
    (void)err;
    static const char *const types[][2] = {{"application", "zip"},
                                           {"application", "gzip"},
                                           {"application", "x-gzip"},
                                           {"text", "xml"},
                                           {"application", "xml"}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (is_type(leaf, types[i][0], types[i][1]))
            return MOX_OK;
    bool untyped = leaf->fields[MOX_FIELD_TYPE].data == NULL;
    if ((untyped || is_type(leaf, "application", "octet-stream")) &&
        looks_like_report(leaf, content))
        return MOX_OK;
    return MOX_ENOTFOUND;
}

int mox_dmarc_report_parse_message(struct mox_dmarc_report **out, const struct mox_env *env,
                                   struct mox_slice content, struct mox_error *err)
{
    static const struct report_form form = {.name = "DMARC report",
                                            .message_max = MOX_DMARC_REPORT_MESSAGE_MAX,
                                            .report_max = MOX_DMARC_REPORT_XML_MAX,
                                            .zip = true,
                                            .judge = judge};
    struct buf xml;
    *out = NULL;
    int rc = mox__report_from_mail(&xml, &form, env, content, err);
    if (rc == MOX_OK)
        rc = mox_dmarc_report_parse(out, env, slice(xml.data, xml.len), err);
    mox__buf_free(&xml);
    return rc;
}
