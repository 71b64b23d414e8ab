/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_CM_H
#define SUPPORT_CM_H

/* cmocka.h needs these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
