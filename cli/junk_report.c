/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "junk.h"

struct sums {
    size_t hams, spams;
    size_t false_positives, misses;
};

static struct sums count(const struct junk_file *files, size_t count, double threshold)
{
    struct sums s = {0};
    for (size_t i = 0; i < count; i++) {
        const bool marked = files[i].probability > threshold;
        *(files[i].junk ? &s.spams : &s.hams) += 1;
        s.false_positives += marked && !files[i].junk;
        s.misses += !marked && files[i].junk;
    }
    return s;
}

static double percent(size_t part, size_t all)
{
    return all == 0 ? 0 : 100 * (double)part / (double)all;
}

static void over_thresholds(const struct junk_file *files, size_t n)
{
    static const double thresholds[] = {0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999};
    (void)printf("\nthreshold   ham marked as spam   spam not marked\n");
    for (size_t i = 0; i < sizeof thresholds / sizeof thresholds[0]; i++) {
        const struct sums s = count(files, n, thresholds[i]);
        (void)printf("%9g   %8zu (%6.2f %%)   %6zu (%6.2f %%)\n", thresholds[i], s.false_positives,
                     percent(s.false_positives, s.hams), s.misses, percent(s.misses, s.spams));
    }
}

static int highest_first(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;
    return (left < right) - (left > right);
}

/* With the lowest threshold that lets so many hams be marked. */
static void over_false_positives(const struct junk_file *files, size_t n, size_t hams)
{
    static const size_t numbers[] = {0, 1, 2, 4, 10};
    double *sorted = malloc((hams + 1) * sizeof *sorted);
    size_t to = 0;
    if (sorted == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        if (!files[i].junk)
            sorted[to++] = files[i].probability;
    qsort(sorted, hams, sizeof *sorted, highest_first);
    (void)printf("\nham marked   spam caught   threshold\n");
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && numbers[i] < hams; i++) {
        const struct sums s = count(files, n, sorted[numbers[i]]);
        (void)printf("%10zu   %9.2f %%   %.9f\n", numbers[i], 100 - percent(s.misses, s.spams),
                     sorted[numbers[i]]);
    }
    free(sorted);
}

void junk_report(const struct junk_file *files, size_t n, double threshold)
{
    const struct sums s = count(files, n, threshold);
    (void)printf("messages     %zu ham, %zu spam\n", s.hams, s.spams);
    (void)printf("threshold    %g\n", threshold);
    (void)printf("specificity  %.2f %% (%zu of ham marked as spam)\n",
                 100 - percent(s.false_positives, s.hams), s.false_positives);
    (void)printf("sensitivity  %.2f %% (%zu of spam not marked)\n",
                 100 - percent(s.misses, s.spams), s.misses);
    (void)printf("accuracy     %.2f %%\n", 100 - percent(s.false_positives + s.misses, n));
    over_thresholds(files, n);
    over_false_positives(files, n, s.hams);
}
