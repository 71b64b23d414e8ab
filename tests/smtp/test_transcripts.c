/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "smtp/host.h"
#include "support/cm.h"

static void play(const char *name, enum mox_smtp_mode mode, bool tls)
{
    struct smtp_host h;
    smtp_host_init(&h);
    h.config.mode = mode;
    h.config.starttls = true;
    h.config.tls_required = mode == MOX_SMTP_SUBMISSION && !tls;
    h.config.auth_without_tls = tls;
    char path[128];
    (void)snprintf(path, sizeof path, "smtp/%s.txt", name);
    smtp_host_play(&h, path);
}

#define DELIVERY(test, file)                                                                       \
    static void test(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        play(file, MOX_SMTP_DELIVERY, false);                                                      \
    }

DELIVERY(a_message_is_taken_through_the_callbacks, "message")

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_taken_through_the_callbacks),
    };
    return cmocka_run_group_tests_name("smtp-transcripts", tests, NULL, NULL);
}
