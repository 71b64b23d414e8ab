/* SPDX-License-Identifier: MIT */
#ifndef MOX_TYPES_H
#define MOX_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define MOX_BEGIN_DECLS extern "C" {
#define MOX_END_DECLS }
#else
#define MOX_BEGIN_DECLS
#define MOX_END_DECLS
#endif

/* The only compiler extensions of the library. */
#if defined(__GNUC__)
#define MOX_API __attribute__((visibility("default")))
#define MOX_MUST_USE __attribute__((warn_unused_result))
#define MOX_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#else
#define MOX_API
#define MOX_MUST_USE
#define MOX_PRINTF(fmt, first)
#endif

/** What any `_input` function takes at once, in bytes. */
#define MOX_INPUT_MAX 65536

/** Borrowed bytes; who owns them, and for how long they stay, says the function that gives or takes
 *  them. `data` may be NULL when `len` is 0. There is no NUL at the end. */
struct mox_slice {
    const uint8_t *data;
    size_t len;
};

#endif
