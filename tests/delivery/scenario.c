/* SPDX-License-Identifier: MIT */
#include "delivery/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delivery/world.h"
#include "support/cm.h"

#define WORDS_MAX 16

/* One line, cut at spaces. */
struct line {
    const char *file;
    unsigned number;
    char text[300];
    char *words[WORDS_MAX + 1];
    size_t count;
};

/* What plays. */
struct play {
    struct world w;
    struct line line;
    enum world_text text; /* of the last message */
};

#define WRONG(p, ...)                                                                              \
    do {                                                                                           \
        print_error(__VA_ARGS__);                                                                  \
        fail_msg(" (%s:%u)", (p)->line.file, (p)->line.number);                                    \
    } while (0)

static const char *arg(struct play *p, size_t n)
{
    if (n >= p->line.count)
        WRONG(p, "a word is missing");
    return p->line.words[n];
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* ---- senders ---- */

static enum mox_spf_result spf_named(struct play *p, const char *name)
{
    for (int r = MOX_SPF_NONE; r <= MOX_SPF_PERMERROR; r++)
        if (is(mox_spf_result_name((enum mox_spf_result)r), name))
            return (enum mox_spf_result)r;
    WRONG(p, "no such result: %s", name);
    return MOX_SPF_NONE;
}

static bool set_text(struct world_sender *s, const char *key, size_t len, const char *value)
{
    const struct {
        const char *key;
        char *to;
        size_t size;
    } texts[] = {
        {"from", s->from, sizeof s->from}, {"mailfrom", s->mail_from, sizeof s->mail_from},
        {"ehlo", s->ehlo, sizeof s->ehlo}, {"dkim", s->dkim, sizeof s->dkim},
        {"ip", s->ip, sizeof s->ip},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strlen(texts[i].key) == len && strncmp(texts[i].key, key, len) == 0) {
            (void)snprintf(texts[i].to, texts[i].size, "%s", value);
            return true;
        }
    return false;
}

static void set(struct play *p, struct world_sender *s, const char *word)
{
    const char *value = strchr(word, '=');
    const size_t len = value == NULL ? strlen(word) : (size_t)(value - word);
    if (value != NULL && set_text(s, word, len, value + 1))
        return;
    if (strncmp(word, "spf=", 4) == 0)
        s->spf = spf_named(p, word + 4);
    else if (strncmp(word, "dmarc=", 6) == 0)
        s->dmarc = is(word + 6, "pass") ? MOX_DMARC_PASS : MOX_DMARC_FAIL;
    else if (strncmp(word, "policy=", 7) == 0)
        s->policy = is(word + 7, "reject") ? MOX_DMARC_POLICY_REJECT : MOX_DMARC_POLICY_QUARANTINE;
    else if (is(word, "no-reverse-name"))
        s->no_reverse_name = true;
    else if (is(word, "no-tls"))
        s->no_tls = true;
    else if (is(word, "not-addressed"))
        s->not_addressed = true;
    else if (is(word, "list"))
        s->is_list = true;
    else if (is(word, "listed"))
        s->listed = true;
    else
        WRONG(p, "unknown of a sender: %s", word);
}

static void line_sender(struct play *p)
{
    assert_true(p->w.sender_count < WORLD_SENDERS_MAX);
    struct world_sender *s = &p->w.senders[p->w.sender_count++];
    (void)snprintf(s->name, sizeof s->name, "%s", arg(p, 1));
    for (size_t i = 2; i < p->line.count; i++)
        set(p, s, p->line.words[i]);
}

static const struct world_sender *sender_named(struct play *p, const char *name)
{
    for (size_t i = 0; i < p->w.sender_count; i++)
        if (is(p->w.senders[i].name, name))
            return &p->w.senders[i];
    return NULL;
}

/* ---- the account ---- */

static enum world_text text_named(struct play *p, const char *name)
{
    if (!is(name, "ham") && !is(name, "junk"))
        WRONG(p, "neither ham nor junk: %s", name);
    return is(name, "ham") ? WORLD_HAM : WORLD_JUNK;
}

static void line_past(struct play *p)
{
    world_import(&p->w, arg(p, 4), text_named(p, arg(p, 2)), (unsigned)atoi(arg(p, 1)));
}

static void line_introbox(struct play *p)
{
    static char name[64];
    (void)snprintf(name, sizeof name, "%s", arg(p, 1));
    p->w.recipient.introbox = name;
}

static void line_tokens(struct play *p)
{
    p->w.recipient.subjectpass_us = INT64_C(12) * 3600 * 1000000;
}

static void line_block_lists(struct play *p)
{
    p->w.recipient.has_dnsbl = true;
}

static void line_rule(struct play *p)
{
    static char texts[2][64];
    struct mox_ruleset *r = &p->w.rule;
    struct mox_error err;
    size_t bad;
    for (size_t i = 0; i < 2; i++)
        (void)snprintf(texts[i], sizeof texts[i], "%s", arg(p, i + 2));
    *r = (struct mox_ruleset){.smtp_mail_from_regexp = texts[0],
                              .msg_from_regexp = "",
                              .verified_domain = "",
                              .list_allow_domain = "",
                              .accept_rejects_to_mailbox = "",
                              .mailbox = "Inbox",
                              .comment = ""};
    if (is(arg(p, 1), "forward")) {
        r->is_forward = true;
        r->verified_domain = texts[1];
    } else {
        r->accept_rejects_to_mailbox = texts[1];
    }
    int rc = mox_rulesets_new(&p->w.rules, &p->w.f.t.env, r, 1, &bad, &err);
    if (rc < 0)
        WRONG(p, "%s", err.text);
    p->w.recipient.rulesets = p->w.rules;
    p->w.recipient.ruleset_list = r;
}

static void line_day(struct play *p)
{
    world_day(&p->w, atoi(arg(p, 1)));
}

/* ---- what happens ---- */

static void line_user(struct play *p)
{
    struct world *w = &p->w;
    const char *verb = arg(p, 1);
    if (w->uid_count == 0 && !is(verb, "writes-to"))
        WRONG(p, "there is no message");
    if (is(verb, "moves"))
        world_move(w, arg(p, 2));
    else if (is(verb, "deletes"))
        world_remove(w);
    else if (is(verb, "writes-to"))
        world_write_to(w, arg(p, 2));
    else if (is(verb, "marks") && is(arg(p, 2), "junk"))
        world_mark(w, MOX_FLAG_JUNK);
    else if (is(verb, "marks") && is(arg(p, 2), "notjunk"))
        world_mark(w, MOX_FLAG_NOTJUNK);
    else if (is(verb, "marks") && is(arg(p, 2), "seen"))
        world_mark(w, MOX_FLAG_SEEN);
    else
        WRONG(p, "unknown of a user: %s", verb);
}

static void expect(struct play *p, const struct world_result *r, size_t at)
{
    const bool waits = is(arg(p, at), "wait"), at_once = is(arg(p, at), "at-once");
    const bool accepted = waits || at_once || is(arg(p, at), "accept");
    const char *mailbox = accepted ? "Inbox" : "Rejects";
    if (at + 2 < p->line.count)
        mailbox = p->line.words[at + 2];
    if (r->accepted != accepted || !is(r->word, arg(p, at + 1)) || !is(r->mailbox, mailbox))
        WRONG(p, "%s %s to %s\n%s", r->accepted ? "accepted" : "rejected", r->word, r->mailbox,
              r->header);
    if ((waits || at_once) && r->waits != waits)
        WRONG(p, "it %s", r->waits ? "waits" : "does not wait");
}

static struct world_result send_one(struct play *p, const struct world_sender *s, bool again,
                                    bool with_token)
{
    return again ? world_send_again(&p->w, s, p->text, with_token) : world_send(&p->w, s, p->text);
}

static void line_message(struct play *p, const struct world_sender *s)
{
    const bool again = is(arg(p, 1), "again"), with_token = is(arg(p, 2), "with-token");
    unsigned times = 1;
    size_t at = 2;
    if (!again)
        p->text = text_named(p, arg(p, 1));
    if (arg(p, at)[0] == 'x')
        times = (unsigned)atoi(arg(p, at++) + 1);
    at += with_token;
    if (!is(arg(p, at), "->"))
        WRONG(p, "no ->");
    if (!again)
        world_forget(&p->w);
    for (unsigned i = 0; i < times; i++) {
        const struct world_result r = send_one(p, s, again, with_token);
        expect(p, &r, at + 1);
    }
}

static void line_has(struct play *p)
{
    const unsigned is_there = world_count(&p->w, arg(p, 0));
    if (!is(arg(p, 1), "has") || (unsigned)atoi(arg(p, 2)) != is_there)
        WRONG(p, "%s: %u messages, or an unknown line", arg(p, 0), is_there);
}

static void play_line(struct play *p)
{
    static const struct {
        const char *word;
        void (*line)(struct play *p);
    } lines[] = {
        {"sender", line_sender},
        {"past", line_past},
        {"introbox", line_introbox},
        {"tokens", line_tokens},
        {"block-lists", line_block_lists},
        {"rule", line_rule},
        {"day", line_day},
        {"user", line_user},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (is(p->line.words[0], lines[i].word)) {
            lines[i].line(p);
            return;
        }
    const struct world_sender *s = sender_named(p, p->line.words[0]);
    if (s != NULL)
        line_message(p, s);
    else
        line_has(p);
}

static void cut(struct line *l)
{
    l->count = 0;
    l->text[strcspn(l->text, "#\n")] = '\0';
    for (char *word = strtok(l->text, " "); word != NULL && l->count < WORDS_MAX;
         word = strtok(NULL, " "))
        l->words[l->count++] = word;
}

void scenario(const char *name)
{
    char path[500];
    struct play *p = calloc(1, sizeof *p);
    assert_non_null(p);
    (void)snprintf(path, sizeof path, "%s/delivery/scenarios/%s.txt", getenv("MOX_TESTS"), name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s cannot be read", path);
    world_begin(&p->w);
    p->line.file = name;
    while (fgets(p->line.text, sizeof p->line.text, file) != NULL) {
        p->line.number++;
        cut(&p->line);
        if (p->line.count > 0)
            play_line(p);
    }
    (void)fclose(file);
    world_end(&p->w);
    free(p);
}
