/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/errors.h"
#include "config/file.h"
#include "config/tables.h"

/* A file that is to say something else: the text that is there, what that means in the writer's own
 * words, and the new meaning in the same words. The difference of the last two is applied to the
 * first. */
struct rewrite {
    const struct mox_env *env;
    const struct value_type *type;
    const char *path;
    const void *from; /* what the writer knew; NULL: what the file says now */
    struct sconf tree, before, after;
};

static int emit_tree(struct rewrite *r, struct sconf *out, const void *value, struct mox_error *err)
{
    struct buf text;
    mox__buf_init(&text, r->env, SCONF_MAX_BYTES);
    int rc = mox__emit(&text, r->type, value, EMIT_PLAIN, err);
    if (rc == MOX_OK)
        rc = mox__sconf_read(out, r->env, r->path, slice(text.data, text.len), err);
    mox__buf_free(&text);
    return rc;
}

/* Whether a tree is a config; the first mistake goes to err. With `value` its meaning is kept. */
static int bind_tree(struct rewrite *r, const struct sconf *tree, struct arena *arena, void *value,
                     struct mox_error *err)
{
    struct mox_config_errors errors;
    mox_config_errors_init(&errors, r->env);
    struct bind b = {.tree = tree, .arena = arena, .errors = &errors};
    int rc = mox__bind(&b, r->type, value);
    if (rc == MOX_ESYNTAX)
        (void)mox__fail(err, rc, "write %s: %s", r->path, errors.texts[0]);
    else if (rc < 0)
        (void)mox__fail(err, rc, "write %s: out of memory", r->path);
    mox_config_errors_free(&errors);
    return rc;
}

static int bind_and_emit(struct rewrite *r, struct mox_error *err)
{
    struct arena arena;
    mox__arena_init(&arena, r->env, SIZE_MAX);
    void *value = mox__arena_alloc(&arena, 1, r->type->size);
    int rc = MOX_ENOMEM;
    if (value != NULL)
        rc = bind_tree(r, &r->tree, &arena, value, err);
    if (rc == MOX_OK)
        rc = emit_tree(r, &r->before, r->from != NULL ? r->from : value, err);
    mox__arena_reset(&arena);
    return rc;
}

static int rewrite(struct rewrite *r, struct mox_slice old, const void *value, struct buf *out,
                   struct mox_error *err)
{
    int rc = mox__sconf_read(&r->tree, r->env, r->path, old, err);
    if (rc == MOX_OK)
        rc = bind_and_emit(r, err);
    if (rc == MOX_OK)
        rc = emit_tree(r, &r->after, value, err);
    if (rc == MOX_OK && (rc = mox__sconf_merge(&r->tree, &r->before, &r->after)) < 0)
        rc = mox__fail(err, rc, "write %s: out of memory", r->path);
    if (rc == MOX_OK)
        mox__sconf_write(&r->tree, out);
    struct sconf *trees[] = {&r->tree, &r->before, &r->after};
    for (size_t i = 0; i < 3; i++)
        if (trees[i]->arena.env != NULL)
            mox__sconf_free(trees[i]);
    return rc;
}

/* Nothing is written that could not be loaded. */
static int check_text(struct rewrite *r, struct mox_slice text, struct mox_error *err)
{
    struct arena arena;
    mox__arena_init(&arena, r->env, SIZE_MAX);
    void *value = mox__arena_alloc(&arena, 1, r->type->size);
    int rc = mox__sconf_read(&r->tree, r->env, r->path, text, err);
    if (rc == MOX_OK)
        rc = value == NULL ? MOX_ENOMEM : bind_tree(r, &r->tree, &arena, value, err);
    mox__sconf_free(&r->tree);
    mox__arena_reset(&arena);
    return rc == MOX_ESYNTAX ? MOX_EINVAL : rc;
}

static int write_file(const struct value_type *type, const void *from, const void *value,
                      const struct mox_env *env, const char *path, struct mox_error *err)
{
    struct rewrite r = {.env = env, .type = type, .path = path, .from = from};
    struct buf old, text;
    mox__buf_init(&old, env, SCONF_MAX_BYTES + 1);
    mox__buf_init(&text, env, SCONF_MAX_BYTES + 1);
    int rc = mox__file_read(&old, path, err);
    if (rc == MOX_OK)
        rc = rewrite(&r, slice(old.data, old.len), value, &text, err);
    else if (rc == MOX_ENOTFOUND)
        rc = mox__emit(&text, type, value, EMIT_DOCS, err);
    if (rc == MOX_OK && text.failed)
        rc = mox__fail(err, MOX_ENOMEM, "write %s: out of memory", path);
    if (rc == MOX_OK)
        rc = check_text(&r, slice(text.data, text.len), err);
    if (rc == MOX_OK)
        rc = mox__file_replace(env, path, slice(text.data, text.len), err);
    mox__buf_free(&old);
    mox__buf_free(&text);
    return rc;
}

int mox_config_write_static(const struct mox_config_static *mox, const struct mox_env *env,
                            const char *path, struct mox_error *err)
{
    return write_file(&mox__config_static_type, NULL, mox, env, path, err);
}

int mox_config_write_domains(const struct mox_config_domains *domains, const struct mox_env *env,
                             const char *path, struct mox_error *err)
{
    return write_file(&mox__config_domains_type, NULL, domains, env, path, err);
}

int mox_config_update_domains(const struct mox_config_domains *from,
                              const struct mox_config_domains *to, const struct mox_env *env,
                              const char *path, struct mox_error *err)
{
    return write_file(&mox__config_domains_type, from, to, env, path, err);
}

void mox_config_static_init(struct mox_config_static *mox)
{
    mox__field_presets(&mox__config_static_type, mox);
}

void mox_config_domains_init(struct mox_config_domains *domains)
{
    mox__field_presets(&mox__config_domains_type, domains);
}

void mox_config_listener_init(struct mox_config_listener *listener)
{
    mox__field_presets(&mox__config_listener_type, listener);
    listener->name = "";
}

int mox_config_describe(char **out, const struct mox_env *env, enum mox_config_file file)
{
    struct buf text;
    *out = NULL;
    mox__buf_init(&text, env, SCONF_MAX_BYTES);
    int rc = mox__emit(&text, file == MOX_CONFIG_STATIC ? &mox__config_static_type
                                                        : &mox__config_domains_type,
                       NULL, EMIT_DESCRIBE, NULL);
    if (rc == MOX_OK)
        *out = mox__strndup(env, text.data, text.len);
    mox__buf_free(&text);
    return rc == MOX_OK && *out == NULL ? MOX_ENOMEM : rc;
}
