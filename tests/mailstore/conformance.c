/* SPDX-License-Identifier: MIT */
#include "mailstore/conformance.h"

#include <stdio.h>

#include "mailstore/ops.h"

#define CASES_MAX 128

int conformance_run(const struct conformance *c)
{
    const struct {
        const struct CMUnitTest *cases;
        size_t count;
    } files[] = {
        {message_cases, message_case_count},
        {flag_cases, flag_case_count},
        {copy_cases, copy_case_count},
        {mailbox_cases, mailbox_case_count},
        {watch_cases, watch_case_count},
        {many_cases, many_case_count},
    };
    struct CMUnitTest tests[CASES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        for (size_t j = 0; j < files[i].count; j++) {
            if (count == CASES_MAX)
                return 1;
            tests[count] = files[i].cases[j];
            tests[count++].initial_state = (void *)(uintptr_t)c;
        }
    }
    return _cmocka_run_group_tests(c->name, tests, count, NULL, NULL);
}
