/* SPDX-License-Identifier: MIT */
/* An mbox of 50,000 messages of 4 KiB is imported, by itself and while a message is delivered now and then: how many
 * messages a second, how many on a sync, how long it takes to show them, how much memory, and how long the deliveries
 * take. The first argument is another number of messages. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "baseline.h"
#include "mails.h"
#include "program.h"
#include "report.h"
#include "store/import.h"
#include "store/storefix.h"
#include "store/vfsshim.h"

#define MESSAGES  50000
#define PAUSE_US  2000
#define WAITS_MAX 20000

static struct report report;
static struct mox_env env;
static struct storefix f;
static const char path[] = "box";

static void check(int rc, const struct mox_error *err)
{
    if (rc < 0)
        die(err->text);
}

static void write_mbox(unsigned messages)
{
    struct mails mails;
    mails_open(&mails, 4096, 10000, true);
    char *text = malloc(mails_room(&mails));
    FILE *out = fopen(path, "wb");
    if (text == NULL || out == NULL)
        die(path);
    for (unsigned n = 0; n < messages; n++) {
        size_t len = mails_write(&mails, n, text);
        (void)fprintf(out, "From a@example.org Sun Jan 23 20:41:55 2022\r\n");
        (void)fwrite(text, 1, len, out);
        (void)fprintf(out, "\r\n");
    }
    if (fclose(out) != 0)
        die(path);
    free(text);
    mails_close(&mails);
}

/* ---- deliveries meanwhile ---- */

struct deliveries {
    atomic_bool stop;
    double waits_ms[WAITS_MAX];
    size_t count;
};

static void *deliver(void *user)
{
    struct deliveries *d = user;
    uint64_t inbox = box_id(&f, "Inbox");
    while (!atomic_load(&d->stop) && d->count < WAITS_MAX) {
        double start = seconds_now();
        (void)add_mail(&f, inbox, "Subject: meanwhile\r\n", 3800);
        d->waits_ms[d->count++] = (seconds_now() - start) * 1000;
        (void)usleep(PAUSE_US);
    }
    return NULL;
}

/* ---- the import ---- */

/* All of it; the last step shows what was read. */
static void import(const char *mailbox, const char *params, unsigned messages)
{
    struct mox_error err = {0};
    struct import_files *files;
    const struct mox_import what = {.size = sizeof what, .path = path, .mailbox = mailbox};
    struct mox_import now = {.size = sizeof now};
    struct vfsshim *shim = vfsshim();
    const double start = seconds_now();
    double step = start;
    int rc = MOX_LATER;
    check(mox__import_files_begin(&files, f.account, &what, &err), &err);
    while (rc == MOX_LATER) {
        step = seconds_now();
        rc = mox__import_files_step(files, &err);
    }
    check(rc, &err);
    const double end = seconds_now();
    mox__import_files_tell(files, &now);
    if (now.messages != messages)
        die("messages are missing");
    mox__import_files_end(files);
    report_value(&report, "import", params, messages / (end - start), "msgs/s", "commits");
    report_value(&report, "last step", params, (end - step) * 1000, "ms", NULL);
    report_value(&report, "imported per sync", params,
                 (double)messages / (double)(shim->wal_syncs > 0 ? shim->wal_syncs : 1), "messages",
                 NULL);
}

static void import_beside_deliveries(unsigned messages)
{
    static struct deliveries d;
    pthread_t thread;
    if (pthread_create(&thread, NULL, deliver, &d) != 0)
        die("no thread");
    import("Archive", "deliveries=yes", messages);
    atomic_store(&d.stop, true);
    (void)pthread_join(thread, NULL);
    if (d.count == 0)
        return;
    report_value(&report, "delivery meanwhile", "quantile=0.5", quantile(d.waits_ms, d.count, 0.5),
                 "ms", NULL);
    report_value(&report, "delivery meanwhile", "quantile=0.99",
                 quantile(d.waits_ms, d.count, 0.99), "ms", NULL);
    report_value(&report, "delivery meanwhile", "quantile=1", quantile(d.waits_ms, d.count, 1),
                 "ms", NULL);
}

int main(int argc, char **argv)
{
    const unsigned messages = argc > 1 ? (unsigned)atoi(argv[1]) : MESSAGES;
    struct mox_error err;
    program_start();
    report_open(&report, "import");
    mox_env_system(&env);
    (void)vfsshim();
    f.t.env = env;
    (void)snprintf(f.dir, sizeof f.dir, "store");
    if (chdir(program_folder()) < 0 || mkdir(f.dir, 0700) < 0)
        die(f.dir);
    baseline_report(&report, ".", MACHINE_DISK, 0.5);
    write_mbox(messages);
    check(mox_store_open(&f.store, &env, f.dir, &err), &err);
    check(mox_account_open(&f.account, f.store, "mjl", MOX_ACCOUNT_CREATE, NULL, &err), &err);
    f.mail = mox_account_mailstore(f.account);
    import("new", "deliveries=no", messages);
    report_value(&report, "peak memory", NULL, program_peak_mb(), "MB", NULL);
    import_beside_deliveries(messages);
    mox_account_close(f.account);
    mox_store_close(f.store);
    report_close(&report);
    return 0;
}
