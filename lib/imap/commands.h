/* SPDX-License-Identifier: MIT */
#ifndef IMAP_COMMANDS_H
#define IMAP_COMMANDS_H

#include "imap/session.h"

/* The functions of the rows in table.c: parse, step, literal, cleanup, answer (imap/command.h says
 * what each is). Commands on messages are declared in headers of their own. */

/* cmd_session.c */
enum step mox__cmd_capability(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_noop(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_logout(struct mox_imap_server *s, struct command *c);
int mox__parse_id(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_id(struct mox_imap_server *s, struct command *c);
int mox__parse_enable(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_enable(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_namespace(struct mox_imap_server *s, struct command *c);

/* cmd_starttls.c */
enum step mox__cmd_starttls(struct mox_imap_server *s, struct command *c);

/* cmd_login.c */
int mox__parse_authenticate(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_authenticate(struct mox_imap_server *s, struct command *c);
void mox__answer_authenticate(struct mox_imap_server *s, struct command *c, struct mox_slice line);
int mox__parse_login(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_login(struct mox_imap_server *s, struct command *c);
enum literal mox__literal_login(struct mox_imap_server *s, struct command *c, uint64_t bytes);
void mox__cleanup_login(struct mox_imap_server *s, struct command *c);

/* cmd_select.c */
int mox__parse_select(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_select(struct mox_imap_server *s, struct command *c);
void mox__cleanup_select(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_examine(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_close(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_unselect(struct mox_imap_server *s, struct command *c);

/* cmd_mailbox.c */
int mox__parse_one_name(struct mox_imap_server *s, struct command *c);
int mox__parse_create(struct mox_imap_server *s, struct command *c);
int mox__parse_rename(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_create(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_delete(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_rename(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_subscribe(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_unsubscribe(struct mox_imap_server *s, struct command *c);

/* cmd_list.c */
int mox__parse_list(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_list(struct mox_imap_server *s, struct command *c);
void mox__cleanup_list(struct mox_imap_server *s, struct command *c);
int mox__parse_lsub(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_lsub(struct mox_imap_server *s, struct command *c);

/* cmd_status.c */
int mox__parse_status(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_status(struct mox_imap_server *s, struct command *c);

/* cmd_append.c */
int mox__parse_append(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_append(struct mox_imap_server *s, struct command *c);
enum literal mox__literal_append(struct mox_imap_server *s, struct command *c, uint64_t bytes);
void mox__cleanup_append(struct mox_imap_server *s, struct command *c);

/* cmd_idle.c */
enum step mox__cmd_idle(struct mox_imap_server *s, struct command *c);
void mox__answer_idle(struct mox_imap_server *s, struct command *c, struct mox_slice line);
void mox__cleanup_idle(struct mox_imap_server *s, struct command *c);

#endif
