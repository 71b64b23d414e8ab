/* SPDX-License-Identifier: MIT */
#ifndef DIALOGUES_H
#define DIALOGUES_H

#include "imap_host.h"

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
    {"append.txt", HOST_NO_TLS},
    {"changes.txt", HOST_NO_TLS},
    {"idle.txt", HOST_NO_TLS},
    {"timeouts.txt", HOST_NO_TLS},
    {"shutdown.txt", HOST_SLOW_STORE},
    {"slow.txt", HOST_SLOW_STORE | HOST_FILLED},
    {"delay.txt", HOST_NO_TLS | HOST_DELAYS},
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
    {"tls.txt", HOST_IMPLICIT_TLS},
    {"no-tls.txt", HOST_NO_TLS},
    {"gone.txt", HOST_NO_TLS},
    {"auth-cram-md5.txt", HOST_IMPLICIT_TLS | HOST_SASL},
    {"auth-scram.txt", HOST_IMPLICIT_TLS | HOST_SASL},
    {"auth-scram-plus.txt", HOST_IMPLICIT_TLS | HOST_SASL},
    {"auth-oauthbearer.txt", HOST_IMPLICIT_TLS | HOST_SASL},
    {"auth-offered.txt", HOST_STARTTLS | HOST_SASL},
    {"auth-external.txt", HOST_IMPLICIT_TLS | HOST_SASL | HOST_KEY | HOST_NO_PREAUTH},
    {"preauth.txt", HOST_IMPLICIT_TLS | HOST_SASL | HOST_KEY},
#ifdef MOX_HAVE_IDN /* names beyond ASCII */
    {"mailboxes.txt", HOST_NO_TLS},
    {"names.txt", HOST_NO_TLS},
#endif
};

#endif
