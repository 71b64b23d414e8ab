# SPDX-License-Identifier: MIT
"""A room includes rooms above it only, as drawn in lib/README.md; the CLI and the examples use
public headers only; each room uses only the outside libraries it is allowed."""
import pathlib
import re
import sys

# From the bottom up. A room may include what its line names, and itself.
ROOMS = {
    "base": [],
    "message": ["base"],
    "dns": ["base"],
    "sasl": ["base", "dns"],
    "ratelimit": ["base"],
    "junk": ["base", "message"],
    "mailauth": ["base", "message", "dns"],
    "mailstore": ["base", "message"],
    "mailfile": ["base", "message", "mailstore"],
    "smtp": ["base", "message", "dns", "sasl"],
    "imap": ["base", "message", "dns", "sasl", "mailstore"],
    "store": ["base", "message", "dns", "sasl", "ratelimit", "junk", "mailstore", "mailfile"],
    "delivery": ["base", "message", "dns", "sasl", "ratelimit", "junk", "mailauth", "mailstore", "mailfile", "smtp", "store"],
    "config": ["base", "dns", "delivery"],
    "net": ["base", "dns"],
    "server": ["base", "message", "dns", "sasl", "ratelimit", "junk", "mailauth", "mailstore", "mailfile", "smtp", "imap",
               "store", "delivery", "config", "net"],
}
LIBRARIES = {
    "mbedtls": ["base", "net"], "psa": ["base", "net"], "sodium": ["base", "sasl"],
    "crypt": ["sasl"], "iconv": ["message"],
    "uninorm": ["message", "dns", "sasl", "mailstore", "imap", "config"],
    "unictype": ["message", "sasl", "imap"], "unicase": ["message", "imap", "delivery", "config"],
    "unistr": ["message", "dns", "sasl", "imap", "delivery"], "idn2": ["dns"], "sqlite3": ["store"],
    "ev": ["net", "server"], "unbound": ["net"], "unbound-event": ["net"], "libpsl": ["mailauth"],
    "expat": ["mailauth"], "zlib": ["mailauth"], "pcre2": ["delivery"], "jansson": ["mailauth"],
}
BELOW_NET = ("net", "server")
# Sockets, sleeping and processes start at net/. (struct sockaddr for text forms is in base/ip.c.)
SYSTEM = {"sys/socket.h": BELOW_NET, "netdb.h": BELOW_NET, "sys/epoll.h": BELOW_NET,
          "poll.h": BELOW_NET, "sys/un.h": BELOW_NET, "netinet/tcp.h": BELOW_NET}

root = pathlib.Path(sys.argv[1])
problems = []
files = 0


def includes(path):
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if found:
            yield number, found.group(1) == '"', found.group(2)


for path in sorted((root / "lib").rglob("*.[ch]")):
    room = path.relative_to(root / "lib").parts[0]
    files += 1
    if room not in ROOMS:
        problems.append(f"{path}: room {room} is not in the drawing (lib/README.md, layers.py)")
        continue
    for number, ours, name in includes(path):
        where = f"{path.relative_to(root)}:{number}: {name}"
        head = name.split("/")[0].removesuffix(".h")
        if ours and (head not in ROOMS or "/" not in name):
            problems.append(f"{where}: name the room, as in \"base/buf.h\"")
        elif ours and head != room and head not in ROOMS[room]:
            problems.append(f"{where}: {room}/ may not include {head}/")
        elif not ours and head in LIBRARIES and room not in LIBRARIES[head]:
            problems.append(f"{where}: that library belongs to {', '.join(LIBRARIES[head])}")
        elif not ours and name in SYSTEM and room not in SYSTEM[name]:
            problems.append(f"{where}: no sockets below net/")

for folder in ("cli", "examples"):
    for path in sorted((root / folder).rglob("*.[ch]")):
        files += 1
        for number, ours, name in includes(path):
            if ours and not (path.parent / name).exists():
                problems.append(f"{path.relative_to(root)}:{number}: {name}: use public headers")

print("\n".join(problems) or f"{files} files")
sys.exit(bool(problems))
