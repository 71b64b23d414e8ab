/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/errors.h"
#include "config/file.h"
#include "config/table.h"
#include "config/tables.h"

/* Everything that is loaded, in one piece of memory. */
struct loaded {
    struct mox_config config; /* first: it is what the caller holds */
    struct mox_env env;
    struct arena arena;
    struct mox_config_static mox;
    struct mox_config_domains domains;
    struct mox_config_table table;
};

/* One file on its way in. */
struct source {
    struct sconf tree;
    struct bind bind;
    char *path;
    bool readable; /* the tree is whole */
};

static int read_tree(struct sconf *tree, const struct mox_env *env, const char *path,
                     struct mox_error *err)
{
    struct buf text;
    mox__buf_init(&text, env, SCONF_MAX_BYTES + 1);
    int rc = mox__file_read(&text, path, err);
    if (rc == MOX_OK)
        rc = mox__sconf_read(tree, env, path, slice(text.data, text.len), err);
    mox__buf_free(&text);
    return rc;
}

static int read_source(struct source *s, const struct mox_env *env, struct mox_config_errors *errors)
{
    struct mox_error err;
    int rc = read_tree(&s->tree, env, s->path, &err);
    s->readable = rc == MOX_OK;
    if (rc < 0 && mox__config_error(errors, "%s", err.text) < 0)
        return MOX_ENOMEM;
    return rc;
}

static int name_source(struct source *s, struct loaded *l, const char *file)
{
    size_t size = strlen(l->config.dir) + strlen(file) + 2;
    s->path = mox__arena_alloc(&l->arena, 1, size);
    return s->path == NULL ? MOX_ENOMEM : mox_config_path(&l->config, file, s->path, size);
}

static int load_source(struct source *s, struct loaded *l, const char *file,
                       const struct value_type *type, void *out, struct mox_config_errors *errors)
{
    mox__field_presets(type, out);
    int rc = name_source(s, l, file);
    if (rc == MOX_OK)
        rc = read_source(s, &l->env, errors);
    if (rc < 0)
        return rc;
    s->bind = (struct bind){.tree = &s->tree, .arena = &l->arena, .errors = errors};
    return mox__bind(&s->bind, type, out);
}

static void check_file(struct bind *b, const struct mox_config *config,
                       const struct sconf_node *pair, const char *key)
{
    char path[4096];
    const struct sconf_node *n = mox__sconf_find(pair, key);
    char file[4096];
    if (n == NULL || n->value.len >= sizeof file)
        return;
    memcpy(file, n->value.data, n->value.len);
    file[n->value.len] = '\0';
    int fd = -1;
    if (mox_config_path(config, file, path, sizeof path) == MOX_OK)
        fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        mox__bind_wrong(b, n->line, "%s: cannot read %s: %s", key, path, strerror(errno));
    else
        (void)close(fd);
}

/* That the certificates are there; what is in them is checked by who uses them. */
static void check_tls_files(struct bind *b, const struct mox_config *config)
{
    const struct sconf_node *listeners = mox__sconf_find(&b->tree->root, "Listeners");
    const struct sconf_node *l = listeners == NULL ? NULL : listeners->first;
    for (; l != NULL; l = l->next) {
        const struct sconf_node *list = mox__sconf_find(mox__sconf_find(l, "TLS"), "KeyCerts");
        for (const struct sconf_node *n = list == NULL ? NULL : list->first; n != NULL;
             n = n->next) {
            check_file(b, config, n, "CertFile");
            check_file(b, config, n, "KeyFile");
        }
    }
}

static int load_files(struct loaded *l, const char *static_name, struct source *mox,
                      struct source *domains, struct mox_config_errors *errors)
{
    int rc = load_source(mox, l, static_name, &mox__config_static_type, &l->mox, errors);
    if (rc < 0 && rc != MOX_ESYNTAX)
        return rc;
    int rc2 = load_source(domains, l, "domains.conf", &mox__config_domains_type, &l->domains,
                          errors);
    if (!mox->readable || !domains->readable || rc2 == MOX_ENOMEM)
        return rc < 0 ? rc : rc2;
    rc = mox__config_table(&l->table, &mox->bind, &l->mox, &domains->bind, &l->domains);
    check_tls_files(&mox->bind, &l->config);
    if (rc < 0)
        return rc;
    return mox->bind.failed || domains->bind.failed ? MOX_ESYNTAX : MOX_OK;
}

/* Cuts `path` into its folder and, when it is not a folder itself, the file's name. */
static int split_path(struct loaded *l, const char *path, const char **file)
{
    struct stat st;
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    *file = slash == NULL ? path : slash + 1;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        len = strlen(path);
        while (len > 1 && path[len - 1] == '/')
            len--;
        *file = "mox.conf";
    }
    l->config.dir = len == 0 ? "." : mox__arena_strndup(&l->arena, path, len);
    return l->config.dir == NULL ? MOX_ENOMEM : MOX_OK;
}

