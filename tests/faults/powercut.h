/* SPDX-License-Identifier: MIT */
#ifndef FAULTS_POWERCUT_H
#define FAULTS_POWERCUT_H

#include "faults/cut.h"
#include "faults/steps.h"

/*
 * The power is cut after every write, sync, link, unlink and mkdir of the store's work. Whatever that
 * leaves opens, is sound, and looks to clients exactly as it did after some number of steps: all that
 * were acknowledged, and perhaps some of those under way. It also takes more mail. Now and then the
 * power is cut again, at every point of that; and where nothing but the process was lost, what the
 * next one showed has to stay.
 */
struct workload {
    const struct step *setup; /* done and on the disk before; NULL: there is no account */
    size_t setup_count;
    const struct step *steps;
    size_t count;
    int checkpoint_pages;                    /* of the WAL; 0: as ever */
    const struct mox_account_config *config; /* has it a filter, that is checked, too */
    bool config_is_new;                      /* the setup was without it */
    unsigned seeds;        /* how often some of the rest is left; 0: 3. $MOX_CUT_SEEDS */
    unsigned reopen_every; /* of how many disks one is cut again; 0: of 40. $MOX_CUT_REOPEN */
    void (*look)(const struct record *r);
};

void power_cuts(const struct workload *w);

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define POWER_CUTS(before, work)                                                                   \
    power_cuts(&(struct workload){                                                                 \
        .setup = before, .setup_count = COUNT(before), .steps = work, .count = COUNT(work)})

/* A folder of its own in memory; "data" in it is the data directory of a fixture. */
void make_root(char root[32]);
void storefix_at(struct storefix *f, const char *root);

/* Two small and two large messages in Inbox and Archive. */
extern const struct step some_mail[4];

#endif
