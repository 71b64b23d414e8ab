/* SPDX-License-Identifier: MIT */
#include "imap_host.h"
#include "support/cm.h"

/* The dialogues of tests/transcripts/imap, each with the host that it needs. */

static const struct dialogue {
    const char *name;
    unsigned options;
} dialogues[] = {
    {"greeting.txt", HOST_NO_TLS},
    {"probe.txt", HOST_NO_TLS},
    {"login.txt", HOST_NO_TLS},
    {"starttls.txt", HOST_STARTTLS},
    {"select.txt", HOST_FILLED},
    {"mailboxes.txt", HOST_NO_TLS},
    {"append.txt", HOST_NO_TLS},
    {"changes.txt", HOST_NO_TLS},
    {"idle.txt", HOST_NO_TLS},
    {"timeouts.txt", HOST_NO_TLS},
    {"shutdown.txt", HOST_SLOW_STORE},
    {"slow.txt", HOST_SLOW_STORE | HOST_FILLED},
    {"delay.txt", HOST_NO_TLS},
    {"literals.txt", HOST_NO_TLS},
    {"bad.txt", HOST_NO_TLS},
    {"sharing.txt", HOST_FILLED},
    {"rename.txt", HOST_NO_TLS},
    {"sizes.txt", HOST_SMALL},
    {"client-thunderbird.txt", HOST_FILLED},
    {"client-ios.txt", HOST_FILLED},
    {"client-mutt.txt", HOST_FILLED},
    {"client-mbsync.txt", HOST_FILLED},
    {"client-imaplib.txt", HOST_FILLED},
    {"client-curl.txt", HOST_FILLED},
    {"lines.txt", HOST_NO_TLS},
    {"lines-pedantic.txt", HOST_PEDANTIC},
    {"failing.txt", HOST_SLOW_STORE | HOST_FILLED},
    {"read-only.txt", HOST_READ_ONLY | HOST_FILLED},
    {"names.txt", HOST_NO_TLS},
    {"tls.txt", HOST_IMPLICIT_TLS},
    {"no-tls.txt", HOST_NO_TLS},
    {"gone.txt", HOST_NO_TLS},
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
