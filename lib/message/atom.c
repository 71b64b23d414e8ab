/* SPDX-License-Identifier: MIT */
#include "message/atom.h"

#include <string.h>

#include "base/text.h"

static bool is_atext(uint8_t c)
{
    return is_alpha(c) || is_digit(c) || c >= 0x80 ||
           (c != 0 && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

bool mox__is_dot_atom(struct mox_slice s)
{
    bool dot = true; /* in front of it one may not stand */
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] != '.' && !is_atext(s.data[i]))
            return false;
        if (s.data[i] == '.' && dot)
            return false;
        dot = s.data[i] == '.';
    }
    return s.len > 0 && !dot;
}

bool mox__is_domain_text(struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] != '.' && s.data[i] != '-' && s.data[i] != '_' && s.data[i] < 0x80 &&
            !is_alpha(s.data[i]) && !is_digit(s.data[i]))
            return false;
    return mox__is_dot_atom(s);
}
