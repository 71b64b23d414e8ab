/* SPDX-License-Identifier: MIT */

/* Macros of SPF: what is taken for a macro-string expands whatever its letters stand for, names stay within
 * their bound, and text without macros is not changed. Input: the text, then what letters stand for, with
 * NULs between; the last 16 bytes at most are the client's address. */

#include <stdlib.h>

#include "fuzz/input.h"
#include "mailauth/spf_macro.h"

#define TEXT_MAX 300

static void take(struct input *in, char out[TEXT_MAX])
{
    struct mox_slice s = input_until(in, 0);
    size_t len = s.len < TEXT_MAX - 1 ? s.len : TEXT_MAX - 1;
    if (len > 0)
        memcpy(out, s.data, len);
    out[len] = '\0';
}

static void look_at_name(struct mox_slice text, const struct spf_macros *m)
{
    char name[MOX_DOMAIN_MAX + 1];
    mox__spf_expand_domain(name, text, m);
    assert(strlen(name) <= MOX_DOMAIN_MAX);
    if (mox__spf_is_domain_spec(text)) {
        assert(mox__spf_is_macro_string(text, false));
        assert(memchr(text.data, '%', text.len) != NULL ||
               memchr(text.data, '.', text.len) != NULL);
    }
    bool cut = text.len > MOX_DOMAIN_MAX || (text.len > 0 && text.data[text.len - 1] == '.');
    if (memchr(text.data, '%', text.len) == NULL && !cut)
        assert(mox__slice_is(text, name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct input in = {{data, len}};
    struct ip ip = {.v6 = len % 2 == 0};
    char localpart[TEXT_MAX], sender[TEXT_MAX], domain[TEXT_MAX], helo[TEXT_MAX];
    struct mox_slice text = input_until(&in, 0);
    take(&in, localpart);
    take(&in, sender);
    take(&in, domain);
    take(&in, helo);
    memcpy(ip.bytes, in.rest.data, in.rest.len < 16 ? in.rest.len : 16);
    struct spf_macros m = {.sender_localpart = localpart,
                           .sender_domain = sender,
                           .domain = domain,
                           .ip = &ip,
                           .helo = helo,
                           .receiver = helo,
                           .now_us = (int64_t)len * 1000000,
                           .validated = domain};
    if (text.len == 0 || !mox__spf_is_macro_string(text, true))
        return 0;
    uint8_t *room = malloc(TEXT_MAX);
    assert(room != NULL);
    struct buf out = buf_over(room, TEXT_MAX);
    mox__spf_expand(&out, text, &m);
    assert(out.len <= TEXT_MAX);
    free(room);
    look_at_name(text, &m);
    (void)mox__spf_macro_has_p(text);
    return 0;
}
