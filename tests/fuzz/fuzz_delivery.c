/* SPDX-License-Identifier: MIT */

/* What an SMTP client gets a 250 for is in the mailbox, byte for byte, behind header fields of ours
 * that nothing of the client's can break. Input: settings, and the client's bytes behind EHLO. */

#include <mox/delivery.h>
#include <mox/header.h>

#include "fuzz/input.h"
#include "smtp/path.h"
#include "support/testenv.h"

struct host {
    struct test_env t;
    struct mox_mailstore store;
    struct mox_smtp_server *s;
    struct mox_spool *spool;
    enum mox_smtp_mode mode;
    unsigned delivered, done;
    struct mox_slice content; /* of the last message, for look() */
    const char *return_path;
};

static int on_rcpt(void *user, const struct mox_smtp_envelope *e, const struct mox_smtp_path *path,
                   struct mox_smtp_reply *reply)
{
    (void)user;
    (void)e;
    (void)path;
    (void)reply;
    return MOX_OK;
}

static int on_auth(void *user, const struct mox_sasl_question *q, struct mox_sasl_answer *a)
{
    (void)user;
    (void)q;
    (void)a;
    return MOX_OK;
}

static int on_data(void *user, struct mox_slice piece, struct mox_smtp_reply *reply)
{
    struct host *h = user;
    (void)reply;
    if (h->spool == NULL)
        assert(mox_spool_new(&h->spool, &h->t.env, NULL, 100000) == MOX_OK);
    return mox_spool_write(h->spool, piece);
}

static void on_done(void *user, struct mox_delivery *d)
{
    (void)d;
    ((struct host *)user)->done++;
}

/* Lines of at most 998 bytes (RFC 5322 §2.1.1) that end in CRLF, without other controls. */
static void check_lines(struct mox_slice prefix)
{
    size_t start = 0;
    assert(prefix.len > 2 && memcmp(prefix.data + prefix.len - 2, "\r\n", 2) == 0);
    for (size_t i = 0; i < prefix.len; i++) {
        uint8_t c = prefix.data[i];
        assert(c >= ' ' || c == '\t' || c == '\r' || c == '\n');
        assert(c != 0x7f && (c == '\n') == (i > 0 && prefix.data[i - 1] == '\r'));
        if (c != '\n')
            continue;
        assert(i - 1 - start <= 998 && i - 1 > start);
        start = i + 1;
    }
}

static int look(void *user, const struct mox_message_data *data)
{
    struct host *h = user;
    static const char *const names[] = {"Delivered-To", "Return-Path", "Received",
                                        "Authentication-Results"};
    struct mox_header_field field;
    size_t at = 0;
    assert_same(data->content, h->content);
    check_lines(data->prefix);
    for (size_t i = 0; i < (h->mode == MOX_SMTP_SUBMISSION ? 4 : 3); i++) {
        assert(mox_header_next(data->prefix, &at, &field) && mox__slice_is(field.name, names[i]));
        if (i == 1)
            assert_same(mox__slice_trim(field.value), slice_of(h->return_path));
    }
    assert(at == data->prefix.len);
    h->delivered++;
    return 0;
}

/* <path>, with what a header cannot have. */
static void put_return_path(struct buf *out, const struct mox_smtp_path *path)
{
    mox__buf_byte(out, '<');
    mox__smtp_path_write(out, path);
    mox__buf_text(out, ">");
    for (size_t i = 0; i < out->len; i++)
        if (out->data[i] < ' ' || out->data[i] == 0x7f)
            out->data[i] = '?';
    mox__buf_byte(out, 0);
}

