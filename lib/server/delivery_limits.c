/* SPDX-License-Identifier: MIT */
#include "server/smtp_session.h"

/* What one address and its networks may deliver into one account, by what is stored already. */

struct limit {
    const struct mox_config_limit *limit;
    const struct mox_arrival_sum *sums; /* by class */
    const char *what, *period;
};

static int64_t number(const struct mox_config_limit *l, size_t class)
{
    const int64_t numbers[MOX_NETWORK_CLASSES] = {l->address, l->network, l->wide_network};
    return numbers[class];
}

/* The next message is one more; of bytes it has so many. */
static bool is_over(const struct limit *l, size_t class, uint64_t bytes)
{
    int64_t max = number(l->limit, class);
    if (max < 0)
        return false;
    if (bytes == 0)
        return l->sums[class].messages >= (uint64_t)max;
    return bytes > (uint64_t)max || l->sums[class].bytes > (uint64_t)max - bytes;
}

static int refuse(const struct limit *l, size_t class, struct mox_smtp_reply *reply)
{
    mox_smtp_reply_set(reply, 452, "4.2.2",
                       "too many %s from your %s in the last %s (limit %lld); "
                       "try again later",
                       l->what, class == 0 ? "address" : "network", l->period,
                       (long long)number(l->limit, class));
    reply->slow = true;
    return MOX_ELIMIT;
}

int mox__delivery_limits(const struct mox_config_limits *limits, const struct mox_arrivals *stored,
                         uint64_t bytes, struct mox_smtp_reply *reply)
{
    const struct limit counts[] = {
        {&limits->messages_per_minute, stored->minute, "messages", "minute"},
        {&limits->messages_per_day, stored->day, "messages", "24 hours"},
    };
    const struct limit sizes[] = {
        {&limits->bytes_per_minute, stored->minute, "bytes", "minute"},
        {&limits->bytes_per_day, stored->day, "bytes", "24 hours"},
    };
    for (size_t class = 0; class < MOX_NETWORK_CLASSES; class ++)
        for (size_t i = 0; i < 2; i++)
            if (is_over(&counts[i], class, 0))
                return refuse(&counts[i], class, reply);
    for (size_t class = 0; class < MOX_NETWORK_CLASSES && bytes > 0; class ++)
        for (size_t i = 0; i < 2; i++)
            if (is_over(&sizes[i], class, bytes))
                return refuse(&sizes[i], class, reply);
    return MOX_OK;
}
