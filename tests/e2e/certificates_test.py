# SPDX-License-Identifier: MIT
"""Client certificates: whose key is registered is logged in, whose is not is refused; and the record of
logins. Keys and certificates are made by OpenSSL; the clients are Python's and curl."""
import base64
import hashlib
import imaplib
import pathlib
import re
import shutil
import smtplib
import socket
import ssl
import subprocess
import tempfile
import unittest

from daemon import MOX, PASSWORD, PATIENCE, USER, Daemon, any_certificate

EVE = "eve@localhost"
imaplib.Commands["ID"] = "NONAUTH", "AUTH", "SELECTED"


def openssl(*args, data=None):
    return subprocess.run(["openssl", *args], input=data, capture_output=True, check=True).stdout


class Certificate:
    """A key of its own, and a certificate that it signed itself."""

    def __init__(self, folder, name, kind=("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        self.pem, self.key = folder / f"{name}.pem", folder / f"{name}-key.pem"
        openssl("req", "-x509", *kind, "-nodes", "-subj", f"/CN={name}", "-days", "1", "-keyout", str(self.key),
                "-out", str(self.pem))

    def fingerprint(self):
        public = openssl("x509", "-in", str(self.pem), "-noout", "-pubkey")
        der = openssl("pkey", "-pubin", "-outform", "DER", data=public)
        return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")

    def context(self):
        context = any_certificate()
        context.load_cert_chain(self.pem, self.key)
        return context


class CertificateTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="mox-certs."))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.known = Certificate(cls.folder, "known")
        cls.quiet = Certificate(cls.folder, "quiet")
        cls.unknown = Certificate(cls.folder, "unknown")
        cls.rsa = Certificate(cls.folder, "rsa", ("-newkey", "rsa:2048"))

    def setUp(self):
        self.daemon = Daemon()
        self.daemon.start()
        self.addCleanup(self.daemon.__exit__)

    # -- helpers

    def mox(self, *args, **kw):
        return subprocess.run([MOX, "-dir", self.daemon.dir, *map(str, args)], capture_output=True, text=True,
                              timeout=PATIENCE, **kw)

    def add(self, certificate, *args, user=USER):
        done = self.mox("config", "tlspubkey", "add", *args, user, certificate.pem)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def remove(self, fingerprint):
        done = self.mox("config", "tlspubkey", "rm", "--", fingerprint)
        self.assertEqual(done.returncode, 0, done.stderr)

    def fails(self, text, *args, **kw):
        done = self.mox(*args, **kw)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertIn(text, done.stderr)

    def imaps(self, certificate):
        return imaplib.IMAP4_SSL("127.0.0.1", self.daemon.port("imaps"), ssl_context=certificate.context(),
                                 timeout=PATIENCE)

    def submissions(self, certificate):
        smtp = smtplib.SMTP_SSL("127.0.0.1", self.daemon.port("submissions"), context=certificate.context(),
                                timeout=PATIENCE)
        smtp.ehlo("client.example")
        return smtp

    def attempts(self, *args):
        done = self.mox("loginattempts", *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        titles, *rows = [re.split("  +", line) for line in done.stdout.splitlines()]
        return [dict(zip(titles, row)) for row in rows]

    def send(self, smtp):
        smtp.sendmail(USER, [USER], "From: <mox@localhost>\r\nSubject: by certificate\r\n\r\nhello\r\n")

    # -- keys

    def test_keys_are_added_listed_and_removed(self):
        fingerprint = self.add(self.known, "-name", "a laptop")
        self.assertEqual(fingerprint, self.known.fingerprint())
        other = self.add(self.rsa, "-no-imap-preauth")
        lines = self.mox("config", "tlspubkey", "list").stdout.splitlines()
        self.assertEqual(len(lines), 3)
        self.assertTrue(lines[0].startswith("fingerprint"))
        self.assertRegex("\n".join(lines), f"(?m)^{fingerprint}  ecdsa-p256  mox +{USER}  yes +20[-0-9]+T[:0-9]+Z  "
                                           "a laptop$")
        self.assertRegex("\n".join(lines), f"(?m)^{other}  rsa-2048 +mox +{USER}  no +20[-0-9]+T[:0-9]+Z  -$")
        self.assertEqual(len(self.mox("config", "tlspubkey", "list", "nobody").stdout.splitlines()), 1)
        got = self.mox("config", "tlspubkey", "get", "--", fingerprint).stdout
        self.assertRegex(got, "(?m)^name +a laptop$")
        self.remove(fingerprint)
        self.fails("none has the fingerprint", "config", "tlspubkey", "rm", "--", fingerprint)
        self.fails("no key has the fingerprint", "config", "tlspubkey", "get", "--", fingerprint)
        self.daemon.stop()
        self.daemon.start()
        self.assertIn(other, self.mox("config", "tlspubkey", "list").stdout)
        self.daemon.stop()
        self.assertEqual(self.daemon.verify(), (True, ""))
        self.fails("no server", "config", "tlspubkey", "list")

    def test_standard_input_and_what_stands_around_a_certificate(self):
        text = "Subject: whoever\n" + self.known.key.read_text() + self.known.pem.read_text() + self.rsa.pem.read_text()
        done = self.mox("config", "tlspubkey", "add", USER, input=text)
        self.assertEqual(done.stdout.strip(), self.known.fingerprint(), done.stderr)

    def test_what_cannot_be_added_is_said(self):
        add = "config", "tlspubkey", "add"
        weak = Certificate(self.folder, "weak", ("-newkey", "rsa:1024"))
        edwards = Certificate(self.folder, "edwards", ("-newkey", "ed25519"))
        self.fails("RSA key has 1024 bits", *add, USER, weak.pem)
        self.fails("Ed25519", *add, USER, edwards.pem)
        self.fails("no account has the address nobody@localhost.example", *add, "nobody@localhost.example",
                   self.known.pem)
        self.fails("is a private key", *add, USER, self.known.key)
        self.fails("is not a certificate", *add, USER, input="hello\n")
        self.fails("standard input is empty", *add, USER, input="")
        self.fails("is cut off", *add, USER, input="-----BEGIN CERTIFICATE-----\nMIIB\n")
        self.fails("not an X.509 certificate", *add, USER,
                   input="-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
        self.fails("No such file", *add, USER, "/nonexistent.pem")
        der = self.folder / "known.der"
        der.write_bytes(openssl("x509", "-in", str(self.known.pem), "-outform", "DER"))
        self.fails("-inform DER", *add, USER, der)
        self.add(self.known)
        self.fails("it is that of mox@localhost, account mox, already", *add, USER, self.known.pem)

    # -- logins

    def test_a_known_key_is_logged_in(self):
        self.add(self.known)
        with self.imaps(self.known) as imap:
            self.assertEqual(imap.state, "AUTH")
            self.assertTrue(imap.welcome.startswith(b"* PREAUTH"), imap.welcome)
            self.assertEqual(imap.select("Inbox")[0], "OK")
        with self.submissions(self.known) as smtp:
            self.send(smtp)
        with self.imaps(self.known) as imap:
            imap.select("Inbox")
            self.assertEqual(imap.search(None, "SUBJECT", '"by certificate"')[1], [b"1"])
        rows = self.attempts("mox")
        self.assertEqual({(r["protocol"], r["mechanism"], r["result"], r["address"]) for r in rows},
                         {("imap", "tlsclientauth", "ok", USER), ("submission", "tlsclientauth", "ok", USER)})
        self.assertEqual({r["count"] for r in rows if r["protocol"] == "imap"}, {"2"})

    def test_external_without_preauth_after_starttls_and_by_curl(self):
        self.add(self.quiet, "-no-imap-preauth")
        with self.imaps(self.quiet) as imap:
            self.assertTrue(imap.welcome.startswith(b"* OK"), imap.welcome)
            self.assertIn("AUTH=EXTERNAL", imap.capabilities)
            self.assertEqual(imap.authenticate("EXTERNAL", lambda _: b"")[0], "OK")
            self.assertEqual(imap.select("Inbox")[0], "OK")
        with imaplib.IMAP4("127.0.0.1", self.daemon.port("imap"), timeout=PATIENCE) as imap:
            imap.starttls(self.quiet.context())
            self.assertIn("AUTH=EXTERNAL", imap.capabilities)
            self.assertEqual(imap.authenticate("EXTERNAL", lambda _: USER.encode())[0], "OK")
        with smtplib.SMTP("127.0.0.1", self.daemon.port("submission"), timeout=PATIENCE) as smtp:
            smtp.starttls(context=self.quiet.context())
            smtp.ehlo("client.example")
            self.assertIn("EXTERNAL", smtp.esmtp_features["auth"])
            self.assertEqual(smtp.docmd("AUTH", "EXTERNAL =")[0], 235)
            self.send(smtp)
        tls = ["-sS", "--insecure", "--cert", self.quiet.pem, "--key", self.quiet.key, "--user", USER + ":",
               "--login-options", "AUTH=EXTERNAL"]
        done = subprocess.run(["curl", *tls, f"imaps://127.0.0.1:{self.daemon.port('imaps')}/", "-X", "STATUS INBOX (MESSAGES)"],
                              capture_output=True, text=True, timeout=PATIENCE)
        self.assertIn("MESSAGES 1", done.stdout, done.stderr)

    def restart_with_eve(self, addresses):
        """With one more account, and both having these addresses."""
        self.daemon.stop()
        conf = pathlib.Path(self.daemon.dir) / "domains.conf"
        accounts = "".join(f"\t{name}:\n\t\tDomain: localhost\n\t\tDestinations:\n\t\t\t{address}: nil\n"
                           for name, address in addresses)
        conf.write_text("Domains:\n\tlocalhost: nil\nAccounts:\n" + accounts)
        self.daemon.start()

    def test_other_mechanisms_are_for_the_same_account(self):
        self.restart_with_eve((("mox", USER), ("eve", EVE)))
        done = self.mox("setaccountpassword", EVE, input=PASSWORD + "\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.add(self.quiet, "-no-imap-preauth")
        with self.imaps_plain() as imap:
            self.assertEqual(imap.login(EVE, PASSWORD)[0], "OK")
        with self.imaps(self.quiet) as imap:
            with self.assertRaises(imaplib.IMAP4.error):
                imap.login(EVE, PASSWORD)
            with self.assertRaises(imaplib.IMAP4.error):
                imap.authenticate("EXTERNAL", lambda _: EVE.encode())
            self.assertEqual(imap.login(USER, PASSWORD)[0], "OK")

    def test_an_address_takes_no_key_along_to_another_account(self):
        self.add(self.known)
        self.restart_with_eve((("mox", "other@localhost"), ("eve", USER)))
        with self.assertRaises(ssl.SSLError):
            with self.handshake("imaps", self.known) as s:
                s.recv(1)
        self.restart_with_eve((("mox", USER), ("eve", EVE)))
        with self.imaps(self.known) as imap:
            self.assertEqual(imap.state, "AUTH")

    def test_a_damaged_database_is_named(self):
        self.daemon.stop()
        (pathlib.Path(self.daemon.dir) / "data" / "auth.db").write_bytes(b"damaged" * 1000)
        done = self.mox("localserve", "-port-base", self.daemon.base)
        self.assertEqual(done.returncode, 1)
        self.assertIn("auth.db", done.stderr)
        self.assertIn("restore it from a backup", done.stderr)
        self.assertFalse(self.daemon.verify()[0])

    def test_an_unknown_key_ends_the_handshake(self):
        for service in ("imaps", "submissions"):
            with self.assertRaises(ssl.SSLError) as raised:
                with self.handshake(service, self.unknown) as s:
                    s.recv(1)
            self.assertRegex(str(raised.exception).lower(), "bad.certificate")
        rows = self.attempts("-")
        self.assertEqual({(r["protocol"], r["mechanism"], r["result"]) for r in rows},
                         {("imap", "tlsclientauth", "badcreds"), ("submission", "tlsclientauth", "badcreds")})
        log = self.daemon.log_text()
        self.assertIn(self.unknown.fingerprint(), log)
        self.assertIn("failed authentication attempt", log)

    def handshake(self, service, certificate, session=None):
        plain = socket.create_connection(("127.0.0.1", self.daemon.port(service)), PATIENCE)
        return certificate.context().wrap_socket(plain, session=session)

    @unittest.skipUnless(shutil.which("swaks"), "no swaks")
    def test_swaks_is_told_both_ways(self):
        self.add(self.known)
        for certificate in self.known, self.unknown:
            for how in (["--tls-on-connect", "-p", self.daemon.port("submissions")],
                        ["--tls", "-p", self.daemon.port("submission")]):
                done = subprocess.run(["swaks", "-s", "127.0.0.1", "-f", USER, "-t", USER, "--tls-cert", certificate.pem,
                                       "--tls-key", certificate.key, *map(str, how)],
                                      capture_output=True, text=True, timeout=PATIENCE)
                self.assertEqual(done.returncode == 0, certificate is self.known, done.stdout + done.stderr)

    def test_a_removed_key_is_good_for_nothing_at_once(self):
        fingerprint = self.add(self.known)
        with self.handshake("imaps", self.known) as first:
            reader = first.makefile("rb")
            self.assertTrue(reader.readline().startswith(b"* PREAUTH"))
            session = first.session
            self.remove(fingerprint)
            first.sendall(b"a NOOP\r\n")  # who is logged in stays so
            self.assertIn(b"a OK", reader.readline())
        with self.assertRaises(ssl.SSLError):
            with self.handshake("imaps", self.known) as again:
                again.recv(1)
        self.assertFalse(session.has_ticket)

    def test_port_25_does_not_ask(self):
        with smtplib.SMTP("127.0.0.1", self.daemon.port("smtp"), timeout=PATIENCE) as smtp:
            smtp.starttls(context=self.unknown.context())
            self.assertEqual(smtp.ehlo("client.example")[0], 250)

    def test_a_listener_may_not_ask_at_all(self):
        self.daemon.stop()
        conf = pathlib.Path(self.daemon.dir) / "mox.conf"
        text = conf.read_text()
        text, count = re.subn(r"(?m)^(\s*)KeyCerts:", r"\1ClientAuthDisabled: true\n\1KeyCerts:", text)
        self.assertEqual(count, 1)
        conf.write_text(text)
        self.daemon.start()
        with self.imaps(self.unknown) as imap:
            self.assertTrue(imap.welcome.startswith(b"* OK"), imap.welcome)
            self.assertNotIn("AUTH=EXTERNAL", imap.capabilities)

    # -- the record of logins

    def test_logins_are_recorded(self):
        with self.imaps_plain() as imap:
            with self.assertRaises(imaplib.IMAP4.error):
                imap.login(USER, "wrong password")
        for _ in range(3):
            with self.imaps_plain() as imap:
                imap.login(USER, PASSWORD)
        with self.imaps_plain() as imap:
            with self.assertRaises(imaplib.IMAP4.error):
                imap.login("nobody@elsewhere.example", "wrong password")
        rows = self.attempts()
        self.assertEqual([(r["result"], r["account"], r["address"], r["count"]) for r in rows],
                         [("badcreds", "-", "nobody@elsewhere.example", "1"), ("ok", "mox", USER, "3"),
                          ("badcreds", "mox", USER, "1")])
        self.assertEqual(rows[0]["remote"], "127.0.0.1")
        self.assertTrue(rows[0]["tls"].startswith("TLS1."))
        self.assertEqual(len(self.attempts("mox")), 2)
        self.assertEqual(len(self.attempts("-n", "1")), 1)
        self.fails("no number", "loginattempts", "-n", "x")
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(len(self.attempts()), 3)

    def test_clients_are_recorded_by_what_they_call_themselves(self):
        with self.imaps_plain() as imap:
            imap.xatom("ID", '("os" "plan9" "name" "acme" "version" "4")')
            imap.login(USER, PASSWORD)
        self.assertEqual({r["user-agent"] for r in self.attempts()}, {"acme 4"})
        for _ in range(20):  # a client that takes a second for it is too late
            with self.imaps_plain() as imap:
                imap.login(USER, PASSWORD)
                imap.xatom("ID", '("version" NIL "name" "upas")')
            if "upas" in {r["user-agent"] for r in self.attempts()}:
                return
        self.fail("no client was recorded that says what it is after its login")

    def imaps_plain(self):
        return imaplib.IMAP4_SSL("127.0.0.1", self.daemon.port("imaps"), ssl_context=any_certificate(),
                                 timeout=PATIENCE)


if __name__ == "__main__":
    unittest.main()
