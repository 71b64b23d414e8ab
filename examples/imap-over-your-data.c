/* SPDX-License-Identifier: MIT */
/* Shows an array of the program's own as an IMAP mailbox, on standard input and output: the four
 * functions of a read-only store. Try it:
 *   printf 'a LOGIN me x\r\nb SELECT Inbox\r\nc FETCH 1:* BODY[]\r\n' | imap-over-your-data */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <mox/imap_server.h>

enum { NOTES = 2 };
static const char *const notes[NOTES] = {
    "From: you@example.org\r\nSubject: Milk\r\n\r\nBuy some.\r\n",
    "From: you@example.org\r\nSubject: Roof\r\n\r\nIt leaks.\r\n",
};

static int mailboxes(void *self, const struct mox_mailboxes **out, struct mox_error *err)
{
    static const struct mox_mailbox inbox = {.id = 1, .name = "Inbox", .uidvalidity = 1};
    static const struct mox_mailboxes list = {.count = 1, .list = &inbox};
    (void)self, (void)err;
    *out = &list;
    return MOX_OK;
}

static int status(void *self, uint64_t mailbox, struct mox_mailbox_status *out,
                  struct mox_error *err)
{
    (void)self, (void)mailbox, (void)err;
    *out = (struct mox_mailbox_status){.messages = NOTES, .uidvalidity = 1, .uidnext = NOTES + 1};
    return MOX_OK;
}

static int view(void *env, uint64_t mailbox, struct mox_view **out, struct mox_error *err)
{
    const struct mox_view_row rows[NOTES] = {{.uid = 1, .bytes = strlen(notes[0])},
                                             {.uid = 2, .bytes = strlen(notes[1])}};
    const struct mox_view_info info = {sizeof info, mailbox, .uidvalidity = 1,
                                       .uidnext = NOTES + 1};
    (void)err;
    return mox_view_new(out, env, &info, rows, NOTES);
}

static int fetch(void *self, const struct mox_view *v, const struct mox_uid_range *ranges,
                 size_t count, unsigned wants,
                 int (*each)(void *user, const struct mox_message_data *data), void *user,
                 struct mox_error *err)
{
    (void)self, (void)v, (void)wants, (void)err; /* what is not given, the server works out */
    int rc = 0;
    for (size_t i = 0; i < count; i++)
        for (uint32_t uid = ranges[i].first; !rc && uid <= ranges[i].last && uid <= NOTES; uid++) {
            struct mox_slice note = {(const uint8_t *)notes[uid - 1], strlen(notes[uid - 1])};
            rc = each(user, &(struct mox_message_data){
                                .uid = uid, .message = uid, .bytes = note.len, .content = note});
        }
    return rc;
}

static const struct mox_mailstore_ops store = {sizeof store, .mailboxes = mailboxes,
                                               .status = status, .view = view, .fetch = fetch};

static int login(void *env, const struct mox_sasl_question *q, struct mox_sasl_answer *a,
                 struct mox_mailstore *out)
{
    (void)q, (void)a; /* everybody is welcome */
    *out = (struct mox_mailstore){&store, env};
    return MOX_OK;
}

int main(void)
{
    static const struct mox_imap_server_callbacks calls = {.size = sizeof calls, .auth = login};
    struct mox_env env;
    struct mox_imap_server_config config;
    const struct mox_peer peer = {.size = sizeof peer, .remote_ip = "127.0.0.1"};
    struct mox_imap_server *s;
    mox_env_system(&env);
    mox_imap_server_config_init(&config);
    config.hostname = "localhost";
    config.auth_without_tls = true; /* it is a pipe */
    if (mox_imap_server_new(&s, &env, &config, &peer, &calls, &env) < 0)
        return 1;
    setbuf(stdout, NULL);
    const uint8_t *out;
    for (unsigned wants; (wants = mox_imap_server_wants(s)) != MOX_WANTS_CLOSE;) {
        if (wants & MOX_WANTS_WRITE) {
            size_t len = mox_imap_server_output(s, &out);
            mox_imap_server_sent(s, fwrite(out, 1, len, stdout));
        } else if (wants & MOX_WANTS_RUN) {
            (void)!mox_imap_server_run(s);
        } else {
            uint8_t chunk[4096];
            ssize_t n = read(STDIN_FILENO, chunk, sizeof chunk);
            if (n <= 0 || mox_imap_server_input(s, chunk, (size_t)n) < 0)
                break;
        }
    }
    mox_imap_server_free(s);
    return 0;
}
