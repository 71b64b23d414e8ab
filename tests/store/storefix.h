/* SPDX-License-Identifier: MIT */
#ifndef STORE_STOREFIX_H
#define STORE_STOREFIX_H

#include <mox/store.h>

#include "support/testenv.h"

/* A data directory of its own for a test. */
struct storefix {
    struct test_env t;
    char dir[64];
    const struct mox_account_config *config; /* of the account; NULL */
    struct mox_store *store;
    struct mox_account *account;
    struct mox_mailstore mail;
};

/* setup and teardown of cmocka: *state becomes a storefix with account "mjl" open. The teardown
 * closes all, verifies the directory, removes it, and asserts that nothing leaked. */
int storefix_open(void **state);
int storefix_close(void **state);
#define STORE_TEST(function)                                                                       \
    cmocka_unit_test_setup_teardown(function, storefix_open, storefix_close)

/* Parts of it. */
void storefix_init(struct storefix *f);      /* the directory */
void storefix_init_fast(struct storefix *f); /* in memory where there is such a file system */
void storefix_start(struct storefix *f);     /* opens store and account */
void storefix_stop(struct storefix *f);      /* closes both */
void storefix_verify(struct storefix *f);    /* the store being closed: no problem */
void storefix_done(struct storefix *f);

void remove_tree(const char *dir);

/* Writes that wait. */
int wait_append(struct storefix *f, struct mox_append *op);
int wait_set_flags(struct storefix *f, struct mox_set_flags *op);
int wait_expunge(struct storefix *f, struct mox_expunge *op);
int wait_copy(struct storefix *f, struct mox_copy *op);
int wait_change(struct storefix *f, struct mox_mailbox_change *op);
int wait_outgoing(struct storefix *f, struct mox_outgoing *op);

/* The id of a mailbox that exists. */
uint64_t box_id(struct storefix *f, const char *name);
/* Appends a small message with a body of `len` bytes; returns its UID. */
uint32_t add_mail(struct storefix *f, uint64_t mailbox, const char *headers, size_t len);
struct mox_spool *mail_spool(struct storefix *f, const char *headers, size_t len);
/* Runs a query that gives one number on the account's database, the store being open or not. */
long long query(struct storefix *f, const char *sql);

#endif