static int set_data_dir(struct loaded *l)
{
    size_t size = strlen(l->config.dir) + strlen(l->mox.data_dir) + 2;
    char *dir = mox__arena_alloc(&l->arena, 1, size);
    if (dir == NULL)
        return MOX_ENOMEM;
    l->config.data_dir = dir;
    return mox_config_path(&l->config, l->mox.data_dir, dir, size);
}

int mox_config_load(struct mox_config **out, const struct mox_env *env, const char *path,
                    struct mox_config_errors *errors)
{
    *out = NULL;
    struct loaded *l = mem_new(env, struct loaded, 1);
    if (l == NULL)
        return MOX_ENOMEM;
    l->env = *env;
    mox__arena_init(&l->arena, &l->env, SIZE_MAX);
    l->config.mox = &l->mox;
    l->config.domains = &l->domains;
    l->config.table = &l->table;
    struct source mox = {0}, domains = {0};
    const char *file = NULL;
    int rc = split_path(l, path, &file);
    if (rc == MOX_OK)
        rc = load_files(l, file, &mox, &domains, errors);
    if (rc == MOX_OK)
        rc = set_data_dir(l);
    if (mox.tree.arena.env != NULL)
        mox__sconf_free(&mox.tree);
    if (domains.tree.arena.env != NULL)
        mox__sconf_free(&domains.tree);
    if (rc < 0) {
        mox_config_free(&l->config);
        return rc;
    }
    *out = &l->config;
    return MOX_OK;
}

void mox_config_free(struct mox_config *config)
{
    if (config == NULL)
        return;
    struct loaded *l = (struct loaded *)config;
    mox__config_table_free(&l->table);
    mox__arena_reset(&l->arena);
    struct mox_env env = l->env;
    mox__mem_free(&env, l);
}

int mox_config_path(const struct mox_config *config, const char *file, char *out, size_t size)
{
    bool as_it_is = file[0] == '/' || strcmp(config->dir, ".") == 0;
    bool root = strcmp(config->dir, "/") == 0;
    int len = as_it_is ? snprintf(out, size, "%s", file)
                       : snprintf(out, size, "%s/%s", root ? "" : config->dir, file);
    return len < 0 || (size_t)len >= size ? MOX_ELIMIT : MOX_OK;
}

/* DataDir of a tree, seen from the working directory. */
static int data_dir_of(struct loaded *l, const struct sconf *tree, char *out, size_t size,
                       struct mox_error *err)
{
    const struct sconf_node *n = mox__sconf_find(&tree->root, "DataDir");
    if (n == NULL || n->value.len == 0)
        return mox__fail(err, MOX_ESYNTAX, "%s:%u: no DataDir; add it", tree->path, tree->lines);
    const char *dir = mox__arena_strndup(&l->arena, n->value.data, n->value.len);
    int rc = dir == NULL ? MOX_ENOMEM : mox_config_path(&l->config, dir, out, size);
    return rc < 0 ? mox__fail(err, rc, "%s: DataDir: %s", tree->path, mox_status_text(rc)) : rc;
}

int mox_config_data_dir(const struct mox_env *env, const char *path, char *out, size_t size,
                        struct mox_error *err)
{
    struct loaded l = {.env = *env};
    struct source mox = {0};
    const char *file = NULL;
    mox__arena_init(&l.arena, &l.env, SIZE_MAX);
    int rc = split_path(&l, path, &file);
    if (rc == MOX_OK)
        rc = name_source(&mox, &l, file);
    if (rc < 0)
        rc = mox__fail(err, rc, "read %s: out of memory", path);
    else
        rc = read_tree(&mox.tree, env, mox.path, err);
    if (rc == MOX_OK)
        rc = data_dir_of(&l, &mox.tree, out, size, err);
    if (mox.tree.arena.env != NULL)
        mox__sconf_free(&mox.tree);
    mox__arena_reset(&l.arena);
    return rc;
}

const char *mox_config_hostname(const struct mox_config *config,
                                const struct mox_config_listener *listener)
{
    return *listener->hostname != '\0' ? listener->hostname : config->mox->hostname;
}

int mox_config_log_levels(const struct mox_config *config, struct mox_logger *logger)
{
    int rc = mox_logger_level(logger, NULL, config->mox->log_level);
    for (size_t i = 0; i < config->mox->package_log_levels.count && rc == MOX_OK; i++) {
        const struct mox_config_level *l = &config->mox->package_log_levels.items[i];
        rc = mox_logger_level(logger, l->pkg, l->level);
    }
    return rc;
}
