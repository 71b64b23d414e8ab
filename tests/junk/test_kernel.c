/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "junk/kernel.h"
#include "support/cm.h"

/* As lib/junk/kernel.c says it, in doubles and with the library's logarithm. */
static double formula(double all_hams, double all_spams, double hams, double spams)
{
    const double n = hams + spams;
    if (n <= 0)
        return 0;
    const double idf = log((all_hams + all_spams + 10) / (n + 0.5));
    const double a = spams * all_hams, b = hams * all_spams;
    if (all_hams <= 0 || all_spams <= 0)
        return idf * idf;
    return idf * idf * (0.4 + 0.6 * fabs(a - b) / (a + b) * n / (n + 1));
}

static uint64_t weight(uint32_t hams, uint32_t spams, int32_t number)
{
    uint64_t w = 0;
    for (uint32_t i = 0; i < hams; i++)
        w += mox__weight_change(0, false);
    for (uint32_t i = 0; i < spams; i++)
        w += mox__weight_change(0, true);
    return w + (mox__weight_change(number, false) - mox__weight_change(0, false));
}

static void check(float all_hams, float all_spams, uint32_t hams, uint32_t spams)
{
    const uint64_t weights[2] = {weight(hams, spams, -77), weight(spams, hams, 8000000)};
    const uint32_t places[1] = {1};
    const struct knowledge k = {.hams = all_hams, .spams = all_spams};
    const double says = formula((double)all_hams, (double)all_spams, hams, spams);
    struct batch batch;
    mox__batch_look(&batch, weights, 1, 0, 0);
    mox__batch_weigh(&batch, &k);
    assert_int_equal(batch.hams[0], hams);
    assert_int_equal(batch.spams[0], spams);
    assert_true(fabs((double)batch.numbers[0] + 77) < 0.5);
    assert_true(fabs((double)batch.says[0] - says) <= 2e-6 * says);
    mox__batch_pick(&batch, weights, places, 1, 0, 0);
    assert_int_equal(batch.hams[0], spams);
    assert_true(fabs((double)batch.numbers[0] - 8000000) < 0.5);
}

static void features_count_by_how_rare_and_how_telling_they_are(void **state)
{
    (void)state;
    for (uint32_t hams = 0; hams < 1000; hams = hams * 3 / 2 + 1)
        for (uint32_t spams = 0; spams < 1000; spams = spams * 3 / 2 + 1) {
            check(1000, 1000, hams, spams);
            check(1000000, 2000, hams, spams);
        }
}

static void without_one_kind_there_is_no_contrast(void **state)
{
    (void)state;
    check(1000, 0, 50, 0);
    check(0, 1000, 0, 50);
}

/* A message that is looked at as if it were learnt adds itself to its features, not to what fills up
 * the batch. */
static void what_fills_a_batch_says_nothing(void **state)
{
    (void)state;
    const uint64_t weights[1] = {0};
    const uint32_t places[1] = {0};
    const struct knowledge k = {.hams = 3, .spams = 4};
    struct batch batch;
    mox__batch_pick(&batch, weights, places, 1, 0, 1);
    mox__batch_weigh(&batch, &k);
    assert_true(batch.says[0] > 0);
    for (size_t i = 1; i < KERNEL_BATCH; i++)
        assert_true(batch.says[i] <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_count_by_how_rare_and_how_telling_they_are),
        cmocka_unit_test(without_one_kind_there_is_no_contrast),
        cmocka_unit_test(what_fills_a_batch_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
