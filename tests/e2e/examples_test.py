# SPDX-License-Identifier: MIT
"""The examples that check messages: of a file as editors write it, signed by mox dkim sign."""
import os
import pathlib
import subprocess
import tempfile
import unittest

MOX, VERIFY, CHECK = os.environ["MOX"], os.environ["DKIM_VERIFY"], os.environ["CHECK_MESSAGE"]
MAIL = "From: Me <me@a.example>\nTo: you@b.example\nSubject: Hello\n\nHello,\nyou.\n"


def run(*args):
    return subprocess.run(args, capture_output=True, text=True, timeout=60)


class Examples(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="mox-examples.")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        key, plain, self.mail = (self.folder / name for name in ("key.pem", "plain.eml", "mail.eml"))
        plain.write_text(MAIL)
        made = run(MOX, "dkim", "gened25519", "-out", key)
        self.assertEqual(made.returncode, 0, made.stderr)
        record = run(MOX, "dkim", "txt", "-raw", key).stdout.strip()
        signed = run(MOX, "dkim", "sign", "-domain", "a.example", "-selector", "s", "-key", key,
                     "-message", plain)
        self.assertEqual(signed.returncode, 0, signed.stderr)
        self.mail.write_bytes(signed.stdout.encode().replace(b"\r\n", b"\n"))
        self.zone = self.folder / "zone.tsv"
        self.zone.write_text(f"s._domainkey.a.example\tTXT\t{record}\n"
                             "a.example\tTXT\tv=spf1 ip4:192.0.2.0/24 -all\n"
                             "_dmarc.a.example\tTXT\tv=DMARC1; p=reject\n")

    def test_a_signature_is_verified(self):
        self.assertEqual(run(VERIFY, self.zone, self.mail).stdout,
                         "pass: ed25519-sha256 of a.example\n")
        self.mail.write_text(self.mail.read_text().replace("you.", "them."))
        self.assertEqual(run(VERIFY, self.zone, self.mail).stdout,
                         "fail: ed25519-sha256 of a.example: the body was changed\n")
        self.assertNotEqual(run(VERIFY, self.zone, self.folder / "absent").returncode, 0)

    def test_a_message_is_checked(self):
        said = run(CHECK, self.zone, self.mail, "192.0.2.1", "mx.a.example", "me@a.example").stdout
        for word in "dkim=pass", "spf=pass", "dmarc=pass", "from a.example: dmarc pass, asks for none":
            self.assertIn(word, said)
        (self.folder / "plain").write_text(MAIL)
        said = run(CHECK, self.zone, self.folder / "plain", "203.0.113.1", "x", "me@c.example").stdout
        self.assertIn("from a.example: dmarc fail, asks for reject", said)


if __name__ == "__main__":
    unittest.main()
