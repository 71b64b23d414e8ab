/* SPDX-License-Identifier: MIT */
#include "junk/fields.h"

#include <string.h>

#include "base/text.h"
#include "message/text.h"

#define WORDS_MAX         60 /* of a field */
#define WORD_BYTES_MAX    40
#define SHAPE_BYTES_MAX   40
#define ADDRESS_SHAPE_MAX 30
#define RECEIVED_MAX      8
#define VALUE_BYTES_MAX   8192 /* of a field; longer ones are lists of people */
#define TEXT_BYTES_MAX    200  /* of which byte groups are taken */

/* Features have a letter in front that tells apart what they are of. */
static uint64_t hash(char kind)
{
    return UINT64_C(0xcbf29ce484222325) ^ (uint8_t)kind;
}

static uint64_t hash_byte(uint64_t h, uint8_t c)
{
    return (h ^ c) * UINT64_C(0x100000001b3);
}

static uint64_t hash_lower(uint64_t h, struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        h = hash_byte(h, to_lower(s.data[i]));
    return h;
}

static void add(struct gram_reader *r, uint64_t h)
{
    mox__gram_reader_add(r, GRAMS_HEADER, h);
}

static void add_heading(struct gram_reader *r, uint64_t h)
{
    mox__gram_reader_add(r, GRAMS_HEADING, h);
}

/* Fields that receivers add: what their filters thought, and where they put a message. Another site's are
 * not ours, and none says how the message was made. */
static bool is_skipped(struct mox_slice name)
{
    static const char *const prefixes[] = {
        "arc-",           "authentication-results",
        "content-length", "delivered-to",
        "dkim-",          "domainkey-",
        "envelope-to",    "lines",
        "received-spf",   "status",
        "x-bogosity",     "x-envelope",
        "x-folder",       "x-imap",
        "x-keywords",     "x-mozilla",
        "x-mox-",         "x-original-to",
        "x-spam",         "x-status",
        "x-uid",
    };
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (name_may_be(name, prefixes[i]) && mox__slice_starts_nocase(name, prefixes[i]))
            return true;
    return false;
}

static bool is_word_byte(uint8_t c)
{
    return is_alpha(c) || is_digit(c) || c >= 0x80;
}

static void add_words(struct gram_reader *r, enum gram_block block, struct mox_slice name,
                      struct mox_slice value)
{
    uint64_t last = 0;
    const uint64_t field = hash_byte(hash_lower(hash('H'), name), ':');
    size_t at = 0;
    const size_t len = mox__gram_reader_is_full(r, block) ? 0 : value.len;
    for (unsigned n = 0; n < WORDS_MAX && at < len; n++) {
        while (at < value.len && !is_word_byte(value.data[at]))
            at++;
        const size_t begin = at;
        uint64_t h = field;
        for (; at < value.len && is_word_byte(value.data[at]); at++)
            h = hash_byte(h, to_lower(value.data[at]));
        if (at == begin || at - begin >= WORD_BYTES_MAX)
            continue;
        mox__gram_reader_add(r, block, h);
        if (block == GRAMS_HEADING && last != 0) /* and two side by side */
            mox__gram_reader_add(r, block, (last ^ h >> 7) * 3);
        last = h;
    }
}

static bool is_host_byte(uint8_t c)
{
    return is_alpha(c) || is_digit(c) || c == '-' || c == '.';
}

/* The domains that a host is in: "mx.example.org" is of "example.org". */
static void add_host(struct gram_reader *r, struct mox_slice host)
{
    size_t dots = 0;
    for (size_t i = host.len; i > 0; i--) {
        const bool dot = host.data[i - 1] == '.';
        if (dot && ++dots >= 2)
            add(r, hash_lower(hash('R'), slice_from(host, i)));
    }
    if (dots > 0)
        add(r, hash_lower(hash('R'), host));
}

static void add_hosts(struct gram_reader *r, struct mox_slice value)
{
    for (size_t at = 0; at < value.len && !mox__gram_reader_is_full(r, GRAMS_HEADER);) {
        const size_t begin = at;
        while (at < value.len && is_host_byte(value.data[at]))
            at++;
        struct mox_slice host = {value.data + begin, at - begin};
        while (host.len > 0 && host.data[host.len - 1] == '.')
            host.len--;
        if (host.len > 3 && is_alpha(host.data[0]) && host.len <= 255)
            add_host(r, host);
        at++;
    }
}

static uint8_t shape_of(uint8_t c)
{
    return is_digit(c) ? '9' : c >= 'a' && c <= 'z' ? 'a' : c >= 'A' && c <= 'Z' ? 'A' : c;
}

/* How it is written: letters and digits side by side count once. */
static void add_shape(struct gram_reader *r, char kind, struct mox_slice value)
{
    uint64_t h = hash(kind);
    uint8_t last = 0;
    value = mox__slice_trim(value);
    for (size_t i = 0, len = 0; i < value.len && len < SHAPE_BYTES_MAX; i++) {
        const uint8_t c = shape_of(value.data[i]);
        if (c == last && (c == 'a' || c == 'A' || c == '9'))
            continue;
        last = c;
        h = hash_byte(h, c);
        len++;
    }
    add(r, h);
}

/* How a list of people is written: names and words are alike, the marks between them count. */
static void add_address_shape(struct gram_reader *r, struct mox_slice name, struct mox_slice value)
{
    uint64_t h = hash_byte(hash_lower(hash('A'), name), ':');
    bool word = false;
    for (size_t i = 0, len = 0; i < value.len && len < ADDRESS_SHAPE_MAX; i++) {
        const uint8_t c = value.data[i];
        const bool in_word = is_word_byte(c) || c == '_' || c == '.' || c == '-';
        if (in_word && word)
            continue;
        word = in_word;
        h = hash_byte(h, in_word ? 'a' : c);
        len++;
    }
    add_heading(r, h);
}

