/* SPDX-License-Identifier: MIT */
#ifndef MOX_AUTH_RESULTS_H
#define MOX_AUTH_RESULTS_H

#include <mox/env.h>
#include <mox/error.h>

MOX_BEGIN_DECLS

/* Authentication-Results (RFC 8601), as data. */

/** "smtp.mailfrom=example.org" */
struct mox_auth_property {
    const char
        *type; /* smtp, header, body, policy, or another; "": a word that has none, such as the
                         `action=none` of Exchange Online */
    const char *property;
    const char *value; /* decoded: without quotes and comments */
    bool is_address;   /* when written: `@` needs no quotes. Read: it had none */
};

#define MOX_AUTH_PROPERTIES_MAX 20
#define MOX_AUTH_METHODS_MAX    60
/** The longest field that is read, in bytes. */
#define MOX_AUTH_RESULTS_MAX 65536
/** The longest name of a method, result, type or property: a longer one is not read, and is cut when
 *  written. */
#define MOX_AUTH_NAME_MAX 64
/** Where a value, reason or comment is cut when it is written: lines may have 998 bytes. */
#define MOX_AUTH_VALUE_MAX 400

/** "spf=pass (comment) reason="…" smtp.mailfrom=example.org". Names that were read are in lower case. */
struct mox_auth_method {
    const char *method, *result;
    unsigned version; /* "spf/1"; 1 when not written */
    const char
        *comment;       /* without parentheses; NULL: none. Read: the first. It is written only when
                            a reason or a property follows it */
    const char *reason; /* NULL: none */
    struct mox_auth_property properties[MOX_AUTH_PROPERTIES_MAX];
    size_t property_count;
};

struct mox_auth_results {
    const char *authserv_id;
    unsigned version;                      /* 1 */
    const struct mox_auth_method *methods; /* none: "none" (§2.2) */
    size_t method_count;
};

/**
 * Writes the field, `Authentication-Results: …` with CRLF, each method on its own line, folded at 76
 * columns; values are quoted when they must be, and bytes that may not be in a header become `?`. Text
 * in UTF-8 stays what it is (RFC 6532).
 *
 * @param out   set to a NUL-terminated text of the env's allocator, freed with mox_text_free()
 * @return MOX_OK, MOX_ENOMEM
 */
MOX_API MOX_MUST_USE int mox_auth_results_write(char **out, const struct mox_env *env,
                                                const struct mox_auth_results *results);

/**
 * Reads the value of such a field, or of ARC-Authentication-Results behind its `i=…;`. Beyond the
 * grammar it takes what large providers write: values with tspecials in them and without quotes, words
 * without a type, underscores in names, and a `;` behind the last method.
 *
 * @param out  freed with mox_auth_results_free()
 * @return MOX_ESYNTAX, and *err says where; MOX_ELIMIT: too many methods or properties; MOX_ENOMEM
 */
MOX_API MOX_MUST_USE int mox_auth_results_parse(struct mox_auth_results **out,
                                                const struct mox_env *env, struct mox_slice value,
                                                struct mox_error *err);
/** NULL is fine. */
MOX_API void mox_auth_results_free(const struct mox_env *env, struct mox_auth_results *results);

MOX_END_DECLS

#endif
