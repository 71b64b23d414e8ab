/* SPDX-License-Identifier: MIT */
#include "junk/words.h"

#include <mox/message.h>

#include "base/mem.h"
#include "base/text.h"
#include "junk/fields.h"
#include "junk/html.h"
#include "junk/tokenizer.h"
#include "message/text.h"

#define VALUE_BYTES_MAX 65536 /* of a header field: thousands of addresses */

/* A walk over one message. */
struct walk {
    const struct mox_env *env;
    struct mox_slice content;
    size_t text_left; /* bytes of text that may still be read */
    bool is_html;
    struct tokenizer tokenizer;
    struct html html;
    struct wordset *set;
    const struct mox_junk_params *params;
    struct gram_reader grams;
    struct charset_pool charsets;
};

/* All but the readers of text, which begin with each text. */
static void walk_init(struct walk *w, struct mox_junk_words *words,
                      const struct mox_junk_params *params, struct mox_slice content)
{
    w->env = &words->env;
    w->content = content;
    w->text_left = MOX_JUNK_TEXT_MAX;
    w->set = &words->set;
    w->params = params;
    w->charsets.count = 0;
    mox__gram_reader_init(&w->grams);
}

/* ---- header fields ---- */

static const struct {
    const char *name, *prefix;
} fields[] = {
    {"From", "From:"},
    {"To", "To:"},
    {"Cc", "Cc:"},
    {"Bcc", "Bcc:"},
    {"Reply-To", "Reply-To:"},
    {"Subject", "Subject:"},
    {"Sender", "Sender:"},
    {"Return-Path", "Return-Path:"},
};

static void add_field(struct walk *w, const char *prefix, struct mox_slice value)
{
    struct buf text;
    if (value.len > VALUE_BYTES_MAX)
        value.len = VALUE_BYTES_MAX;
    mox__buf_init(&text, w->env, 4 * (size_t)VALUE_BYTES_MAX);
    mox__encoded_words(&text, &w->charsets, value);
    w->set->failed |= buf_is_starved(&text); /* of one that is full, what fitted counts */
    mox__tokenizer_init(&w->tokenizer, w->set, w->params, slice_of(prefix));
    mox__tokenizer_feed(&w->tokenizer, slice(text.data, text.len));
    mox__tokenizer_break(&w->tokenizer);
    mox__buf_free(&text);
}

static void add_header(struct walk *w, struct mox_slice header)
{
    struct mox_header_field field;
    size_t at = 0;
    struct buf decoded;
    if (header.len > MOX_JUNK_HEADER_MAX)
        header.len = MOX_JUNK_HEADER_MAX;
    mox__buf_init(&decoded, w->env, 4 * (size_t)VALUE_BYTES_MAX);
    while (mox_header_next(header, &at, &field)) {
        mox__gram_field(&w->grams, &field, &decoded, &w->charsets);
        w->set->failed |= buf_is_starved(&decoded);
        for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
            if (name_may_be(field.name, fields[i].name) &&
                mox__slice_is_nocase(field.name, fields[i].name))
                add_field(w, fields[i].prefix, field.value);
    }
    mox__buf_free(&decoded);
}

/* ---- text ---- */

/* Bytes of text up to `len` that end with a character. */
static size_t whole_characters(struct mox_slice text, size_t len)
{
    while (len > 0 && len < text.len && (text.data[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static int add_text(void *user, struct mox_slice text)
{
    struct walk *w = user;
    if (text.len > w->text_left) {
        text.len = whole_characters(text, w->text_left);
        w->text_left = text.len;
    }
    w->text_left -= text.len;
    if (w->is_html)
        mox__html_feed(&w->html, text);
    else
        mox__tokenizer_feed(&w->tokenizer, text);
    return w->text_left == 0 ? MOX_LATER : MOX_OK;
}

static int add_text_part(struct walk *w, const struct mox_part *part)
{
    mox__tokenizer_init(&w->tokenizer, w->set, w->params, slice(NULL, 0));
    w->tokenizer.grams = &w->grams;
    mox__gram_reader_begin(&w->grams, 0);
    w->is_html = mox__slice_is_nocase(part->subtype, "html");
    if (w->is_html)
        mox__html_init(&w->html, &w->tokenizer);
    int rc = mox__part_text(&w->charsets, part, w->content, add_text, w);
    if (w->is_html)
        mox__html_finish(&w->html);
    else
        mox__tokenizer_break(&w->tokenizer);
    return rc == MOX_LATER ? MOX_OK : rc;
}

/* As deep as MOX_MESSAGE_DEPTH_MAX. */
static int add_part(struct walk *w, const struct mox_part *part)
{
    int rc = MOX_OK;
    mox__gram_part(&w->grams, part);
    if (part->kind == MOX_PART_LEAF && mox_part_is_text(part) && w->text_left > 0)
        rc = add_text_part(w, part);
    for (const struct mox_part *c = part->children; c != NULL && rc == MOX_OK; c = c->next)
        rc = add_part(w, c);
    return rc;
}

static int add_message(struct mox_junk_words *words, struct walk *w)
{
    struct mox_message *message = NULL;
    int rc = mox_message_parse(&message, w->env, w->content);
    if (rc < 0)
        return rc;
    const struct mox_part *root = mox_message_root(message);
    add_header(w, mox_part_header(root, w->content));
    rc = add_part(w, root);
    mox_message_free(message);
    mox__gram_end(&w->grams);
    if (rc == MOX_OK)
        rc = mox__grams_take(&words->grams, w->env, &w->grams);
    return words->set.failed ? MOX_ENOMEM : rc;
}

int mox_junk_words_new(struct mox_junk_words **out, const struct mox_env *env,
                       const struct mox_junk_params *params, struct mox_slice content)
{
    *out = NULL;
    struct mox_junk_words *words = mem_new(env, struct mox_junk_words, 1);
    if (words == NULL)
        return MOX_ENOMEM;
    words->env = *env;
    mox__wordset_init(&words->set, &words->env);
    struct walk *w = mox__realloc(env, NULL, 1, sizeof *w);
    int rc = MOX_ENOMEM;
    if (w != NULL) {
        walk_init(w, words, params, content);
        rc = add_message(words, w);
        mox__charset_pool_close(&w->charsets);
    }
    mox__mem_free(env, w);
    if (rc < 0) {
        mox_junk_words_free(words);
        return rc;
    }
    *out = words;
    return MOX_OK;
}

void mox_junk_words_free(struct mox_junk_words *words)
{
    if (words == NULL)
        return;
    const struct mox_env env = words->env;
    mox__wordset_free(&words->set);
    mox__grams_free(&words->grams, &env);
    mox__mem_free(&env, words);
}

size_t mox_junk_words_count(const struct mox_junk_words *words)
{
    return words->set.count;
}
