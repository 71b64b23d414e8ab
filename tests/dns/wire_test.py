# SPDX-License-Identifier: MIT
"""What a server of names that nobody here wrote answers over UDP and TCP is read as its zone says."""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

KNOTD = shutil.which("knotd") or shutil.which("knotd", path="/usr/sbin")
ASK = os.environ["DNS_ASK"]

ZONE = r"""
$ORIGIN wire.example.
$TTL 300
@            SOA   ns hostmaster 1 3600 600 86400 60
@            NS    ns
@            MX    10 mx.wire.example.
@            MX    20 Backup.Other.example.
@            TXT   "v=spf1 " "ip4:192.0.2.0/24 -all"
@            TXT   "another"
ns           A     192.0.2.1
mx           A     192.0.2.2
mx           AAAA  2001:db8::2
null         MX    0 .
www          CNAME mx
far          CNAME www
out          CNAME host.other.example.
x.y          A     192.0.2.3
_imaps._tcp  SRV   0 1 993 mx
_25._tcp.mx  TLSA  3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
1.2          PTR   host.wire.example.
dot          PTR   a\.b.wire.example.
dot          PTR   good.wire.example.
large        TXT   LARGE
below        NS    ns.below
ns.below     A     192.0.2.9
"""

CONFIG = """
server:
    rundir: "{folder}"
    listen: 127.0.0.1@{port}
database:
    storage: "{folder}"
policy:
  - id: quick
    algorithm: ecdsap256sha256
template:
  - id: default
    storage: "{folder}"
    file: "%s.zone"
    dnssec-signing: on
    dnssec-policy: quick
zone:
  - domain: wire.example
"""

STATUS_SKIP = 77


def free_port():
    """Free for TCP and UDP."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return tcp.getsockname()[1]


class Knot:
    def __init__(self, folder):
        large = " ".join('"%s"' % (c * 250) for c in "abcdefgh")
        with open(os.path.join(folder, "wire.example.zone"), "w") as f:
            f.write(ZONE.replace("LARGE", large))
        for _ in range(5):  # somebody else may take the port meanwhile
            self.port = free_port()
            if self.start(folder):
                return
        raise AssertionError("knotd does not start:\n" + self.log)

    def start(self, folder):
        config = os.path.join(folder, "knot.conf")
        with open(config, "w") as f:
            f.write(CONFIG.format(folder=folder, port=self.port))
        with open(os.path.join(folder, "log"), "w") as log:
            self.process = subprocess.Popen([KNOTD, "-c", config], stdout=log, stderr=log)
        for _ in range(600):
            if self.process.poll() is not None:
                break
            if self.answers():
                return True
            time.sleep(0.05)
        self.stop()
        with open(os.path.join(folder, "log")) as log:
            self.log = log.read()
        return False

    def answers(self):
        run = subprocess.run([ASK, str(self.port), "A", "mx.wire.example"], capture_output=True)
        return run.stdout.startswith(b"found")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()


def ask(knot, type, name, *more):
    """What the program prints, with the records sorted."""
    run = subprocess.run([ASK, str(knot.port), type, name, *more], capture_output=True, text=True)
    if run.returncode != 0:
        raise AssertionError("%s %s: %s" % (type, name, run.stderr))
    lines = run.stdout.split("\n")[:-1]
    skip = 1 if lines[0] == "cut" else 0
    return lines[:skip + 1] + sorted(lines[skip + 1:])


class Wire(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.knot = Knot(cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.knot.stop()
        cls.folder.cleanup()

    def expect(self, type, name, *lines):
        for dnssec in [], ["dnssec"]:
            self.assertEqual(ask(self.knot, type, name, *dnssec), list(lines))

    def test_records_of_every_type(self):
        self.expect("A", "MX.wire.example", "found", "192.0.2.2")
        self.expect("AAAA", "mx.wire.example.", "found", "2001:db8::2")
        self.expect("MX", "wire.example", "found", "10 mx.wire.example", "20 backup.other.example")
        self.expect("MX", "null.wire.example", "found", "0 ")
        self.expect("NS", "wire.example", "found", "ns.wire.example")
        self.expect("TXT", "wire.example", "found", "another", "v=spf1 ip4:192.0.2.0/24 -all")
        self.expect("SRV", "_imaps._tcp.wire.example", "found", "0 1 993 mx.wire.example")
        self.expect("TLSA", "_25._tcp.mx.wire.example", "found",
                    "3 1 1 " + "00112233445566778899aabbccddeeff" * 2)
        self.expect("PTR", "1.2.wire.example", "found", "host.wire.example")

    def test_names_with_dots_in_labels_are_left_out(self):
        self.expect("PTR", "dot.wire.example", "found", "good.wire.example")

    def test_aliases(self):
        self.expect("A", "far.wire.example", "found", "192.0.2.2")
        self.expect("CNAME", "far.wire.example", "found", "www.wire.example")
        self.expect("TXT", "far.wire.example", "nodata")

    def test_nothing(self):
        self.expect("A", "y.wire.example", "nodata")
        self.expect("TXT", "mx.wire.example", "nodata")
        self.expect("A", "absent.wire.example", "nxdomain")

    def test_failures(self):
        refused = "the server refused (REFUSED)"
        self.expect("A", "elsewhere.example", "servfail", refused)
        self.expect("A", "host.below.wire.example", "servfail", "the server only names others to ask")

    def test_what_is_cut_comes_over_tcp(self):
        text = "".join(c * 250 for c in "abcdefgh")
        self.expect("TXT", "large.wire.example", "cut", "found", text)


if __name__ == "__main__":
    if KNOTD is None:
        print("knotd is not installed: apt-get install knot")
        sys.exit(STATUS_SKIP)
    unittest.main()
