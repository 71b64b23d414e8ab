/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "mailfile/mailfile.h"

void mox__mailfile_clean(char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

static int read_fd(void *user, uint8_t *to, size_t room, size_t *len)
{
    const int *fd = user;
    ssize_t n;
    do
        n = read(*fd, to, room);
    while (n < 0 && errno == EINTR);
    *len = n > 0 ? (size_t)n : 0;
    return n < 0 ? mox__status_of_errno(errno) : MOX_OK;
}

/* What is no regular file might never end, or never begin. */
static int open_mbox(struct mox_mailfile *m, const char *path, struct mox_error *err)
{
    struct stat st;
    m->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (m->fd < 0 || fstat(m->fd, &st) != 0)
        return mox__fail(err, errno == EACCES ? MOX_EDENIED : mox__status_of_errno(errno),
                         "open %s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return mox__fail(err, MOX_ESYNTAX, "open %s: an mbox is a file, and this is none", path);
    return mox__mbox_new(&m->mbox, &m->env, path, (struct source){read_fd, &m->fd});
}

int mox_mailfile_open(struct mox_mailfile **out, const struct mox_env *env,
                      enum mox_mailfile_kind kind, const char *path,
                      const struct mox_mailfile_config *config, struct mox_error *err)
{
    *out = NULL;
    struct mox_mailfile *m = mem_new(env, struct mox_mailfile, 1);
    int rc = MOX_ENOMEM;
    if (m != NULL) {
        m->env = *env;
        m->fd = -1;
        m->path = mox__strndup(env, path, strlen(path));
        if (config != NULL)
            memcpy(&m->config, config,
                   config->size < sizeof m->config ? config->size : sizeof m->config);
    }
    if (m != NULL && m->path != NULL)
        rc = kind == MOX_MAILFILE_MBOX
                 ? open_mbox(m, m->path, err)
                 : mox__maildir_open(&m->maildir, &m->env, m->path, &m->config, err);
    if (rc == MOX_ENOMEM)
        (void)mox__fail(err, rc, "open %s: out of memory", path);
    if (rc < 0 && err != NULL)
        mox__mailfile_clean(err->text);
    if (rc == MOX_OK)
        *out = m;
    else
        mox_mailfile_free(m);
    return rc;
}

void mox_mailfile_free(struct mox_mailfile *m)
{
    if (m == NULL)
        return;
    mox__mbox_free(m->mbox);
    mox__maildir_free(m->maildir);
    if (m->fd >= 0)
        (void)close(m->fd);
    struct mox_env env = m->env;
    mox__mem_free(&env, m->path);
    mox__mem_free(&env, m);
}

const char *mox_mailfile_folder(const struct mox_mailfile *m, size_t n)
{
    if (m->maildir != NULL)
        return mox__maildir_folder(m->maildir, n);
    return n == 0 ? "" : NULL;
}

int mox_mailfile_next(struct mox_mailfile *m, struct mox_spool *to, struct mox_mailfile_item *item,
                      bool *found, struct mox_error *err)
{
    mox__crlf_begin(&m->crlf, to);
    int rc = m->mbox != NULL
                 ? mox__mbox_next(m->mbox, &m->crlf, &m->item, found, &m->config, err)
                 : mox__maildir_next(m->maildir, &m->crlf, &m->item, found, &m->config, err);
    if (rc < 0 && err != NULL)
        mox__mailfile_clean(err->text);
    *item = m->item.pub;
    return rc;
}
