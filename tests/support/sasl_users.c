/* SPDX-License-Identifier: MIT */
#include "support/sasl_users.h"

#include <string.h>

#include "support/cm.h"

/* Of the password `secret`, with 4096 rounds: fast enough for a test that runs a thousand times. */
static const struct {
    const char *kind, *record;
} records[] = {
    {"cram-md5", "f1f7e0a98a0cc0fbc3aabb81561b7395:dea73bcdcae5d6aaa48b44234797372e"},
    {"scram-sha-1",
     "4096:c2FsdCBvZiBzaGEx:1sFBIby3slLXC1I0Y0yumEn5EBU=:c0vc+6NMkOuVMNGGSgd3b0kFYy0="},
    {"scram-sha-256", "4096:c2FsdCBvZiAyNTYh:12uol99BCeoNeI/3vqXh4uMpkoPdHeJl5G6eLYb7kaw=:"
                      "axZc7yVlcHHV0Uy7YN/sWaOxK5vUSHZwQiR+dmKGDFM="},
};

static bool begins(const char *name, const char *word)
{
    return strncmp(name, word, strlen(word)) == 0;
}

void sasl_users_record(const char *kind, struct mox_sasl_answer *a)
{
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
        if (strcmp(records[i].kind, kind) == 0)
            strcpy(a->record, records[i].record);
    assert_int_not_equal(a->record[0], '\0');
}

static int record(const struct mox_sasl_question *q, struct mox_sasl_answer *a)
{
    if (begins(q->username, "old"))
        return MOX_ENOTFOUND;
    if (begins(q->username, "broken"))
        return MOX_EIO;
    if (begins(q->username, "later"))
        return MOX_LATER;
    if (!begins(q->username, "u") && !begins(q->username, "off"))
        return MOX_EDENIED;
    sasl_users_record(q->record, a);
    return MOX_OK;
}

static int admit(const struct mox_sasl_question *q, struct mox_sasl_answer *a)
{
    if (!begins(q->username, "off"))
        return MOX_OK;
    strcpy(a->text, "This account is closed until Monday");
    return MOX_EREFUSED;
}

/* Whose key and token it is, is one and the same. */
static int owner(const struct mox_sasl_question *q, struct mox_sasl_answer *a)
{
    if (q->ask == MOX_SASL_ASK_TOKEN && strcmp(q->token, "good") != 0)
        return MOX_EDENIED;
    if (q->username[0] != '\0' && strcmp(q->username, "u@example.org") != 0)
        return MOX_EDENIED;
    strcpy(a->username, "u@example.org");
    return MOX_OK;
}

int sasl_users_answer(const struct mox_sasl_question *q, struct mox_sasl_answer *a)
{
    switch (q->ask) {
    case MOX_SASL_ASK_RECORD:
        return record(q, a);
    case MOX_SASL_ASK_ADMIT:
        return admit(q, a);
    case MOX_SASL_ASK_CERTIFICATE:
    case MOX_SASL_ASK_TOKEN:
        return owner(q, a);
    case MOX_SASL_ASK_PASSWORD:
        break;
    }
    fail_msg("a question that is not ours: %d", (int)q->ask);
    return MOX_EINVAL;
}

int sasl_users_answer_now(const struct mox_sasl_question *q, struct mox_sasl_answer *a)
{
    int rc = sasl_users_answer(q, a);
    return rc == MOX_LATER ? MOX_EDENIED : rc;
}

void sasl_users_tls(struct mox_tls_info *info, bool has_key)
{
    *info = (struct mox_tls_info){
        .size = sizeof *info, .version = "TLS1.3", .cipher = "X", .has_exporter = true};
    memcpy(info->exporter, "the exported key of this session", sizeof info->exporter);
    info->unique_len = 12;
    memcpy(info->unique, "the finished", info->unique_len);
    memcpy(info->exporter_empty, "the same key, of an empty contxt", sizeof info->exporter_empty);
    info->has_client_key = has_key;
    memset(info->client_key, 7, has_key ? sizeof info->client_key : 0);
}
