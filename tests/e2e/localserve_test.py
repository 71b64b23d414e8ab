# SPDX-License-Identifier: MIT
"""localserve against Python's own clients: what goes in by SMTP comes out by IMAP, over TLS too; special
recipients; limits; stopping and starting."""
import base64
import concurrent.futures
import imaplib
import os
import pathlib
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

from daemon import PATIENCE, free_base

HOST = os.environ["LOCALSERVE"]
EMBEDDED = os.environ.get("EMBEDDED", "")
MESSAGE = b"From: a@client.example\r\nTo: b@client.example\r\nSubject: %s\r\n\r\nA body.\r\n"


class Server:
    def __init__(self, folder, *flags, program=HOST, base=None):
        self.dir, self.base = folder, base or free_base()
        self.out = tempfile.TemporaryFile(mode="w+")
        self.err = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen([program, *flags, str(folder), str(self.base)],
                                        stdout=self.out, stderr=self.err)

    def wait_ready(self):
        self.wait_until(lambda: "m=ready" in self.log() or self.process.poll() is not None)
        if self.process.poll() is not None:
            raise RuntimeError(self.log())
        return self

    def wait_until(self, condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError("in vain; " + self.log())
            time.sleep(0.02)

    def log(self):
        return os.pread(self.err.fileno(), 1 << 26, 0).decode()

    def output(self):
        return os.pread(self.out.fileno(), 1 << 26, 0).decode()

    def stop(self, sig=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        return self.process.wait(PATIENCE)

    def close(self):
        self.stop()
        self.out.close()
        self.err.close()

    def smtp(self, port=25, **kw):
        return smtplib.SMTP("localhost" if port == 587 else "127.0.0.1", self.base + port, local_hostname="client.example",
                            timeout=PATIENCE, **kw)

    def context(self):
        return ssl.create_default_context(cafile=str(self.dir / "localhost.crt"))

    def imap(self):
        c = imaplib.IMAP4("127.0.0.1", self.base + 143, timeout=PATIENCE)
        c.login("mox@localhost", "moxmoxmox")
        return c

    def messages(self):
        """The contents of the Inbox, without what the server put in front."""
        c = self.imap()
        try:
            _, (count,) = c.select("Inbox")
            if int(count) == 0:
                return []
            _, parts = c.fetch("1:*", "(BODY.PEEK[])")
            return [p[1] for p in parts if isinstance(p, tuple)]
        finally:
            c.logout()

    def ctl(self, *lines):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE)
            s.connect(str(self.dir / "data" / "ctl"))
            s.sendall("".join(line + "\n" for line in lines).encode())
            f = s.makefile("r")
            greeting = f.readline()
            assert greeting == "ctlv0\n", greeting
            if lines[0] == "stop":
                return f.read()
            return f.readline()


class Base(unittest.TestCase):
    def folder(self):
        parent = pathlib.Path(tempfile.mkdtemp(prefix="mox-localserve-"))
        self.addCleanup(shutil.rmtree, parent)
        return parent / "server"

    def launch(self, *args, **kw):
        server = Server(*args, **kw)
        self.addCleanup(server.close)
        return server

    def start(self, *flags, **kw):
        server = self.launch(kw.pop("folder", None) or self.folder(), *flags, **kw)
        return server.wait_ready()


class Shared(Base):
    """Tests that leave the server as it was, so one serves them all."""

    @classmethod
    def setUpClass(cls):
        cls.parent = pathlib.Path(tempfile.mkdtemp(prefix="mox-localserve-"))
        cls.server = Server(cls.parent / "server").wait_ready()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        shutil.rmtree(cls.parent)

    def arrived(self, subject):
        found = [m for m in self.server.messages() if b"Subject: " + subject in m]
        return found

    def test_delivered_mail_is_read_with_the_same_bytes(self):
        message = MESSAGE % b"same" + b"..dots\r\n.\x01\xe2\x82\xac\r\n" * 3
        with self.server.smtp() as c:
            c.sendmail("a@client.example", ["b@client.example"], message)
        (got,) = self.arrived(b"same")
        self.assertTrue(got.endswith(message), got)
        prefix = got[:-len(message)]
        self.assertIn(b"Return-Path: <a@client.example>", prefix)
        self.assertIn(b"Received: from client.example", prefix)

    def test_starttls_and_submission(self):
        with self.server.smtp(587) as c:
            c.starttls(context=self.server.context())
            c.login("mox@localhost", "moxmoxmox")
            c.sendmail("app@program.example", ["b@client.example"], MESSAGE % b"submitted-587")
        self.assertEqual(len(self.arrived(b"submitted-587")), 1)

    def test_submission_without_tls(self):
        with self.server.smtp(587) as c:
            c.login("mox@localhost", "moxmoxmox")
            c.sendmail("mox@localhost", ["mox+tag@localhost"], MESSAGE % b"submitted-plain")
        self.assertEqual(len(self.arrived(b"submitted-plain")), 1)

    def test_submission_needs_a_login(self):
        with self.server.smtp(587) as c:
            with self.assertRaises(smtplib.SMTPSenderRefused) as refused:
                c.sendmail("mox@localhost", ["mox@localhost"], MESSAGE % b"no-login")
            self.assertEqual(refused.exception.smtp_code, 530)

    def test_implicit_tls_with_the_generated_certificate(self):
        with smtplib.SMTP_SSL("localhost", self.server.base + 465, timeout=PATIENCE,
                              context=self.server.context()) as c:
            c.login("mox@localhost", "moxmoxmox")
            c.sendmail("mox@localhost", ["mox@localhost"], MESSAGE % b"submitted-465")
        c = imaplib.IMAP4_SSL("localhost", self.server.base + 993, timeout=PATIENCE,
                              ssl_context=self.server.context())
        c.login("mox@localhost", "moxmoxmox")
        c.select("Inbox")
        c.logout()
        self.assertEqual(len(self.arrived(b"submitted-465")), 1)

    def test_imap_starttls(self):
        c = imaplib.IMAP4("localhost", self.server.base + 143, timeout=PATIENCE)
        c.starttls(self.server.context())
        c.login("mox@localhost", "moxmoxmox")
        c.select("Inbox")
        c.logout()

    def test_tls_before_1_2_is_refused(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises((ssl.SSLError, OSError)):
            imaplib.IMAP4_SSL("localhost", self.server.base + 993, ssl_context=context, timeout=PATIENCE)

    def test_wrong_passwords_are_refused(self):
        for user, password in (("mox@localhost", "wrong-password"), ("nobody@localhost", "moxmoxmox")):
            with self.server.smtp(587) as c:
                with self.assertRaises(smtplib.SMTPAuthenticationError) as refused:
                    c.login(user, password)
                self.assertEqual(refused.exception.smtp_code, 535)
            c = imaplib.IMAP4("127.0.0.1", self.server.base + 143, timeout=PATIENCE)
            with self.assertRaises(imaplib.IMAP4.error):
                c.login(user, password)
            c.logout()

    def test_a_failed_login_is_logged_once_and_alike(self):
        with self.server.smtp(587) as c:
            c.ehlo()
            plain = base64.b64encode(b"\0who@localhost\0wrong-password").decode()
            self.assertEqual(c.docmd("AUTH", "PLAIN " + plain)[0], 535)
        c = imaplib.IMAP4("127.0.0.1", self.server.base + 143, timeout=PATIENCE)
        with self.assertRaises(imaplib.IMAP4.error):
            c.login("who@localhost", "wrong-password")
        c.logout()
        lines = [l for l in self.server.log().splitlines() if "who@localhost" in l]
        self.assertEqual(len(lines), 2, lines)
        for pkg, line in zip(("smtpserver", "imapserver"), lines):
            self.assertRegex(line, 'm="failed authentication attempt" pkg=%s cid=[0-9a-f]+ delta=[^ ]+ '
                             "remote=127.0.0.1 protocol=%s mechanism=[A-Z]+ user=who@localhost "
                             "reason=badcreds" % (pkg, pkg[:4]))

    def test_special_recipients_fail_as_asked_for_at_each_stage(self):
        for word, code in (("temperror", 451), ("permerror", 550), ("x451", 451), ("499", 499),
                           ("500", 500), ("599", 599)):
            with self.subTest(word):
                with self.server.smtp() as c:
                    c.ehlo()
                    self.assertEqual(c.mail("mailfrom" + word + "@x.example")[0], code)
                    self.assertEqual(c.mail("a@x.example")[0], 250)
                    self.assertEqual(c.rcpt("rcptto" + word + "@x.example")[0], code)
                    self.assertEqual(c.rcpt(word + "@x.example")[0], 250)
                    self.assertEqual(c.rcpt("b@x.example")[0], 250)
                    self.assertEqual(c.data(MESSAGE % b"never")[0], code)
        for word in ("399", "600", "45"):
            with self.server.smtp() as c:
                c.sendmail("a@x.example", [word + "@x.example"], MESSAGE % b"number-" + word.encode())
        self.assertEqual(self.arrived(b"never"), [])
        self.assertEqual(len(self.arrived(b"number-")), 3)

    def test_every_accepted_recipient_gets_a_copy(self):
        with self.server.smtp() as c:
            c.sendmail("a@x.example", ["b@x.example", "c@y.example", "mox@localhost"],
                       MESSAGE % b"copies")
        self.assertEqual(len(self.arrived(b"copies")), 3)

    def idle(self):
        """Lines of a connection that idles in the Inbox, and how many messages that has."""
        c = socket.create_connection(("127.0.0.1", self.server.base + 143), 60)
        f = c.makefile("rb")
        self.addCleanup(c.close)
        self.addCleanup(f.close)
        c.sendall(b"a LOGIN mox@localhost moxmoxmox\r\nb SELECT Inbox\r\nc IDLE\r\n")
        count = None
        for line in f:
            if line.endswith(b" EXISTS\r\n"):
                count = int(line.split()[1])
            if line.startswith(b"+"):
                return f, count

    def test_connections_that_idle_learn_of_new_mail(self):
        readers = [self.idle(), self.idle()]
        with self.server.smtp() as c:
            c.sendmail("a@client.example", ["mox@localhost"], MESSAGE % b"wakes")
        for f, count in readers:
            line = f.readline()
            while b"EXISTS" not in line:
                self.assertTrue(line, "the connection was closed")
                line = f.readline()
            self.assertEqual(line, b"* %d EXISTS\r\n" % (count + 1))

    def test_a_large_message(self):
        line = b"x" * 76 + b"\r\n"
        message = MESSAGE % b"large" + line * (20 * 1024 * 1024 // len(line))
        with self.server.smtp() as c:
            c.sendmail("a@x.example", ["large@x.example"], message)
        (got,) = self.arrived(b"large")
        self.assertTrue(got.endswith(message))

    def test_a_message_over_the_limit_is_refused(self):
        with self.server.smtp() as c:
            c.ehlo()
            self.assertEqual(c.mail("a@x.example", ["SIZE=2000000000"])[0], 552)

    def test_fifty_connections_at_once(self):
        def deliver(n):
            with self.server.smtp() as c:
                for i in range(4):
                    c.sendmail("a@x.example", ["b@x.example"], MESSAGE % (b"parallel-%d-%d-" % (n, i)))
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            list(pool.map(deliver, range(50)))
        self.assertEqual(len(self.arrived(b"parallel-")), 200)

    def test_ipv6(self):
        if "[::1]" not in self.server.output():
            self.skipTest("no IPv6 on this machine")
        with smtplib.SMTP("::1", self.server.base + 25, timeout=PATIENCE) as c:
            c.sendmail("a@x.example", ["b@x.example"], MESSAGE % b"six")
        (got,) = self.arrived(b"six")
        self.assertIn(b"::1", got)

    def test_half_a_message_is_not_delivered(self):
        with self.server.smtp() as c:
            c.ehlo()
            c.mail("a@x.example")
            c.rcpt("b@x.example")
            c.putcmd("data")
            c.getreply()
            c.sock.sendall(MESSAGE % b"half")
            gone = self.server.log().count("connection closed")
            c.sock.close()
            c.sock = None
        self.server.wait_until(lambda: self.server.log().count("connection closed") > gone)
        self.assertEqual(self.arrived(b"half"), [])

    def test_log_levels_and_passwords_change_at_runtime(self):
        self.assertEqual(self.server.ctl("setloglevels", "smtpserver", "trace"), "ok\n")
        with self.server.smtp() as c:
            c.noop()
        self.assertIn("RC: noop", self.server.log())
        self.assertEqual(self.server.ctl("setloglevels", "smtpserver", ""), "ok\n")
        self.assertEqual(self.server.ctl("setaccountpassword", "mox@localhost", "another-one"), "ok\n")
        c = imaplib.IMAP4("127.0.0.1", self.server.base + 143, timeout=PATIENCE)
        c.login("mox@localhost", "another-one")
        c.logout()
        self.assertEqual(self.server.ctl("setaccountpassword", "mox", "moxmoxmox"), "ok\n")
        self.assertNotIn("ok", self.server.ctl("setaccountpassword", "nobody@localhost", "longenough"))


def quickly(scenario):
    """Of one that says whether a server took less time than its patience of three seconds. A loaded machine may be
    slow, but not each time."""
    def test(self):
        self.assertTrue(any(scenario(self) for _ in range(5)), "never quick")
    return test


class Alone(Base):
    def test_the_directory_is_made_once_and_then_used_as_it_is(self):
        server = self.start()
        for name in ("mox.conf", "domains.conf", "localhost.crt", "localhost.key", "data"):
            self.assertTrue((server.dir / name).exists(), name)
        self.assertEqual((server.dir / "localhost.key").stat().st_mode & 0o777, 0o600)
        with server.smtp() as c:
            c.sendmail("a@x.example", ["b@x.example"], MESSAGE % b"kept")
        before = (server.dir / "mox.conf").read_bytes()
        self.assertEqual(server.stop(), signal.SIGTERM)
        again = self.start(folder=server.dir)
        self.assertEqual((server.dir / "mox.conf").read_bytes(), before)
        self.assertEqual(len(again.messages()), 1)
        self.assertEqual(again.stop(signal.SIGINT), signal.SIGINT)

    def test_init_only_writes_the_files_and_exits(self):
        folder = self.folder()
        server = self.launch(folder, "-initonly")
        self.assertEqual(server.process.wait(PATIENCE), 0)
        self.assertTrue((folder / "mox.conf").exists())
        self.assertEqual(server.log(), "")

    def test_nothing_stays_of_a_directory_that_could_not_be_made(self):
        folder = self.folder()
        server = self.launch(folder / "missing" / "too", base=2000)
        self.assertEqual(server.process.wait(PATIENCE), 1)
        self.assertIn("does not exist", server.log())
        self.assertFalse(folder.exists())

    def test_a_second_server_on_the_directory_is_refused(self):
        server = self.start()
        second = self.launch(server.dir)
        self.assertEqual(second.process.wait(PATIENCE), 1)
        self.assertEqual(second.log().count("error:"), 1)
        self.assertTrue((server.dir / "data" / "ctl").exists())
        with server.smtp() as c:
            c.sendmail("a@x.example", ["b@x.example"], MESSAGE % b"still")

    def test_a_taken_port_is_named_with_a_way_out(self):
        server = self.start()
        second = self.launch(self.folder(), base=server.base)
        self.assertEqual(second.process.wait(PATIENCE), 1)
        self.assertIn(f":{server.base + 25}", second.log())
        self.assertIn("-port-base", second.log())

    def test_the_banner_says_what_to_do(self):
        server = self.start()
        for text in ("moxmoxmox", "swaks", "curl", f"127.0.0.1:{server.base + 25}",
                     f"127.0.0.1:{server.base + 993}", "temperror"):
            self.assertIn(text, server.output())

    def test_stop_by_the_control_socket_returns_when_it_has_stopped(self):
        server = self.start()
        client = server.imap()
        self.assertEqual(server.ctl("stop"), "")
        self.assertFalse((server.dir / "data" / "ctl").exists())
        again = self.start(folder=server.dir)  # the directory is free again
        again.stop()
        self.assertEqual(server.process.wait(PATIENCE), 0)
        client.shutdown()

    @quickly
    def test_a_second_signal_ends_it_at_once(self):
        server = self.start()
        client = server.smtp()
        client.ehlo()
        client.mail("a@x.example")
        client.rcpt("b@x.example")
        client.putcmd("data")
        client.getreply()
        begin = time.monotonic()
        server.process.send_signal(signal.SIGINT)
        server.wait_until(lambda: 'm="shutting down"' in server.log())
        server.process.send_signal(signal.SIGINT)
        server.wait_until(lambda: "m=stopped" in server.log())
        seconds = time.monotonic() - begin
        self.assertEqual(server.process.wait(PATIENCE), signal.SIGINT)
        client.close()
        return seconds < 2.5

    @quickly
    def test_an_idle_client_is_told_and_does_not_hold_it_up(self):
        server = self.start()
        client = server.imap()
        client.send(b"x IDLE\r\n")
        self.assertTrue(client.readline().startswith(b"+"))
        server.process.send_signal(signal.SIGTERM)
        self.assertTrue(client.readline().startswith(b"* BYE"))
        client.shutdown()
        server.process.wait(PATIENCE)
        return "closing sessions that did not finish in time" not in server.log()

    def test_a_client_in_the_middle_of_data_is_cut_after_three_seconds(self):
        server = self.start()
        client = server.smtp()
        client.ehlo()
        client.mail("a@x.example")
        client.rcpt("b@x.example")
        client.putcmd("data")
        client.getreply()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(PATIENCE)
        self.assertIn("closing sessions that did not finish in time", server.log())
        client.close()

    def test_a_timeout_recipient_waits_and_does_not_hold_up_the_end(self):
        server = self.start()
        client = server.smtp()
        client.ehlo()
        client.mail("a@x.example")
        client.sock.settimeout(1)
        with self.assertRaises(OSError):
            client.rcpt("rcpttotimeout@x.example")
        server.stop()

    def test_a_client_that_gives_up_on_a_timeout_recipient_is_let_go(self):
        server = self.start()
        client = server.smtp()
        client.ehlo()
        client.mail("a@x.example")
        client.putcmd("rcpt", "to:<rcpttotimeout@x.example>")
        time.sleep(0.2)
        self.assertNotIn("connection closed", server.log())
        client.close()
        server.wait_until(lambda: "connection closed" in server.log())

    def test_mail_under_way_at_the_end_is_kept_or_refused_but_never_lost(self):
        server = self.start()
        accepted = []

        def deliver(n):
            try:
                while True:
                    subject = b"load-%d-%d-" % (n, len(accepted))
                    with server.smtp() as c:
                        c.sendmail("a@x.example", ["b@x.example"], MESSAGE % subject)
                        accepted.append(subject)
            except (smtplib.SMTPException, OSError):
                return
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            running = [pool.submit(deliver, n) for n in range(8)]
            server.wait_until(lambda: len(accepted) > 10)
            server.stop()
            for r in running:
                r.result()
        stored = b"".join(self.start(folder=server.dir).messages())
        self.assertEqual([s for s in accepted if s not in stored], [])

    def test_a_transcript_shows_the_dialogue_without_passwords(self):
        server = self.start("-transcript")
        with server.smtp(587) as c:
            c.login("mox@localhost", "moxmoxmox")
            c.sendmail("mox@localhost", ["mox@localhost"], MESSAGE % b"shown")
        server.messages()
        lines = server.output().split("\n\n", 4)[-1]
        for text in (" C: ehlo client.example", " S: 250", " C| Subject: shown", "imap ", "smtp "):
            self.assertIn(text, lines)
        self.assertNotIn("moxmoxmox", lines)
        self.assertNotIn("bW94", lines)  # base64 of "mox"

    @unittest.skipIf(EMBEDDED == "", "the examples are not built")
    def test_the_example_runs_it_in_its_own_loop(self):
        server = self.start(program=EMBEDDED)
        with server.smtp() as c:
            c.sendmail("a@x.example", ["b@x.example"], MESSAGE % b"embedded")
        self.assertEqual(len(server.messages()), 1)
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
