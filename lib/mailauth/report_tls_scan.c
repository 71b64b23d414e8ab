/* SPDX-License-Identifier: MIT */
#include "mailauth/report_tls.h"

#include <mox/date.h>
#include <mox/tls_report.h>

#include "base/error.h"
#include "base/text.h"

/* Behind the text that begins at `at`, with its quote. */
static size_t skip_text(struct mox_slice json, size_t at)
{
    for (at++; at < json.len && json.data[at] != '"'; at++)
        if (json.data[at] == '\\')
            at++;
    return at < json.len ? at + 1 : json.len;
}

int mox__tls_report_scan(struct mox_slice json, const char *form, struct mox_error *err)
{
    unsigned depth = 0, values = 0;
    for (size_t at = 0; at < json.len;) {
        uint8_t c = json.data[at];
        if (c == '"') {
            at = skip_text(json, at);
            continue;
        }
        at++;
        if (c == '[' || c == '{')
            depth++;
        else if ((c == ']' || c == '}') && depth > 0 && --depth == 0)
            return MOX_OK; /* what follows is not looked at */
        if (depth > MOX_TLS_REPORT_DEPTH_MAX)
            return mox__fail(err, MOX_ELIMIT, "read %s: values are nested deeper than %d", form,
                             MOX_TLS_REPORT_DEPTH_MAX);
        /* Each value and each name but the first has one of these in front. */
        values += c == '[' || c == '{' || c == ',' || c == ':';
        if (values > MOX_TLS_REPORT_VALUES_MAX)
            return mox__fail(err, MOX_ELIMIT, "read %s: it has more than %d values", form,
                             MOX_TLS_REPORT_VALUES_MAX);
    }
    return MOX_OK;
}

/* Whether the text has the shape; 0 stands for a digit. */
static bool has_shape(struct mox_slice text, const char *shape)
{
    size_t len = strlen(shape);
    if (text.len < len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (shape[i] == '0' ? !is_digit(text.data[i]) : to_upper(text.data[i]) != shape[i])
            return false;
    return true;
}

bool mox__tls_report_time(struct mox_slice text, int64_t *out)
{
    static const char date_time[] = "0000-00-00T00:00:00";
    struct mox_date date;
    if (!has_shape(text, date_time))
        return false;
    struct mox_slice rest = slice_from(text, sizeof date_time - 1);
    if (has_shape(rest, ".0")) {
        rest = slice_from(rest, 2);
        while (rest.len > 0 && is_digit(rest.data[0]))
            rest = slice_from(rest, 1);
    }
    bool zoned = rest.len == 6 && (has_shape(rest, "+00:00") || has_shape(rest, "-00:00"));
    if (rest.len > 0 && !zoned && !(rest.len == 1 && has_shape(rest, "Z")))
        return false;
    if (mox_date_parse(text, &date) != MOX_OK)
        return false;
    *out = mox_date_unix(&date);
    return true;
}
