/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "server/dnsbl_monitor.h"
#include "server/rig.h"
#include "support/cm.h"

/* Whether lists of blocked addresses have our own. The clock stands still but for do_due(). */

/* One that has an address, one that complains, and one that does not work. */
static const char several[] = "2.0.0.127.bl.example\tA\t127.0.0.2\n"
                              "2.0.0.127.mute.example\tA\t127.0.0.2\n"
                              "7.2.0.192.bl.example\tA\t127.0.0.4\n"
                              "7.2.0.192.bl.example\tTXT\tsends to traps\n"
                              "7.2.0.192.mute.example\tA\t127.255.255.254\n"
                              "7.2.0.192.sick.example\tA\t127.0.0.2\n";
static const char works[] = "2.0.0.127.bl.example\tA\t127.0.0.2\n";

static const char *one[] = {"192.0.2.7"};
static const char *bl[] = {"bl.example"};

static int setup(void **state)
{
    struct test_env still;
    (void)rig_setup(state);
    struct rig *r = *state;
    test_env_init(&still);
    r->t.env.monotonic_us = still.env.monotonic_us;
    test_env_done(&still);
    return 0;
}

static struct mox_config_listener *listener(struct rig *r)
{
    return (void *)(uintptr_t)&r->p.files->mox->listeners.items[0];
}

static void use(struct mox_config_strings *strings, const char **items, size_t count)
{
    *strings = (struct mox_config_strings){items, count};
}

/* A listener that the internet sees: it is bound to another address, that of the test. */
static void be_public(struct rig *r, const char **ips, size_t count)
{
    listener(r)->name = "public";
    use(&listener(r)->ips, ips, count);
}

/* The next look-up is begun, and has ended when its names were answered at once. */
static void do_due(struct loop_task *t)
{
    struct rig *r = container_of(t, struct rig, task);
    struct timer *timer = &r->server->monitor->timer;
    r->t.monotonic_us = timer->at_us;
    timer->at_us = INT64_MAX;
    timer->due(timer);
    atomic_store(&r->done, true);
}

static void do_look(struct loop_task *t)
{
    struct rig *r = container_of(t, struct rig, task);
    r->left_us = r->server->monitor->timer.at_us - r->t.monotonic_us;
    atomic_store(&r->done, true);
}

/* How long it waits for the next, once the one that begins with the server has ended. */
static int64_t left_us(struct rig *r)
{
    do
        on_loop(r, do_look);
    while (r->left_us == 0);
    return r->left_us;
}

struct found {
    char text[4096];
    size_t len;
};

static int collect(void *user, struct mox_slice piece)
{
    struct found *f = user;
    if (memmem(piece.data, piece.len, "mox_dnsbl_ips_success{", 22) == NULL)
        return MOX_OK;
    assert_true(piece.len < sizeof f->text - f->len);
    memcpy(f->text + f->len, piece.data, piece.len);
    f->len += piece.len;
    return MOX_OK;
}

static void counted(struct rig *r, const char *line)
{
    struct found f = {.len = 0};
    assert_int_equal(mox_metrics_write(r->server->metrics, collect, &f), MOX_OK);
    if (strstr(f.text, line) == NULL)
        fail_msg("%s is not in %s", line, f.text);
}

