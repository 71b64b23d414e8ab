/* SPDX-License-Identifier: MIT */
#include "mailauth/arc_verify.h"

#include "base/mem.h"
#include "base/text.h"

/* What the values of 50 sets take, decoded. */
#define ARENA_MAX (16 * 1024 * 1024)

const char *mox_arc_status_name(enum mox_arc_status status)
{
    static const char *const names[] = {"none", "pass", "fail", "temperror"};
    return names[status];
}

/* ---- What can be said without keys ---- */

/* Why a signature cannot be one of ARC's; NULL: it can. */
static const char *unfit(const struct signature_check *c)
{
    if (c->signature.hash == HASH_SHA1) /* RFC 8301 §3.1 */
        return "a= is rsa-sha1";
    if (c->signature.headers.data != NULL && mox__dkim_names(&c->signature, "arc-seal"))
        return "h= has ARC-Seal"; /* RFC 8617 §4.1.2 */
    return NULL;
}

/* Reads one of the two signatures of a set. MOX_OK also when it is wrong: then it is ended. */
static int read_signature(struct mox_arc_verify *v, struct signature_check *c,
                          const struct signed_field *field, enum signature_form form)
{
    const char *problem = NULL;
    int rc = mox__dkim_signature_parse(&c->signature, &v->arena, field, form, &problem);
    if (rc == MOX_ENOMEM)
        return rc;
    if (rc == MOX_OK)
        problem = unfit(c);
    if (problem != NULL)
        mox__check_end(c, MOX_DKIM_PERMERROR, problem);
    else
        mox__check_rules(c, &v->config);
    return MOX_OK;
}

/* An l= makes a hash of the body that no other signature needs: only the newest set, which decides, may
 * cost that. */
static void check_limit(struct signature_check *c, bool is_newest)
{
    if (c->state != CHECK_DONE && !is_newest && c->signature.limit != UINT64_MAX)
        mox__check_end(c, MOX_DKIM_POLICY, "l= is not looked at in older sets");
}

static void fill_instance(struct mox_arc_verify *v, unsigned i)
{
    v->instances[i] = (struct mox_arc_instance){.instance = i + 1,
                                                .seal_domain = v->seals[i].signature.domain,
                                                .seal_selector = v->seals[i].signature.selector,
                                                .domain = v->messages[i].signature.domain,
                                                .selector = v->messages[i].signature.selector,
                                                .results = v->sets.sets[i].results,
                                                .reason = ""};
}

static int read_set(struct mox_arc_verify *v, unsigned i)
{
    const struct arc_set *set = &v->sets.sets[i];
    struct signature_check *message = &v->messages[i], *seal = &v->seals[i];
    int rc = read_signature(v, message, set->fields[ARC_MESSAGE_SIGNATURE], SIGNATURE_ARC_MESSAGE);
    if (rc == MOX_OK)
        rc = read_signature(v, seal, set->fields[ARC_SEAL], SIGNATURE_ARC_SEAL);
    if (rc < 0)
        return rc;
    check_limit(message, i + 1 == v->sets.count);
    fill_instance(v, i);
    return MOX_OK;
}

/* RFC 8617 §5.2 step 3: the first seal says that there was no chain, all others that it was valid. */
static void check_chain_values(struct mox_arc_verify *v)
{
    for (unsigned i = v->sets.count; i-- > 0;) {
        const char *chain = v->seals[i].signature.chain;
        if (strcmp(chain, "fail") == 0)
            mox__arc_problem(&v->sets, i + 1, ARC_SEAL, "it says that the chain was broken");
        else if (strcmp(chain, i == 0 ? "none" : "pass") != 0)
            mox__arc_problem(&v->sets, i + 1, ARC_SEAL, "a cv= that cannot be there");
    }
}

static int make_room(struct mox_arc_verify *v)
{
    const unsigned count = v->sets.count;
    v->messages = arena_new(&v->arena, struct signature_check, count);
    v->seals = arena_new(&v->arena, struct signature_check, count);
    v->seal_digests = arena_new(&v->arena, struct seal_digest, count);
    v->instances = arena_new(&v->arena, struct mox_arc_instance, count);
    return v->messages == NULL || v->seals == NULL || v->seal_digests == NULL ||
                   v->instances == NULL
               ? MOX_ENOMEM
               : MOX_OK;
}

