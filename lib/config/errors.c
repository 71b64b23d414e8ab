/* SPDX-License-Identifier: MIT */
#include "config/errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

void mox_config_errors_init(struct mox_config_errors *errors, const struct mox_env *env)
{
    *errors = (struct mox_config_errors){.env = *env};
}

void mox_config_errors_free(struct mox_config_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++)
        mox__mem_free(&errors->env, errors->texts[i]);
    mox__mem_free(&errors->env, errors->texts);
    errors->texts = NULL;
    errors->count = errors->dropped = 0;
}

int mox__config_error(struct mox_config_errors *errors, const char *format, ...)
{
    if (errors == NULL)
        return MOX_OK;
    if (errors->count == CONFIG_MAX_ERRORS) {
        errors->dropped++;
        return MOX_OK;
    }
    char text[sizeof(struct mox_error)];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char **texts = mox__realloc(&errors->env, errors->texts, errors->count + 1, sizeof *texts);
    if (texts == NULL)
        return MOX_ENOMEM;
    errors->texts = texts;
    texts[errors->count] = mox__strndup(&errors->env, text, strlen(text));
    if (texts[errors->count] == NULL)
        return MOX_ENOMEM;
    errors->count++;
    return MOX_OK;
}
