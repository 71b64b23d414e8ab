/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_PART_H
#define MESSAGE_PART_H

#include <mox/message.h>

#include "base/priv.h"

/* The environment that a message was parsed with; lives as long as the message. */
const struct mox_env *mox__message_env(const struct mox_message *m);

#endif
