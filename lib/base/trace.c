/* SPDX-License-Identifier: MIT */
#include "base/trace.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

/* So much is on one line; the logger has room for it when every byte is escaped. */
#define SHOWN_MAX 4096

static void trace_piece(const struct trace *t, enum mox_log_level level, const char *who,
                        struct mox_slice text)
{
    char line[SHOWN_MAX + 8];
    size_t n = strlen(who);
    memcpy(line, who, n);
    for (size_t i = 0; i < text.len; i++) /* a message of the log ends at a NUL */
        line[n + i] = text.data[i] == '\0' ? '?' : (char)text.data[i];
    line[n + text.len] = '\0';
    log_line(t->env, level, t->pkg, line, NULL, F_HEX("cid", t->cid), F_UINT("size", text.len));
    if (level == MOX_LOG_TRACEAUTH)
        mox__wipe(line, sizeof line);
}

void mox__trace(const struct trace *t, enum mox_log_level level, const char *who,
                struct mox_slice text)
{
    if (!mox__log_enabled(t->env, level, t->pkg))
        return;
    do {
        size_t n = text.len < SHOWN_MAX ? text.len : SHOWN_MAX;
        trace_piece(t, level, who, slice(text.data, n));
        text = slice_from(text, n);
    } while (text.len > 0);
}

void mox__trace_masked(const struct trace *t, const char *shown, size_t size)
{
    if (mox__log_enabled(t->env, MOX_LOG_TRACE, t->pkg))
        log_line(t->env, MOX_LOG_TRACE, t->pkg, shown, NULL, F_HEX("cid", t->cid),
                 F_UINT("size", size));
}

void mox__trace_hidden(const struct trace *t, enum mox_log_level level, const char *who,
                       const char *masked, struct mox_slice text)
{
    if (mox__log_enabled(t->env, level, t->pkg))
        mox__trace(t, level, who, text);
    else
        mox__trace_masked(t, masked, text.len);
}
