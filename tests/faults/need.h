/* SPDX-License-Identifier: MIT */
#ifndef FAULTS_NEED_H
#define FAULTS_NEED_H

#include <stdlib.h>

/* Memory that is there, or the test ends. */
static inline void *need(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

#endif
