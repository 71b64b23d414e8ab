/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "smtp/params.h"
#include "smtp/path.h"
#include "support/testenv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A path that is understood can be written, and what was written means the same. Input: flags, then
 * what follows MAIL FROM: or RCPT TO:. */

static void read_back(struct arena *a, const struct mox_smtp_path *path, unsigned flags)
{
    struct mox_smtp_path again;
    const char *problem;
    struct buf b;
    mox__buf_init(&b, a->env, 4096);
    mox__smtp_path_write(&b, path);
    assert(!b.failed);
    int rc = mox__smtp_path_parse(a, slice(b.data, b.len), flags, &again, &problem);
    /* Labels of Unicode may have come, whose A-labels are longer than a path can be (RFC 5321
     * §4.5.3.1.3; the brackets count). */
    assert(rc == MOX_OK || b.len + 2 > 256);
    if (rc == MOX_OK) {
        assert(strcmp(path->localpart, again.localpart) == 0);
        assert(strcmp(path->domain, again.domain) == 0);
        assert(path->is_literal == again.is_literal && path->is_postmaster == again.is_postmaster);
    }
    mox__buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct test_env t;
    struct arena a;
    struct mox_smtp_path path;
    struct smtp_param param;
    const char *problem;
    if (len < 1)
        return 0;
    test_env_init(&t);
    mox__arena_init(&a, &t.env, 65536);
    unsigned flags = data[0] & 15u;
    struct mox_slice rest = slice(data + 1, len - 1), inner;
    if (mox__smtp_cut_path(&rest, &inner)) {
        int rc = mox__smtp_path_parse(&a, inner, flags, &path, &problem);
        assert(rc == MOX_OK || rc == MOX_ESYNTAX || rc == MOX_EUNSUPPORTED);
        assert(rc != MOX_ESYNTAX || *problem != '\0');
        if (rc == MOX_OK)
            read_back(&a, &path, flags);
    }
    while (mox__smtp_param_next(&rest, &param) > 0) {
        int64_t us;
        assert(param.keyword.len > 0 && (!param.has_value || param.value.len > 0));
        (void)mox__smtp_xtext_decode(param.value, NULL);
        (void)mox__smtp_time_parse(param.value, &us);
    }
    mox__arena_reset(&a);
    test_env_done(&t);
    return 0;
}
