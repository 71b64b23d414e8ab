/* SPDX-License-Identifier: MIT */
#include "imap/cmd_message.h"
#include "imap/commands.h"

/* Every command, in the order of RFC 3501 §6. The columns: the states where it is allowed; what the
 * dispatcher does for it; how its arguments are read; what it does; what it does with literals before
 * they are sent; what it leaves; the lines that it reads itself.
 *
 * Extensions add rows at the end of their group:
 *   any state          -
 *   authenticated      GETQUOTA GETQUOTAROOT (RFC 9208), GETMETADATA SETMETADATA (RFC 5464), COMPRESS
 *                      (RFC 4978), NOTIFY (RFC 5465), ESEARCH (RFC 7377)
 *   selected           REPLACE and UID REPLACE (RFC 8508), SORT and THREAD (RFC 5256) */
static const struct command_row rows[] = {
    /* any state */
    {"CAPABILITY", ST_ANY, 0, mox__imap_parse_nothing, .step = mox__cmd_capability},
    {"NOOP", ST_ANY, 0, mox__imap_parse_nothing, .step = mox__cmd_noop},
    {"LOGOUT", ST_ANY, ROW_NO_SYNC, mox__imap_parse_nothing, .step = mox__cmd_logout},
    {"ID", ST_ANY, 0, mox__parse_id, .step = mox__cmd_id},

    /* not authenticated */
    {"STARTTLS", ST_NOT_AUTHENTICATED, 0, mox__imap_parse_nothing, .step = mox__cmd_starttls},
    {"AUTHENTICATE", ST_NOT_AUTHENTICATED, ROW_SECRET | ROW_LOGIN | ROW_NO_SYNC,
     mox__parse_authenticate, .step = mox__cmd_authenticate, .cleanup = mox__cleanup_login,
     .answer = mox__answer_authenticate},
    {"LOGIN", ST_NOT_AUTHENTICATED, ROW_SECRET | ROW_LOGIN | ROW_NO_SYNC, mox__parse_login,
     .step = mox__cmd_login, .literal = mox__literal_login, .cleanup = mox__cleanup_login},

    /* authenticated */
    {"ENABLE", ST_USER, 0, mox__parse_enable, .step = mox__cmd_enable},
    {"SELECT", ST_USER, ROW_NO_SYNC, mox__parse_select, .step = mox__cmd_select,
     .cleanup = mox__cleanup_select},
    {"EXAMINE", ST_USER, ROW_NO_SYNC, mox__parse_select, .step = mox__cmd_examine,
     .cleanup = mox__cleanup_select},
    {"CREATE", ST_USER, 0, mox__parse_create, .step = mox__cmd_create},
    {"DELETE", ST_USER, 0, mox__parse_one_name, .step = mox__cmd_delete},
    {"RENAME", ST_USER, 0, mox__parse_rename, .step = mox__cmd_rename},
    {"SUBSCRIBE", ST_USER, 0, mox__parse_one_name, .step = mox__cmd_subscribe},
    {"UNSUBSCRIBE", ST_USER, 0, mox__parse_one_name, .step = mox__cmd_unsubscribe},
    {"LIST", ST_USER, 0, mox__parse_list, .step = mox__cmd_list, .cleanup = mox__cleanup_list},
    {"LSUB", ST_USER, 0, mox__parse_lsub, .step = mox__cmd_lsub, .cleanup = mox__cleanup_list},
    {"NAMESPACE", ST_USER, 0, mox__imap_parse_nothing, .step = mox__cmd_namespace},
    {"STATUS", ST_USER, 0, mox__parse_status, .step = mox__cmd_status},
    {"APPEND", ST_USER, 0, mox__parse_append, .step = mox__cmd_append,
     .literal = mox__literal_append, .cleanup = mox__cleanup_append},
    {"IDLE", ST_USER, 0, mox__imap_parse_nothing, .step = mox__cmd_idle,
     .cleanup = mox__cleanup_idle, .answer = mox__answer_idle},

    /* selected */
    {"CHECK", ST_SELECTED, ROW_MAILBOX, mox__imap_parse_nothing, .step = mox__cmd_noop},
    {"CLOSE", ST_SELECTED, ROW_NO_SYNC, mox__imap_parse_nothing, .step = mox__cmd_close},
    {"UNSELECT", ST_SELECTED, ROW_NO_SYNC, mox__imap_parse_nothing, .step = mox__cmd_unselect},
    {"EXPUNGE", ST_SELECTED, ROW_MAILBOX | ROW_WRITES, mox__parse_expunge,
     .step = mox__cmd_expunge},
    {"UID EXPUNGE", ST_SELECTED, ROW_MAILBOX | ROW_WRITES | ROW_UID, mox__parse_uid_expunge,
     .step = mox__cmd_expunge},
    {"SEARCH", ST_SELECTED, ROW_MAILBOX | ROW_KEEP_NUMBERS, mox__parse_search,
     .step = mox__cmd_search, .cleanup = mox__cleanup_search},
    {"UID SEARCH", ST_SELECTED, ROW_MAILBOX | ROW_UID, mox__parse_uid_search,
     .step = mox__cmd_search, .cleanup = mox__cleanup_search},
    {"FETCH", ST_SELECTED, ROW_MAILBOX | ROW_KEEP_NUMBERS, mox__parse_fetch, .step = mox__cmd_fetch,
     .cleanup = mox__cleanup_fetch},
    {"UID FETCH", ST_SELECTED, ROW_MAILBOX | ROW_UID, mox__parse_uid_fetch, .step = mox__cmd_fetch,
     .cleanup = mox__cleanup_fetch},
    {"STORE", ST_SELECTED, ROW_MAILBOX | ROW_WRITES | ROW_KEEP_NUMBERS, mox__parse_store,
     .step = mox__cmd_store, .cleanup = mox__cleanup_store},
    {"UID STORE", ST_SELECTED, ROW_MAILBOX | ROW_WRITES | ROW_UID, mox__parse_uid_store,
     .step = mox__cmd_store, .cleanup = mox__cleanup_store},
    {"COPY", ST_SELECTED, ROW_MAILBOX, mox__parse_copy, .step = mox__cmd_copy,
     .cleanup = mox__cleanup_copy},
    {"UID COPY", ST_SELECTED, ROW_MAILBOX | ROW_UID, mox__parse_uid_copy, .step = mox__cmd_copy,
     .cleanup = mox__cleanup_copy},
    {"MOVE", ST_SELECTED, ROW_MAILBOX | ROW_WRITES, mox__parse_copy, .step = mox__cmd_move,
     .cleanup = mox__cleanup_copy},
    {"UID MOVE", ST_SELECTED, ROW_MAILBOX | ROW_WRITES | ROW_UID, mox__parse_uid_copy,
     .step = mox__cmd_move, .cleanup = mox__cleanup_copy},
};

const struct command_row *mox__imap_row(struct mox_slice word)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (mox__slice_is_nocase(word, rows[i].name))
            return &rows[i];
    return NULL;
}
