/* SPDX-License-Identifier: MIT */
#include "config/tables.h"

/* Delays of mox.conf: how those are slowed down who guess, or send what nobody wants. */

#define AT(member) offsetof(struct mox_config_delays, member)
static const struct field delays_fields[] = {
    {.name = "BadClient", .type = &mox__type_duration, .offset = AT(bad_client_us), .preset = "1s",
     .check = mox__check_delay,
     .doc = "How long a client is kept waiting before each read, and for each byte of a reply, after "
            "a message of it was refused as junk or for being one too many, or its third login failed; "
            "until it has logged in. After 25 seconds the rest of a reply is sent at once. Default 1s. "
            "0s slows nobody."},
    {.name = "AuthFailure", .type = &mox__type_duration, .offset = AT(auth_failure_us),
     .preset = "1s", .check = mox__check_delay,
     .doc = "How much longer each login of a connection takes than the one before, after the third "
            "that failed. Default 1s. 0s for no delay."},
    {.name = "UnknownRecipients", .type = &mox__type_duration, .offset = AT(unknown_recipients_us),
     .preset = "5s", .check = mox__check_delay,
     .doc = "How long the refusal of a message takes all of whose recipients are unknown. Default "
            "5s. 0s for no delay."},
};
#undef AT
const struct value_type mox__config_delays_type =
    STRUCT_TYPE(struct mox_config_delays, delays_fields, NULL);