static void check_mailbox(struct host *h, const struct mox_smtp_envelope *e)
{
    struct mox_view *view = NULL;
    struct buf path;
    const struct mox_mailboxes *list = NULL;
    assert(h->store.ops->mailboxes(h->store.self, &list, NULL) == MOX_OK);
    uint64_t inbox = mox_mailboxes_find(list, "Inbox")->id;
    mox_mailboxes_unref(list);
    assert(h->store.ops->view(h->store.self, inbox, &view, NULL) == MOX_OK);
    uint32_t count = mox_view_count(view);
    assert(count >= e->recipient_count);
    const struct mox_uid_range last = {mox_view_row(view, count - 1)->uid, UINT32_MAX};
    mox__buf_init(&path, &h->t.env, SIZE_MAX / 2);
    put_return_path(&path, &e->mail_from);
    h->return_path = (const char *)path.data;
    assert(mox_spool_bytes(h->spool, &h->content) == MOX_OK);
    assert(h->store.ops->fetch(h->store.self, view, &last, 1, MOX_FETCH_CONTENT, look, h, NULL) ==
           MOX_OK);
    mox__buf_free(&path);
    mox_view_unref(view);
}

static int on_deliver(void *user, const struct mox_smtp_envelope *e, struct mox_smtp_reply *reply)
{
    struct host *h = user;
    struct mox_delivery *d = NULL;
    unsigned before = h->done;
    if (h->spool == NULL)
        assert(on_data(h, slice("", 0), reply) == MOX_OK);
    assert(mox_delivery_new(&d, &h->t.env, e, h->mode, h->spool) == MOX_OK);
    for (size_t i = 0; i < e->recipient_count; i++) {
        struct mox_delivery_copy copy;
        mox_delivery_copy_init(&copy);
        copy.store = &h->store;
        copy.recipient = &e->recipients[i];
        assert(mox_delivery_add(d, &copy) == MOX_OK);
    }
    mox_delivery_start(d, on_done, h);
    assert(h->done == before + 1 && mox_delivery_reply(d, reply) == MOX_OK);
    mox_delivery_free(d);
    check_mailbox(h, e);
    return MOX_OK;
}

static void on_reset(void *user)
{
    struct host *h = user;
    mox_spool_free(h->spool);
    h->spool = NULL;
}

static const struct mox_smtp_server_callbacks callbacks = {.size = sizeof callbacks,
                                                           .auth = on_auth,
                                                           .rcpt = on_rcpt,
                                                           .data = on_data,
                                                           .deliver = on_deliver,
                                                           .reset = on_reset};

static void feed(struct host *h, struct mox_slice text)
{
    const uint8_t *out;
    size_t n;
    if (text.len > 0 && (mox_smtp_server_wants(h->s) & MOX_WANTS_READ) != 0)
        (void)!mox_smtp_server_input(h->s, text.data, text.len);
    while ((n = mox_smtp_server_output(h->s, &out)) > 0)
        mox_smtp_server_sent(h->s, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct mox_peer peer = {
        .size = sizeof peer, .remote_ip = "2001:db8::1", .local_ip = "192.0.2.25"};
    struct mox_smtp_server_config config;
    struct host h = {.done = 0};
    struct input in = {{data, len}};
    uint8_t settings = input_byte(&in);
    test_env_init(&h.t);
    h.t.log_level = MOX_LOG_ERROR;
    assert(mox_memory_mailstore_new(&h.store, &h.t.env) == MOX_OK);
    mox_smtp_server_config_init(&config);
    config.hostname = "mx.example";
    config.mode = h.mode = (settings & 1) != 0 ? MOX_SMTP_SUBMISSION : MOX_SMTP_DELIVERY;
    config.auth_without_tls = true;
    config.max_message_bytes = 50000;
    assert(mox_smtp_server_new(&h.s, &h.t.env, &config, &peer, &callbacks, &h) == MOX_OK);
    feed(&h, slice(NULL, 0));
    if ((settings & 1) != 0)
        feed(&h, slice_of("EHLO client.example\r\nAUTH PLAIN AHUAcA==\r\n"));
    if (in.rest.len < MOX_INPUT_MAX)
        feed(&h, in.rest);
    mox_smtp_server_free(h.s);
    mox_memory_mailstore_free(&h.store);
    test_env_done(&h.t);
    return 0;
}
