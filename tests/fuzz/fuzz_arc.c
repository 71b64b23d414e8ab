/* SPDX-License-Identifier: MIT */

/* A chain that passes is one that was made by its key, whatever was done to the message; and what passes can
 * be sealed and passes again. Input: even first byte: a message, whose keys are all the same one; odd: bytes
 * to change in a message with three sets, as place (two bytes), what to do, and a byte. */

#include <mox/arc.h>
#include <mox/header.h>

#include "fuzz/input.h"
#include "mailauth/arc_chain.h"
#include "mailauth/signed_message.h"

#define SETS      3
#define TEXT_MAX  8000
#define EDITS_MAX 16

static const char message[] = "From: a@example.org\r\n"
                              "Subject: hello\r\n"
                              "\r\n"
                              "A message.\r\n";

static struct mox_env env;
static struct chain chain;
static char *sealed[SETS + 1]; /* with that many sets */

static void fixed_bytes(void *user, uint8_t *out, size_t len)
{
    (void)user;
    memset(out, 7, len); /* the same key in every run, so that an input says the same */
}

/* Once: signing takes longer than all the rest. */
static void prepare(void)
{
    if (sealed[0] != NULL)
        return;
    mox_env_system(&env);
    env.random = fixed_bytes;
    sealed[0] = strdup(message);
    int rc = chain_init(&chain, &env);
    assert(sealed[0] != NULL && rc == MOX_OK);
    for (int i = 0; i < SETS; i++) {
        rc = chain_seal(&chain, sealed[i], "spf=pass smtp.mailfrom=example.org", &sealed[i + 1]);
        assert(rc == MOX_OK && strlen(sealed[i + 1]) < TEXT_MAX / 2);
    }
}

static void edit(struct buf *text, struct input *in)
{
    for (int i = 0; i < EDITS_MAX && in->rest.len > 0; i++) {
        size_t at = input_below(in, 65536) % (text->len + 1);
        unsigned what = input_below(in, 3);
        uint8_t byte = input_byte(in);
        if (what == 0 && at < text->len) {
            text->data[at] = byte;
        } else if (what == 1 && at < text->len) {
            memmove(text->data + at, text->data + at + 1, text->len - at - 1);
            text->len--;
        } else if (mox__buf_reserve(text, 1) != NULL) {
            memmove(text->data + at + 1, text->data + at, text->len - at);
            text->data[at] = byte;
            text->len++;
        }
    }
}

/* The fields of ARC without white space, the b= of the first, which signs them all, left out. */
static void essence(struct buf *out, struct mox_slice content)
{
    struct mox_header_field f;
    bool first = true;
    for (size_t at = 0; mox_header_next(content, &at, &f);) {
        bool skip = false;
        if (!mox__slice_is_nocase(f.name, "ARC-Seal") &&
            !mox__slice_is_nocase(f.name, "ARC-Message-Signature") &&
            !mox__slice_is_nocase(f.name, "ARC-Authentication-Results"))
            continue;
        for (size_t i = 0; i < f.name.len; i++)
            mox__buf_byte(out, to_lower(f.name.data[i]));
        for (size_t i = 0; i < f.value.len; i++) {
            uint8_t c = f.value.data[i];
            if (c == ';')
                skip = false;
            if (!skip && (c == '\0' || strchr(" \t\r\n", c) == NULL))
                mox__buf_byte(out, c);
            if (first && out->len >= 3 && memcmp(out->data + out->len - 3, ";b=", 3) == 0)
                skip = true;
        }
        mox__buf_byte(out, '\n');
        first = false;
    }
}

static void assert_is_ours(struct mox_slice content, size_t count)
{
    struct buf got, want;
    assert(count <= SETS);
    mox__buf_init(&got, &env, SIZE_MAX / 2);
    mox__buf_init(&want, &env, SIZE_MAX / 2);
    essence(&got, content);
    essence(&want, slice_of(sealed[count]));
    assert_same(buf_bytes(&got), buf_bytes(&want));
    mox__buf_free(&got);
    mox__buf_free(&want);
}

/* Only to text without NULs, which chain_seal() takes. */
static void what_passes_can_be_sealed(struct buf *text, enum mox_arc_status status, size_t count)
{
    struct chain_check check;
    char *more;
    mox__buf_byte(text, '\0');
    if (text->failed || strlen((char *)text->data) + 1 != text->len)
        return;
    int rc = chain_seal(&chain, (char *)text->data, "arc=pass", &more);
    assert(rc == MOX_OK || rc == MOX_EREFUSED || rc == MOX_EINVAL);
    if (rc != MOX_OK)
        return;
    rc = chain_check(&chain, slice_of(more), &check);
    assert(rc == MOX_OK);
    const struct mox_arc_verdict *v = mox_arc_verdict(check.verify);
    bool fine =
        (status == MOX_ARC_PASS || status == MOX_ARC_NONE) && check.message->problem == NULL;
    assert(!fine || (v->status == MOX_ARC_PASS && v->count == count + 1));
    assert(fine || v->status == MOX_ARC_FAIL);
    chain_done(&check);
    mox_text_free(&env, more);
}

static void check(struct buf *text)
{
    struct chain_check check;
    int rc = chain_check(&chain, buf_bytes(text), &check);
    assert(rc == MOX_OK);
    const struct mox_arc_verdict *v = mox_arc_verdict(check.verify);
    bool fine = v->status == MOX_ARC_PASS || v->status == MOX_ARC_NONE;
    enum mox_arc_status status = v->status;
    size_t count = v->count;
    assert(fine == (v->reason[0] == '\0'));
    assert(v->count <= MOX_ARC_INSTANCES_MAX && v->oldest_pass <= v->count + 1);
    assert(chain.rounds <= 1);
    for (const char *c = v->reason; *c != '\0'; c++)
        assert(*c >= ' ' && *c < 0x7f);
    chain_done(&check);
    if (status == MOX_ARC_PASS)
        assert_is_ours(buf_bytes(text), count);
    what_passes_can_be_sealed(text, status, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct input in = {{data, len}};
    uint8_t memory[TEXT_MAX];
    struct buf text = buf_over(memory, sizeof memory);
    prepare();
    if (input_byte(&in) % 2 == 0) {
        mox__buf_slice(&text, input_bytes(&in, sizeof memory - 1));
    } else {
        mox__buf_text(&text, sealed[SETS]);
        edit(&text, &in);
    }
    check(&text);
    return 0;
}
