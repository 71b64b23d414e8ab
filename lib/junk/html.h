/* SPDX-License-Identifier: MIT */
#ifndef JUNK_HTML_H
#define JUNK_HTML_H

#include "junk/entity.h"
#include "junk/tokenizer.h"

#define HTML_NAME_MAX  12  /* of elements and attributes that mean something; longer ones are cut */
#define HTML_DEPTH_MAX 256 /* elements in elements; further in, nothing is known of them */

enum html_state {
    HTML_TEXT,
    HTML_ENTITY,       /* behind "&", in text or in a value */
    HTML_TAG,          /* behind "<" */
    HTML_NAME,         /* in an element's name */
    HTML_SPACE,        /* between attributes */
    HTML_ATTRIBUTE,    /* in an attribute's name */
    HTML_BEFORE_VALUE, /* behind "=" */
    HTML_VALUE,
    HTML_MARKUP,  /* behind "<!" */
    HTML_COMMENT, /* behind "<!--" */
    HTML_BOGUS,   /* up to ">" */
    HTML_RAW      /* in script and style, up to their end tag */
};

/* The words of HTML that comes in pieces, by its tags alone. What people do not see is left out:
 * comments, and what is in script, style and svg. Elements that make a box end a word, those within a
 * line do not: spam cuts words by them. The text that stands for an image counts. */
struct html {
    struct tokenizer *out;
    enum html_state state;
    bool end_tag, self_closing, attribute_ended, is_alt, is_link;
    uint8_t quote;  /* around the value; 0: none */
    uint8_t dashes; /* side by side, in a comment */
    char name[HTML_NAME_MAX + 1];
    size_t name_len;
    char attribute[HTML_NAME_MAX + 1];
    size_t attribute_len;
    enum html_state behind_entity;
    uint8_t entity[ENTITY_NAME_MAX + 2];
    size_t entity_len;
    size_t raw_matched; /* bytes of "</script" */
    size_t depth;       /* of open elements */
    bool is_svg[HTML_DEPTH_MAX];
};

void mox__html_init(struct html *h, struct tokenizer *out);
/* A piece, which cuts no character. */
void mox__html_feed(struct html *h, struct mox_slice text);
/* There is nothing more. */
void mox__html_finish(struct html *h);

#endif
