/* SPDX-License-Identifier: MIT */
#include "sasl/md5.h"

#include <string.h>

void mox__md5_start(struct md5_state *s)
{
    *s = (struct md5_state){{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
}

static uint32_t rotate(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

/* RFC 1321 §3.4: 64 steps in four rounds; the constants are floor(2^32 × |sin(i + 1)|). */
void mox__md5_block(struct md5_state *s, const uint8_t block[64])
{
    static const uint32_t sines[64] = {
        0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613,
        0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193,
        0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d,
        0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
        0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122,
        0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
        0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244,
        0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
        0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
        0xeb86d391,
    };
    static const uint8_t shifts[4][4] = {
        {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    uint32_t x[16], a = s->word[0], b = s->word[1], c = s->word[2], d = s->word[3];
    for (unsigned i = 0; i < 16; i++)
        x[i] = (uint32_t)block[i * 4] | (uint32_t)block[i * 4 + 1] << 8 |
               (uint32_t)block[i * 4 + 2] << 16 | (uint32_t)block[i * 4 + 3] << 24;
    for (unsigned i = 0; i < 64; i++) {
        const uint32_t f[4] = {(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)};
        const unsigned word[4] = {i % 16, (5 * i + 1) % 16, (3 * i + 5) % 16, 7 * i % 16};
        unsigned round = i / 16;
        uint32_t next = b + rotate(a + f[round] + sines[i] + x[word[round]], shifts[round][i % 4]);
        a = d;
        d = c;
        c = b;
        b = next;
    }
    s->word[0] += a;
    s->word[1] += b;
    s->word[2] += c;
    s->word[3] += d;
}

void mox__md5_finish(const struct md5_state *start, uint64_t before, struct mox_slice data,
                     uint8_t digest[16])
{
    struct md5_state s = *start;
    uint64_t bits = (before + data.len) * 8;
    size_t at = 0;
    for (; data.len - at >= 64; at += 64)
        mox__md5_block(&s, data.data + at);
    uint8_t tail[128] = {0};
    size_t len = data.len - at, end = len < 56 ? 64 : 128;
    if (len > 0)
        memcpy(tail, data.data + at, len);
    tail[len] = 0x80;
    for (size_t i = 0; i < 8; i++)
        tail[end - 8 + i] = (uint8_t)(bits >> (8 * i));
    for (size_t i = 0; i < end; i += 64)
        mox__md5_block(&s, tail + i);
    for (size_t i = 0; i < 16; i++)
        digest[i] = (uint8_t)(s.word[i / 4] >> (8 * (i % 4)));
}
