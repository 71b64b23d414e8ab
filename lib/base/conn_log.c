/* SPDX-License-Identifier: MIT */
#include "base/conn_log.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"

/* A line has about ten fields of its own; what would be more goes unseen. */
#define FIELDS_MAX 24

static bool enabled(void *user, enum mox_log_level level, const char *pkg)
{
    const struct conn_log *l = user;
    return l->outer->log_enabled(l->outer->log_user, level, pkg);
}

/* Two threads may log at once: neither shows a time before the other's. */
static int64_t since_last_line(struct conn_log *l)
{
    int64_t now = l->outer->monotonic_us(l->outer->user);
    int64_t last = atomic_exchange(&l->line_us, now);
    return now > last ? now - last : 0;
}

static void write_line(void *user, const struct mox_log_line *line)
{
    struct conn_log *l = user;
    struct mox_log_field fields[FIELDS_MAX];
    struct mox_log_line longer = *line;
    size_t n = 0;
    fields[n++] = (struct mox_log_field)F_HEX("cid", l->cid);
    fields[n++] = (struct mox_log_field)F_DURATION("delta", since_last_line(l));
    if (l->username != NULL)
        fields[n++] = (struct mox_log_field)F_TEXT("username", l->username);
    for (size_t i = 0; i < line->field_count && n < FIELDS_MAX; i++)
        if (strcmp(line->fields[i].key, "cid") != 0) /* an engine says it too: it has other hosts */
            fields[n++] = line->fields[i];
    longer.fields = fields;
    longer.field_count = n;
    l->outer->log(l->outer->log_user, &longer);
}

void mox__conn_log_init(struct conn_log *l, const struct mox_env *outer, uint64_t cid)
{
    l->env = *outer;
    l->outer = outer;
    l->cid = cid;
    l->username = NULL;
    atomic_init(&l->line_us, outer->monotonic_us(outer->user));
    if (outer->log_enabled == NULL)
        return;
    l->env.log_user = l;
    l->env.log_enabled = enabled;
    l->env.log = write_line;
}

void mox__conn_log_user(struct conn_log *l, const char *username)
{
    mox__mem_free(l->outer, l->username);
    l->username = mox__strndup(l->outer, username, strlen(username));
}

void mox__conn_log_end(struct conn_log *l)
{
    mox__mem_free(l->outer, l->username);
    l->username = NULL;
}
