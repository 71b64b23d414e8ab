/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_ATOM_H
#define MESSAGE_ATOM_H

#include "base/priv.h"

/* Whether s is dot-atom-text (RFC 5322 §3.2.3), with UTF-8 (RFC 6532). */
bool mox__is_dot_atom(struct mox_slice s);

/* Whether s is a dot-atom of letters, digits, "-" and "_" (and UTF-8): what names of hosts are made of. */
bool mox__is_domain_text(struct mox_slice s);

#endif
