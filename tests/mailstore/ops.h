/* SPDX-License-Identifier: MIT */
#ifndef MAILSTORE_OPS_H
#define MAILSTORE_OPS_H

#include "mailstore/conformance.h"
#include "support/cm.h"

/* A store being tested, and its operations as calls that wait until they are done. */

struct fixture {
    const struct conformance *c;
    struct mox_mailstore store;
    uint64_t inbox;
};

/* The status of the write. When it fails, its error must be filled. */
int do_append(struct fixture *f, struct mox_append *op);
/* Submits them all, up to APPENDS_MAX, before it waits; they must succeed. */
#define APPENDS_MAX 100
void do_appends(struct fixture *f, struct mox_append *ops, size_t count);
int do_set_flags(struct fixture *f, struct mox_set_flags *op);
int do_expunge(struct fixture *f, struct mox_expunge *op);
int do_copy(struct fixture *f, struct mox_copy *op);
int do_change(struct fixture *f, struct mox_mailbox_change *op);

/* A spool with this content. */
struct mox_spool *spool_of(struct fixture *f, const void *content, size_t len);
/* The one that add_message() appends, of 17 bytes. */
struct mox_spool *small_spool(struct fixture *f);
/* Appends "n" as a small message; returns the UID. */
uint32_t add_message(struct fixture *f, uint64_t mailbox, uint32_t flags);
/* The same with keywords up to a NULL. */
uint32_t add_tagged(struct fixture *f, uint64_t mailbox, uint32_t flags,
                    const char *const *keywords);
/* On one range; they must succeed. Return the modseq. */
uint64_t change_flags(struct fixture *f, uint64_t mailbox, uint32_t first, uint32_t last,
                      enum mox_flags_mode mode, uint32_t flags);
uint64_t expunge_range(struct fixture *f, uint64_t mailbox, uint32_t first, uint32_t last);

/* Changes of the list. */
int create_mailbox(struct fixture *f, const char *name);
int delete_mailbox(struct fixture *f, const char *name);
int rename_mailbox(struct fixture *f, const char *name, const char *new_name);
/* The id of a mailbox that must have been created; 0 when there is none. */
uint64_t mailbox_id(struct fixture *f, const char *name);
uint64_t new_mailbox(struct fixture *f, const char *name);

struct mox_mailbox_status status_of(struct fixture *f, uint64_t mailbox);
struct mox_view *view_of(struct fixture *f, uint64_t mailbox);
/* The row of a UID that must be there. */
struct mox_view_row row_of(struct fixture *f, uint64_t mailbox, uint32_t uid);
/* Whether the view's UIDs are exactly these. */
void assert_uids(const struct mox_view *view, const uint32_t *uids, size_t count);
/* The row's keywords by name, sorted, with a space behind each: "a b ". */
void row_keywords(const struct mox_view *view, const struct mox_view_row *row, char *out,
                  size_t size);
/* Compares a mailbox's counts with its view and messages. */
void check_mailbox(struct fixture *f, uint64_t mailbox);
/* The same for all mailboxes, and the list: order, ids, UIDVALIDITY values, parents, roles. */
void check_account(struct fixture *f);

/* Fetches all of the view in the range and keeps what it was given. */
#define FETCHED_MAX 256
struct fetched {
    size_t count;
    size_t stop_after;                         /* returns 77 with this message; 0: never */
    struct mox_message_data data[FETCHED_MAX]; /* without slices */
    char content[FETCHED_MAX][64];             /* prefix and content, NUL-terminated, cut */
};
int fetch_ranges(struct fixture *f, const struct mox_view *view, const struct mox_uid_range *ranges,
                 size_t range_count, unsigned wants, struct fetched *out);

/* Cases: setup and teardown give each a fixture. */
int fixture_open(void **state);
int fixture_close(void **state);
#define CASE(function) cmocka_unit_test_setup_teardown(function, fixture_open, fixture_close)

/* Each file's cases. */
extern const struct CMUnitTest message_cases[], flag_cases[], copy_cases[], mailbox_cases[],
    watch_cases[], many_cases[];
extern const size_t message_case_count, flag_case_count, copy_case_count, mailbox_case_count,
    watch_case_count, many_case_count;

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
