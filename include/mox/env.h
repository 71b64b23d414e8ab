/* SPDX-License-Identifier: MIT */
#ifndef MOX_ENV_H
#define MOX_ENV_H

#include <mox/types.h>

MOX_BEGIN_DECLS

/** From the least to the most talkative. A line is written when its level is at most the level of
 *  its package. */
enum mox_log_level {
    MOX_LOG_PRINT = 0, /* always */
    MOX_LOG_FATAL,
    MOX_LOG_ERROR,
    MOX_LOG_WARN,
    MOX_LOG_INFO,
    MOX_LOG_DEBUG,
    MOX_LOG_TRACE,     /* protocol lines, without credentials and message data */
    MOX_LOG_TRACEAUTH, /* and credentials */
    MOX_LOG_TRACEDATA  /* and message data */
};

enum mox_log_type {
    MOX_LOG_TEXT,     /* text, NUL-terminated; NULL is written as an empty text */
    MOX_LOG_BYTES,    /* bytes: any, escaped when written */
    MOX_LOG_INT,      /* i */
    MOX_LOG_UINT,     /* u */
    MOX_LOG_HEX,      /* u, in hexadecimal */
    MOX_LOG_DURATION, /* i, in microseconds */
    MOX_LOG_TIME      /* i, microseconds since 1970, UTC */
};

struct mox_log_field {
    const char *key;
    enum mox_log_type type;
    union {
        const char *text;
        struct mox_slice bytes;
        int64_t i;
        uint64_t u;
    } value;
};

/** One log line as data. Everything in it is borrowed for the call. */
struct mox_log_line {
    enum mox_log_level level;
    const char *pkg; /* smtpserver, imapserver, store … */
    const char *message;
    const char *error; /* or NULL */
    const struct mox_log_field *fields;
    size_t field_count;
};

struct mox_metric; /* mox/metrics.h */

/**
 * What the library takes from outside: time, randomness, memory, a log, and somebody who counts. It is
 * copied by value into every object made with it; `user` must outlive them all.
 *
 * Threads: the functions are called from any thread, also at the same time.
 */
struct mox_env {
    size_t size; /* sizeof(struct mox_env); mox_env_system() sets it */
    void *user;  /* handed to the four functions that follow */

    /** A clock that never jumps, in microseconds since anything: for deadlines. */
    int64_t (*monotonic_us)(void *user);
    /** UTC in microseconds since 1970: for dates and stored times. May jump. */
    int64_t (*wall_us)(void *user);
    /** Fills `out` with bytes fit for keys. Cannot fail: a host without randomness must abort. */
    void (*random)(void *user, uint8_t *out, size_t len);
    /** realloc() and free() in one: size 0 frees and returns NULL, NULL for memory means none. */
    void *(*realloc)(void *user, void *ptr, size_t size);

    void *log_user; /* handed to the two below */
    /** Whether a line would be written: asked before it is composed. NULL: nothing is logged. */
    bool (*log_enabled)(void *log_user, enum mox_log_level level, const char *pkg);
    void (*log)(void *log_user, const struct mox_log_line *line);

    void *metric_user; /* handed to the function below */
    /** Something happened that is counted: `labels` has the values of the metric's labels, borrowed
     *  for the call. See mox_metrics_attach(). NULL: nothing is counted. */
    void (*metric)(void *metric_user, const struct mox_metric *metric, const char *const *labels,
                   int64_t value);
};

/** The system's clocks, getrandom(2), malloc, no log and no metrics. */
MOX_API void mox_env_system(struct mox_env *env);

/** Frees a text that a function of the library gave to its caller. `env`: the one it was made with. NULL
 *  text is fine. */
MOX_API void mox_text_free(const struct mox_env *env, char *text);

MOX_END_DECLS

#endif
