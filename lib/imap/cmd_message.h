/* SPDX-License-Identifier: MIT */
#ifndef IMAP_CMD_MESSAGE_H
#define IMAP_CMD_MESSAGE_H

#include "imap/command.h"
#include "imap/seqset.h"

/* The commands on messages of the selected mailbox: functions of their rows in table.c, and what
 * they share. */

/* cmd_fetch.c */
int mox__parse_fetch(struct mox_imap_server *s, struct command *c);
int mox__parse_uid_fetch(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_fetch(struct mox_imap_server *s, struct command *c);
void mox__cleanup_fetch(struct mox_imap_server *s, struct command *c);

/* cmd_search.c */
int mox__parse_search(struct mox_imap_server *s, struct command *c);
int mox__parse_uid_search(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_search(struct mox_imap_server *s, struct command *c);
void mox__cleanup_search(struct mox_imap_server *s, struct command *c);

/* cmd_store.c */
int mox__parse_store(struct mox_imap_server *s, struct command *c);
int mox__parse_uid_store(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_store(struct mox_imap_server *s, struct command *c);
void mox__cleanup_store(struct mox_imap_server *s, struct command *c);

/* cmd_copy.c */
int mox__parse_copy(struct mox_imap_server *s, struct command *c);
int mox__parse_uid_copy(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_copy(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_move(struct mox_imap_server *s, struct command *c);
void mox__cleanup_copy(struct mox_imap_server *s, struct command *c);

/* cmd_expunge.c */
int mox__parse_expunge(struct mox_imap_server *s, struct command *c);
int mox__parse_uid_expunge(struct mox_imap_server *s, struct command *c);
enum step mox__cmd_expunge(struct mox_imap_server *s, struct command *c);

/* Reads " sequence-set" of a command's arguments and finds the rows of the selected view. A
 * sequence number that is not there makes the result BAD: then MOX_OK is returned, with c->result
 * set. */
int mox__message_set(struct mox_imap_server *s, struct command *c, enum seqset_kind kind,
                     struct row_set *out);

/* The row as it is in `current`, a later view of the mailbox, or the row itself if the message is
 * gone there. */
const struct mox_view_row *mox__message_current(const struct mox_view *current,
                                                const struct mox_view *view,
                                                const struct mox_view_row *row);

/* A text that may not outlive the call as the result's. */
enum step mox__message_bad(struct command *c, const char *text);

#endif
