# SPDX-License-Identifier: MIT
"""ARC against dkimpy: a message passes through servers that seal with one or the other, and both judge it
alike at every step."""
import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.append("/usr/lib/python3/dist-packages")  # Debian's, whatever python3 runs this
import dkim  # noqa: E402

MOX = os.environ["MOX"]
TIME = "1700000000"
MESSAGES = {
    "plain": b"From: a@example.org\r\nTo: b@example.com\r\nSubject: hello\r\n\r\nA message.\r\n",
    "folded": b"From: \"A\r\n\tB\" <a@example.org>\r\nSubject:  two  \r\n  lines\t\r\n"
              b"DKIM-Signature: v=1; a=rsa-sha256\r\nX: \xc3\xbc\r\n\r\n a \t b \r\n\r\n \r\n\r\n",
    "empty": b"From: a@example.org\r\nSubject:\r\n\r\n",
    "no line end": b"From: a@example.org\r\nDate: x\r\n\r\nno line end",
}


class Arc(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.key = pathlib.Path(cls.folder.name) / "key.pem"
        cls.zone = pathlib.Path(cls.folder.name) / "zone"
        subprocess.run(["openssl", "genrsa", "-out", cls.key, "2048"], check=True, capture_output=True)
        public = subprocess.run(["openssl", "rsa", "-in", cls.key, "-pubout", "-outform", "DER"],
                                check=True, capture_output=True).stdout
        cls.record = "v=DKIM1; k=rsa; p=" + base64.b64encode(public).decode()
        cls.zone.write_text(f"s._domainkey.example.org\tTXT\t{cls.record}\n")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def names(self, name, timeout=5):
        return self.record.encode() if name == b"s._domainkey.example.org." else None

    def mox(self, message, *args):
        return subprocess.run([MOX, "arc", *args, "--zone", self.zone, "-"], input=message, check=True,
                              timeout=60, stdout=subprocess.PIPE).stdout

    def our_seal(self, message):
        return self.mox(message, "seal", "--key", self.key, "--domain", "example.org", "--selector", "s",
                        "--now", TIME, "--message", "--results",
                        "spf=pass smtp.mailfrom=example.org; dkim=none reason=\"a  b\"")

    def their_seal(self, message):
        chain = b"pass" if b"\r\nARC-Seal:" in b"\r\n" + message else b"none"
        field = (b"Authentication-Results: example.org; arc=" + chain
                 + b"; spf=pass smtp.mailfrom=example.org\r\n")
        fields = dkim.arc_sign(field + message, b"s", b"example.org", self.key.read_bytes(),
                               b"example.org", timestamp=TIME)
        self.assertTrue(fields)
        return b"".join(fields) + message

    def assert_judged(self, message, status, count):
        ours = json.loads(self.mox(message, "verify", "--json"))["arc"]
        theirs = dkim.arc_verify(message, dnsfunc=self.names)
        self.assertEqual((ours["result"], len(ours["instances"])), (status, count), ours)
        self.assertEqual(theirs[0].decode(), status, theirs[2])

    def test_a_chain_of_both_passes_for_both(self):
        for name, message in MESSAGES.items():
            for seals in ("oo", "tt", "otot", "toto"):
                with self.subTest(message=name, seals=seals):
                    sealed = message
                    for n, by in enumerate(seals, 1):
                        sealed = (self.our_seal if by == "o" else self.their_seal)(sealed)
                        self.assert_judged(sealed, "pass", n)

    def test_a_change_breaks_it_for_both(self):
        for by in (self.our_seal, self.their_seal):
            sealed = by(self.our_seal(self.their_seal(MESSAGES["plain"])))
            self.assert_judged(sealed, "pass", 3)
            for old, new in ((b"A message", b"B message"), (b"hello", b"Hello"),
                             (b"spf=pass", b"spf=fail")):
                self.assert_judged(sealed.replace(old, new), "fail", 3)

    def test_a_fold_does_not(self):
        sealed = self.their_seal(self.our_seal(MESSAGES["plain"]))
        self.assert_judged(sealed.replace(b"spf=pass smtp", b"spf=pass\r\n\t  smtp"), "pass", 2)
        self.assert_judged(sealed.replace(b"A message.", b"A \t message. "), "pass", 2)

    def test_the_lines_for_people(self):
        sealed = self.our_seal(MESSAGES["plain"])
        self.assertEqual(self.mox(sealed, "verify").decode(),
                         "pass\tsets=1 dnssec=no\n"
                         "\t1: domain=example.org selector=s\n"
                         "\t\texample.org; spf=pass smtp.mailfrom=example.org; dkim=none reason=\"a b\"\n")
        self.assertEqual(self.mox(MESSAGES["plain"], "verify").decode(), "none\tsets=0 dnssec=no\n")
        self.assertIn("fail\tsets=1 oldest-pass=2 dnssec=no: ARC-Message-Signature of set 1: the header",
                      self.mox(sealed.replace(b"hello", b"x"), "verify").decode())


if __name__ == "__main__":
    unittest.main()
