/* SPDX-License-Identifier: MIT */
#include "mailauth/printable.h"

void mox__printable(char *out, size_t size, struct mox_slice text)
{
    size_t len = text.len < size ? text.len : size - 1;
    for (size_t i = 0; i < len; i++)
        out[i] = text.data[i] >= ' ' && text.data[i] < 0x7f ? (char)text.data[i] : '?';
    out[len] = '\0';
}