static void each_address_is_looked_up_in_each_list(void **state)
{
    struct rig *r = *state;
    static const char *ips[] = {"192.0.2.7", "2001:db8::7", "192.0.2.7"};
    static const char *also[] = {"mute.example", "bl.example", "sick.example"};
    be_public(r, ips, 3);
    use(&listener(r)->smtp.dnsbls, bl, 1);
    use((void *)(uintptr_t)&r->p.files->domains->monitor_dnsbls, also, 3);
    start(r, several);
    for (int i = 0; i < 5; i++) { /* the first begins with the server */
        assert_int_equal(left_us(r), 1000000);
        on_loop(r, do_due);
    }
    assert_int_equal(left_us(r), INT64_C(3) * 3600 * 1000000);
    counted(r, "{zone=\"bl.example\",ip=\"192.0.2.7\"} 0\n");
    counted(r, "{zone=\"bl.example\",ip=\"2001:db8::7\"} 1\n");
    counted(r, "{zone=\"mute.example\",ip=\"192.0.2.7\"} -1\n");
    counted(r, "{zone=\"mute.example\",ip=\"2001:db8::7\"} 1\n");
    counted(r, "{zone=\"sick.example\",ip=\"192.0.2.7\"} -1\n");
    counted(r, "{zone=\"sick.example\",ip=\"2001:db8::7\"} -1\n");
    logged(r, "an address of ours is listed");
    logged(r, "sends to traps");
    logged(r, "asked wrongly or too often");
    logged(r, "the list does not work");
    assert_int_equal(test_env_logged(&r->t, "an address of ours is listed"), 1);
    on_loop(r, do_due); /* and again */
    assert_int_equal(left_us(r), 1000000);
    assert_int_equal(test_env_logged(&r->t, "an address of ours is listed"), 2);
}

static void addresses_that_others_see_stand_for_those_behind_them(void **state)
{
    struct rig *r = *state;
    static const char *ips[] = {"10.0.0.1", "127.0.0.1", "fd00::1"};
    be_public(r, ips, 3);
    use(&listener(r)->nat_ips, one, 1);
    use(&listener(r)->smtp.dnsbls, bl, 1);
    start(r, works);
    assert_int_equal(left_us(r), INT64_C(3) * 3600 * 1000000);
    counted(r, "{zone=\"bl.example\",ip=\"192.0.2.7\"} 1\n");
    assert_int_equal(r->server->monitor->ip_count, 1);
}

static void private_addresses_are_never_looked_up(void **state)
{
    struct rig *r = *state;
    static const char *ips[] = {"10.0.0.1", "127.0.0.1", "fd00::1"};
    be_public(r, ips, 3);
    use(&listener(r)->smtp.dnsbls, bl, 1);
    r->holds = true;
    start(r, "");
    assert_int_equal(left_us(r), INT64_C(3) * 3600 * 1000000);
    on_loop(r, do_count);
    assert_int_equal(r->wanted, 0);
}

static void only_the_public_listener_is_looked_at(void **state)
{
    struct rig *r = *state;
    be_public(r, one, 1);
    listener(r)->name = "inside";
    use(&listener(r)->smtp.dnsbls, bl, 1);
    start(r, works);
    assert_null(r->server->monitor);
}

static void without_lists_nothing_is_looked_up(void **state)
{
    struct rig *r = *state;
    be_public(r, one, 1);
    start(r, "");
    assert_null(r->server->monitor);
}

static void a_server_for_tests_looks_nothing_up(void **state)
{
    struct rig *r = *state;
    struct mox_server_config config;
    struct mox_server *server;
    struct mox_error err;
    be_public(r, one, 1);
    use(&listener(r)->smtp.dnsbls, bl, 1);
    configure(&config, &r->p);
    assert_int_equal(mox_server_new(&server, &r->t.env, &config, &err), MOX_OK);
    assert_null(server->monitor);
    mox_server_free(server);
    start(r, "");
    assert_non_null(r->server->monitor);
}

static void a_stop_does_not_wait_for_a_list(void **state)
{
    struct rig *r = *state;
    be_public(r, one, 1);
    use(&listener(r)->smtp.dnsbls, bl, 1);
    r->holds = true;
    start(r, "");
    wait_until_held(r);
    mox_server_stop(r->server);
    join(r);
    assert_int_equal(r->held_count, 0);
    assert_true(r->cancelled > 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_address_is_looked_up_in_each_list),
        TEST(addresses_that_others_see_stand_for_those_behind_them),
        TEST(private_addresses_are_never_looked_up),
        TEST(only_the_public_listener_is_looked_at),
        TEST(without_lists_nothing_is_looked_up),
        TEST(a_server_for_tests_looks_nothing_up),
        TEST(a_stop_does_not_wait_for_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
