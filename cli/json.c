/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <stdio.h>

enum exit_code cli_json_print(json_t *object)
{
    if (object == NULL)
        return cli_fail("out of memory");
    int failed = json_dumpf(object, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(6));
    json_decref(object);
    if (failed != 0 || putchar('\n') == EOF)
        return cli_fail("cannot write the result");
    return EXIT_OK;
}
