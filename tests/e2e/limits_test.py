# SPDX-License-Identifier: MIT
"""`localserve -limits`: what one address may do. All of 127.0.0.0/8 is this machine, so each test has addresses of
its own, in networks of their own. Windows follow the clock's minutes: a test that a minute's end cuts in two is
taken again."""
import base64
import contextlib
import os
import re
import smtplib
import socket
import subprocess
import tempfile
import time
import unittest

from daemon import MOX, PASSWORD, PATIENCE, USER, Daemon, free_base

WRONG = base64.b64encode(b"\0mox@localhost\0wrong").decode()
RIGHT = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
networks = (f"127.{n}.1" for n in range(10, 200))


class Peer:
    """A connection from that address, and its greeting."""

    def __init__(self, server, service, ip):
        self.sock = socket.create_connection(("127.0.0.1", server.port(service)), 60, (ip, 0))
        self.file = self.sock.makefile("rb")
        self.greeting = self.line()

    def line(self):
        """'' at the end."""
        return self.file.readline().decode()

    def ask(self, *lines):
        """The last line of the last answer."""
        answer = ""
        for said in lines:
            self.sock.sendall(f"{said}\r\n".encode())
            answer = self.line()
            while answer[3:4] == "-" or answer.startswith("* "):
                answer = self.line()
        return answer

    def close(self):
        self.file.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


def whole_minute(scenario):
    """Tries again when a minute has ended meanwhile."""
    def test(self):
        for _ in range(5):
            minute = time.time() // 60
            try:
                scenario(self, next(networks))
            except AssertionError:
                if time.time() // 60 == minute:
                    raise
            else:
                if time.time() // 60 == minute:
                    return
        self.fail("a minute is too short here")
    return test


def make_directory(directory):
    """A configuration, to be changed before the server starts."""
    os.makedirs(directory + "-log")
    subprocess.run([MOX, "localserve", "-dir", directory, "-initonly"], check=True, capture_output=True)
    return os.path.join(directory, "mox.conf")


def let_nobody_wait(path):
    """A stranger's first message takes 15 s, and there are five tries of a minute."""
    with open(path, encoding="utf-8") as conf:
        text, n = re.subn(r"(?ms)^\t\tSMTP:\n.*?Enabled: true\n", r"\g<0>\t\t\tFirstTimeSenderDelay: 0s\n", conf.read())
    assert n > 0, path
    with open(path, "w", encoding="utf-8") as conf:
        conf.write(text)


class Limits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        root = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="mox-limits."))
        directory = os.path.join(root, "data")
        let_nobody_wait(make_directory(directory))
        cls.server = Daemon("-limits", "-loglevel", "info", directory=directory)
        cls.server.base = free_base()
        cls.enterClassContext(cls.server)

    def peer(self, service, ip):
        return self.enterContext(Peer(self.server, service, ip))

    def greets(self, service, ip):
        """The greeting of a connection that goes at once."""
        with Peer(self.server, service, ip) as p:
            return p.greeting

    def fail_login(self, service, ip):
        """An attempt that costs little; whether it could be made."""
        with Peer(self.server, service, ip) as p:
            if service == "imap":
                if not p.greeting.startswith("* OK"):
                    return False
                p.sock.sendall(b"a AUTHENTICATE PLAIN\r\n")
                self.assertTrue(p.line().startswith("+"))
                self.assertTrue(p.ask("*").startswith("a BAD"))
            else:
                if not p.greeting.startswith("220"):
                    return False
                self.assertTrue(p.ask("EHLO client.example", "AUTH PLAIN").startswith("334"))
                self.assertTrue(p.ask("*").startswith("501"))
            return True

    def test_the_31st_connection_is_refused_and_other_protocols_are_not(self):
        ip = next(networks) + ".1"
        for service in ("imap", "imap", "imap"):
            for _ in range(10):
                self.assertTrue(self.peer(service, ip).greeting.startswith("* OK"))
        refused = self.peer("imap", ip)
        self.assertTrue(refused.greeting.startswith("* BYE too many open connections"), refused.greeting)
        self.assertEqual(refused.line(), "")
        for service in ("smtp", "submission"):
            for _ in range(15):
                self.assertTrue(self.peer(service, ip).greeting.startswith("220 "))
        refused = self.peer("smtp", ip)
        self.assertTrue(refused.greeting.startswith("421 4.7.0 too many open connections"), refused.greeting)
        self.assertEqual(refused.line(), "")
        with contextlib.suppress(ConnectionResetError):  # without a handshake
            self.assertEqual(self.greets("submissions", ip), "")

    def test_who_leaves_makes_room(self):
        ip = next(networks) + ".1"
        peers = [self.peer("imap", ip) for _ in range(30)]
        self.assertTrue(self.greets("imap", ip).startswith("* BYE"))
        peers[0].close()
        deadline = time.monotonic() + 60
        while not self.greets("imap", ip).startswith("* OK"):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    @whole_minute
    def test_the_301st_connection_in_a_minute_is_refused(self, network):
        for _ in range(300):
            self.assertTrue(self.greets("smtp", network + ".1").startswith("220"))
        self.assertIn("421 4.7.0 too many new connections", self.greets("submission", network + ".1"))
        self.assertTrue(self.greets("imap", network + ".1").startswith("* OK"))
        self.assertTrue(self.greets("smtp", network + ".2").startswith("220"))

    @whole_minute
    def test_logins_that_fail_lock_out_users_of_all_protocols_but_not_mail(self, network):
        ip = network + ".1"
        inside = self.peer("imap", ip), self.peer("submission", ip)
        for i in range(10):
            self.assertTrue(self.fail_login("imap" if i % 2 else "submission", ip), i)
        self.assertTrue(self.greets("imap", ip).startswith("* BYE too many failed logins"))
        self.assertTrue(self.greets("submission", ip).startswith("421 4.7.0 too many failed logins"))
        # Who was connected before cannot go on guessing, not even with the right password.
        self.assertTrue(inside[0].ask(f"a LOGIN {USER} {PASSWORD}").startswith("a NO [UNAVAILABLE]"))
        self.assertTrue(inside[1].ask("EHLO client.example", f"AUTH PLAIN {RIGHT}").startswith("454 4.7.0"))
        with smtplib.SMTP("127.0.0.1", self.server.port("smtp"), timeout=60, source_address=(ip, 0)) as smtp:
            smtp.sendmail("a@remote.example", [USER], b"Subject: mail\r\n\r\nHello\r\n")
        self.assertTrue(self.greets("imap", network + ".2").startswith("* OK"))

    @whole_minute
    def test_a_login_that_succeeds_clears_the_address(self, network):
        ip = network + ".1"
        for _ in range(2):
            with Peer(self.server, "submission", ip) as p:
                self.assertTrue(p.ask("EHLO client.example", f"AUTH PLAIN {WRONG}").startswith("535"))
            for _ in range(8):
                self.assertTrue(self.fail_login("imap", ip))
            with Peer(self.server, "imap", ip) as p:
                self.assertTrue(p.ask(f"a LOGIN {USER} {PASSWORD}").startswith("a OK"), p)

    @whole_minute
    def test_what_one_address_does_counts_for_its_network(self, network):
        for i in range(30):
            self.assertTrue(self.fail_login("submission", f"{network}.{1 + i % 5}"))
        self.assertTrue(self.greets("imap", network + ".60").startswith("* BYE"))
        self.assertTrue(self.greets("imap", network + ".64").startswith("* OK"))

    def count(self, series):
        text = subprocess.run([MOX, "metrics", "-dir", self.server.dir], capture_output=True, text=True, check=True,
                              timeout=PATIENCE).stdout
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(series))

    @whole_minute
    def test_refusals_are_in_the_log_and_are_counted(self, network):
        open_before = self.count('mox_connections_refused_total{protocol="imap",limit="open connections"}')
        logins_before = self.count('mox_authentication_ratelimited_total{kind="submission"}')
        for _ in range(31):
            self.peer("imap", network + ".1")
        for _ in range(10):
            self.fail_login("submission", network + ".1")
        self.greets("submission", network + ".1")
        self.assertEqual(self.count('mox_connections_refused_total{protocol="imap",limit="open connections"}'),
                         open_before + 1)
        self.assertEqual(self.count('mox_authentication_ratelimited_total{kind="submission"}'), logins_before + 1)
        self.assertIn("connection refused", self.server.log_text())


