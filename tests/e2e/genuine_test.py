# SPDX-License-Identifier: MIT
"""A message that dkimpy signs and swaks sends, of a domain in a signed zone that knot serves: what the server
finds is in the stored message, and `mox check` says the same of it."""
import base64
import email
import email.policy
import imaplib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from daemon import PASSWORD, USER, Daemon, any_certificate
from resolver_test import KNOTD, KZONESIGN, STATUS_SKIP, free_port

try:
    import dkim
    from nacl.signing import SigningKey
except ImportError:
    dkim = None

MOX, SWAKS = os.environ["MOX_BIN"], shutil.which("swaks")

ZONE = """
$ORIGIN sender.example.
$TTL 300
@               SOA  ns hostmaster 1 3600 600 86400 60
@               NS   ns
ns              A    127.0.0.1
@               MX   10 ns
@               TXT  "v=spf1 include:_spf.sender.example -all"
_spf            TXT  "v=spf1 ip4:127.0.0.1 -all"
_dmarc          TXT  "v=DMARC1; p=reject"
s1._domainkey   TXT  "v=DKIM1; k=ed25519; p=%s"
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
zone:
  - domain: sender.example
    storage: "{folder}/{zones}"
    file: "sender.zone"
    dnssec-signing: {signing}
    dnssec-policy: quick
"""

MESSAGE = (b"From: Jane <jane@news.sender.example>\r\nTo: mox@localhost\r\nSubject: %s\r\n"
           b"Date: Thu, 26 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@sender.example>\r\n\r\nHello.\r\n")


class Genuine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        seed = bytes(range(32))
        cls.key = base64.b64encode(seed)
        cls.make_zone(base64.b64encode(bytes(SigningKey(seed).verify_key)).decode())
        for _ in range(5):  # somebody else may take the port meanwhile
            cls.port = free_port()
            if cls.start_knot():
                break
        else:
            raise AssertionError("knotd does not start:\n" + (cls.folder / "log").read_text())
        cls.daemon = Daemon("-resolver", f"127.0.0.1:{cls.port}", "-trust-anchor", str(cls.folder / "anchor"))
        cls.enterClassContext(cls.daemon)

    @classmethod
    def make_zone(cls, key):
        (cls.folder / "plain").mkdir()
        (cls.folder / "signed").mkdir()
        (cls.folder / "plain/sender.zone").write_text(ZONE % key)
        config = cls.folder / "sign.conf"
        config.write_text(CONFIG.format(folder=cls.folder, port=1, zones="plain", signing="on"))
        subprocess.run([KZONESIGN, "-c", config, "-o", cls.folder / "signed", "sender.example"], check=True,
                       capture_output=True)
        signed = next((cls.folder / "signed").iterdir())
        text = signed.read_text()
        signed.rename(cls.folder / "signed/sender.zone")
        keys = [line.split() for line in text.splitlines() if line.split()[2:3] == ["DNSKEY"]]
        (cls.folder / "anchor").write_text("".join(f"{k[0]} IN DNSKEY {' '.join(k[3:])}\n" for k in keys))

    @classmethod
    def start_knot(cls):
        config = cls.folder / "knot.conf"
        config.write_text(CONFIG.format(folder=cls.folder, port=cls.port, zones="signed", signing="off"))
        with open(cls.folder / "log", "w") as log:
            knot = subprocess.Popen([KNOTD, "-c", config], stdout=log, stderr=log)
        for _ in range(200):
            if knot.poll() is not None:
                return False
            if "127.0.0.1" in cls.mox("dns", "lookup", "a", "ns.sender.example").stdout.decode():
                cls.addClassCleanup(knot.wait)
                cls.addClassCleanup(knot.terminate)
                return True
            time.sleep(0.05)
        knot.kill()
        return False

    @classmethod
    def mox(cls, *args, **more):
        return subprocess.run([MOX, "-resolver", f"127.0.0.1:{cls.port}", "-trust-anchor", cls.folder / "anchor",
                               *args], capture_output=True, timeout=60, **more)

    def signed(self, subject):
        message = MESSAGE % subject
        return dkim.sign(message, b"s1", b"sender.example", self.key, signature_algorithm=b"ed25519-sha256",
                         include_headers=[b"From", b"Subject"]) + message

    def send(self, message, sender="jane@sender.example", refusal=""):
        path = self.folder / "message"
        path.write_bytes(message)
        done = subprocess.run([SWAKS, "--server", f"127.0.0.1:{self.daemon.port('smtp')}", "--helo", "localhost",
                               "--from", sender, "--to", "mox@localhost", "--data", f"@{path}"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode == 0, not refusal, done.stdout + done.stderr)
        self.assertIn(refusal, done.stdout + done.stderr)

    def stored(self, mailbox="Inbox"):
        with imaplib.IMAP4("127.0.0.1", self.daemon.port("imap")) as c:
            c.starttls(any_certificate())
            c.login(USER, PASSWORD)
            _, (count,) = c.select(mailbox, readonly=True)
            _, data = c.fetch(count.decode(), "(BODY[])")
        return email.message_from_bytes(data[0][1], policy=email.policy.compat32)

    def results(self, mailbox="Inbox"):
        return " ".join(self.stored(mailbox)["Authentication-Results"].split())

    def test_everything_passes_and_dnssec_proves_it(self):
        message = self.signed(b"genuine")
        self.send(message)
        results = self.results()
        for part in ("dkim=pass (with dnssec) header.d=sender.example header.s=s1 header.a=ed25519-sha256",
                     "spf=pass (with dnssec) smtp.mailfrom=sender.example",
                     "dmarc=pass (with dnssec) header.from=news.sender.example"):
            self.assertIn(part, results)
        self.assertIn("mechanism=\"include:_spf.sender.example\"", self.stored()["Received-SPF"])
        done = self.mox("check", "--json", "--ip", "127.0.0.1", "--helo", "localhost", "--mailfrom",
                        "jane@sender.example", "-", input=message)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(" ".join(json.loads(done.stdout)["authentication_results"].split()),
                         "Authentication-Results: " + results)

    def test_what_is_changed_on_its_way_fails(self):
        self.send(self.signed(b"changed").replace(b"Hello.", b"Goodbye."), "<>", refusal="550 5.7.26")
        results = self.results("Rejects")
        self.assertIn("dkim=fail (with dnssec) reason=", results)
        self.assertIn("spf=none", results)
        self.assertIn("dmarc=fail (with dnssec) header.from=news.sender.example", results)


if __name__ == "__main__":
    if KNOTD is None or KZONESIGN is None or SWAKS is None or dkim is None:
        print("knot, swaks or dkimpy is not there")
        sys.exit(STATUS_SKIP)
    unittest.main()
