/* SPDX-License-Identifier: MIT */
#include "sasl/sasl.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "sasl/mechanism.h"

/* Best first: clients take the first that they know. */
static const struct sasl_mechanism *const mechanisms[] = {&mox__sasl_plain, &mox__sasl_login};

#define MECHANISMS (sizeof mechanisms / sizeof mechanisms[0])

const struct sasl_mechanism *mox__sasl_find(struct mox_slice name)
{
    for (size_t i = 0; i < MECHANISMS; i++)
        if (mox__slice_is_nocase(name, mechanisms[i]->name))
            return mechanisms[i];
    return NULL;
}

const char *mox__sasl_name(const struct sasl_mechanism *m)
{
    return m->name;
}

bool mox__sasl_is_clear_text(const struct sasl_mechanism *m)
{
    return m->clear_text;
}

const char *mox__sasl_offered(size_t n)
{
    return n < MECHANISMS ? mechanisms[n]->name : NULL;
}

void mox__sasl_start(struct sasl *x, const struct mox_env *env, const struct sasl_mechanism *m)
{
    *x = (struct sasl){.mechanism = m};
    mox__buf_init(&x->text, env, SASL_RESPONSE_MAX + 2);
}

enum sasl_step mox__sasl_step(struct sasl *x, struct mox_slice response,
                              struct mox_slice *challenge)
{
    *challenge = slice(NULL, 0);
    if (response.len > SASL_RESPONSE_MAX)
        return SASL_MALFORMED;
    enum sasl_step step = x->mechanism->step(x, response, challenge);
    x->round++;
    return step;
}

/* The buffer must not move what it has: realloc() would leave an unwiped copy behind. So all the
 * room is taken at once. */
bool mox__sasl_keep(struct sasl *x, struct mox_slice text, enum sasl_step *step)
{
    if (!mox__slice_is_utf8(text) ||
        memchr(text.len == 0 ? "x" : (const char *)text.data, '\0', text.len) != NULL) {
        *step = SASL_MALFORMED;
        return false;
    }
    if (text.len > x->text.max - 1 - x->text.len) {
        *step = SASL_MALFORMED;
        return false;
    }
    if (x->text.cap == 0)
        (void)mox__buf_reserve(&x->text, x->text.max);
    mox__buf_slice(&x->text, text);
    mox__buf_byte(&x->text, '\0');
    *step = SASL_FAILED;
    return !x->text.failed;
}

const char *mox__sasl_username(const struct sasl *x)
{
    return (const char *)x->text.data;
}

const char *mox__sasl_password(const struct sasl *x)
{
    return (const char *)x->text.data + x->password_at;
}

void mox__sasl_end(struct sasl *x)
{
    if (x->text.data != NULL) {
        mox__wipe(x->text.data, x->text.cap);
        mox__buf_free(&x->text);
    }
    x->mechanism = NULL;
}
