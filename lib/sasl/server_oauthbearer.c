/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "sasl/server.h"

/* OAUTHBEARER (RFC 7628 §3): the header of GS2, then pairs of a key and a value, of which "auth" has
 * the token. A token that does not admit is told in JSON, to which the client answers with ^A. */

#define PAIR_END 0x01

/* §3.2.2; what the token should look like is for the host's documentation to say. */
#define INVALID_TOKEN "{\"status\":\"invalid_token\"}"

static bool take_pair(struct mox_slice *rest, struct mox_slice *pair)
{
    const uint8_t *end = rest->len == 0 ? NULL : memchr(rest->data, PAIR_END, rest->len);
    if (end == NULL)
        return false;
    *pair = slice(rest->data, (size_t)(end - rest->data));
    *rest = slice_from(*rest, pair->len + 1);
    return true;
}

/* The value of a pair with this key; false for another key. */
static bool is_pair(struct mox_slice pair, const char *key, struct mox_slice *value)
{
    size_t len = strlen(key);
    if (pair.len <= len || pair.data[len] != '=' || !mox__slice_is(slice(pair.data, len), key))
        return false;
    *value = slice_from(pair, len + 1);
    return true;
}

/* RFC 6750 §2.1: "Bearer" in any case, a space, and the token of printable characters. */
static bool take_token(struct mox_slice value, struct mox_slice *token)
{
    if (!mox__slice_starts_nocase(value, "Bearer "))
        return false;
    *token = mox__slice_trim(slice_from(value, sizeof "Bearer " - 1));
    for (size_t i = 0; i < token->len; i++)
        if (token->data[i] <= ' ' || token->data[i] > '~')
            return false;
    return token->len > 0;
}

/* kvsep *kvpair kvsep: host and port are not needed here, and whatever else is not known. */
static bool find_token(struct mox_slice rest, struct mox_slice *token)
{
    struct mox_slice pair, value;
    bool found = false;
    if (rest.len == 0 || rest.data[0] != PAIR_END)
        return false;
    rest = slice_from(rest, 1);
    while (take_pair(&rest, &pair) && pair.len > 0) {
        if (!is_pair(pair, "auth", &value))
            continue;
        if (found || !take_token(value, token))
            return false;
        found = true;
    }
    return found && pair.len == 0 && rest.len == 0;
}

static enum mox_sasl_step step(struct mox_sasl_server *s, struct mox_slice response)
{
    struct gs2_header header;
    struct mox_slice token, pairs = response;
    char authorize[MOX_SASL_USERNAME_MAX] = "";
    if (s->phase++ == 0 && response.data == NULL)
        return mox__sasl_challenge(s, slice("", 0));
    if (!mox__gs2_take(&pairs, &header) || header.flag == GS2_BOUND || !find_token(pairs, &token) ||
        (header.authorize.data != NULL &&
         !mox__saslname_decode(authorize, sizeof authorize, header.authorize)))
        return mox__sasl_fail(s, MOX_SASL_FAILED_SYNTAX, "not a message with a bearer token");
    if (!mox__sasl_take_username(s, slice_of(authorize)) || !mox__sasl_take_secret(s, token))
        return MOX_SASL_FAILURE;
    return mox__sasl_ask(s, MOX_SASL_ASK_TOKEN);
}

static enum mox_sasl_step answer(struct mox_sasl_server *s, int status,
                                 const struct mox_sasl_answer *given)
{
    if (status == MOX_EDENIED || status == MOX_ENOTFOUND)
        return mox__sasl_fail_after(s, MOX_SASL_FAILED_CREDENTIALS, "", INVALID_TOKEN);
    return mox__sasl_conclude_whose(s, status, given);
}

const struct server_mechanism mox__sasl_server_oauthbearer = {
    .ids = MOX_SASL_OAUTHBEARER, .step = step, .answer = answer};
