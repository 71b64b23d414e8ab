# SPDX-License-Identifier: MIT
"""Faults of the machine, on request, under a running server: the other side of faultlib.c."""
import errno
import mmap
import os
import struct

SYNC, WRITE, READ, OPEN, SHORT, TWICE, CHANGE = (1 << n for n in range(7))

LIBRARY = os.environ.get("FAULTLIB", "libfaultlib.so")
MATCH, MALLOC = 16, 144
SIZE = MALLOC + 40


class Faults:
    """Starts servers with `under`; faults are those of files with `match` in their path,
    or at its end when it ends in $."""

    def __init__(self, path):
        path = str(path)
        with open(path, "wb") as f:
            f.truncate(SIZE)
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), SIZE)
        asan = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        self.under = ["env", f"LD_PRELOAD={LIBRARY}", f"MOX_FAULTS={path}", f"ASAN_OPTIONS={asan}"]

    def on(self, faults, match="/data/", error=errno.EIO):
        self.off()
        self.map[MATCH:MALLOC] = match.encode().ljust(128, b"\0")
        self.map[4:8] = struct.pack("=i", error)
        self.map[0:4] = struct.pack("=I", faults)

    def off(self):
        self.map[0:4] = struct.pack("=I", 0)

    def refused(self):
        """Calls that failed so far."""
        return struct.unpack("=Q", self.map[8:16])[0]

    def fail_malloc(self, first, again=0, at_least=0):
        """The allocation of that number from now, then each so many later another; only those of so
        many bytes count. 0: none."""
        self.map[MALLOC:MALLOC + 8] = struct.pack("=Q", 0)
        self.map[MALLOC + 8:MALLOC + 32] = struct.pack("=QQQ", again, at_least, 0)
        self.map[MALLOC:MALLOC + 8] = struct.pack("=Q", first)

    def mallocs(self):
        """Counted since fail_malloc(), and failed since the start."""
        return struct.unpack("=QQ", self.map[MALLOC + 24:MALLOC + 40])