static int read_sets(struct mox_arc_verify *v)
{
    mox__arc_sets_read(&v->sets, v->message);
    if (v->message->problem != NULL)
        mox__arc_problem(&v->sets, 0, ARC_SEAL, v->message->problem);
    if (v->message->too_long != NULL)
        mox__arc_problem(&v->sets, 0, ARC_SEAL, v->message->too_long);
    if (v->sets.problem[0] != '\0' || v->sets.count == 0)
        return MOX_OK;
    if (make_room(v) < 0)
        return MOX_ENOMEM;
    for (unsigned i = 0; i < v->sets.count; i++) {
        int rc = read_set(v, i);
        if (rc < 0)
            return rc;
    }
    check_chain_values(v);
    return MOX_OK;
}

/* ---- What seals cover ---- */

void mox__arc_canon_set(struct buf *out, const struct arc_set *set, unsigned kinds)
{
    for (unsigned kind = 0; kind < kinds; kind++)
        mox__canon_field(out, CANON_RELAXED, set->fields[kind]);
}

/* A seal covers all sets before its own, its own, and itself without b=: each set is hashed once, and the
 * hash goes on from there (RFC 8617 §5.1.1). */
static int digest_seals(struct mox_arc_verify *v)
{
    struct hash_state covered;
    struct buf text;
    bool failed = false;
    mox__hash_start(&covered, HASH_SHA256);
    mox__buf_init(&text, &v->env, SIZE_MAX / 2);
    for (unsigned i = 0; i < v->sets.count; i++) {
        const struct arc_set *set = &v->sets.sets[i];
        mox__buf_clear(&text);
        mox__arc_canon_set(&text, set, ARC_SEAL);
        mox__hash_update(&covered, slice(text.data, text.len));
        failed |= text.failed;

        struct hash_state own = covered;
        mox__buf_clear(&text);
        mox__canon_signature(&text, CANON_RELAXED, set->fields[ARC_SEAL],
                             v->seals[i].signature.cut);
        mox__hash_update(&own, slice(text.data, text.len));
        mox__hash_finish(&own, v->seal_digests[i].bytes);
        failed |= text.failed;

        mox__buf_clear(&text);
        mox__canon_field(&text, CANON_RELAXED, set->fields[ARC_SEAL]);
        mox__hash_update(&covered, slice(text.data, text.len));
        failed |= text.failed;
    }
    mox__buf_free(&text);
    return failed ? MOX_ENOMEM : MOX_OK;
}

/* ---- The check ---- */

int mox_arc_verify_new(struct mox_arc_verify **out, const struct mox_env *env,
                       struct mox_signed_message *message, const struct mox_dkim_config *config)
{
    *out = NULL;
    struct mox_arc_verify *v = mem_new(env, struct mox_arc_verify, 1);
    if (v == NULL)
        return MOX_ENOMEM;
    v->env = *env;
    mox__arena_init(&v->arena, &v->env, ARENA_MAX);
    v->message = message;
    mox_dkim_config_init(&v->config);
    memcpy(&v->config, config, config->size < sizeof v->config ? config->size : sizeof v->config);
    int rc = read_sets(v);
    if (rc == MOX_OK && v->sets.problem[0] == '\0')
        rc = digest_seals(v);
    if (rc < 0) {
        mox_arc_verify_free(v);
        return MOX_ENOMEM;
    }
    *out = v;
    return MOX_OK;
}

void mox_arc_verify_free(struct mox_arc_verify *v)
{
    if (v == NULL)
        return;
    struct mox_env env = v->env;
    mox__arena_reset(&v->arena);
    mox__mem_free(&env, v);
}

/* Asks for all keys at once, and looks at what is signed with those that are there: from the newest set on,
 * since all together may hash so much of the header and no more. */
