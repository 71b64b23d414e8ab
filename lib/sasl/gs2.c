/* SPDX-License-Identifier: MIT */
#include "sasl/gs2.h"

#include <string.h>

#include "base/text.h"

const char *mox__gs2_binding_name(enum gs2_binding binding)
{
    static const char *const names[] = {[BINDING_NONE] = "",
                                        [BINDING_EXPORTER] = "tls-exporter",
                                        [BINDING_END_POINT] = "tls-server-end-point",
                                        [BINDING_UNIQUE] = "tls-unique",
                                        [BINDING_UNKNOWN] = ""};
    return names[binding];
}

/* What stands before the next comma, which is taken too. False: there is no comma. */
static bool take_until_comma(struct mox_slice *rest, struct mox_slice *part)
{
    const uint8_t *comma = rest->len == 0 ? NULL : memchr(rest->data, ',', rest->len);
    if (comma == NULL)
        return false;
    *part = slice(rest->data, (size_t)(comma - rest->data));
    *rest = slice_from(*rest, part->len + 1);
    return true;
}

/* RFC 5056 §4: letters, digits, "." and "-". */
static bool is_binding_name(struct mox_slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!is_alpha(name.data[i]) && !is_digit(name.data[i]) && name.data[i] != '.' &&
            name.data[i] != '-')
            return false;
    return name.len > 0;
}

static bool read_flag(struct gs2_header *header, struct mox_slice flag)
{
    if (mox__slice_is(flag, "n") || mox__slice_is(flag, "y")) {
        header->flag = flag.data[0] == 'n' ? GS2_NONE : GS2_NOT_SEEN;
        return true;
    }
    if (flag.len < 2 || flag.data[0] != 'p' || flag.data[1] != '=')
        return false;
    struct mox_slice name = slice_from(flag, 2);
    header->flag = GS2_BOUND;
    header->binding = BINDING_UNKNOWN;
    for (enum gs2_binding b = BINDING_EXPORTER; b <= BINDING_UNIQUE; b++)
        if (mox__slice_is(name, mox__gs2_binding_name(b)))
            header->binding = b;
    return is_binding_name(name);
}

bool mox__gs2_take(struct mox_slice *rest, struct gs2_header *header)
{
    const uint8_t *start = rest->data;
    struct mox_slice flag, authorize;
    *header = (struct gs2_header){.binding = BINDING_NONE};
    if (!take_until_comma(rest, &flag) || !read_flag(header, flag) ||
        !take_until_comma(rest, &authorize))
        return false;
    header->whole = slice(start, (size_t)(rest->data - start));
    if (authorize.len == 0)
        return true;
    if (authorize.len < 2 || authorize.data[0] != 'a' || authorize.data[1] != '=')
        return false;
    header->authorize = slice_from(authorize, 2);
    return true;
}

/* How many bytes of a name stand for its first one: 3 for an escape, whose meaning is in *c; 0 for what
 * may not stand there. */
static size_t decode_one(struct mox_slice name, uint8_t *c)
{
    *c = name.data[0];
    if (*c == ',' || *c == '\0')
        return 0;
    if (*c != '=')
        return 1;
    struct mox_slice escape = slice(name.data, name.len < 3 ? name.len : 3);
    *c = mox__slice_is_nocase(escape, "=2c") ? ',' : '=';
    return *c == ',' || mox__slice_is_nocase(escape, "=3d") ? 3 : 0;
}

bool mox__saslname_decode(char *out, size_t size, struct mox_slice name)
{
    size_t len = 0;
    bool fits = name.len > 0 && mox__slice_is_utf8(name);
    while (fits && name.len > 0) {
        uint8_t c;
        size_t taken = decode_one(name, &c);
        fits = taken > 0 && len + 1 < size;
        if (!fits)
            break;
        out[len++] = (char)c;
        name = slice_from(name, taken);
    }
    out[fits ? len : 0] = '\0'; /* no part of a name, which could end within a character */
    return fits;
}

void mox__saslname_encode(struct buf *out, const char *name)
{
    for (; *name != '\0'; name++) {
        if (*name == ',' || *name == '=')
            mox__buf_text(out, *name == ',' ? "=2C" : "=3D");
        else
            mox__buf_byte(out, (uint8_t)*name);
    }
}
