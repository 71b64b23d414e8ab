/* SPDX-License-Identifier: MIT */
#ifndef SERVER_CTL_SOCKET_H
#define SERVER_CTL_SOCKET_H

#include <sys/un.h>

#include <mox/types.h>

/* The address of the control socket. A path that is too long for one (108 bytes) is named through
 * *folder, a descriptor to be closed after use, else -1. A status of errno. */
MOX_MUST_USE int mox__ctl_address(struct sockaddr_un *address, int *folder, const char *data_dir);

#endif
