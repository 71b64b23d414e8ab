/* SPDX-License-Identifier: MIT */

/* What is read as a date is one, and written again it is the same moment in the same zone. */

#include <mox/date.h>

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_date d, again;
    char text[MOX_DATE_MAX];
    int64_t moment = 0;
    memcpy(&moment, data, len < sizeof moment ? len : sizeof moment);
    mox_date_format(moment, (int)(moment % 5000), text);
    assert(mox_date_parse((struct mox_slice){(const uint8_t *)text, strlen(text)}, &d) == MOX_OK);

    int rc = mox_date_parse((struct mox_slice){data, len}, &d);
    assert(rc == MOX_OK || rc == MOX_ESYNTAX);
    if (rc != MOX_OK)
        return 0;
    assert(d.year >= 1 && d.year <= 9999 && d.month >= 1 && d.month <= 12);
    assert(d.day >= 1 && d.day <= 31 && d.hour < 24 && d.minute < 60 && d.second <= 60);
    assert(d.zone_minutes > -1440 && d.zone_minutes < 1440);
    moment = mox_date_unix(&d);
    mox_date_format(moment, d.zone_minutes, text);
    assert(mox_date_parse((struct mox_slice){(const uint8_t *)text, strlen(text)}, &again) ==
           MOX_OK);
    bool at_the_edge = (d.year == 1 || d.year == 9999); /* a leap second may step over it */
    assert(at_the_edge || mox_date_unix(&again) == moment);
    assert(again.zone_minutes == d.zone_minutes);
    return 0;
}
