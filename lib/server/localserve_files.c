/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mox/store.h>

#include "base/error.h"
#include "net/tls.h"
#include "server/localserve.h"

#define PATH_MAX_BYTES 4096
#define CERT_FILE      "localhost.crt"
#define KEY_FILE       "localhost.key"

static int join(char out[PATH_MAX_BYTES], const char *dir, const char *name, struct mox_error *err)
{
    int n = snprintf(out, PATH_MAX_BYTES, "%s/%s", dir, name);
    if (n < 0 || n >= PATH_MAX_BYTES)
        return mox__fail(err, MOX_ELIMIT, "make %s/%s: the path is too long", dir, name);
    return MOX_OK;
}

static uint16_t port(uint16_t base, uint16_t standard)
{
    return (uint16_t)(base + standard);
}

static int write_static(const struct mox_env *env, const struct mox_localserve_config *config,
                        struct mox_error *err)
{
    uint16_t base = config->port_base != 0 ? config->port_base : LOCALSERVE_PORT_BASE;
    const char *both[] = {"127.0.0.1", "::1"}, *one[] = {config->ip};
    struct mox_config_keycert pair = {CERT_FILE, KEY_FILE};
    struct mox_config_tls tls = {.key_certs = {&pair, 1}};
    struct mox_config_listener l;
    mox_config_listener_init(&l);
    l.name = "local";
    l.ips = config->ip == NULL ? (struct mox_config_strings){both, 2}
                               : (struct mox_config_strings){one, 1};
    l.tls = &tls;
    l.smtp.enabled = true;
    l.smtp.port = port(base, 25);
    l.submission = (struct mox_config_service){true, port(base, 587), true};
    l.submissions = (struct mox_config_service){true, port(base, 465), false};
    l.imap = (struct mox_config_service){true, port(base, 143), true};
    l.imaps = (struct mox_config_service){true, port(base, 993), false};

    struct mox_config_static mox;
    mox_config_static_init(&mox);
    mox.data_dir = "data";
    mox.log_level = MOX_LOG_INFO;
    mox.hostname = "localhost";
    mox.listeners.items = &l;
    mox.listeners.count = 1;
    mox.postmaster.account = LOCALSERVE_ACCOUNT;
    mox.postmaster.mailbox = "Inbox";
    char path[PATH_MAX_BYTES];
    int rc = join(path, config->dir, "mox.conf", err);
    return rc < 0 ? rc : mox_config_write_static(&mox, env, path, err);
}

static int write_domains(const struct mox_env *env, const struct mox_localserve_config *config,
                         struct mox_error *err)
{
    struct mox_config_domain domain = {
        .name = "localhost", .description = "", .localpart_catchall_separator = "+"};
    struct mox_config_destination destination = {.address = LOCALSERVE_ADDRESS, .mailbox = ""};
    struct mox_config_account account;
    mox_config_account_new_defaults(&account);
    account.name = LOCALSERVE_ACCOUNT;
    account.domain = "localhost";
    account.destinations.items = &destination;
    account.destinations.count = 1;
    struct mox_config_domains domains;
    mox_config_domains_init(&domains);
    domains.domains.items = &domain;
    domains.domains.count = 1;
    domains.accounts.items = &account;
    domains.accounts.count = 1;
    char path[PATH_MAX_BYTES];
    int rc = join(path, config->dir, "domains.conf", err);
    return rc < 0 ? rc : mox_config_write_domains(&domains, env, path, err);
}

static int write_certificate(const struct mox_env *env, const struct mox_localserve_config *config,
                             struct mox_error *err)
{
    const char *names[] = {"localhost", "127.0.0.1", "::1", config->ip};
    char cert[PATH_MAX_BYTES], key[PATH_MAX_BYTES];
    int rc = join(cert, config->dir, CERT_FILE, err);
    if (rc == MOX_OK)
        rc = join(key, config->dir, KEY_FILE, err);
    if (rc == MOX_OK)
        rc = mox__tls_self_signed(env, names, config->ip == NULL ? 3 : 4, cert, key, err);
    return rc;
}

