/* SPDX-License-Identifier: MIT */
#ifndef TEST_SERVER_TALK_H
#define TEST_SERVER_TALK_H

#include <stdint.h>

/* What a client of SMTP says, and the code that it hears. */
struct step {
    const char *say, *code; /* the code, or more of the reply */
};

/* Says all of it to 127.0.0.1, up to a step without words; blocking. */
void talk(uint16_t port, const struct step *steps);

#endif
