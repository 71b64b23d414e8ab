/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_SCENARIO_H
#define DELIVERY_SCENARIO_H

/*
 * A story of an account: who writes to its user over the months, what the user does with that, and what is then
 * accepted and rejected. One line each:
 *
 *     # a comment
 *     sender NAME from=A ip=I …      somebody; a '*' in addresses is another number each time
 *         mailfrom=A ehlo=D dkim=D spf=pass|fail|softfail dmarc=pass|fail policy=reject|quarantine
 *         no-reverse-name no-tls not-addressed listed; a mailing list: list
 *     past 60 ham in Archive         messages that were there before, for the junk filter
 *     introbox NAME                  first messages go there
 *     tokens                         are offered
 *     block-lists                    are asked
 *     rule forward MAILFROM DOMAIN   a ruleset: an expression for MAIL FROM, a verified domain
 *     rule takes-rejects MAILFROM MAILBOX
 *     day 30                         it is so many days later than the begin
 *     NAME ham|junk [xN] -> accept|reject WORD [MAILBOX]
 *     NAME ham|junk [xN] -> wait|at-once WORD [MAILBOX]   accepted, and after the delay of strangers or not
 *     NAME again [with-token] -> …   the last message once more
 *     user moves MAILBOX             what came with the line before, wherever it is
 *     user marks junk|notjunk|seen
 *     user deletes
 *     user writes-to ADDRESS
 *     MAILBOX has N                  messages
 */

/* Plays scenarios/NAME.txt; fails the test with the line that is not so. */
void scenario(const char *name);

#endif
