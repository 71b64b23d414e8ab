/* SPDX-License-Identifier: MIT */
#include "mailauth/arc_chain.h"

#include "base/base64.h"
#include "base/mem.h"
#include "base/text.h"
#include "mailauth/dkim_key.h"

int chain_init(struct chain *c, const struct mox_env *env)
{
    uint8_t key[PUBLIC_DER_MAX];
    size_t len;
    *c = (struct chain){.env = env, .status = MOX_DNS_FOUND};
    struct buf record = buf_over(c->record, sizeof c->record);
    int rc = mox_dkim_key_generate(&c->key, env, MOX_DKIM_ED25519, 0);
    if (rc == MOX_OK)
        rc = mox__private_public(mox__dkim_private(c->key), key, &len);
    if (rc < 0)
        return rc;
    mox__buf_text(&record, "v=DKIM1; k=ed25519; p=");
    mox__base64_encode(&record, slice(key, len));
    mox__buf_byte(&record, '\0');
    return MOX_OK;
}

void chain_free(struct chain *c)
{
    mox_dkim_key_free(c->key);
}

static int answer(struct chain *c, struct mox_dns_answers *answers)
{
    const struct mox_dns_question *wanted;
    const struct mox_dns_record record = {.data.txt = slice_of(c->record)};
    int rc = MOX_OK;
    while (rc == MOX_OK && mox_dns_wanted(answers, &wanted) > 0) {
        const struct mox_dns_answer a = {.question = *wanted,
                                         .status = c->status,
                                         .secure = true,
                                         .records = &record,
                                         .count = c->status == MOX_DNS_FOUND ? 1 : 0};
        rc = mox_dns_put(answers, &a);
    }
    c->rounds++;
    return rc;
}

int chain_check(struct chain *c, struct mox_slice content, struct chain_check *out)
{
    struct mox_dkim_config config;
    mox_dkim_config_init(&config);
    config.now_us = INT64_C(1800000000) * 1000000;
    *out = (struct chain_check){0};
    c->rounds = 0;
    int rc = mox_signed_message_new(&out->message, c->env, content);
    if (rc == MOX_OK)
        rc = mox_dns_answers_new(&out->answers, c->env);
    if (rc == MOX_OK)
        rc = mox_arc_verify_new(&out->verify, c->env, out->message, &config);
    while (rc == MOX_OK && (rc = mox_arc_verify_run(out->verify, out->answers)) == MOX_NEED_DNS)
        rc = answer(c, out->answers);
    return rc;
}

void chain_done(struct chain_check *check)
{
    mox_arc_verify_free(check->verify);
    mox_dns_answers_free(check->answers);
    mox_signed_message_free(check->message);
}

/* `set` and `content` behind each other. */
static int join(const struct mox_env *env, const char *set, const char *content, char **out)
{
    size_t head = strlen(set), len = strlen(content);
    *out = mox__realloc(env, NULL, head + len + 1, 1);
    if (*out == NULL)
        return MOX_ENOMEM;
    memcpy(*out, set, head);
    memcpy(*out + head, content, len + 1);
    return MOX_OK;
}

int chain_seal_changed(struct chain *c, const char *came, const char *goes, const char *results,
                       char **out)
{
    struct chain_check check;
    struct mox_signed_message *message = NULL;
    struct mox_arc_sealer sealer;
    char *set = NULL;
    *out = NULL;
    int rc = chain_check(c, slice_of(came), &check);
    mox_arc_sealer_init(&sealer);
    sealer.key = c->key;
    sealer.domain = "example.org";
    sealer.selector = "s1";
    sealer.authserv_id = "mx.example.org";
    sealer.results = slice_of(results);
    sealer.now_us = INT64_C(1800000000) * 1000000;
    if (rc == MOX_OK)
        rc = mox_signed_message_new(&message, c->env, slice_of(goes));
    if (rc == MOX_OK)
        rc = mox_arc_seal(&set, c->env, message, check.verify, &sealer, NULL);
    if (rc == MOX_OK)
        rc = join(c->env, set, goes, out);
    mox_text_free(c->env, set);
    mox_signed_message_free(message);
    chain_done(&check);
    return rc;
}

int chain_seal(struct chain *c, const char *content, const char *results, char **out)
{
    return chain_seal_changed(c, content, content, results, out);
}
