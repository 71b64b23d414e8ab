/* SPDX-License-Identifier: MIT */
#include <mox/log.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/logfmt.h"
#include "base/text.h"

/* Packages are a fixed, small set of names in our own code; this bounds what a person may type. */
#define MAX_PACKAGES 64
/* 4096 bytes of a dialogue, all escaped, and their fields. */
#define LINE_MAX_BYTES (17 * 1024)

static const struct {
    enum mox_log_level level;
    const char *name;
} level_names[] = {
    {MOX_LOG_PRINT, "print"},
    {MOX_LOG_FATAL, "fatal"},
    {MOX_LOG_ERROR, "error"},
    {MOX_LOG_WARN, "warn"},
    {MOX_LOG_INFO, "info"},
    {MOX_LOG_DEBUG, "debug"},
    {MOX_LOG_TRACE, "trace"},
    {MOX_LOG_TRACEAUTH, "traceauth"},
    {MOX_LOG_TRACEDATA, "tracedata"},
};

struct package {
    char name[32];
    enum mox_log_level level;
};

struct mox_logger {
    int fd;
    atomic_bool plain;
    /* The most talkative level of all: most lines are dropped by one atomic load. */
    atomic_int highest;
    pthread_mutex_t lock; /* guards what follows */
    enum mox_log_level level;
    struct package packages[MAX_PACKAGES]; /* sorted by name */
    size_t package_count;
};

const char *mox_log_level_name(enum mox_log_level level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++)
        if (level_names[i].level == level)
            return level_names[i].name;
    return NULL;
}

int mox_log_level_parse(const char *name, enum mox_log_level *level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++)
        if (strcmp(level_names[i].name, name) == 0) {
            *level = level_names[i].level;
            return MOX_OK;
        }
    return MOX_ESYNTAX;
}

int mox_logger_new(struct mox_logger **out, int fd)
{
    *out = NULL;
    struct mox_logger *logger = calloc(1, sizeof *logger);
    if (logger == NULL)
        return MOX_ENOMEM;
    if (pthread_mutex_init(&logger->lock, NULL) != 0) {
        free(logger);
        return MOX_ENOMEM;
    }
    logger->fd = fd;
    logger->level = MOX_LOG_INFO;
    atomic_store(&logger->highest, MOX_LOG_INFO);
    *out = logger;
    return MOX_OK;
}

void mox_logger_free(struct mox_logger *logger)
{
    if (logger == NULL)
        return;
    pthread_mutex_destroy(&logger->lock);
    free(logger);
}

static struct package *find(struct mox_logger *logger, const char *pkg)
{
    for (size_t i = 0; i < logger->package_count; i++)
        if (strcmp(logger->packages[i].name, pkg) == 0)
            return &logger->packages[i];
    return NULL;
}

static void refresh_highest(struct mox_logger *logger)
{
    enum mox_log_level highest = logger->level;
    for (size_t i = 0; i < logger->package_count; i++)
        if (logger->packages[i].level > highest)
            highest = logger->packages[i].level;
    atomic_store(&logger->highest, (int)highest);
}

static int add_package(struct mox_logger *logger, const char *pkg, enum mox_log_level level)
{
    if (logger->package_count == MAX_PACKAGES || strlen(pkg) >= sizeof logger->packages[0].name)
        return MOX_ELIMIT;
    size_t at = logger->package_count;
    while (at > 0 && strcmp(logger->packages[at - 1].name, pkg) > 0)
        at--;
    memmove(&logger->packages[at + 1], &logger->packages[at],
            (logger->package_count - at) * sizeof logger->packages[0]);
    (void)snprintf(logger->packages[at].name, sizeof logger->packages[at].name, "%s", pkg);
    logger->packages[at].level = level;
    logger->package_count++;
    return MOX_OK;
}

int mox_logger_level(struct mox_logger *logger, const char *pkg, enum mox_log_level level)
{
    int rc = MOX_OK;
    pthread_mutex_lock(&logger->lock);
    struct package *p = pkg == NULL ? NULL : find(logger, pkg);
    if (pkg == NULL)
        logger->level = level;
    else if (p != NULL)
        p->level = level;
    else
        rc = add_package(logger, pkg, level);
    refresh_highest(logger);
    pthread_mutex_unlock(&logger->lock);
    return rc;
}

int mox_logger_level_clear(struct mox_logger *logger, const char *pkg)
{
    int rc = MOX_ENOTFOUND;
    pthread_mutex_lock(&logger->lock);
    struct package *p = find(logger, pkg);
    if (p != NULL) {
        size_t after = logger->package_count - (size_t)(p - logger->packages) - 1;
        memmove(p, p + 1, after * sizeof *p);
        logger->package_count--;
        refresh_highest(logger);
        rc = MOX_OK;
    }
    pthread_mutex_unlock(&logger->lock);
    return rc;
}

void mox_logger_levels(struct mox_logger *logger,
                       void (*each)(void *user, const char *pkg, enum mox_log_level level),
                       void *user)
{
    pthread_mutex_lock(&logger->lock);
    each(user, NULL, logger->level);
    for (size_t i = 0; i < logger->package_count; i++)
        each(user, logger->packages[i].name, logger->packages[i].level);
    pthread_mutex_unlock(&logger->lock);
}

void mox_logger_plain(struct mox_logger *logger, bool plain)
{
    atomic_store(&logger->plain, plain);
}

static bool enabled(void *user, enum mox_log_level level, const char *pkg)
{
    struct mox_logger *logger = user;
    if ((int)level > atomic_load(&logger->highest))
        return false;
    pthread_mutex_lock(&logger->lock);
    struct package *p = find(logger, pkg);
    bool yes = level <= (p != NULL ? p->level : logger->level);
    pthread_mutex_unlock(&logger->lock);
    return yes;
}

static void write_line(void *user, const struct mox_log_line *line)
{
    struct mox_logger *logger = user;
    char out[LINE_MAX_BYTES];
    size_t len = mox__logfmt(line, atomic_load(&logger->plain), out, sizeof out);
    ssize_t n;
    do /* one write, so that lines of several threads and processes do not mix */
        n = write(logger->fd, out, len);
    while (n < 0 && errno == EINTR);
}

void mox_logger_attach(struct mox_logger *logger, struct mox_env *env)
{
    env->log_user = logger;
    env->log_enabled = enabled;
    env->log = write_line;
}