static int make_account(const struct mox_env *env, const struct mox_localserve_config *config,
                        struct mox_error *err)
{
    char data[PATH_MAX_BYTES];
    int rc = join(data, config->dir, "data", err);
    if (rc < 0)
        return rc;
    if (mkdir(data, 0770) != 0)
        return mox__fail(err, mox__status_of_errno(errno), "make %s: %s", data, strerror(errno));
    struct mox_store *store = NULL;
    struct mox_account *account = NULL;
    rc = mox_store_open(&store, env, data, err);
    if (rc == MOX_OK)
        rc = mox_account_open(&account, store, LOCALSERVE_ACCOUNT, MOX_ACCOUNT_CREATE, NULL, err);
    if (rc == MOX_OK)
        rc = mox_account_set_password(account, LOCALSERVE_PASSWORD, err);
    mox_account_close(account);
    mox_store_close(store);
    return rc;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    if (ftw->level > 0)
        (void)remove(path);
    return 0;
}

static int fill(const struct mox_env *env, const struct mox_localserve_config *config,
                struct mox_error *err)
{
    int rc = write_certificate(env, config, err);
    if (rc == MOX_OK)
        rc = write_domains(env, config, err);
    if (rc == MOX_OK)
        rc = make_account(env, config, err);
    /* Last, so that a directory with a mox.conf is a whole one, even after a crash. */
    if (rc == MOX_OK)
        rc = write_static(env, config, err);
    if (rc < 0)
        (void)nftw(config->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return rc;
}

static bool is_empty(const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL)
        return false;
    bool empty = true;
    for (const struct dirent *e = readdir(dir); e != NULL && empty; e = readdir(dir))
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    (void)closedir(dir);
    return empty;
}

static int cannot_make(const char *dir, int problem, struct mox_error *err)
{
    static const struct {
        int problem;
        const char *text;
    } table[] = {
        {ENOENT, "the folder that it is to be in does not exist; make that one first"},
        {ENOTDIR, "what it is to be in is a file; name another folder"},
        {ENOSPC, "no space left on its disk; make room, or name a folder elsewhere"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].problem == problem)
            return mox__fail(err, mox__status_of_errno(problem), "make %s: %s", dir, table[i].text);
    return mox__fail(err, mox__status_of_errno(problem),
                     "make %s: %s; name a folder that you may write to", dir, strerror(problem));
}

/* Makes and fills the directory unless something is in it. */
static int make_dir(const struct mox_env *env, const struct mox_localserve_config *config,
                    struct mox_error *err)
{
    bool made = mkdir(config->dir, 0770) == 0;
    if (!made && errno != EEXIST)
        return cannot_make(config->dir, errno, err);
    struct stat st;
    if (!made && stat(config->dir, &st) == 0 && !S_ISDIR(st.st_mode))
        return mox__fail(err, MOX_EINVAL, "open %s: it is a file; name a folder", config->dir);
    if (!made && !is_empty(config->dir))
        return MOX_OK;
    int rc = fill(env, config, err);
    if (rc < 0 && made)
        (void)rmdir(config->dir);
    return rc;
}

static int load(struct mox_config **out, const struct mox_env *env, const char *dir,
                struct mox_error *err)
{
    struct mox_config_errors errors;
    mox_config_errors_init(&errors, env);
    int rc = mox_config_load(out, env, dir, &errors);
    if (rc < 0)
        rc = mox__fail(err, rc, "%s", errors.count > 0 ? errors.texts[0] : mox_status_text(rc));
    mox_config_errors_free(&errors);
    return rc;
}

int mox_localserve_prepare(struct mox_config **out, const struct mox_env *env,
                           const struct mox_localserve_config *config, struct mox_error *err)
{
    *out = NULL;
    if (config->port_base > UINT16_MAX - 993)
        return mox__fail(err, MOX_EINVAL, "port base %u: ports end at 65535; use at most %u",
                         config->port_base, UINT16_MAX - 993);
    int rc = make_dir(env, config, err);
    return rc < 0 ? rc : load(out, env, config->dir, err);
}
