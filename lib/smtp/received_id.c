/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <mox/smtp_server.h>

#include "base/crypto.h"

/* One block of AES: 8 bytes of the installation, then the connection's number. Whoever has the key
 * finds the connection in the log; nobody else learns how many there are. */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#define BLOCK  16
#define ID_LEN 22 /* base64url without padding */

void mox_smtp_received_id(const uint8_t key[24], uint64_t cid, char out[MOX_SMTP_RECEIVED_ID_MAX])
{
    uint8_t block[BLOCK + 2] = {0}; /* and two for the last group of three */
    memcpy(block, key + 16, 8);
    for (int i = 0; i < 8; i++)
        block[8 + i] = (uint8_t)(cid >> (56 - 8 * i));
    uint8_t plain[BLOCK];
    memcpy(plain, block, sizeof plain);
    mox__aes128_encrypt_block(key, plain, block);
    for (size_t i = 0; i < ID_LEN; i++) {
        size_t bit = 6 * i;
        unsigned two = (unsigned)block[bit / 8] << 8 | block[bit / 8 + 1];
        out[i] = alphabet[two >> (10 - bit % 8) & 63];
    }
    out[ID_LEN] = '\0';
}

int mox_smtp_received_id_decode(const uint8_t key[24], const char *id, uint64_t *cid)
{
    uint8_t block[BLOCK + 1] = {0}, plain[BLOCK];
    if (strlen(id) != ID_LEN)
        return MOX_ESYNTAX;
    for (size_t i = 0; i < ID_LEN; i++) {
        const char *at = strchr(alphabet, id[i]);
        if (at == NULL)
            return MOX_ESYNTAX;
        size_t bit = 6 * i;
        unsigned two = (unsigned)(at - alphabet) << (10 - bit % 8);
        block[bit / 8] |= (uint8_t)(two >> 8);
        block[bit / 8 + 1] |= (uint8_t)two;
    }
    mox__aes128_decrypt_block(key, block, plain);
    if (block[BLOCK] != 0 || memcmp(plain, key + 16, 8) != 0)
        return MOX_ENOTFOUND; /* of another installation */
    *cid = 0;
    for (int i = 8; i < BLOCK; i++)
        *cid = *cid << 8 | plain[i];
    return MOX_OK;
}
