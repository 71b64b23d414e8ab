/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_TRANSCRIPT_H
#define SUPPORT_TRANSCRIPT_H

#include <mox/engine.h>

#include "support/testenv.h"

/* Protocol dialogues as files that anybody can read (tests/transcripts/). One line, one step:
 *
 *   # …          a comment
 *   C: text      the client sends the line and CRLF; lines that follow each other go out at once
 *   c: text      the client sends these bytes; \r \n \t \0 \\ and \xHH are understood
 *   S: text      the server's next line is this one. A final `*` matches any rest, `{*}` any run
 *   s: text      the server's next bytes are these, escapes as in c:
 *   N:           the server says nothing now
 *   T: +5m       both clocks move on (us, ms, s, m, h, d), deadlines that come are ticked
 *   A: text      the host answers what is pending: what the text means says the test
 *   TLS:         the server wants STARTTLS; the handshake succeeds
 *   EOF:         the client closes its side
 *   DOWN:        the server is told to shut down
 *   CLOSE:       the server has said everything and wants to close
 *
 * A digit behind the letter names the session: `C2:`, `S2:`, `N2:` … A session is opened when it is
 * first named. What the server said must all be matched in the end. Each file is played whole, byte
 * by byte and in odd pieces. */

struct transcript_session;

struct transcript_host {
    void *user;
    /* Before the first step of each play; the env is that of the play. May be NULL. */
    void (*begin)(void *user, struct test_env *env);
    /* Makes the engine of a session, with callbacks that call transcript_wake(session) to wake. */
    void (*open)(void *user, unsigned number, struct transcript_session *session,
                 struct mox_engine *out);
    /* A: line. May be NULL. */
    void (*answer)(void *user, unsigned number, const char *text);
    /* After the engines are freed. The play then asserts that nothing is left allocated. */
    void (*end)(void *user);
};

/* Any thread. */
void transcript_wake(struct transcript_session *session);

/* Plays tests/transcripts/<name> and fails the test, naming file and line, where it differs. */
void transcript_play(const char *name, const struct transcript_host *host);

#endif
