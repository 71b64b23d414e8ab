/* SPDX-License-Identifier: MIT */
#ifndef MOX_VIEW_H
#define MOX_VIEW_H

#include <mox/env.h>
#include <mox/error.h>

MOX_BEGIN_DECLS

/** Flags of a message: the system flags of RFC 9051 §2.3.2 and the well-known keywords. */
enum mox_flag {
    MOX_FLAG_SEEN = 1 << 0,
    MOX_FLAG_ANSWERED = 1 << 1,
    MOX_FLAG_FLAGGED = 1 << 2,
    MOX_FLAG_DELETED = 1 << 3,
    MOX_FLAG_DRAFT = 1 << 4,
    MOX_FLAG_FORWARDED = 1 << 5, /* $Forwarded */
    MOX_FLAG_JUNK = 1 << 6,      /* $Junk */
    MOX_FLAG_NOTJUNK = 1 << 7,   /* $NotJunk */
    MOX_FLAG_PHISHING = 1 << 8,  /* $Phishing */
    MOX_FLAG_MDNSENT = 1 << 9,   /* $MDNSent */
    MOX_FLAG_ALL = (1 << 10) - 1
};

/** Other keywords in one mailbox. A message has a bit for each: bit n is the mailbox's keyword n. */
#define MOX_KEYWORDS_MAX 64

/** A message in a mailbox: what can change of it, and its size. */
struct mox_view_row {
    uint32_t uid;
    uint32_t flags;    /* a set of enum mox_flag */
    uint64_t keywords; /* bit n: mox_view_keywords()[n] */
    uint64_t modseq;   /* of its last change (RFC 7162) */
    uint64_t bytes;    /* RFC822.SIZE; never changes */
};

/** UIDs from `first` to `last`, both included. */
struct mox_uid_range {
    uint32_t first, last;
};

/**
 * All messages of one mailbox at one moment, by sequence number. It never changes: a change of the
 * mailbox makes a new view, which shares the unchanged parts with the old one, so that a thousand
 * sessions on a large mailbox share one, and the difference of two views costs what changed.
 *
 * Threads: any, at the same time. References are counted.
 */
struct mox_view;

MOX_API struct mox_view *mox_view_ref(struct mox_view *view);
/** NULL is fine. */
MOX_API void mox_view_unref(struct mox_view *view);

MOX_API uint64_t mox_view_mailbox(const struct mox_view *view); /* the mailbox's id */
MOX_API uint32_t mox_view_uidvalidity(const struct mox_view *view);
MOX_API uint32_t mox_view_uidnext(const struct mox_view *view);
/** The highest modification sequence of the mailbox when the view was made. */
MOX_API uint64_t mox_view_modseq(const struct mox_view *view);
MOX_API uint32_t mox_view_count(const struct mox_view *view);

/** The row of sequence number index + 1; index < count. Borrowed for the view's life. */
MOX_API const struct mox_view_row *mox_view_row(const struct mox_view *view, uint32_t index);
/** The rows from index on that lie side by side in memory: at least one if index < count. The way
 *  to walk over many: index += *count. */
MOX_API const struct mox_view_row *mox_view_run(const struct mox_view *view, uint32_t index,
                                                uint32_t *count);
/** The index of the first row with this UID or a higher one; the view's count if there is none. */
MOX_API uint32_t mox_view_find(const struct mox_view *view, uint32_t uid);
/** The index of the first row without MOX_FLAG_SEEN, the view's count if there is none. */
MOX_API uint32_t mox_view_first_unseen(const struct mox_view *view);
/** The mailbox's keywords, by bit; NUL-terminated, lower case. Borrowed for the view's life. */
MOX_API const char *const *mox_view_keywords(const struct mox_view *view, unsigned *count);

/** What mox_view_diff() tells. Members may be NULL. A value other than 0 stops it. */
struct mox_view_diff {
    /** Gone in the new view. `index` counts in the old view. Called from the last to the first. */
    int (*removed)(void *user, uint32_t index, const struct mox_view_row *row);
    /** Flags, keywords or modseq differ. `index` counts in the new view. Ascending. */
    int (*changed)(void *user, uint32_t index, const struct mox_view_row *before,
                   const struct mox_view_row *now);
    /** New, ascending. All have higher UIDs than any row of the old view. */
    int (*added)(void *user, uint32_t index, const struct mox_view_row *row);
};

/** Tells the differences of two views of the same mailbox and UIDVALIDITY: first all removed, then
 *  all changed, then all added. Costs as much as changed, not as much as there is. */
MOX_API int mox_view_diff(const struct mox_view *before, const struct mox_view *now,
                          const struct mox_view_diff *diff, void *user);

/** What a store says about a view that it makes. */
struct mox_view_info {
    size_t size; /* sizeof(struct mox_view_info) */
    uint64_t mailbox;
    uint32_t uidvalidity, uidnext;
    uint64_t modseq;
    const char *const *keywords; /* copied */
    unsigned keyword_count;      /* up to MOX_KEYWORDS_MAX */
    /** Called when the last reference goes, on any thread; may be NULL. The view must not be used. */
    void (*released)(void *user, const struct mox_view *view);
    void *released_user;
};

/** Makes a view of rows with ascending UIDs; they are copied. */
MOX_API MOX_MUST_USE int mox_view_new(struct mox_view **out, const struct mox_env *env,
                                      const struct mox_view_info *info,
                                      const struct mox_view_row *rows, uint32_t count);

/** A change of one row. */
struct mox_view_edit {
    struct mox_view_row row;
    bool remove; /* only row.uid counts */
};

/** Makes a view from another by edits with ascending UIDs: an edit of a UID that is there replaces
 *  or removes it, one with a UID above all others appends. Others are ignored. Costs O(edits + parts
 *  touched), not O(messages). `base` is borrowed. */
MOX_API MOX_MUST_USE int mox_view_edit(struct mox_view **out, const struct mox_view *base,
                                       const struct mox_view_info *info,
                                       const struct mox_view_edit *edits, size_t count);

MOX_END_DECLS

#endif
