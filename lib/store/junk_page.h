/* SPDX-License-Identifier: MIT */
#ifndef STORE_JUNK_PAGE_H
#define STORE_JUNK_PAGE_H

#include "base/buf.h"
#include "junk/table.h"

/* A page has the words whose keys begin with its number, in the order of their keys. Each is the rest of
 * its key, 7 bytes big-endian, and two counts, 7 bits a byte, the lowest first, with the upper bit set
 * in all but the last. A word with two zeros is not there. */

#define JUNK_PAGES      4096
#define JUNK_PAGE_SHIFT 52 /* key >> this is the page */

/* A place in a page. */
struct junk_page {
    struct mox_slice rest;
    uint64_t number, last; /* of the page; key of the last word, to see that they ascend */
    bool damaged;
};

struct junk_page mox__junk_page(uint64_t number, struct mox_slice bytes);
/* The next word, or false: at the end, or `damaged`. */
bool mox__junk_page_next(struct junk_page *page, struct junk_row *row);
/* Finds a key among those that follow; the place is then behind it. */
bool mox__junk_page_find(struct junk_page *page, uint64_t key, struct junk_row *row);
/* Appends a word, in order. */
void mox__junk_page_put(struct buf *out, const struct junk_row *row);
/* Appends the page with changes, which are in the order of their keys. A count that would be less than 0
 * is 0, and *missed is raised. false: the page is damaged. */
bool mox__junk_page_merge(struct buf *out, struct junk_page page, const struct junk_row *changes,
                          size_t count, uint64_t *missed);

#endif
