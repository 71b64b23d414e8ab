/* SPDX-License-Identifier: MIT */
#ifndef STORE_FILTERFIX_H
#define STORE_FILTERFIX_H

#include "store/storefix.h"

/* setup of cmocka: as storefix_open(), and the account has a filter. */
int filterfix_open(void **state);
#define FILTER_TEST(function)                                                                      \
    cmocka_unit_test_setup_teardown(function, filterfix_open, storefix_close)
/* A configuration with the default filter, or without any. */
const struct mox_account_config *filter_config(void);
const struct mox_account_config *no_filter_config(void);

/* Asks the filter, which learns first what was marked, how many messages it has learnt. */
void assert_learnt(struct storefix *f, unsigned hams, unsigned spams);
/* Appends a message; returns its UID. */
uint32_t add_marked(struct storefix *f, const char *mailbox, const char *headers, uint32_t flags);
void mark(struct storefix *f, const char *mailbox, uint32_t uid, uint32_t flags);
void expunge(struct storefix *f, const char *mailbox, uint32_t uid);
void copy_to(struct storefix *f, const char *mailbox, uint32_t uid, const char *to, bool move);

/* The account's junk.db. */
void junk_path(const struct storefix *f, const char *suffix, char out[128]);
/* All that it knows of words, as text to be freed; the store being open or not. */
char *known_words(struct storefix *f);
long long junk_query(struct storefix *f, const char *sql);

#endif
