/* SPDX-License-Identifier: MIT */
/* A junk filter that learns 50,000 messages: from nothing, as it does behind commits, and all of it anew
 * beside the old one, as `mox retrain` does. With how much memory the process took at most. The first
 * argument is another number of messages. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mox/view.h>

#include "program.h"
#include "report.h"
#include "store/storefix.h"
#include "support/cm.h"

#define MESSAGES    50000
#define WAITING_MAX 256
#define WORDS       150    /* of a message */
#define VOCABULARY  300000 /* of all; few of them are in most messages */

static struct report report;

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- memory ---- */

/* The peak is counted from here on. */
static void forget_peak(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "w");
    if (f != NULL) {
        (void)fputs("5", f);
        (void)fclose(f);
    }
}

/* ---- messages ---- */

static uint64_t random_state = 1;

static double random_share(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (double)(random_state >> 11) / 9007199254740992.0;
}

/* Words as people can say them: others count for nothing. The nth is n times as rare as the first. */
static size_t write_word(char *out, bool junk)
{
    unsigned n = (unsigned)exp(random_share() * log(VOCABULARY)) + (junk ? 0 : 7);
    size_t len = 0;
    for (n += 100; n > 0; n /= 70) {
        out[len++] = "bdfglmnprstvkz"[n % 70 / 5];
        out[len++] = "aeiou"[n % 5];
    }
    out[len++] = ' ';
    return len;
}

static size_t write_message(char *out, unsigned n, bool junk)
{
    size_t len = (size_t)sprintf(out, "From: <a%u@example.org>\r\nSubject: ", n % 1000);
    for (unsigned i = 0; i < WORDS; i++) {
        len += write_word(out + len, junk);
        if (i == 5)
            len += (size_t)sprintf(out + len, "\r\n\r\n");
        else if (i % 12 == 11)
            len += (size_t)sprintf(out + len, "\r\n");
    }
    return len;
}

/* ---- filling the account ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t fewer = PTHREAD_COND_INITIALIZER;
static unsigned waiting;

static void stored(struct mox_write *w)
{
    struct mox_append *op = w->user;
    assert_int_equal(w->status, MOX_OK);
    mox_spool_free(op->spool);
    free(op);
    pthread_mutex_lock(&lock);
    waiting--;
    pthread_cond_signal(&fewer);
    pthread_mutex_unlock(&lock);
}

static void wait_below(unsigned max)
{
    pthread_mutex_lock(&lock);
    while (waiting >= max)
        (void)pthread_cond_wait(&fewer, &lock);
    waiting++;
    pthread_mutex_unlock(&lock);
}

static void fill(struct storefix *f, unsigned messages)
{
    static char text[WORDS * 12 + 256];
    uint64_t inbox = box_id(f, "Inbox");
    for (unsigned n = 0; n < messages; n++) {
        bool junk = n % 3 == 0;
        size_t len = write_message(text, n, junk);
        struct mox_append *op = calloc(1, sizeof *op);
        assert_non_null(op);
        text[len] = '\0';
        *op = (struct mox_append){.mailbox = inbox,
                                  .flags = junk ? MOX_FLAG_JUNK : MOX_FLAG_NOTJUNK,
                                  .spool = mail_spool(f, text, 0),
                                  .write = {.done = stored, .user = op}};
        wait_below(WAITING_MAX);
        f->mail.ops->append(f->mail.self, op);
    }
    wait_below(1);
}

/* ---- learning ---- */

static void tell(const char *what, unsigned messages, double began)
{
    report_value(&report, what, NULL, messages / (now() - began), "msgs/s", NULL);
    report_value(&report, "peak memory", what[0] == 'r' ? "retrain=1" : "retrain=0",
                 program_peak_mb(), "MB", NULL);
}

static void learn(struct storefix *f, unsigned messages)
{
    static const char text[] = "Subject: who are you\r\n\r\n";
    struct mox_slice content = {(const uint8_t *)text, sizeof text - 1};
    struct mox_junk_verdict v = {0};
    double began = now();
    while (v.hams + v.spams < messages)
        assert_int_equal(mox_account_classify(f->account, content, &v, NULL, NULL), MOX_OK);
    tell("learn", messages, began);
}

static void retrain(struct storefix *f, unsigned messages)
{
    struct mox_retrain r = {.size = sizeof r};
    double began = now();
    assert_int_equal(mox_account_retrain(f->account, &r, NULL), MOX_OK);
    assert_int_equal(r.messages, messages);
    tell("retrain", messages, began);
    report_value(&report, "words", NULL, (double)r.words, "", NULL);
}

int main(int argc, char **argv)
{
    unsigned messages = argc > 1 ? (unsigned)atoi(argv[1]) : MESSAGES;
    static struct storefix f;
    struct mox_junk_params params;
    mox_junk_params_init(&params);
    const struct mox_account_config config = {.size = sizeof config, .junk = &params};
    report_open(&report, "retrain");
    storefix_init(&f);
    f.t.log_level = MOX_LOG_ERROR;
    storefix_start(&f);
    fill(&f, messages);
    storefix_stop(&f);
    f.config = &config;
    storefix_start(&f);
    forget_peak();
    learn(&f, messages);
    storefix_stop(&f);
    storefix_start(&f);
    forget_peak();
    retrain(&f, messages);
    storefix_stop(&f);
    remove_tree(f.dir);
    report_close(&report);
    return 0;
}
