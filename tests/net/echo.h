/* SPDX-License-Identifier: MIT */
#ifndef NET_ECHO_H
#define NET_ECHO_H

#include <pthread.h>

#include "net/listener.h"
#include "support/testenv.h"

/* A server of a small protocol on its own thread. Its engine answers each line with the same line,
 * except for these:
 *
 *   QUIT      "bye", and closes         STARTTLS  "go", then TLS
 *   RUN       "ran", said by a worker   TLS?      version, cipher and server name
 *   LONG n    "ran", said by a worker after n slices of 2 ms
 *   LATER     "woken", after several wakes of other threads
 *   HANG      no answer, and nothing is read
 *   BIG n     n MiB of letters          SLOW n    paced at n bytes a step from here on
 *   BINDINGS  exporter, exporter with an empty context and end point, a line of hex for each
 *   GREEDY    its last answer; from here on each input has `greedy` send more
 *   GREEDY?   how many bytes came behind GREEDY, of all sessions
 *   KEY?      the client's key in hex
 */
struct echo_server {
    struct test_env env;
    struct net *net;
    struct listener *plain, *tls;
    struct endpoint plain_endpoint, tls_endpoint;
    struct tls_context *context;
    char dir[64], cert[96], key[96];
    uint16_t port, tls_port;
    pthread_t thread;
    struct loop_task stop, call;
    void (*called)(struct echo_server *s);
    bool aborts; /* stop by abort */
    /* Set before the start: clients are asked for certificates, and `known_key` is known. */
    bool asks_for_keys;
    uint8_t known_key[32];
    atomic_bool knows;
    atomic_int refusals;
    struct mox_peer refused; /* the last one, when it was counted */
    atomic_bool call_done;
    size_t memory;
    int64_t slow_step_us, slow_reply_us; /* set before the start; 0: nobody is slow */
    /* Of slow sessions: pieces of output, the largest, and the most that was read at once. */
    atomic_size_t slow_pieces, slow_most, slow_read_most;
    /* The socket of a client that says GREEDY, and how often more is sent: its input never pauses. */
    int greedy;
    atomic_int greedy_left;
    atomic_size_t greedy_bytes;
    atomic_int slowed; /* SLOW was said */
    atomic_int slices; /* of LONG */
    atomic_int sessions, in_run, most_in_run;
    atomic_int guests, most_guests; /* admitted; -1: all are */
};

void echo_start(struct echo_server *s);
/* Stops it, and asserts that nothing is left. */
void echo_stop(struct echo_server *s);
/* Has `what` done on the loop's thread, and waits for it. */
void echo_call(struct echo_server *s, void (*what)(struct echo_server *s));
/* Bytes that the server has allocated. */
size_t echo_memory(struct echo_server *s);

/* A client's socket. Reads fail the test after a minute. */
int dial(uint16_t port);
void say(int fd, const char *text);
/* The next line, without its LF, in a static buffer of the thread; NULL at the end. */
const char *hear(int fd);
void expect(int fd, const char *line);
void expect_end(int fd);

#endif
