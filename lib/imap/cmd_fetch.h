/* SPDX-License-Identifier: MIT */
#ifndef IMAP_CMD_FETCH_H
#define IMAP_CMD_FETCH_H

#include "imap/command.h"
#include "imap/section.h"
#include "imap/seqset.h"

/**
 * FETCH (RFC 9051 §6.4.5), in three files:
 *
 *   cmd_fetch_parse.c  what is asked for becomes a list of items
 *   cmd_fetch.c        \Seen first, then the messages in order, pausing when the output is full
 *   cmd_fetch_item.c   one item of one message, as far as the output has room
 */

/* The most items in one command. There are a dozen of them; clients that ask for parts name some
 * tens. */
#define FETCH_ITEMS_MAX 256
/* Memory for the parts of one message: MOX_MESSAGE_PARTS_MAX of them, with their types. */
#define FETCH_SCRATCH_MAX (16 * 1024 * 1024)
/* The most header fields that one item names. */
#define FETCH_FIELDS_MAX 256

struct fetch;
struct fetch_item;

/* One row per data item; a new one is a row and, if its value is not like any other's, a function.
 */
struct fetch_attribute {
    const char *name;
    unsigned wants;    /* enum mox_fetch_want; of content perhaps only the header */
    bool from_view;    /* needs no store */
    bool with_section; /* only if [section] follows; the same name without one is another row */
    bool seen;         /* reading it sets \Seen (RFC 9051 §6.4.5) */
    enum section_kind fixed; /* of the forms without brackets: RFC822.HEADER … */
    /* A value that fits in a line. NULL: the value is `stream`ed. */
    void (*write)(struct fetch *f, const struct mox_message_data *data);
    /* A value that may be long: text that is there already, or (NULL) a section as a literal. */
    struct mox_slice (*stream)(const struct mox_message_data *data);
};

struct fetch_item {
    const struct fetch_attribute *attribute;
    struct mox_slice label; /* as it stands in the response */
    struct section section;
    bool partial;
    uint64_t offset, length; /* of `<offset.length>` */
};

/* What a FETCH asks for. UID is always told, first, and FLAGS come last. */
struct fetch_program {
    struct fetch_item *items; /* without UID and FLAGS; in the arena of the lexer */
    size_t count;
    bool flags;     /* FLAGS were asked for */
    bool seen;      /* some item sets \Seen */
    bool from_view; /* no item needs the store */
    unsigned wants; /* of all items */
};

/* Reads fetch-att, a list of them, or a macro, up to the end of the command. MOX_ESYNTAX,
 * MOX_ENOMEM. */
int mox__fetch_parse(struct fetch_program *out, struct lexer *l);

/* Where in a response the output paused. */
struct fetch_place {
    bool open; /* "* n FETCH (UID u" is out */
    size_t item;
    bool in_value; /* the item's label is out */
    struct section_reader reader;
    uint64_t skip; /* bytes to leave out before the next one that is sent */
    uint64_t left; /* bytes of the value still to be sent */
};

/* A FETCH at work; its command's `data`. */
struct fetch {
    struct mox_imap_server *server;
    struct fetch_program program;
    struct row_set rows;
    struct mox_uid_range *uids; /* of rows; the first that is not finished begins at its next one */
    size_t range;               /* rows.ranges[range] is under way … */
    uint32_t index;             /* … from this row on */
    struct fetch_place place;   /* within that row's response */
    bool missing;               /* some section does not exist */
    bool lost;                  /* the store has no data for some row */
    bool damaged;               /* some message cannot be read … */
    struct mox_error damage;    /* … the first for this reason */
    unsigned messages;          /* answered so far */
    int64_t slice_end_us;       /* when this step has run long enough */

    struct mox_view *current; /* where flags come from; ours */
    struct mox_set_flags *set_seen;
    struct arena scratch; /* parts of one message */
    struct mox_message *parsed;
    const struct mox_part *root;
};

/* Writes the items from f->place on, as far as there is room. `data` is NULL when no item needs it.
 * *complete: all are out. MOX_ENOMEM, MOX_ECORRUPT: the message is not what it was before a pause.
 */
int mox__fetch_items(struct fetch *f, const struct mox_message_data *data, bool *complete);

/* Values of items, for the table. */
void mox__fetch_size(struct fetch *f, const struct mox_message_data *data);
void mox__fetch_internaldate(struct fetch *f, const struct mox_message_data *data);
struct mox_slice mox__fetch_envelope(const struct mox_message_data *data);
struct mox_slice mox__fetch_body(const struct mox_message_data *data);
struct mox_slice mox__fetch_bodystructure(const struct mox_message_data *data);

#endif
