/* SPDX-License-Identifier: MIT */
#include "store/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void mox__problems_about(struct problems *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(p->about, sizeof p->about, format, args);
    va_end(args);
}

void mox__problem(struct problems *p, const char *format, ...)
{
    char text[sizeof p->about + 512];
    size_t at = strlen(p->about);
    memcpy(text, p->about, at);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text + at, sizeof text - at, format, args);
    va_end(args);
    p->count++;
    p->report(p->user, text);
}