static void add_zone(struct gram_reader *r, struct mox_slice date)
{
    uint64_t h = hash('Z');
    for (size_t i = 0; i + 5 <= date.len; i++)
        if ((date.data[i] == '+' || date.data[i] == '-') && is_digit(date.data[i + 1]) &&
            is_digit(date.data[i + 2])) {
            h = hash_lower(h, slice(date.data + i, 5));
            break;
        }
    add(r, h);
}

static void add_marks(struct gram_reader *r, struct mox_slice subject)
{
    bool small = false;
    for (size_t i = 0; i < subject.len; i++) {
        const uint8_t c = subject.data[i];
        small = small || (c >= 'a' && c <= 'z');
        if (c >= 0x80 || c == '!' || c == '$' || c == '%' || c == '?' || c == '*')
            add_heading(r, hash_byte(hash('S'), c >= 0x80 ? '8' : c));
    }
    if (!small)
        add_heading(r, hash_byte(hash('S'), 'A'));
    if (mox__slice_starts_nocase(subject, "re:"))
        add_heading(r, hash_byte(hash('S'), 'r'));
}

static void add_text(struct gram_reader *r, uint32_t kind, struct mox_slice value)
{
    if (value.len > TEXT_BYTES_MAX)
        value.len = TEXT_BYTES_MAX;
    mox__gram_reader_begin(r, kind);
    mox__gram_reader_feed(r, value);
    mox__gram_reader_feed(r, slice(" ", 1));
}

enum field_kind {
    NAME_ONLY,
    DATE,
    MESSAGE_ID,
    RECEIVED,
    SUBJECT,
    FROM,
    REPLY_TO,
    PEOPLE,
    CONTENT_TYPE,
    PLAIN
};

static enum field_kind kind_of(struct mox_slice name)
{
    static const struct {
        const char *name;
        enum field_kind kind;
    } kinds[] = {
        {"Date", DATE},         {"Message-ID", MESSAGE_ID},     {"References", NAME_ONLY},
        {"Received", RECEIVED}, {"In-Reply-To", NAME_ONLY},     {"Subject", SUBJECT},
        {"From", FROM},         {"Reply-To", REPLY_TO},         {"To", PEOPLE},
        {"Cc", PEOPLE},         {"Content-Type", CONTENT_TYPE},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (name_may_be(name, kinds[i].name) && mox__slice_is_nocase(name, kinds[i].name))
            return kinds[i].kind;
    return PLAIN;
}

static void add_value(struct gram_reader *r, struct mox_slice name, enum field_kind kind,
                      struct mox_slice value)
{
    const bool heading = kind == SUBJECT || kind == FROM || kind == REPLY_TO;
    if (kind == DATE)
        add_zone(r, value);
    if (kind == DATE || kind == MESSAGE_ID || kind == CONTENT_TYPE)
        add_shape(r, kind == DATE ? 'D' : kind == MESSAGE_ID ? 'M' : 'C', value);
    if (kind == RECEIVED) {
        add_hosts(r, value);
        r->received += r->received < RECEIVED_MAX;
    }
    if (kind == SUBJECT)
        add_marks(r, value);
    if (kind == SUBJECT || kind == FROM)
        add_text(r, kind == SUBJECT ? 1 : 2, value);
    if (kind == FROM || kind == REPLY_TO || kind == PEOPLE)
        add_address_shape(r, name, value);
    if (heading || kind == PLAIN || kind == PEOPLE || kind == CONTENT_TYPE)
        add_words(r, heading ? GRAMS_HEADING : GRAMS_HEADER, name, value);
}

void mox__gram_field(struct gram_reader *r, const struct mox_header_field *field,
                     struct buf *decoded, struct charset_pool *charsets)
{
    struct mox_slice value = field->value;
    if (is_skipped(field->name))
        return;
    const enum field_kind kind = kind_of(field->name);
    uint64_t h = hash('N');
    for (size_t i = 0; i < field->name.len; i++)
        h = hash_byte(h, field->name.data[i]); /* in its own letters: programs differ in them */
    if (kind != RECEIVED)
        add(r, h);
    if (value.len > VALUE_BYTES_MAX)
        value.len = VALUE_BYTES_MAX;
    if (kind != RECEIVED && value.len > 0 && memchr(value.data, '?', value.len) != NULL) {
        mox__buf_clear(decoded);
        mox__encoded_words(decoded, charsets, value);
        value = slice(decoded->data, decoded->len); /* or what fitted of it */
    }
    add_value(r, field->name, kind, value);
}

void mox__gram_part(struct gram_reader *r, const struct mox_part *part)
{
    r->types = hash_byte(hash_lower(r->types, part->type), '/');
    r->types = hash_byte(hash_lower(r->types, part->subtype), ',');
    if (part->kind != MOX_PART_LEAF)
        return;
    uint64_t h = hash_lower(hash('t'), part->type);
    add(r, hash_lower(hash_byte(h, '/'), part->subtype));
    add(r, hash_lower(hash('c'), part->charset));
    add(r, hash_byte(hash('e'), (uint8_t)part->encoding));
}

void mox__gram_end(struct gram_reader *r)
{
    add(r, hash_byte(hash('n'), (uint8_t)r->received));
    add(r, hash_byte(r->types, 'T'));
}
