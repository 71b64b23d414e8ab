/* SPDX-License-Identifier: MIT */
#ifndef SASL_MECHANISM_H
#define SASL_MECHANISM_H

#include "sasl/sasl.h"

/* What a mechanism is made of. One file each. */
struct sasl_mechanism {
    const char *name;
    bool clear_text;
    enum sasl_step (*step)(struct sasl *x, struct mox_slice response, struct mox_slice *challenge);
};

extern const struct sasl_mechanism mox__sasl_plain, mox__sasl_login;

/* Appends one NUL-terminated text to x->text. False: it is no UTF-8, has a NUL in it, or there is
 * no memory, and *step says which. */
bool mox__sasl_keep(struct sasl *x, struct mox_slice text, enum sasl_step *step);

#endif