static int check_keys(struct mox_arc_verify *v, struct mox_dns_answers *answers)
{
    bool waits = false;
    for (unsigned i = v->sets.count; i-- > 0;) {
        int rc = MOX_OK;
        if (v->messages[i].state == CHECK_KEY)
            rc = mox__check_key(&v->messages[i], v->message, answers, NULL);
        waits |= rc == MOX_NEED_DNS;
        if (rc >= 0 && v->seals[i].state == CHECK_KEY)
            rc = mox__check_key(&v->seals[i], v->message, answers, v->seal_digests[i].bytes);
        if (rc < 0)
            return rc;
        waits |= rc == MOX_NEED_DNS;
    }
    return waits ? MOX_NEED_DNS : MOX_OK;
}

/* Ends what the keys have left open: the bodies, and the seals, which have none. */
static void end_checks(struct mox_arc_verify *v)
{
    mox__body_hash_run(v->message);
    for (unsigned i = 0; i < v->sets.count; i++) {
        if (v->messages[i].state == CHECK_BODY)
            mox__check_body(&v->messages[i], v->message);
        if (v->seals[i].state == CHECK_BODY)
            mox__check_end(&v->seals[i], MOX_DKIM_PASS, "");
        v->instances[i].message_checked = true;
        v->instances[i].message_valid = v->messages[i].result.status == MOX_DKIM_PASS;
        v->instances[i].reason = v->seals[i].result.status != MOX_DKIM_PASS
                                     ? v->seals[i].result.reason
                                     : v->messages[i].result.reason;
    }
}

/* Whether a signature that the chain rests on holds; else what that makes of the chain. A key that cannot be
 * had now is no proof against it, unless something else is. */
static bool holds(struct mox_arc_verify *v, unsigned i, enum arc_kind kind, bool temporary)
{
    const struct signature_check *c = kind == ARC_SEAL ? &v->seals[i] : &v->messages[i];
    if (c->result.status == MOX_DKIM_PASS)
        return true;
    if ((c->result.status == MOX_DKIM_TEMPERROR) != temporary)
        return true;
    mox__arc_problem(&v->sets, i + 1, kind, c->result.reason);
    v->verdict.status = temporary ? MOX_ARC_TEMPERROR : MOX_ARC_FAIL;
    return false;
}

/* RFC 8617 §5.2 steps 4 and 6: the newest message signature, then the seals from the newest on. */
static bool all_hold(struct mox_arc_verify *v, bool temporary)
{
    if (!holds(v, v->sets.count - 1, ARC_MESSAGE_SIGNATURE, temporary))
        return false;
    for (unsigned i = v->sets.count; i-- > 0;)
        if (!holds(v, i, ARC_SEAL, temporary))
            return false;
    return true;
}

/* RFC 8617 §5.2 step 5. */
static unsigned oldest_pass(const struct mox_arc_verify *v)
{
    unsigned i = v->sets.count;
    while (i > 0 && v->instances[i - 1].message_valid)
        i--;
    return i == 0 ? 0 : i + 1;
}

static bool is_secure(const struct mox_arc_verify *v)
{
    bool secure = v->messages[v->sets.count - 1].result.secure;
    for (unsigned i = 0; i < v->sets.count; i++)
        secure = secure && v->seals[i].result.secure;
    return secure;
}

static void judge(struct mox_arc_verify *v)
{
    end_checks(v);
    v->verdict.status = MOX_ARC_PASS;
    if (all_hold(v, false))
        (void)all_hold(v, true);
    v->verdict.oldest_pass = oldest_pass(v);
    v->verdict.secure = is_secure(v);
}

int mox_arc_verify_run(struct mox_arc_verify *v, struct mox_dns_answers *answers)
{
    if (v->is_judged)
        return MOX_OK;
    if (!v->sets.found) {
        v->verdict.status = MOX_ARC_NONE;
    } else if (v->sets.problem[0] != '\0') {
        v->verdict.status = MOX_ARC_FAIL;
    } else {
        int rc = check_keys(v, answers);
        if (rc != MOX_OK)
            return rc;
        judge(v);
    }
    v->verdict.reason = v->sets.found ? v->sets.problem : "";
    v->verdict.instances = v->instances;
    v->verdict.count = v->instances == NULL ? 0 : v->sets.count;
    v->is_judged = true;
    return MOX_OK;
}

const struct mox_arc_verdict *mox_arc_verdict(const struct mox_arc_verify *v)
{
    return &v->verdict;
}
