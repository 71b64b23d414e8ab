/* SPDX-License-Identifier: MIT */
#include "delivery/regexp.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

/* Nobody types more; compiled it is 64 KiB at most, which PCRE2 sees to. */
#define PATTERN_MAX 1000
/* Brackets in brackets: PCRE2 compiles them by calling itself. */
#define NEST_MAX 50
/* What going back may take, in KiB, and how far. */
#define HEAP_MAX  4096
#define DEPTH_MAX 50000

/* A callout before each item is what counts steps, over all places where a match may begin:
 * match_limit of PCRE2 counts from 0 at each of them. Without NO_AUTO_POSSESS an item may run over
 * the whole text and not be gone back into, which no step would count. Groups need not remember
 * what they matched. */
#define OPTIONS                                                                                    \
    (PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE |       \
     PCRE2_DOLLAR_ENDONLY | PCRE2_AUTO_CALLOUT | PCRE2_NO_AUTO_POSSESS)

struct regexp {
    struct mox_env env;
    pcre2_code *code;
};

struct regexp_run {
    struct mox_env env;
    uint32_t left, stop; /* steps: the match under way may go down to `stop` */
    pcre2_match_context *limits;
    pcre2_match_data *data;
};

static void *take(PCRE2_SIZE size, void *env)
{
    return mox__realloc(env, NULL, size, 1);
}

static void give(void *ptr, void *env)
{
    if (ptr != NULL)
        mox__mem_free(env, ptr);
}

/* How many characters stand before. */
static size_t characters(const char *pattern, size_t bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < bytes; i++)
        count += ((uint8_t)pattern[i] & 0xc0) != 0x80;
    return count;
}

static int wrong(const char *pattern, size_t at, const char *problem, struct mox_error *err)
{
    return mox__fail(err, MOX_ESYNTAX, "bad expression, at character %zu: %s",
                     characters(pattern, at) + 1, problem);
}

/* What PCRE2 is told of expressions: lines end in LF, as in RE2, and two bounds. */
static pcre2_compile_context *syntax(pcre2_general_context *memory)
{
    pcre2_compile_context *c = pcre2_compile_context_create(memory);
    if (c == NULL)
        return NULL;
    (void)pcre2_set_newline(c, PCRE2_NEWLINE_LF);
    (void)pcre2_set_parens_nest_limit(c, NEST_MAX);
    return c;
}

static int compile(struct regexp *r, const char *pattern, struct mox_error *err)
{
    int code = 0;
    PCRE2_SIZE at = 0;
    pcre2_general_context *memory = pcre2_general_context_create(take, give, &r->env);
    pcre2_compile_context *context = memory == NULL ? NULL : syntax(memory);
    if (context != NULL)
        r->code = pcre2_compile((PCRE2_SPTR)pattern, strlen(pattern), OPTIONS, &code, &at, context);
    pcre2_compile_context_free(context);
    pcre2_general_context_free(memory);
    if (r->code != NULL)
        return MOX_OK;
    if (context == NULL || code == PCRE2_ERROR_HEAP_FAILED)
        return mox__fail(err, MOX_ENOMEM, "compile an expression: out of memory");
    char text[200];
    if (pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text) < 0)
        text[0] = '\0';
    return wrong(pattern, at, text, err);
}

int mox__regexp_new(struct regexp **out, const struct mox_env *env, const char *pattern,
                    enum regexp_case how, struct mox_error *err)
{
    size_t at = 0;
    *out = NULL;
    if (strlen(pattern) > PATTERN_MAX)
        return mox__fail(err, MOX_ESYNTAX, "bad expression: it is longer than %d bytes",
                         PATTERN_MAX);
    if (!mox__slice_is_utf8(slice_of(pattern)))
        return mox__fail(err, MOX_ESYNTAX, "bad expression: it is not UTF-8");
    const char *problem = mox__regexp_problem(pattern, how, &at);
    if (problem != NULL)
        return wrong(pattern, at, problem, err);
    struct regexp *r = mem_new(env, struct regexp, 1);
    if (r == NULL)
        return mox__fail(err, MOX_ENOMEM, "compile an expression: out of memory");
    r->env = *env;
    int rc = compile(r, pattern, err);
    if (rc == MOX_OK)
        *out = r;
    else
        mox__regexp_free(r);
    return rc;
}

void mox__regexp_free(struct regexp *r)
{
    if (r == NULL)
        return;
    struct mox_env env = r->env;
    pcre2_code_free(r->code);
    mox__mem_free(&env, r);
}

static int count_step(pcre2_callout_block *block, void *user)
{
    struct regexp_run *run = user;
    (void)block;
    if (run->left <= run->stop)
        return PCRE2_ERROR_CALLOUT;
    run->left--;
    return 0;
}

int mox__regexp_run_new(struct regexp_run **out, const struct mox_env *env, uint32_t steps)
{
    *out = NULL;
    struct regexp_run *run = mem_new(env, struct regexp_run, 1);
    if (run == NULL)
        return MOX_ENOMEM;
    run->env = *env;
    run->left = steps;
    pcre2_general_context *memory = pcre2_general_context_create(take, give, &run->env);
    if (memory != NULL) {
        run->limits = pcre2_match_context_create(memory);
        run->data = pcre2_match_data_create(1, memory);
        pcre2_general_context_free(memory);
    }
    if (run->limits == NULL || run->data == NULL) {
        mox__regexp_run_free(run);
        return MOX_ENOMEM;
    }
    (void)pcre2_set_callout(run->limits, count_step, run);
    (void)pcre2_set_heap_limit(run->limits, HEAP_MAX);
    (void)pcre2_set_depth_limit(run->limits, DEPTH_MAX);
    (void)pcre2_set_match_limit(run->limits,
                                2 * REGEXP_MATCH_STEPS); /* should a step go uncounted */
    *out = run;
    return MOX_OK;
}

void mox__regexp_run_free(struct regexp_run *run)
{
    if (run == NULL)
        return;
    struct mox_env env = run->env;
    pcre2_match_context_free(run->limits);
    pcre2_match_data_free(run->data);
    mox__mem_free(&env, run);
}

uint32_t mox__regexp_run_left(const struct regexp_run *run)
{
    return run->left;
}

int mox__regexp_match(const struct regexp *r, struct regexp_run *run, struct mox_slice text)
{
    if (run->left < REGEXP_CALL_STEPS) {
        run->left = 0;
        return MOX_ELIMIT;
    }
    run->left -= REGEXP_CALL_STEPS;
    run->stop = run->left > REGEXP_MATCH_STEPS ? run->left - REGEXP_MATCH_STEPS : 0;
    PCRE2_SPTR subject = text.len == 0 ? (PCRE2_SPTR) "" : text.data;
    int rc = pcre2_match(r->code, subject, text.len, 0, 0, run->data, run->limits);
    if (rc >= 0)
        return MOX_OK;
    if (rc == PCRE2_ERROR_NOMATCH)
        return MOX_ENOTFOUND;
    return rc == PCRE2_ERROR_NOMEMORY ? MOX_ENOMEM : MOX_ELIMIT;
}
