# SPDX-License-Identifier: MIT
"""Names of a signed zone that knot serves on loopback: secure, insecure and bogus answers are told apart."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

PATH = os.environ.get("PATH", "") + ":/usr/sbin"
KNOTD, KZONESIGN = shutil.which("knotd", path=PATH), shutil.which("kzonesign", path=PATH)
MOX = os.environ["MOX"]
STATUS_SKIP = 77

SIGNED = """
$ORIGIN signed.example.
$TTL 300
@       SOA  ns hostmaster 1 3600 600 86400 60
@       NS   ns
@       TXT  "v=spf1 -all"
ns      A    127.0.0.1
www     A    192.0.2.1
alias   CNAME www
changed A    192.0.2.2
plain   NS   ns.plain
ns.plain A   127.0.0.1
"""

PLAIN = """
$ORIGIN plain.signed.example.
$TTL 300
@       SOA  ns hostmaster 1 3600 600 86400 60
@       NS   ns
ns      A    127.0.0.1
www     A    192.0.2.3
"""

SIGN = """
database:
    storage: "{folder}"
policy:
  - id: quick
    algorithm: ecdsap256sha256
zone:
  - domain: signed.example
    storage: "{folder}"
    file: "signed.zone"
    dnssec-signing: on
    dnssec-policy: quick
"""

SERVE = """
server:
    rundir: "{folder}"
    listen: 127.0.0.1@{port}
database:
    storage: "{folder}/served"
zone:
  - domain: signed.example
    file: "{folder}/out/signed.zone"
  - domain: plain.signed.example
    file: "{folder}/plain.zone"
"""


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


class Resolver(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.sign()
        for _ in range(5):  # somebody else may take the port meanwhile
            cls.port = free_port()
            if cls.start():
                return
        raise AssertionError("knotd does not start:\n" + (cls.folder / "log").read_text())

    @classmethod
    def sign(cls):
        folder = cls.folder
        (folder / "signed.zone").write_text(SIGNED)
        (folder / "plain.zone").write_text(PLAIN)
        (folder / "sign.conf").write_text(SIGN.format(folder=folder))
        (folder / "out").mkdir()
        subprocess.run([KZONESIGN, "-c", folder / "sign.conf", "-o", folder / "out", "signed.example"],
                       check=True, capture_output=True)
        out = next((folder / "out").iterdir())
        zone = out.read_text()
        keys = [line for line in zone.splitlines() if line.split()[2:3] == ["DNSKEY"]]
        (folder / "anchor").write_text("".join(
            "%s IN DNSKEY %s\n" % (k.split()[0], " ".join(k.split()[3:])) for k in keys))
        (folder / "out/signed.zone").write_text(zone.replace("192.0.2.2", "192.0.2.66"))

    @classmethod
    def start(cls):
        config = cls.folder / "knot.conf"
        config.write_text(SERVE.format(folder=cls.folder, port=cls.port))
        with open(cls.folder / "log", "w") as log:
            cls.knot = subprocess.Popen([KNOTD, "-c", config], stdout=log, stderr=log)
        for _ in range(100):
            if cls.knot.poll() is not None:
                return False
            if "192.0.2.1" in cls.run_mox("a", "www.signed.example").stdout:
                return True
            time.sleep(0.1)
        cls.knot.kill()
        return False

    @classmethod
    def tearDownClass(cls):
        cls.knot.terminate()
        cls.knot.wait()
        cls.temporary.cleanup()

    @classmethod
    def run_mox(cls, type, name, *more):
        return subprocess.run([MOX, "-resolver", f"127.0.0.1:{cls.port}", "-trust-anchor",
                               cls.folder / "anchor", "dns", "lookup", *more, type, name],
                              capture_output=True, text=True, timeout=60)

    def look_up(self, type, name):
        run = self.run_mox(type, name, "-json")
        answer = json.loads(run.stdout)
        self.assertEqual(run.returncode, 0 if answer["status"] == "found" else 1)
        return answer

    def expect(self, type, name, status, security, records=()):
        answer = self.look_up(type, name)
        self.assertEqual((answer["status"], answer["secure"], answer["records"]),
                         (status, security == "secure", list(records)), answer["reason"])
        self.assertIn(f"{status}, {security}", self.run_mox(type, name).stdout)

    def test_what_is_signed_is_secure(self):
        self.expect("a", "www.signed.example", "found", "secure", ["192.0.2.1"])
        self.expect("txt", "signed.example", "found", "secure", ["v=spf1 -all"])
        self.expect("a", "alias.signed.example", "found", "secure", ["192.0.2.1"])

    def test_that_there_is_nothing_is_secure(self):
        self.expect("a", "absent.signed.example", "nxdomain", "secure")
        self.expect("mx", "www.signed.example", "nodata", "secure")

    def test_a_zone_that_its_parent_names_without_a_key_is_insecure(self):
        self.expect("a", "www.plain.signed.example", "found", "insecure", ["192.0.2.3"])

    def test_what_was_changed_after_signing_is_bogus(self):
        self.expect("a", "changed.signed.example", "bogus", "bogus")
        self.assertIn("changed.signed.example", self.look_up("a", "changed.signed.example")["reason"])


if __name__ == "__main__":
    if KNOTD is None or KZONESIGN is None:
        print("knot is not installed: apt-get install knot knot-dnssecutils")
        sys.exit(STATUS_SKIP)
    unittest.main()
