/* SPDX-License-Identifier: MIT */
#include "imap_host.h"
#include "support/cm.h"

/* Dialogues about messages, each with the host that it needs. */

static const struct dialogue {
    const char *name;
    unsigned options;
} dialogues[] = {
    {"fetch-simple.txt", HOST_NO_TLS},
    {"fetch-nested.txt", HOST_NO_TLS},
    {"fetch-partial.txt", HOST_NO_TLS},
    {"fetch-errors.txt", HOST_NO_TLS},
    {"fetch-seen.txt", HOST_NO_TLS},
    {"fetch-paused.txt", HOST_NO_TLS | HOST_SMALL},
    {"message-slow.txt", HOST_SLOW_STORE | HOST_FILLED},
    {"store.txt", HOST_NO_TLS},
    {"copy.txt", HOST_NO_TLS},
    {"expunge.txt", HOST_NO_TLS},
#ifdef MOX_HAVE_IDN /* letters beyond ASCII, without case */
    {"search.txt", HOST_NO_TLS},
#endif
};

static void play(void **state)
{
    const struct dialogue *d = *state;
    imap_play(d->name, d->options);
}

int main(void)
{
    enum { COUNT = sizeof dialogues / sizeof dialogues[0] };
    struct CMUnitTest tests[COUNT];
    for (int i = 0; i < COUNT; i++)
        tests[i] = (struct CMUnitTest){dialogues[i].name, play, NULL, NULL,
                                       (void *)(uintptr_t)&dialogues[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
