# SPDX-License-Identifier: MIT
"""What domains publish about mail, and lists of addresses: mox dmarc, mtasts, tlsrpt, dnsbl over a zone file."""
import json
import os
import subprocess
import tempfile
import unittest

MOX = os.environ["MOX"]

ZONE = """_dmarc.a.example\tTXT\tv=DMARC1; p=reject; sp=none; pct=30; rua=mailto:d@a.example!1m,mailto:d@b.example;\
 ruf=mailto:f@c.example,https://a.example/
a.example._report._dmarc.b.example\tTXT\tv=DMARC1
_dmarc.own.example\tTXT\tv=DMARC1; p=none; rua=mailto:d@reports.own.example
_dmarc.bad.example\tTXT\tv=DMARC1; p=what
_dmarc.slow.example\tTXT\t!TIMEOUT
_mta-sts.a.example\tTXT\tv=STSv1; id=2026
_smtp._tls.a.example\tTXT\tv=TLSRPTv1; rua=mailto:t@a.example,https://a.example/tls
2.0.0.127.bl.example\tA\t127.0.0.2
9.2.0.192.bl.example\tA\t127.0.0.4
9.2.0.192.bl.example\tTXT\tlisted \x1b[31m
"""


class Policies(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="mox-policies.")
        self.zone = self.file("zone.tsv", ZONE)

    def tearDown(self):
        self.folder.cleanup()

    def file(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="ascii", newline="") as f:
            f.write(text)
        return path

    def mox(self, *args, code=0, **more):
        done = subprocess.run([MOX, args[0], args[1], "--zone", self.zone, *args[2:]],
                              capture_output=True, text=True, timeout=60, **more)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 or done.stdout else done.stderr

    def test_dmarc_policies_are_shown(self):
        out = self.mox("dmarc", "lookup", "mail.A.example")
        for line in ("_dmarc.a.example, of the organization", "reject, for 30 percent",
                     "mailto:d@a.example, up to 1048576 bytes", "mailto:f@c.example"):
            self.assertIn(line, out)
        self.assertIn("permerror", self.mox("dmarc", "lookup", "bad.example", code=1))
        self.assertIn("temperror", self.mox("dmarc", "lookup", "slow.example", code=1))
        self.assertIn("has no DMARC record", self.mox("dmarc", "lookup", "none.example", code=1))
        self.assertIn("is no domain", self.mox("dmarc", "lookup", "a..example", code=2))

    def test_others_must_want_reports(self):
        out = self.mox("dmarc", "checkreportaddrs", "a.example", code=1)
        answers = [line.split() for line in out.splitlines() if "=mailto" in line or "=https" in line]
        self.assertEqual([(a[0], a[1]) for a in answers],
                         [("accepts", "rua=mailto:d@a.example"),
                          ("accepts", "rua=mailto:d@b.example"),
                          ("refuses", "ruf=mailto:f@c.example"),
                          ("unusable", "ruf=https://a.example/")])
        self.assertIn("at a.example._report._dmarc.c.example", out)
        self.assertIn("accepts", self.mox("dmarc", "checkreportaddrs", "own.example"))

    def test_mta_sts_records_and_policies_are_shown(self):
        good = "version: STSv1\nmode: enforce\nmx: *.a.example\nmax_age: 86400\n"
        self.assertIn("2026", self.mox("mtasts", "lookup", "a.example"))
        out = self.mox("mtasts", "lookup", "--policy", self.file("good", good), "a.example")
        for part in ("2026", "enforce", "86400 seconds", "*.a.example"):
            self.assertIn(part, out)
        self.assertIn("enforce", self.mox("mtasts", "lookup", "--policy", "-", "a.example", input=good))
        bad = self.file("bad", good.replace("enforce", "force"))
        self.mox("mtasts", "lookup", "--policy", bad, "a.example", code=1)
        long = self.file("long", good + "\n" * 65536)
        self.mox("mtasts", "lookup", "--policy", long, "a.example", code=1)
        self.mox("mtasts", "lookup", "--policy", self.zone + ".not", "a.example", code=1)
        self.assertIn("no MTA-STS record", self.mox("mtasts", "lookup", "b.example", code=1))

    def test_addresses_for_tls_reports_are_shown(self):
        out = self.mox("tlsrpt", "lookup", "a.example")
        self.assertIn("mailto:t@a.example", out)
        self.assertIn("https://a.example/tls", out)
        self.assertIn("has no record", self.mox("tlsrpt", "lookup", "b.example", code=1))

    def test_lists_are_asked(self):
        self.assertEqual(self.mox("dnsbl", "check", "bl.example", "192.0.2.9"),
                         "fail\t127.0.0.4\tlisted ?[31m\n")
        self.assertEqual(self.mox("dnsbl", "check", "bl.example", "192.0.2.1"), "pass\n")
        self.mox("dnsbl", "check", "bl.example", "somebody", code=2)
        self.assertEqual(self.mox("dnsbl", "checkhealth", "bl.example"), "healthy\n")
        self.assertIn("not healthy", self.mox("dnsbl", "checkhealth", "other.example", code=1))

    def test_messages_are_judged_by_dmarc(self):
        mail = self.file("mail.eml", "From: me@mail.a.example\nSubject: hello\n\nHello.\n")
        args = ("--ip", "192.0.2.1", "--helo", "x.example", "--mailfrom", "me@x.example")
        out = self.mox("dmarc", "verify", *args, mail)
        self.assertRegex(out, r"(?m)^dmarc +fail +mail.a.example")
        self.assertRegex(out, r"(?m)^dns +found +TXT _dmarc.a.example")
        got = json.loads(self.mox("dmarc", "verify", *args, "--json", mail))
        self.assertEqual(sorted(got), ["dkim", "dmarc", "dns", "spf"])
        self.assertEqual([got["dmarc"][k] for k in ("result", "domain", "record_domain", "policy")],
                         ["fail", "mail.a.example", "a.example", "none"])
        self.mox("dmarc", "verify", mail, code=2)


if __name__ == "__main__":
    unittest.main()
