/* SPDX-License-Identifier: MIT */
#include "store/auth_db.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

/* Attempts to log in that wait to be written (auth_logins.c). */

/* More than a server answers in the seconds that a disk may take; about 4 MB. */
#define QUEUE_MAX 10000

/* So many bytes that no character is cut in two. */
static size_t cut(const char *text)
{
    size_t len = strlen(text);
    if (len <= NOTED_TEXT_MAX)
        return len;
    len = NOTED_TEXT_MAX;
    while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static void clean(char *text, size_t len)
{
    bool utf8 = mox__slice_is_utf8(slice(text, len));
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];
        /* U+0080..U+009F are control characters too. */
        bool c1 = utf8 && c == 0xc2 && i + 1 < len && (uint8_t)text[i + 1] < 0xa0;
        if (c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8) || c1)
            text[i] = '?';
        if (c1)
            text[++i] = '?';
    }
}

static struct noted *copy(const struct mox_env *env, const char *const texts[NOTED_TEXTS])
{
    size_t room = 0;
    for (size_t i = 0; i < NOTED_TEXTS; i++)
        room += cut(texts[i]) + 1;
    struct noted *n = mox__calloc(env, 1, sizeof *n + room);
    char *at = (char *)(n + 1);
    for (size_t i = 0; n != NULL && i < NOTED_TEXTS; i++) {
        size_t len = cut(texts[i]);
        memcpy(at, texts[i], len);
        clean(at, len);
        n->texts[i] = at;
        at += len + 1;
    }
    return n;
}

static const char *text_or(const char *text, const char *otherwise)
{
    return text == NULL || *text == '\0' ? otherwise : text;
}

/* Its number, or 0: there is no room. */
static uint64_t enqueue(struct mox_auth_db *db, struct noted *n)
{
    pthread_mutex_lock(&db->lock);
    bool room = db->waiting < QUEUE_MAX, first = room && db->queue == NULL;
    if (room) {
        *db->queue_end = n;
        db->queue_end = &n->next;
        db->waiting++;
        n->number = ++db->noted;
    } else {
        db->dropped++;
    }
    bool tell = !room && db->dropped == 1;
    uint64_t number = room ? n->number : 0;
    pthread_mutex_unlock(&db->lock);
    if (first)
        (void)pthread_cond_signal(&db->work);
    if (tell)
        log_line(&db->env, MOX_LOG_WARN, "store",
                 "attempts to log in are not recorded until there is room again", NULL,
                 F_UINT("waiting", QUEUE_MAX));
    return number;
}

uint64_t mox_auth_db_note_login(struct mox_auth_db *db, const struct mox_login_attempt *attempt)
{
    struct mox_login_attempt a = {0};
    memcpy(&a, attempt, attempt->size < sizeof a ? attempt->size : sizeof a);
    const char *const texts[NOTED_TEXTS] = {
        [NOTED_ACCOUNT] = text_or(a.account, "-"),
        [NOTED_ADDRESS] = text_or(a.address, ""),
        [NOTED_REMOTE_IP] = text_or(a.remote_ip, ""),
        [NOTED_LOCAL_IP] = text_or(a.local_ip, ""),
        [NOTED_TLS] = text_or(a.tls, ""),
        [NOTED_PROTOCOL] = text_or(a.protocol, ""),
        [NOTED_USER_AGENT] = text_or(a.user_agent, ""),
        [NOTED_MECHANISM] = text_or(a.mechanism, ""),
        [NOTED_RESULT] = text_or(a.result, "error"),
    };
    struct noted *n = copy(&db->env, texts);
    if (n == NULL)
        return 0; /* memory is short, and the log has the attempt */
    n->at_us = db->env.wall_us(db->env.user);
    n->failed = strcmp(n->texts[NOTED_RESULT], "ok") != 0;
    uint64_t number = enqueue(db, n);
    if (number == 0)
        mox__mem_free(&db->env, n);
    return number;
}

/* Puts another in the place of one that waits. */
static void replace(struct mox_auth_db *db, struct noted **at, struct noted *n)
{
    struct noted *old = *at;
    n->next = old->next;
    n->number = old->number;
    n->at_us = old->at_us;
    n->failed = old->failed;
    *at = n;
    if (db->queue_end == &old->next)
        db->queue_end = &n->next;
    mox__mem_free(&db->env, old);
}

void mox_auth_db_name_client(struct mox_auth_db *db, uint64_t attempt, const char *user_agent)
{
    pthread_mutex_lock(&db->lock);
    struct noted **at = &db->queue; /* QUEUE_MAX at most, in the order of their numbers */
    while (*at != NULL && (*at)->number < attempt)
        at = &(*at)->next;
    if (*at != NULL && (*at)->number == attempt) {
        const char *texts[NOTED_TEXTS];
        memcpy(texts, (*at)->texts, sizeof texts);
        texts[NOTED_USER_AGENT] = user_agent;
        struct noted *n = copy(&db->env, texts);
        if (n != NULL)
            replace(db, at, n);
    }
    pthread_mutex_unlock(&db->lock);
}
