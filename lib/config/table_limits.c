/* SPDX-License-Identifier: MIT */
#include "config/tables.h"

/* Limits of mox.conf. */

#define AT(member) offsetof(struct mox_config_limit, member)
#define NUMBER(field_name, member, number, what)                                                   \
    {.name = field_name, .type = &mox__type_int64, .offset = AT(member), .preset = number,         \
     .zero_is_preset = true, .doc = what " Default " number "."}

/* The three numbers of one limit, as a type of its own, for its defaults. */
#define LIMIT(name, address_number, network_number, wide_number)                                   \
    static const struct field name##_fields[] = {                                                  \
        NUMBER("Address", address, address_number, "One address."),                                \
        NUMBER("Network", network, network_number, "Its network of 64."),                          \
        NUMBER("WideNetwork", wide_network, wide_number, "Its network of 2048."),                  \
    };                                                                                             \
    static const struct value_type name##_type =                                                   \
        STRUCT_TYPE(struct mox_config_limit, name##_fields, mox__check_limit)

LIMIT(connections_per_minute, "300", "900", "2700");
LIMIT(open_connections, "30", "90", "270");
LIMIT(failed_logins_per_minute, "10", "30", "90");
LIMIT(failed_logins_per_day, "50", "150", "450");
LIMIT(messages_per_minute, "500", "1500", "4500");
LIMIT(messages_per_day, "10000", "30000", "90000");
LIMIT(bytes_per_minute, "1048576000", "3145728000", "9437184000");
LIMIT(bytes_per_day, "3145728000", "9437184000", "28311552000");
#undef AT

#define AT(member) offsetof(struct mox_config_limits, member)
static const struct field limits_fields[] = {
    {.name = "ConnectionsPerMinute", .type = &connections_per_minute_type,
     .offset = AT(connections_per_minute),
     .doc = "Connections that begin in a minute of the clock. SMTP and submission count together, "
            "IMAP by itself."},
    {.name = "OpenConnections", .type = &open_connections_type, .offset = AT(open_connections),
     .doc = "Connections that are open at the same time. SMTP and submission count together, IMAP "
            "by itself. Every device of a user keeps some IMAP connections: raise it when many "
            "users share one address."},
    {.name = "FailedLoginsPerMinute", .type = &failed_logins_per_minute_type,
     .offset = AT(failed_logins_per_minute),
     .doc = "Logins that may fail in a minute of the clock, over all protocols. Then nobody behind "
            "that address can connect to submission and IMAP, or log in, until the minute is over; "
            "mail from other servers is still taken. A login that succeeds clears the address."},
    {.name = "FailedLoginsPerDay", .type = &failed_logins_per_day_type,
     .offset = AT(failed_logins_per_day), .doc = "The same, in a day."},
    {.name = "MessagesPerMinute", .type = &messages_per_minute_type,
     .offset = AT(messages_per_minute),
     .doc = "Messages from other servers into one account in the last 60 seconds. More are refused "
            "for now, and come again later."},
    {.name = "MessagesPerDay", .type = &messages_per_day_type, .offset = AT(messages_per_day),
     .doc = "The same, in the last 24 hours."},
    {.name = "BytesPerMinute", .type = &bytes_per_minute_type, .offset = AT(bytes_per_minute),
     .doc = "Bytes of messages from other servers into one account in the last 60 seconds."},
    {.name = "BytesPerDay", .type = &bytes_per_day_type, .offset = AT(bytes_per_day),
     .doc = "The same, in the last 24 hours."},
};
#undef AT
const struct value_type mox__config_limits_type =
    STRUCT_TYPE(struct mox_config_limits, limits_fields, NULL);
