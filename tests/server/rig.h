/* SPDX-License-Identifier: MIT */
#ifndef TEST_SERVER_RIG_H
#define TEST_SERVER_RIG_H

#include <ev.h>
#include <pthread.h>

#include "server/place.h"
#include "server/server.h"

/* A server that runs, over names that come when a test wants them to, and one client. */

#define HELD_MAX 100

struct rig {
    struct test_env t;
    struct place p;
    struct ev_loop *loop;
    struct mox_server *server;
    pthread_t thread;
    bool runs;
    bool is_localserve, has_limits, checks_senders; /* before start() */
    int64_t delay_us;               /* strangers wait so long, after do_delay() */
    int fd;                         /* the client's */
    const char *from;               /* its address; NULL: 127.0.0.1 */
    char heard[512];                /* the last line of a reply */
    struct loop_task task;
    atomic_bool done;
    int64_t left_us; /* until a timer is due */
    /* The resolver, on the loop's thread: */
    struct mox_resolver resolver;
    struct zone_resolver zone;
    bool holds; /* what it is asked, until release() */
    struct mox_dns_lookup *held[HELD_MAX];
    size_t held_count, cancelled;
    const char *watched; /* a part of names; NULL: none */
    size_t watched_count;
    size_t sessions, wanted; /* as do_count() saw them */
    unsigned pace;           /* of the client, as do_pace() saw it */
    int64_t nap_us;          /* how long its answer waits yet */
};

/* For cmocka; the server is not started yet. */
int rig_setup(void **state);
int rig_teardown(void **state);
/* A server whose resolver has these names. */
void start(struct rig *r, const char *zone);
void join(struct rig *r);
void on_loop(struct rig *r, void (*run)(struct loop_task *t));

/* On the loop: the resolver holds what it is asked, answers what it holds, and the client
 * leaves then; counts it; looks how slow the client is; a minute is over. */
void do_hold(struct loop_task *t);
void do_release(struct loop_task *t);
void do_release_and_leave(struct loop_task *t);
void do_count(struct loop_task *t);
void do_pace(struct loop_task *t);
void do_delay(struct loop_task *t);
void do_run_out(struct loop_task *t);
void wait_until_held(struct rig *r);
/* Until the server makes the client wait for an answer, on purpose and for minutes; it has none then. */
void wait_until_late(struct rig *r);
void wait_for_no_session(struct rig *r);

void dial(struct rig *r);
/* The last line of a reply begins so. */
void expect(struct rig *r, const char *begin);
void say(struct rig *r, const char *text);
void ask(struct rig *r, const char *command, const char *reply);
/* As far as the first recipient, mox@localhost. */
void begin(struct rig *r, const char *mail);
void logged(struct rig *r, const char *part);

#endif
