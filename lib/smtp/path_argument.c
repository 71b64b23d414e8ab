/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "smtp/path.h"
#include "smtp/server.h"

/* What MAIL and RCPT have in common: a keyword with a colon, a path, and parameters behind it. */

bool mox__smtp_cut_argument(struct mox_smtp_server *s, struct mox_slice args, const char *keyword,
                            struct mox_slice *inner, struct mox_slice *rest)
{
    if (!mox__slice_starts_nocase(args, keyword))
        return false;
    *rest = slice_from(args, strlen(keyword));
    if (!s->config.pedantic && rest->len > 0 && rest->data[0] == ' ')
        *rest = slice_from(*rest, 1); /* several mailers put one there */
    return mox__smtp_cut_path(rest, inner);
}

bool mox__smtp_take_path(struct mox_smtp_server *s, struct mox_slice inner, struct arena *a,
                         unsigned flags, int needs_utf8_code, struct mox_smtp_path *out)
{
    const char *problem;
    flags |= (s->envelope.smtputf8 ? PATH_UTF8 : 0u) | (s->config.pedantic ? PATH_PEDANTIC : 0u);
    int rc = mox__smtp_path_parse(a, inner, flags, out, &problem);
    if (rc == MOX_ENOMEM) {
        s->failure = rc;
        mox__smtp_close(s);
    } else if (rc == MOX_EUNSUPPORTED) { /* RFC 6531 §3.5 */
        mox__smtp_reply(s, needs_utf8_code, "5.6.7",
                        "a non-ASCII address needs the parameter SMTPUTF8 of MAIL");
    } else if (rc < 0) {
        mox__smtp_bad_syntax(s, inner, problem);
    }
    return rc == MOX_OK;
}
