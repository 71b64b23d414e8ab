/* SPDX-License-Identifier: MIT */

/* What was read from an Authentication-Results field is written so that it is read back the same, on
 * lines that a header may have. */

#include <mox/auth_results.h>
#include <mox/header.h>

#include "fuzz/input.h"

static const char *const name = "Authentication-Results:";

/* Whether two texts are the same, NULL included. A text that is too long was cut. */
static void assert_same_text(const char *a, const char *b)
{
    assert((a == NULL) == (b == NULL));
    if (a != NULL && strlen(a) <= MOX_AUTH_VALUE_MAX)
        assert(strcmp(a, b) == 0);
}

static void assert_same_method(const struct mox_auth_method *a, const struct mox_auth_method *b)
{
    assert_same_text(a->method, b->method);
    assert_same_text(a->result, b->result);
    assert_same_text(a->reason, b->reason);
    if (a->reason != NULL || a->property_count > 0) /* else the comment is not written */
        assert_same_text(a->comment, b->comment);
    assert(a->version == b->version && a->property_count == b->property_count);
    for (size_t i = 0; i < a->property_count; i++) {
        const struct mox_auth_property *p = &a->properties[i], *q = &b->properties[i];
        assert_same_text(p->type, q->type);
        assert_same_text(p->property, q->property);
        assert_same_text(p->value, q->value);
        assert(p->is_address == q->is_address || strlen(p->value) > MOX_AUTH_VALUE_MAX);
    }
}

static void assert_is_a_field(const char *field)
{
    struct mox_header_field f;
    size_t at = 0;
    assert(mox_header_next(slice_of(field), &at, &f) && at == strlen(field));
    for (const char *line = field; *line != '\0';) {
        const char *end = strstr(line, "\r\n");
        assert(end != NULL && end - line <= 998 && end[-1] != ' ');
        for (const char *c = line; c < end; c++)
            assert(((uint8_t)*c >= ' ' && *c != 0x7f) || *c == '\t');
        line = end + 2;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct mox_auth_results *r, *again;
    struct mox_error err;
    char *field;
    mox_env_system(&env);
    int rc = mox_auth_results_parse(&r, &env, slice(data, len), &err);
    assert(rc == MOX_OK || rc == MOX_ESYNTAX || rc == MOX_ELIMIT);
    assert((rc == MOX_OK) == (r != NULL));
    if (r == NULL)
        return 0;
    assert(mox_auth_results_write(&field, &env, r) == MOX_OK);
    assert_is_a_field(field);
    rc = mox_auth_results_parse(&again, &env, slice_of(field + strlen(name)), &err);
    assert(rc == MOX_OK);
    assert_same_text(r->authserv_id, again->authserv_id);
    assert(r->version == again->version && r->method_count == again->method_count);
    for (size_t i = 0; i < r->method_count; i++)
        assert_same_method(&r->methods[i], &again->methods[i]);
    mox_text_free(&env, field);
    mox_auth_results_free(&env, r);
    mox_auth_results_free(&env, again);
    return 0;
}