class DeliveryLimits(unittest.TestCase):
    # A refusal is slow by itself.
    LIMITS = "Limits:\n\tMessagesPerDay:\n\t\tAddress: 3\n\t\tNetwork: 5\nDelays:\n\tBadClient: 0s\n"

    def deliver(self, server, ip, service="smtp", to=USER):
        with smtplib.SMTP("127.0.0.1", server.port(service), timeout=60, source_address=(ip, 0)) as c:
            if service == "submission":
                c.login(USER, PASSWORD)
            try:
                c.sendmail(USER, to, b"From: <mox@localhost>\r\nSubject: x\r\n\r\nHello\r\n")
            except smtplib.SMTPDataError as refused:
                return refused.smtp_code, refused.smtp_error.decode()
        return 250, ""

    def test_one_message_too_many_is_refused_and_not_stored_also_after_a_restart(self):
        with tempfile.TemporaryDirectory(prefix="mox-limits.") as root:
            directory = os.path.join(root, "data")
            with open(make_directory(directory), "a", encoding="utf-8") as conf:
                conf.write(self.LIMITS)
            server = Daemon("-limits", directory=directory)
            server.base = free_base()
            self.addCleanup(server.stop)
            server.start()
            network = next(networks)
            for _ in range(3):
                self.assertEqual(self.deliver(server, network + ".1")[0], 250)
            for _ in range(2):
                code, text = self.deliver(server, network + ".1")
                self.assertEqual(code, 452)
                self.assertRegex(text, r"^4\.2\.2 too many messages from your address in the last 24 hours \(limit 3\)")
                self.assertEqual(self.deliver(server, network + ".1", "submission")[0], 250)  # users have others
                server.stop()
                server.start()
            self.assertEqual(self.deliver(server, network + ".2")[0], 452)  # the network's
            self.assertEqual(self.deliver(server, network + ".65")[0], 250)
            server.stop()
            good, text = server.verify()
            self.assertTrue(good, text)


class NoLimits(unittest.TestCase):
    def test_without_the_flag_thousands_connect_and_fail_to_log_in(self):
        with Daemon("-loglevel", "error") as server:
            with contextlib.ExitStack() as stack:
                for service in ("smtp", "imap"):
                    for _ in range(150):
                        p = stack.enter_context(Peer(server, service, "127.0.0.1"))
                        self.assertRegex(p.greeting, r"^(220|\* OK)")
            for _ in range(2000):
                with Peer(server, "smtp", "127.0.0.1") as p:
                    self.assertTrue(p.greeting.startswith("220"))
            for _ in range(100):
                with Peer(server, "submission", "127.0.0.1") as p:
                    self.assertTrue(p.ask("EHLO client.example", "AUTH PLAIN", "*").startswith("501"))
            with Peer(server, "imap", "127.0.0.1") as p:
                self.assertTrue(p.ask(f"a LOGIN {USER} {PASSWORD}").startswith("a OK"))


if __name__ == "__main__":
    unittest.main()
