# SPDX-License-Identifier: MIT
"""`mox dkim` beside dkimpy and opendkim: what we sign they verify, what they sign we verify."""
import base64
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

import milter

try:
    import dkim
except ImportError:
    dkim = None

MOX = os.environ["MOX_BIN"]
CORPUS = pathlib.Path(os.environ["MOX_CORPORA"]) / "mime"
OPENDKIM = shutil.which("opendkim", path="/usr/sbin:/usr/bin:" + os.environ["PATH"])

DOMAIN = "signer.example"
KEYS = ["rsa", "ed"]
FORMS = [f"{h}/{b}" for h, b in itertools.product(["simple", "relaxed"], repeat=2)]
# Of the corpus; all of it takes minutes.
MESSAGES_MAX = 60

MAIL = (b"From: Joe  SixPack <joe@signer.example>\r\n"
        b"To: Suzie Q <suzie@shopping.example.net>,\r\n\t other@example.net\r\n"
        b"Subject:   Is dinner ready? \r\n"
        b"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
        b"Message-ID: <20030712040037.46341@signer.example>\r\n"
        b"X-Empty:\r\n"
        b"\r\n"
        b"Hi. \t \r\n\r\n  We lost the  game.\tAre you hungry yet?\r\n\r\nJoe.\r\n\r\n\r\n")
# opendkim's test mode takes spaces off the ends of header lines; with one space behind each colon none
# is lost.
PLAIN = MAIL.replace(b":  ", b": ").replace(b":  ", b": ").replace(b"? \r", b"?\r")
BODIES = [b"", b"\r\n", b"\r\n\r\n\r\n", b"no line end", b" \t\r\n \r\n", b"x \r\n\r\n"]


def run(*args, stdin=None):
    p = subprocess.run(args, input=stdin, capture_output=True, timeout=60)
    assert p.returncode == 0, (args, p.returncode, p.stdout, p.stderr)
    return p.stdout


