/* SPDX-License-Identifier: MIT */
#include "message/charset_pool.h"

#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <string.h>

void *mox__charset_pool_take(struct charset_pool *p, const char *converter)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->slots[i].converter, converter) == 0) {
            void *cd = p->slots[i].iconv;
            if (cd != NULL)
                (void)iconv(cd, NULL, NULL, NULL, NULL);
            return cd;
        }
    if (p->count == CHARSET_POOL_MAX)
        return NULL;
    iconv_t cd = iconv_open("UTF-8", converter);
    const bool failed = cd == (iconv_t)-1;
    if (failed && errno != EINVAL)
        return NULL; /* too many files are open, or so: for the next text it may work */
    p->slots[p->count].converter = converter;
    return p->slots[p->count++].iconv = failed ? NULL : cd;
}

void mox__charset_pool_close(struct charset_pool *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->slots[i].iconv != NULL)
            (void)iconv_close(p->slots[i].iconv);
    p->count = 0;
}
