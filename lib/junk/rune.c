/* SPDX-License-Identifier: MIT */
#include "junk/rune.h"

#include <stddef.h>

struct range {
    uint32_t first, last;
};

/* Spaces, punctuation, symbols, and what is no character; ascending. */
static const struct range separators[] = {
    {0x80, 0xa9},       {0xab, 0xb4},        {0xb6, 0xb9},     {0xbb, 0xbf},     {0xd7, 0xd7},
    {0xf7, 0xf7},       {0x37e, 0x37e},      {0x387, 0x387},   {0x55a, 0x55f},   {0x589, 0x58a},
    {0x5be, 0x5be},     {0x5c0, 0x5c0},      {0x5c3, 0x5c3},   {0x5f3, 0x5f4},   {0x600, 0x60f},
    {0x61b, 0x61f},     {0x66a, 0x66d},      {0x6d4, 0x6d4},   {0x964, 0x965},   {0xe3f, 0xe3f},
    {0xe4f, 0xe4f},     {0x1680, 0x1680},    {0x180e, 0x180e}, {0x2000, 0x206f}, {0x20a0, 0x20cf},
    {0x2190, 0x2bff},   {0x2e00, 0x2e7f},    {0x3000, 0x3004}, {0x3008, 0x3020}, {0x3030, 0x3030},
    {0x303d, 0x303f},   {0x30fb, 0x30fb},    {0xd800, 0xf8ff}, {0xfd3e, 0xfd3f}, {0xfe00, 0xfe6f},
    {0xfeff, 0xff0f},   {0xff1a, 0xff20},    {0xff3b, 0xff40}, {0xff5b, 0xff65}, {0xffe0, 0xffff},
    {0x1f000, 0x1faff}, {0xe0000, 0x10ffff},
};

bool mox__rune_is_word(uint32_t rune)
{
    size_t low = 0, high = sizeof separators / sizeof separators[0];
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (rune > separators[middle].last)
            low = middle + 1;
        else if (rune < separators[middle].first)
            high = middle;
        else
            return false;
    }
    return true;
}

bool mox__rune_is_invisible(uint32_t rune)
{
    return rune == 0xad || (rune >= 0x200b && rune <= 0x200f) || rune == 0x2060 || rune == 0xfeff;
}

uint32_t mox__rune_lower(uint32_t rune)
{
    if ((rune >= 0xc0 && rune <= 0xde) || (rune >= 0x391 && rune <= 0x3ab) ||
        (rune >= 0x410 && rune <= 0x42f) || (rune >= 0xff21 && rune <= 0xff3a))
        return rune + 0x20; /* Latin-1, Greek, Cyrillic, full width */
    if (rune >= 0x400 && rune <= 0x40f)
        return rune + 0x50;
    if (rune >= 0x531 && rune <= 0x556)
        return rune + 0x30; /* Armenian */
    if ((rune >= 0x139 && rune <= 0x148) || (rune >= 0x179 && rune <= 0x17e))
        return rune + (rune & 1); /* capitals are odd there */
    if ((rune >= 0x100 && rune <= 0x177 && rune != 0x130 && rune != 0x131 && rune != 0x138) ||
        (rune >= 0x460 && rune <= 0x481) || (rune >= 0x48a && rune <= 0x4bf) ||
        (rune >= 0x4d0 && rune <= 0x52f) || (rune >= 0x1e00 && rune <= 0x1e95) ||
        (rune >= 0x1ea0 && rune <= 0x1eff))
        return rune | 1; /* and even here */
    return rune;
}