def corpus_messages():
    """Some that both sides read alike: one From, no bare CR, no NUL, lines that a mail may have."""
    found = []
    for path in sorted(CORPUS.rglob("*")) if CORPUS.is_dir() else []:
        if not path.is_file() or path.stat().st_size > 200000:
            continue
        text = path.read_bytes().replace(b"\r\n", b"\n")
        head = text.split(b"\n\n", 1)[0]
        fields = [line.split(b":", 1)[0] for line in head.split(b"\n") if line[:1] not in b" \t"]
        if b"\r" in text or b"\0" in text or b"\n\n" not in text or not head.isascii():
            continue
        if [f.lower() for f in fields].count(b"from") != 1 or not all(
                f and b" " not in f for f in fields) or head.count(b":") < len(fields):
            continue
        if any(line.strip() == b"" or line[:1] in b" \t" and i == 0
               for i, line in enumerate(head.split(b"\n"))):
            continue
        found.append((path, text.replace(b"\n", b"\r\n")))
    step = max(1, len(found) // MESSAGES_MAX)
    return found[::step]


class DkimTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        d = cls.path = pathlib.Path(cls.dir.name)
        run(MOX, "dkim", "gened25519", "--out", d / "ed.pem")
        run(MOX, "dkim", "genrsa", "--out", d / "rsa.pem")
        cls.records = {k: run(MOX, "dkim", "txt", "--raw", d / f"{k}.pem").decode().strip()
                       for k in KEYS}
        (d / "zone.tsv").write_text("".join(
            f"{k}._domainkey.{DOMAIN}\tTXT\t{r}\n" for k, r in cls.records.items()))
        (d / "keys").write_text("".join(
            f"{k}._domainkey.{DOMAIN} {r}\n" for k, r in cls.records.items()))
        (d / "opendkim.conf").write_text(f"Mode v\nSyslog no\nTestDNSData {d}/keys\n")

    @classmethod
    def tearDownClass(cls):
        cls.dir.cleanup()

    def dns(self, name, timeout=5):
        name = name.decode() if isinstance(name, bytes) else name
        return self.records[name.split(".")[0]].encode()

    def sign(self, message, key, form="relaxed/relaxed", *flags):
        return run(MOX, "dkim", "sign", "--domain", DOMAIN, "--selector", key, "--key",
                   self.path / f"{key}.pem", "--canon", form, "--message", *flags, "-",
                   stdin=message)

    def verdicts(self, message):
        out = run(MOX, "dkim", "verify", "--json", "--zone", self.path / "zone.tsv", "-",
                  stdin=message)
        return [s["result"] for s in json.loads(out)["dkim"]]

    def assert_opendkim_verifies(self, messages):
        paths = []
        for i, message in enumerate(messages):
            paths.append(self.path / f"signed{i}.eml")
            paths[-1].write_bytes(message)
        p = subprocess.run([OPENDKIM, "-x", self.path / "opendkim.conf", "-t",
                            ",".join(map(str, paths))], capture_output=True, timeout=120, text=True)
        said = (p.stdout + p.stderr).splitlines()
        self.assertEqual(len(said), len(messages), said)
        # Of some unusual ones its test mode says that they have no signature; most it must judge.
        judged = [line for line in said if "message not signed" not in line]
        self.assertGreater(len(judged), len(said) * 2 // 3, said)
        for line in judged:
            self.assertRegex(line, "verification .* succeeded")
        return len(judged)

    def opendkim_sign(self, message, form):
        path, conf = self.path / "milter", self.path / "sign.conf"
        conf.write_text(f"Mode s\nSyslog no\nDomain {DOMAIN}\nSelector rsa\nCanonicalization {form}\n"
                        f"KeyFile {self.path}/rsa.pem\nRequireSafeKeys no\nSocket local:{path}\n"
                        "SignatureAlgorithm rsa-sha256\nInternalHosts 127.0.0.1\n")
        server = subprocess.Popen([OPENDKIM, "-f", "-x", conf])
        try:
            while not path.exists():
                self.assertIsNone(server.poll())
                time.sleep(0.02)
            asked = milter.Milter(str(path))
            fields = asked.added(b"joe@" + DOMAIN.encode(), message)
            asked.close()
        finally:
            server.kill()  # it takes seconds to end by itself
            server.wait()
            path.unlink(missing_ok=True)
        self.assertIn(b"DKIM-Signature", fields)
        return fields + message

    def variants(self):
        for key, form, flags in itertools.product(KEYS, FORMS, [(), ("--no-seal",)]):
            yield key, form, flags
            yield key, form, (*flags, "--identity", "joe@mail." + DOMAIN, "--expires", "24")

    def test_we_verify_what_we_sign(self):
        for key, form, flags in self.variants():
            for body in [b"", *BODIES]:
                text = MAIL if body == b"" else MAIL.split(b"\r\n\r\n", 1)[0] + b"\r\n\r\n" + body
                with self.subTest(key=key, form=form, flags=flags, body=body):
                    self.assertEqual(self.verdicts(self.sign(text, key, form, *flags)), ["pass"])

    def test_what_is_changed_fails(self):
        signed = self.sign(MAIL, "rsa")
        for old, new in [(b"dinner", b"supper"), (b"hungry", b"angry"), (b"From: Joe", b"From: Jim")]:
            self.assertEqual(self.verdicts(signed.replace(old, new)), ["fail"])
        self.assertEqual(self.verdicts(b"Subject: another\r\n" + signed), ["fail"])

    def test_a_record_is_in_strings_that_a_zone_file_may_have(self):
        text = run(MOX, "dkim", "txt", "--hash", "sha256", self.path / "rsa.pem").decode()
        strings = text.split('"')[1::2]
        self.assertEqual("".join(strings),
                         self.records["rsa"].replace("v=DKIM1;", "v=DKIM1;h=sha256;"))
        self.assertTrue(all(len(s) <= 255 for s in strings) and len(strings) > 1)

    def test_a_key_is_not_overwritten(self):
        key = self.path / "ed.pem"
        before = key.read_bytes()
        p = subprocess.run([MOX, "dkim", "gened25519", "--out", key], capture_output=True)
        self.assertEqual(p.returncode, 1)
        self.assertEqual(key.read_bytes(), before)
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)

    def test_now_is_what_is_said(self):
        signed = self.sign(MAIL, "ed", "relaxed/relaxed", "--now", "2024-05-01T14:00:00+02:00",
                           "--expires", "1")
        self.assertIn(b"t=1714564800; x=1714568400;", signed)
        for now, result in [("1714568400", "pass"), ("2024-05-01T13:00:01Z", "permerror")]:
            out = run(MOX, "dkim", "verify", "--json", "--now", now, "--zone",
                      self.path / "zone.tsv", "-", stdin=signed)
            self.assertEqual(json.loads(out)["dkim"][0]["result"], result)

    def test_a_record_is_looked_up(self):
        out = run(MOX, "dkim", "lookup", "--zone", self.path / "zone.tsv", "ed", DOMAIN).decode()
        self.assertIn(self.records["ed"], out)
        p = subprocess.run([MOX, "dkim", "lookup", "--zone", self.path / "zone.tsv", "no", DOMAIN],
                           capture_output=True, text=True)
        self.assertEqual(p.returncode, 1)
        self.assertIn("nxdomain", p.stderr)

    @unittest.skipUnless(dkim, "no dkimpy")
    def test_dkimpy_verifies_what_we_sign(self):
        for key, form, flags in self.variants():
            with self.subTest(key=key, form=form, flags=flags):
                signed = self.sign(MAIL, key, form, *flags)
                self.assertTrue(dkim.verify(signed, dnsfunc=self.dns), signed)
        self.assertFalse(dkim.verify(signed.replace(b"dinner", b"supper"), dnsfunc=self.dns))

    @unittest.skipUnless(OPENDKIM, "no opendkim")
    def test_opendkim_verifies_what_we_sign(self):
        # This version knows RSA only.
        self.assert_opendkim_verifies([self.sign(PLAIN, key, form, *flags)
                                       for key, form, flags in self.variants() if key == "rsa"])

    @unittest.skipUnless(dkim, "no dkimpy")
    def test_we_verify_what_dkimpy_signs(self):
        pem = (self.path / "ed.pem").read_bytes().split(b"-----")[2]
        secret = {"rsa": (self.path / "rsa.pem").read_bytes(),
                  "ed": base64.b64encode(base64.b64decode(pem)[-32:])}
        algorithm = {"rsa": b"rsa-sha256", "ed": b"ed25519-sha256"}
        for key, form in itertools.product(KEYS, FORMS):
            with self.subTest(key=key, form=form):
                field = dkim.sign(MAIL, key.encode(), DOMAIN.encode(), secret[key],
                                  canonicalize=tuple(form.encode().split(b"/")),
                                  signature_algorithm=algorithm[key])
                self.assertEqual(self.verdicts(field + MAIL), ["pass"])
                self.assertEqual(self.verdicts(field + MAIL.replace(b"lost", b"won")), ["fail"])

    @unittest.skipUnless(OPENDKIM, "no opendkim")
    def test_we_verify_what_opendkim_signs(self):
        for form in FORMS:
            with self.subTest(form=form):
                signed = self.opendkim_sign(PLAIN, form)
                self.assertEqual(self.verdicts(signed), ["pass"])
                self.assertEqual(self.verdicts(signed.replace(b"lost", b"won")), ["fail"])

    def test_messages_of_others_are_signed_and_verified(self):
        messages = corpus_messages()
        if not messages:
            self.skipTest("no corpora")
        for_opendkim, by_opendkim, by_dkimpy = [], 0, 0
        for i, (path, text) in enumerate(messages):
            key, form = KEYS[i % 2], FORMS[i // 2 % 4]
            with self.subTest(path=path, key=key, form=form):
                signed = self.sign(text, key, form)
                self.assertEqual(self.verdicts(signed)[0], "pass")
                if dkim:
                    by_dkimpy += 1
                    self.assertTrue(dkim.verify(signed, dnsfunc=self.dns))
                head = text.split(b"\r\n\r\n", 1)[0].lower()
                if key == "rsa" and form.startswith("relaxed/") and (
                        b"\ndate:" in head and b"dkim-signature:" not in head):
                    for_opendkim.append(signed)
        if OPENDKIM:
            by_opendkim = self.assert_opendkim_verifies(for_opendkim)
        print(f"{len(messages)} messages signed; {by_dkimpy} verified by dkimpy, "
              f"{by_opendkim} by opendkim")


if __name__ == "__main__":
    unittest.main(verbosity=2)
