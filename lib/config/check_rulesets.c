/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "config/tables.h"

void mox__check_smtp_error(struct bind *b, const struct sconf_node *node, void *value)
{
    struct mox_slice text = slice_of(*(const char *const *)value);
    if (text.len == 0)
        return;
    mox__check_told(b, node, value);
    struct mox_slice code = slice(text.data, text.len < 3 ? text.len : 3);
    if ((text.len > 3 && text.data[3] != ' ') ||
        (!mox__slice_is(code, "421") && !mox__slice_is(code, "550")))
        mox__bind_wrong(b, node->line,
                        "SMTPError starts with neither 421 nor 550; write for example "
                        "\"550 no longer in use\" without quotes");
}

void mox__check_destination(struct bind *b, const struct sconf_node *node, void *value)
{
    const struct mox_config_destination *d = value;
    if (*d->smtp_error != '\0' && (*d->mailbox != '\0' || d->rulesets.count > 0))
        mox__bind_wrong(b, mox__bind_line(node, "SMTPError"),
                        "SMTPError and %s exclude each other: no "
                        "mail is accepted; remove one",
                        *d->mailbox != '\0' ? "Mailbox" : "Rulesets");
}

static bool has_condition(const struct mox_ruleset *r)
{
    return *r->smtp_mail_from_regexp != '\0' || *r->msg_from_regexp != '\0' ||
           *r->verified_domain != '\0' || r->headers.count > 0;
}

static void check_forward(struct bind *b, const struct sconf_node *node,
                          const struct mox_ruleset *r)
{
    unsigned line = mox__bind_line(node, "IsForward");
    if (*r->smtp_mail_from_regexp == '\0' || *r->verified_domain == '\0')
        mox__bind_wrong(b, line,
                        "IsForward needs SMTPMailFromRegexp and VerifiedDomain, so that only "
                        "the forwarding server is meant; add what is missing");
    if (*r->list_allow_domain != '\0')
        mox__bind_wrong(b, line, "IsForward and ListAllowDomain exclude each other; remove one");
}

void mox__check_ruleset(struct bind *b, const struct sconf_node *node, void *value)
{
    const struct mox_ruleset *r = value;
    if (!has_condition(r))
        mox__bind_wrong(b, node->line,
                        "the ruleset has no condition, so it would match nothing; add "
                        "SMTPMailFromRegexp, MsgFromRegexp, VerifiedDomain or HeadersRegexp");
    if (r->is_forward)
        check_forward(b, node, r);
}
