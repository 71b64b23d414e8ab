# SPDX-License-Identifier: MIT
"""Every mechanism of SASL with clients that nobody here wrote, against the built daemon: gsasl, curl,
swaks, mbsync, and Python's smtplib and imaplib; with right and wrong passwords, over plain
connections, STARTTLS and TLS from the start."""
import base64
import hashlib
import hmac
import imaplib
import os
import re
import shutil
import smtplib
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

from daemon import PASSWORD, PATIENCE, USER, Daemon, any_certificate
from scram import Openssl, Scram, encode

WRONG = "not-the-password"
NOBODY = "nobody@localhost"
MESSAGE = "From: mox@localhost\r\nSubject: hello\r\n\r\nhello\r\n"


def need(program):
    return unittest.skipUnless(shutil.which(program), f"{program} is not installed")


def run(*args, **kwargs):
    return subprocess.run(args, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE, **kwargs)


class Sasl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Daemon()
        cls.server.start()
        cls.certificate = os.path.join(cls.server.dir, "localhost.crt")
        cls.tmp = tempfile.mkdtemp(prefix="mox-mechanisms.")
        os.mkdir(os.path.join(cls.tmp, "mail"))

    @classmethod
    def tearDownClass(cls):
        try:
            assert cls.server.stop() is not None
        finally:
            shutil.rmtree(cls.tmp)
            shutil.rmtree(cls.server.root)

    def lines(self, protocol, mechanism, reason):
        """How many lines of the log say that an attempt ended so."""
        what = "login" if reason == "ok" else '"failed authentication attempt"'
        return len(re.findall(rf"m={what} .*protocol={protocol} mechanism={mechanism} .*"
                              rf"reason={reason}", self.server.log_text()))

    def ends(self, protocol, mechanism, reason, attempt):
        """Runs it; exactly one attempt must have ended so."""
        before = self.lines(protocol, mechanism, reason)
        done = attempt()
        deadline = time.monotonic() + PATIENCE  # a client may leave before the server knows
        while self.lines(protocol, mechanism, reason) == before and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertEqual(self.lines(protocol, mechanism, reason) - before, 1, str(done))

    # -- gsasl ------------------------------------------------------------------------------------

    def gsasl(self, protocol, mechanism, user, password, *args):
        port = self.server.port("submission" if protocol == "smtp" else "imap")
        return run("gsasl", f"--{protocol}", f"--connect=localhost:{port}", "-m", mechanism,
                   "-a", user, "-z", user, "-p", password, *args)

    def each_way(self):
        """Both protocols, without TLS and with STARTTLS."""
        for protocol in ("smtp", "imap"):
            for tls in (["--no-starttls"],
                        ["--no-cb", f"--x509-ca-file={self.certificate}"]):
                yield protocol, tls

    @need("gsasl")
    def test_gsasl_logs_in_with_every_mechanism_or_does_not(self):
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"):
            for protocol, tls in self.each_way():
                with self.subTest(mechanism=mechanism, protocol=protocol, tls=tls[0]):
                    def attempt(user, password):
                        return lambda: self.gsasl(protocol, mechanism, user, password, *tls)
                    self.ends(protocol, mechanism, "ok", attempt(USER, PASSWORD))
                    self.ends(protocol, mechanism, "badcreds", attempt(USER, WRONG))
                    self.ends(protocol, mechanism, "badcreds", attempt(NOBODY, PASSWORD))

    # -- curl -------------------------------------------------------------------------------------

    def curl(self, url, mechanism, password, *args):
        return run("curl", "-sSk", url, "-u", f"{USER}:{password}", "--login-options",
                   f"AUTH={mechanism}", *args)

    def urls(self, protocol):
        """With the arguments of curl for each way to speak it."""
        other = "submission" if protocol == "smtp" else "imap"
        port, tls_port = self.server.port(other), self.server.port(other + "s")
        yield f"{protocol}://127.0.0.1:{port}", []
        yield f"{protocol}://127.0.0.1:{port}", ["--ssl-reqd"]
        yield f"{protocol}s://127.0.0.1:{tls_port}", []

    @need("curl")
    def test_curl_logs_in_with_every_mechanism_or_does_not(self):
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
            for protocol in ("smtp", "imap"):
                for url, args in self.urls(protocol):
                    with self.subTest(mechanism=mechanism, url=url, args=args):
                        good = self.curl(url, mechanism, PASSWORD, *args)
                        self.assertEqual(good.returncode, 0, good.stderr)
                        bad = self.curl(url, mechanism, WRONG, *args)
                        self.assertEqual(bad.returncode, 67, bad.stderr)  # login denied
        for protocol in ("smtp", "imap"):
            self.assertGreaterEqual(self.lines(protocol, "CRAM-MD5", "badcreds"), 3)

    @need("curl")
    def test_curl_finds_no_oauthbearer_where_nobody_judges_tokens(self):
        for protocol in ("smtp", "imap"):
            for url, args in self.urls(protocol):
                with self.subTest(url=url):
                    done = run("curl", "-sSk", url, "-u", USER + ":", "--oauth2-bearer", "token",
                               "--login-options", "AUTH=OAUTHBEARER", *args)
                    self.assertEqual(done.returncode, 67, done.stderr)

    # -- swaks, mbsync ----------------------------------------------------------------------------

    def swaks(self, port, mechanism, user, password, *args):
        return run("swaks", "--server", f"127.0.0.1:{self.server.port(port)}", "--to", USER, "--from",
                   USER, "--auth", mechanism, "--auth-user", user, "--auth-password", password,
                   "--quit-after", "AUTH", *args)

    @need("swaks")
    def test_swaks_logs_in_with_every_mechanism_or_does_not(self):
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
            for port, args in (("submission", []), ("submission", ["--tls"]),
                               ("submissions", ["--tls-on-connect"])):
                with self.subTest(mechanism=mechanism, port=port, args=args):
                    good = self.swaks(port, mechanism, USER, PASSWORD, *args)
                    self.assertIn("235 2.7.0 ", good.stdout)
                    for user, password in ((USER, WRONG), (NOBODY, PASSWORD)):
                        bad = self.swaks(port, mechanism, user, password, *args)
                        self.assertIn("535 5.7.8 ", bad.stdout)

    @need("mbsync")
    def test_mbsync_logs_in_with_what_its_library_knows(self):
        for mechanism in ("CRAM-MD5", "PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"):
            for tls in ("None", "STARTTLS"):
                with self.subTest(mechanism=mechanism, tls=tls):
                    config = os.path.join(self.tmp, "mbsyncrc")
                    with open(config, "w") as f:
                        f.write(f"IMAPAccount mox\nHost localhost\nPort {self.server.port('imap')}\n"
                                f"User {USER}\nPass {PASSWORD}\nAuthMechs {mechanism}\n"
                                f"SSLType {tls}\nCertificateFile {self.certificate}\n\n"
                                "IMAPStore mox\nAccount mox\n\n"
                                f"MaildirStore here\nPath {self.tmp}/mail/\n\n"
                                "Channel both\nFar :mox:\nNear :here:\n")
                    self.ends("imap", mechanism, "ok",
                              lambda: run("mbsync", "-c", config, "--list", "both"))

    # -- smtplib, imaplib -------------------------------------------------------------------------

    def smtp(self):
        """A client on each of the three kinds of connection."""
        plain = smtplib.SMTP("localhost", self.server.port("submission"), timeout=PATIENCE)
        upgraded = smtplib.SMTP("localhost", self.server.port("submission"), timeout=PATIENCE)
        upgraded.starttls(context=any_certificate())
        yield plain
        yield upgraded
        yield smtplib.SMTP_SSL("localhost", self.server.port("submissions"), timeout=PATIENCE,
                               context=any_certificate())

    def test_smtplib_logs_in_with_every_mechanism_or_does_not(self):
        for name in ("cram_md5", "plain", "login"):
            for client in self.smtp():
                with self.subTest(mechanism=name, client=type(client)), client:
                    client.ehlo()
                    method = getattr(client, "auth_" + name)
                    client.user, client.password = USER, WRONG
                    with self.assertRaises(smtplib.SMTPAuthenticationError) as refused:
                        client.auth(name.upper().replace("_", "-"), method)
                    self.assertEqual(refused.exception.smtp_code, 535)
                    client.password = PASSWORD
                    self.assertEqual(client.auth(name.upper().replace("_", "-"), method)[0], 235)
                    client.sendmail(USER, [USER], MESSAGE)

    def test_smtplib_chooses_cram_md5_of_its_own_accord(self):
        for client in self.smtp():
            with client:
                self.ends("smtp", "CRAM-MD5", "ok", lambda: client.login(USER, PASSWORD))

    def imap(self):
        plain = imaplib.IMAP4("localhost", self.server.port("imap"), timeout=PATIENCE)
        upgraded = imaplib.IMAP4("localhost", self.server.port("imap"), timeout=PATIENCE)
        upgraded.starttls(any_certificate())
        yield plain
        yield upgraded
        yield imaplib.IMAP4_SSL("localhost", self.server.port("imaps"), timeout=PATIENCE,
                                ssl_context=any_certificate())

    def test_imaplib_logs_in_with_every_mechanism_or_does_not(self):
        def cram_md5(password):
            return lambda challenge: f"{USER} " + hmac.new(password.encode(), challenge,
                                                           hashlib.md5).hexdigest()

        def plain(password):
            return lambda challenge: f"\0{USER}\0{password}".encode()
        for name, respond in (("CRAM-MD5", cram_md5), ("PLAIN", plain)):
            for client in self.imap():
                with self.subTest(mechanism=name, client=type(client)):
                    with self.assertRaisesRegex(imaplib.IMAP4.error, "AUTHENTICATIONFAILED"):
                        client.authenticate(name, respond(WRONG))
                    self.assertEqual(client.authenticate(name, respond(PASSWORD))[0], "OK")
                    client.logout()
        for client in self.imap():
            self.ends("imap", "CRAM-MD5", "ok", lambda: client.login_cram_md5(USER, PASSWORD))
            client.logout()

    # -- TLS from the start, and channels that are bound ------------------------------------------

    def imap_scram(self, tls, name, scram):
        """Returns the last line that the server says."""
        tls.say(f"a AUTHENTICATE {name} {encode(scram.first())}")
        first = base64.b64decode(tls.find(rb"^\+ (\S+)"))
        tls.say(encode(scram.final(first)))
        last = base64.b64decode(tls.find(rb"^\+ (\S+)"))
        tls.say("")
        return last, tls.find(rb"^a (?:OK|NO|BAD) .*").decode()

    def smtp_scram(self, tls, name, scram):
        tls.say("EHLO x")
        tls.find(rb"^250 ")
        tls.say(f"AUTH {name} {encode(scram.first())}")
        first = base64.b64decode(tls.find(rb"^334 (\S+)"))
        tls.say(encode(scram.final(first)))
        last = base64.b64decode(tls.find(rb"^334 (\S+)"))
        tls.say("")
        return last, tls.find(rb"^[25]\d\d \d.*").decode()

    @need("openssl")
    def test_openssl_and_the_server_see_the_same_channel(self):
        for hash_name, name in (("sha1", "SCRAM-SHA-1-PLUS"), ("sha256", "SCRAM-SHA-256-PLUS")):
            for port, args, talk in (("imaps", [], self.imap_scram),
                                     ("imap", ["-starttls", "imap"], self.imap_scram),
                                     ("submissions", [], self.smtp_scram),
                                     ("submission", ["-starttls", "smtp"], self.smtp_scram)):
                with self.subTest(mechanism=name, port=port):
                    tls = Openssl(self.server.port(port), *args)
                    self.addCleanup(tls.close)
                    other = ("tls-exporter", bytes(32))
                    said, end = talk(tls, name, Scram(hash_name, USER, PASSWORD, other))
                    self.assertEqual(said, b"e=channel-bindings-dont-match")
                    self.assertRegex(end, r"AUTHENTICATIONFAILED|^535 5\.7\.7")
                    channel = ("tls-exporter", tls.exporter)
                    said, _ = talk(tls, name, Scram(hash_name, USER, WRONG, channel))
                    self.assertEqual(said, b"e=invalid-proof")
                    scram = Scram(hash_name, USER, PASSWORD, channel)
                    said, end = talk(tls, name, scram)
                    self.assertEqual(said, scram.expected)
                    self.assertRegex(end, r"^a OK|^235 ")
        self.assertIn("possible man in the middle", self.server.log_text())

    @need("gsasl")
    def test_gsasl_binds_the_channel_of_its_own_accord(self):
        """It takes the best that is offered, and with TLS 1.2 it knows tls-unique alone."""
        for protocol, port in (("smtp", "submission"), ("imap", "imap")):
            with self.subTest(protocol=protocol):
                self.ends(protocol, "SCRAM-SHA-256-PLUS", "ok", lambda: run(
                    "gsasl", f"--{protocol}", f"--connect=localhost:{self.server.port(port)}",
                    f"--x509-ca-file={self.certificate}", "-a", USER, "-z", USER, "-p", PASSWORD))

    def test_a_resumed_session_has_a_channel_of_its_own(self):
        """tls-unique (RFC 5929 §3.1) of a resumed session is the server's Finished."""
        context = any_certificate()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        session = None
        for resumed in (False, True):
            raw = socket.create_connection(("127.0.0.1", self.server.port("imaps")), PATIENCE)
            with context.wrap_socket(raw, session=session) as tls:
                self.assertEqual(tls.session_reused, resumed)
                session = tls.session
                binding = ("tls-unique", tls.get_channel_binding("tls-unique"))
                scram = Scram("sha256", USER, PASSWORD, binding)
                lines = tls.makefile("rw", newline="")

                def say(text):
                    lines.write(text + "\r\n")
                    lines.flush()
                    return lines.readline().split(" ", 1)[1].strip()
                lines.readline()  # the greeting
                first = say(f"a AUTHENTICATE SCRAM-SHA-256-PLUS {encode(scram.first())}")
                last = say(encode(scram.final(base64.b64decode(first))))
                self.assertEqual(base64.b64decode(last), scram.expected)
                self.assertRegex(say(""), "^OK ")

    def test_no_two_users_are_told_apart(self):
        """The salt of somebody who does not exist is the same each time, for all spellings."""
        def salt(user):
            with smtplib.SMTP("localhost", self.server.port("submission"), timeout=PATIENCE) as c:
                c.ehlo()
                first = Scram("sha256", user, "").first()
                code, text = c.docmd("AUTH", "SCRAM-SHA-256 " + encode(first))
                self.assertEqual(code, 334)
                said = base64.b64decode(text).decode()
                self.assertRegex(said, r"^r=[^,]+,s=[A-Za-z0-9+/]{16},i=10000$")
                c.docmd("*")
                return said.split(",")[1]
        self.assertEqual(salt(USER), salt(USER.upper()))
        self.assertEqual(salt(NOBODY), salt(NOBODY.upper()))
        self.assertNotEqual(salt(NOBODY), salt("nobody2@localhost"))


if __name__ == "__main__":
    unittest.main()
