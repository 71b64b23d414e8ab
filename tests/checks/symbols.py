# SPDX-License-Identifier: MIT
"""Every symbol with linkage starts with mox_ (public) or mox__ (private), in static libraries too; a
shared library exports nothing else; no writable data without a lock or a once-guard in sight."""
import re
import subprocess
import sys

# The once-guard of base/crypto.c is the only writable file-scope state.
WRITABLE = {"once", "init_status"}
SANITIZER = re.compile(r"__(asan|ubsan|tsan|lsan|sanitizer|odr_asan|gcov|llvm)|\.L|^_{1,2}GLOBAL")

problems = []


def symbols(library):
    """(kind, name, section) of each defined symbol."""
    dynamic = ["-D"] if ".so" in library else []
    out = subprocess.run(["nm", "--defined-only", "-f", "sysv"] + dynamic + [library],
                         capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        fields = [f.strip() for f in line.split("|")]
        if len(fields) == 7:
            yield fields[2], fields[0].split("@")[0], fields[6]


for library in sys.argv[1:]:
    for kind, name, section in symbols(library):
        if SANITIZER.match(name) or kind in "aA":
            continue
        if kind.isupper() and not name.startswith("mox_"):
            problems.append(f"{library}: {name} has no prefix: make it static or call it mox__…")
        if re.match(r"\.(data|bss)(?!\.rel\.ro)", section) and name not in WRITABLE:
            problems.append(f"{library}: {name} is writable and file-scope ({section})")

print("\n".join(sorted(set(problems))) or f"{len(sys.argv) - 1} libraries")
sys.exit(bool(problems))
