/* SPDX-License-Identifier: MIT */
#include "dialogues.h"
#include "support/cm.h"

/* The dialogues over the store in memory. */

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
