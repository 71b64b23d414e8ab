/* SPDX-License-Identifier: MIT */

/* Any bytes as a mail that brings a report, and as the archive in one: neither is anything but a report or
 * an error that says why, and no more is unpacked than may be. Input: how to read it, then the mail or
 * the archive. */

#include <mox/dmarc_report.h>
#include <mox/tls_report.h>

#include "fuzz/input.h"
#include "mailauth/report.h"

static struct mox_env env;

static void check(int rc, const struct mox_error *err, bool there)
{
    assert(rc == MOX_OK || rc == MOX_ESYNTAX || rc == MOX_ELIMIT || rc == MOX_ENOTFOUND);
    assert((rc == MOX_OK) == there &&
           (rc == MOX_OK || (err->text[0] != '\0' && err->status == rc)));
}

static void read_mail(struct mox_slice mail)
{
    struct mox_dmarc_report *dmarc;
    struct mox_tls_report *tls;
    struct mox_error err = {0};
    int rc = mox_dmarc_report_parse_message(&dmarc, &env, mail, &err);
    check(rc, &err, dmarc != NULL);
    mox_dmarc_report_free(dmarc);
    rc = mox_tls_report_parse_message(&tls, &env, mail, &err);
    check(rc, &err, tls != NULL);
    mox_tls_report_free(tls);
}

/* At most `max` bytes come out, whatever the archive says. */
static void unpack(struct mox_slice archive, size_t max)
{
    const struct report_form form = {.name = "report", .report_max = max, .zip = true};
    struct mox_error err = {0};
    struct buf out;
    mox__buf_init(&out, &env, max);
    int rc = mox__report_unpack(&out, archive, &form, &err);
    check(rc, &err, rc == MOX_OK);
    assert(out.len <= max && !out.failed);
    if (mox__report_packing(archive) == REPORT_PLAIN)
        assert(rc == (archive.len <= max ? MOX_OK : MOX_ELIMIT));
    mox__buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct input in = {{data, len}};
    unsigned how = input_byte(&in);
    mox_env_system(&env);
    if (how % 2 == 0)
        read_mail(in.rest);
    else
        unpack(in.rest, (size_t)how * 100);
    return 0;
}
