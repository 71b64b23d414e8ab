/* SPDX-License-Identifier: MIT */

/* What is read of a signature's field is printable text within bounds, and what is cut out of it for the
 * hash is a part of it; what cannot be read has a problem. */

#include "fuzz/input.h"
#include "mailauth/dkim_signature.h"

static void assert_printable(const char *text)
{
    for (; *text != '\0'; text++)
        assert(*text > ' ' && *text < 0x7f);
}

static void check(struct mox_slice raw, enum signature_form form)
{
    struct dkim_signature s;
    struct mox_env env;
    struct arena arena;
    const char *problem = NULL;
    const uint8_t *colon = memchr(raw.data, ':', raw.len);
    const struct signed_field field = {
        .name = slice(raw.data, (size_t)(colon - raw.data)),
        .value = slice(colon + 1, (size_t)(raw.data + raw.len - colon) - 1),
        .raw = raw};
    mox_env_system(&env);
    mox__arena_init(&arena, &env, 1 << 22);
    int rc = mox__dkim_signature_parse(&s, &arena, &field, form, &problem);
    assert(rc == MOX_OK || (rc == MOX_ESYNTAX && problem != NULL));
    assert_printable(s.domain);
    assert_printable(s.selector);
    assert_printable(s.algorithm);
    assert_printable(s.begin);
    assert_printable(s.identity_domain);
    if (rc == MOX_OK) {
        assert(s.domain[0] != '\0' && s.selector[0] != '\0' && s.signature.len > 0);
        assert(s.cut.data >= raw.data && s.cut.data + s.cut.len <= raw.data + raw.len);
        assert(form == SIGNATURE_ARC_SEAL || s.body_hash.len == mox__hash_len(s.hash));
    }
    mox__arena_reset(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0 || memchr(data, ':', len) == NULL)
        return 0;
    for (enum signature_form form = SIGNATURE_DKIM; form <= SIGNATURE_ARC_SEAL; form++)
        check(slice(data, len), form);
    return 0;
}
