/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <string.h>

#include "store/storefix.h"
#include "support/cm.h"

typedef char key_text[MOX_SUBJECTPASS_KEY_LEN + 1];

static void key_of(struct storefix *f, const char *address, key_text out)
{
    assert_int_equal(mox_account_subjectpass_key(f->account, address, out, NULL), MOX_OK);
}

static void an_address_keeps_its_key(void **state)
{
    struct storefix *f = *state;
    key_text first, other, again;
    key_of(f, "mjl@mail.example", first);
    key_of(f, "other@mail.example", other);
    assert_int_equal(strlen(first), MOX_SUBJECTPASS_KEY_LEN);
    assert_int_equal(
        strspn(first, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
        MOX_SUBJECTPASS_KEY_LEN);
    assert_string_not_equal(first, other);
    key_of(f, "mjl@mail.example", again);
    assert_string_equal(again, first);
    storefix_stop(f);
    storefix_start(f);
    key_of(f, "mjl@mail.example", again);
    assert_string_equal(again, first);
}

#define ASKERS 8

struct asker {
    struct storefix *f;
    key_text key;
};

static void *ask(void *user)
{
    struct asker *one = user;
    if (mox_account_subjectpass_key(one->f->account, "new@mail.example", one->key, NULL) < 0)
        one->key[0] = '\0';
    return NULL;
}

static void all_who_ask_at_once_get_one_key(void **state)
{
    struct storefix *f = *state;
    struct asker askers[ASKERS];
    pthread_t threads[ASKERS];
    for (int i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){.f = f};
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
    }
    for (int i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(strlen(askers[0].key), MOX_SUBJECTPASS_KEY_LEN);
    for (int i = 1; i < ASKERS; i++)
        assert_string_equal(askers[i].key, askers[0].key);
    assert_int_equal(query(f, "SELECT count(*) FROM subjectpass"), 1);
}

static void an_address_has_an_end(void **state)
{
    struct storefix *f = *state;
    char address[2000];
    key_text key = "x";
    memset(address, 'a', sizeof address - 1);
    address[sizeof address - 1] = '\0';
    assert_int_equal(mox_account_subjectpass_key(f->account, address, key, NULL), MOX_EINVAL);
    assert_string_equal(key, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(an_address_keeps_its_key),
        STORE_TEST(all_who_ask_at_once_get_one_key),
        STORE_TEST(an_address_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
