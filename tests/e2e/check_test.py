# SPDX-License-Identifier: MIT
"""`mox check` of messages of the corpora, with the names that they need in a zone file."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import yaml

MOX = os.environ["MOX_BIN"]
CORPORA = pathlib.Path(os.environ.get("MOX_CORPORA", ""))


def check(*args, stdin=b""):
    return subprocess.run([MOX, "check", *map(str, args)], input=stdin, capture_output=True, timeout=60)


def verdict(*args, **more):
    done = check("--json", *args, **more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@unittest.skipUnless((CORPORA / "dkim").is_dir(), "no corpora")
class Corpus(unittest.TestCase):
    def test_a_valid_signature(self):
        got = verdict(CORPORA / "dkim/mail-auth/006.eml", "--ip", "192.0.2.1", "--zone",
                      CORPORA / "dkim/dns.tsv", "--now", "2012-01-01T00:00:00Z", "--authserv-id", "mx.example")
        self.assertEqual((got["dkim"][0]["result"], got["dkim"][0]["domain"]), ("pass", "github.com"))
        self.assertEqual(got["from"]["validation"], "strict")
        self.assertTrue(got["authentication_results"].startswith("Authentication-Results: mx.example;\r\n"))
        self.assertIn("dkim=pass (1024 bit rsa, without dnssec)", got["authentication_results"])
        name = got["dkim"][0]["selector"] + "._domainkey.github.com"
        self.assertIn({"name": name, "type": "TXT", "status": "found", "secure": False}, got["dns"])

    def test_a_policy_that_rejects(self):
        with tempfile.TemporaryDirectory() as folder:
            zone = pathlib.Path(folder) / "zone"
            zone.write_text("goestheweasel.com\tTXT\tv=spf1 ip4:212.71.247.19 -all\n"
                            "_dmarc.goestheweasel.com\tTXT\tv=DMARC1; p=reject; pct=100;\n")
            got = verdict(CORPORA / "dmarc/authmilter/dmarc_reject.eml", "--ip", "123.123.123.123",
                          "--helo", "bad.name.google.com", "--mailfrom", "test@goestheweasel.com",
                          "--zone", zone)
        self.assertEqual((got["dmarc"]["result"], got["dmarc"]["policy"], got["dmarc"]["disposition"]),
                         ("fail", "reject", "reject"))
        self.assertEqual((got["spf"]["result"], got["spf"]["mechanism"]), ("fail", "-all"))
        self.assertEqual(got["iprev"], {"result": "permerror", "names": [],
                                        "reason": "the address has no name", "secure": False})
        self.assertIn("dmarc=fail", got["authentication_results"])

    def test_a_chain_of_forwarders(self):
        with open(CORPORA / "arc/arc_test_suite/arc-draft-validation-tests.yml", encoding="utf-8") as f:
            suite = next(yaml.load_all(f, Loader=yaml.BaseLoader))
        case = next(c for c in suite["tests"].values() if c["cv"] == "Pass" and "i=2" in c["message"])
        with tempfile.TemporaryDirectory() as folder:
            zone = pathlib.Path(folder) / "zone"
            zone.write_text("".join(f"{name}\tTXT\t{' '.join(text.split())}\n"
                                    for name, text in suite["txt-records"].items()))
            got = verdict("-", "--ip", "192.0.2.1", "--zone", zone, stdin=case["message"].encode())
        self.assertEqual(got["arc"]["result"], "pass")
        self.assertEqual([i["instance"] for i in got["arc"]["instances"]], [1, 2])
        self.assertIn("arc=pass (without dnssec) header.oldest-pass=0", got["authentication_results"])


class Line(unittest.TestCase):
    MESSAGE = b"From: Jane <jane@sender.example>\nSubject: hello\n\nHello.\n"
    ZONE = ("1.2.0.192.in-addr.arpa\tPTR\tmail.sender.example\nmail.sender.example\tA\t192.0.2.1\n"
            "sender.example\tTXT\tv=spf1 ip4:192.0.2.1 exp=why.sender.example -all\n"
            "why.sender.example\tTXT\tnot %{i}\n_dmarc.sender.example\tTXT\tv=DMARC1; p=quarantine\n")

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.zone = pathlib.Path(self.folder.name) / "zone"
        self.zone.write_text(self.ZONE)

    def test_the_whole_object(self):
        got = verdict("-", "--ip", "192.0.2.1", "--helo", "mail.sender.example", "--mailfrom",
                      "jane@sender.example", "--zone", self.zone, stdin=self.MESSAGE)
        self.assertEqual(got["spf"]["result"], "pass")
        self.assertEqual(got["spf"]["mechanism"], "ip4:192.0.2.1")
        self.assertEqual(got["iprev"]["names"], ["mail.sender.example"])
        self.assertEqual(got["dmarc"]["disposition"], "none")
        self.assertEqual(got["dkim"], [])
        self.assertEqual(got["arc"]["result"], "none")
        self.assertEqual(set(got), {"iprev", "spf", "dkim", "dmarc", "arc", "from", "dns",
                                    "authentication_results", "received_spf"})

    def test_the_header_of_a_stored_message_tells_its_client(self):
        own = b"Received: from localhost (localhost [127.0.0.1]) by mx.example with LMTP id 1\n"
        for received, ip, helo in (
                (b"from a.example (b.example [192.0.2.1])\n\tby mx.example ([192.0.2.9]) with ESMTPS", "192.0.2.1", "a.example"),
                (b"from a.example ([IPv6:2001:db8::1]) by mx.example", "2001:db8::1", "a.example"),
                (b"from [192.0.2.1] by mx.example (192.0.2.9)", "192.0.2.1", "[192.0.2.1]"),
                (b"from unknown (HELO a.example) (192.0.2.1) by mx.example", "192.0.2.1", "unknown"),
                (b"from unknown (HELO [192.0.2.8]) (192.0.2.1) by mx.example", "192.0.2.1", "unknown"),
                (b"from [192.0.2.1] (helo=[192.0.2.8]) by mx.example", "192.0.2.1", "[192.0.2.1]"),
                (b"from [192.0.2.8] (b.example [192.0.2.1]) by mx.example", "192.0.2.1", "[192.0.2.8]"),
                (b"from by ([192.0.2.1]) by mx.example", "192.0.2.1", "by"),
                (b"from \x1b[31m (b [192.0.2.1]) by mx.example", "192.0.2.1", ""),
                (b"from localhost (localhost [127.0.0.1]) by mx.example", "127.0.0.1", "localhost")):
            data = (b"Return-Path: <jane@sender.example>\n" + own + b"Received: " + received + b"\n"
                    b"Received: from forged (forged [127.0.0.2]) by sender.example\n" + self.MESSAGE)
            done = check("-", "--zone", self.zone, stdin=data)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stderr.decode(), f'mox: as its header says: -ip {ip} -helo "{helo}" -mailfrom '
                                                   '"jane@sender.example"\n')
            self.assertIn(b"spf    pass" if ip == "192.0.2.1" else b"spf    fail", done.stdout)
        got = check("-", "--zone", self.zone, "-mailfrom", "", "-helo", "x", stdin=data)
        self.assertIn(b'-helo "x" -mailfrom ""', got.stderr)
        got = check("-", "--zone", self.zone, stdin=data.replace(b"jane@sender.example>\n", b"MAILER-DAEMON>\n", 1))
        self.assertIn(b'-mailfrom ""', got.stderr)
        got = check("-", "--zone", self.zone, stdin=data.replace(b"Return-Path: <jane@sender.example>\n", b"", 1)
                    .replace(b"\nFrom:", b"\nReturn-Path: <forged@sender.example>\nFrom:", 1))
        self.assertIn(b'-mailfrom ""', got.stderr)
        for nothing in b"", b"Received: by mx.example with SMTP id 192.0.2.1\n", b"Received: from a (b) by c [192.0.2.1]\n":
            done = check("-", "--zone", self.zone, stdin=nothing + self.MESSAGE)
            self.assertEqual((done.returncode, done.stdout), (2, b""))
            self.assertIn(b"no Received field", done.stderr)
        self.assertEqual(check("/nowhere/at/all").returncode, 1)

    def test_the_explanation(self):
        got = verdict("-", "--ip", "192.0.2.9", "--mailfrom", "<jane@sender.example>", "--zone", self.zone,
                      stdin=self.MESSAGE)
        self.assertEqual((got["spf"]["result"], got["spf"]["explanation"]), ("fail", "not 192.0.2.9"))
        self.assertEqual(got["dmarc"]["disposition"], "quarantine")

    def test_text_for_people(self):
        done = check("-", "--ip", "192.0.2.1", "--mailfrom", "jane@sender.example", "--zone", self.zone,
                     stdin=self.MESSAGE + b"\x1b[31m\n")
        self.assertEqual(done.returncode, 0)
        text = done.stdout.decode("ascii")
        self.assertIn("spf    pass      sender.example by ip4:192.0.2.1\n", text)
        self.assertIn("from   strict    sender.example\n", text)
        self.assertIn("dns    found     PTR 1.2.0.192.in-addr.arpa\n", text)
        self.assertIn("Received-SPF: pass", text)
        self.assertNotIn("\r", text)

    def test_wrong_command_lines(self):
        for args in (["-"], ["-", "--ip", "nobody"], ["-", "--ip", "192.0.2.1", "--mailfrom", "x"],
                     ["-", "--ip", "192.0.2.1", "--now", "tomorrow"], ["--ip", "192.0.2.1"]):
            done = check(*args, "--zone", self.zone, stdin=self.MESSAGE)
            self.assertEqual((done.returncode, done.stdout), (2, b""), args)
        self.zone.write_text("a\tNOTYPE\tb\n")
        self.assertEqual(check("-", "--ip", "192.0.2.1", "--zone", self.zone).returncode, 1)


if __name__ == "__main__":
    unittest.main()
