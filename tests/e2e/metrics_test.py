# SPDX-License-Identifier: MIT
"""What the running server counts, as Prometheus reads it."""
import base64
import contextlib
import imaplib
import pathlib
import re
import socket
import smtplib
import ssl
import subprocess
import time
import unittest

from daemon import MOX, PASSWORD, PATIENCE, USER, Daemon, any_certificate
from dialogue import Client

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(r'(%s)(?:\{((?:%s="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (-?[0-9.]+)$' % (NAME, NAME))
LABEL = re.compile(r'(%s)="((?:[^"\\\n]|\\["\\n])*)"' % NAME)
MARK = "xyzzy"  # of a client's words: no label has it


class Metrics:
    """The text, read strictly: what Prometheus would not take fails."""

    def __init__(self, text):
        self.types, self.values, family = {}, {}, None
        assert text.endswith("\n")
        for line in text.splitlines():
            if line.startswith("# HELP "):
                family = line.split(" ")[2]
                assert family not in self.types, line
            elif line.startswith("# TYPE "):
                assert line.split(" ")[2] == family, line
                self.types[family] = line.split(" ")[3]
            else:
                self.sample(family, line)
        assert list(self.types) == sorted(self.types)
        self.check_histograms()

    def sample(self, family, line):
        match = SAMPLE.match(line)
        assert match, line
        name, labels, value = match.groups()
        histogram = self.types[family] == "histogram"
        assert name in ([family + s for s in ("_bucket", "_sum", "_count")] if histogram else [family]), line
        key = (name, frozenset(LABEL.findall(labels or "")))
        assert key not in self.values, line
        self.values[key] = float(value)

    def check_histograms(self):
        for (name, labels), count in self.values.items():
            family = name.removesuffix("_count")
            if name == family or self.types.get(family) != "histogram":
                continue
            buckets = sorted((float(dict(l)["le"]), v) for (n, l), v in self.values.items()
                             if n == family + "_bucket" and labels == {x for x in l if x[0] != "le"})
            assert buckets[-1] == (float("inf"), count), (family, labels)
            assert [v for _, v in buckets] == sorted(v for _, v in buckets), (family, labels)

    def get(self, name, **labels):
        """The sum of all series with these labels."""
        return sum(v for (n, l), v in self.values.items() if n == name and set(labels.items()) <= l)


class MetricsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Daemon().__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def text(self):
        done = subprocess.run([MOX, "metrics", "-dir", self.server.dir], capture_output=True, text=True,
                              timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def metrics(self):
        return Metrics(self.text())

    def smtp(self, service="smtp"):
        return smtplib.SMTP("127.0.0.1", self.server.port(service), "localhost", timeout=PATIENCE)

    def imap(self):
        return imaplib.IMAP4("127.0.0.1", self.server.port("imap"), timeout=PATIENCE)

    def grown(self, before, name, **labels):
        return self.metrics().get(name, **labels) - before.get(name, **labels)

    def test_the_man_page_has_them_all(self):
        man = subprocess.run([MOX, "help", "-man"], capture_output=True, text=True, check=True).stdout
        sources = pathlib.Path(__file__).resolve().parents[2].glob("lib/*/*.c")
        names = re.findall(r'\.name = "((?:mox|process)_[a-z_]+)"', "".join(f.read_text() for f in sources))
        self.assertGreater(len(names), 20)
        for name in [*names, *self.metrics().types]:
            self.assertIn(name, man)

    def test_what_every_process_has(self):
        m = self.metrics()
        self.assertLess(abs(m.get("process_start_time_seconds") - time.time()), 24 * 3600)
        self.assertGreater(m.get("process_resident_memory_bytes"), 1 << 20)
        self.assertGreater(m.get("process_open_fds"), 5)
        self.assertGreaterEqual(m.get("process_max_fds"), m.get("process_open_fds"))
        self.assertEqual(m.types["process_cpu_seconds_total"], "counter")

    def test_commands_of_smtp_by_their_result(self):
        before = self.metrics()
        with self.smtp() as c:
            c.ehlo()
            c.docmd("NOOP")
            c.docmd("FROBNICATE")
            c.docmd("FUMBLE")
            c.docmd("DATA")
        name = "mox_smtpserver_command_duration_seconds_count"
        for cmd, code, ecode, n in (("ehlo", "250", "", 1), ("noop", "250", "2.0.0", 1), ("quit", "221", "2.0.0", 1),
                                    ("(unknown)", "500", "5.5.1", 2), ("data", "503", "5.5.1", 1)):
            with self.subTest(cmd):
                self.assertEqual(self.grown(before, name, kind="smtp", cmd=cmd, code=code, ecode=ecode), n)
        self.assertEqual(self.grown(before, "mox_smtpserver_connection_total", kind="smtp"), 1)

    def test_commands_of_imap_by_their_result(self):
        before = self.metrics()
        c = self.imap()
        c.login(USER, PASSWORD)
        self.assertEqual(c.select("Nowhere")[0], "NO")
        c.select("Inbox", readonly=True)
        c.send(b"x1 frobnicate\r\nx2 uid fetch\r\n")
        for _ in range(2):
            self.assertRegex(c.readline(), b"x. BAD ")
        c.logout()
        name = "mox_imap_command_duration_seconds_count"
        for cmd, result in (("login", "ok"), ("select", "usererror"), ("examine", "ok"),
                            ("uid fetch", "badsyntax"), ("(unrecognized)", "badsyntax"), ("logout", "ok")):
            with self.subTest(cmd):
                self.assertEqual(self.grown(before, name, cmd=cmd, result=result), 1)

    def test_deliveries_and_submissions(self):
        before = self.metrics()
        with self.smtp() as c:
            c.sendmail("a@x.example", [USER, "b@x.example"], b"Subject: x\r\n\r\nx\r\n")
        with self.smtp("submission") as c:
            c.starttls(context=any_certificate())
            c.login(USER, PASSWORD)
            c.sendmail(USER, ["b@x.example"], b"From: %s\r\nSubject: x\r\n\r\nx\r\n" % USER.encode())
        delivered = {"result": "delivered", "reason": "no-bad-signals"}
        self.assertEqual(self.grown(before, "mox_smtpserver_delivery_total", **delivered), 2)
        self.assertEqual(self.grown(before, "mox_smtpserver_submission_total", result="ok"), 1)
        self.assertGreaterEqual(self.grown(before, "mox_store_commit_writes_sum"), 3)
        self.assertGreaterEqual(self.grown(before, "mox_store_commit_duration_seconds_count"), 2)

    @staticmethod
    def wait_for(condition):
        deadline = time.monotonic() + PATIENCE
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.02)

    def starttls(self, then):
        with Client(self.server, "smtp") as c:
            c.say("EHLO x")
            self.assertRegex(c.say("STARTTLS"), "^220")
            then(c.socket)

    def test_handshakes_of_deliveries_that_fail(self):
        def wait(s):
            with contextlib.suppress(OSError):
                while s.recv(4096):
                    pass
        def not_tls(s):
            s.sendall(b"EHLO again\r\n")
            wait(s)
        def hangs_up(s):
            s.shutdown(socket.SHUT_WR)
            wait(s)
        def verifies(s):
            with self.assertRaises(ssl.SSLError):  # s stays open: else a reset overtakes the alert
                ssl.create_default_context().wrap_socket(s.dup(), server_hostname="localhost")
            wait(s)
        def old(s):
            s.sendall(bytes.fromhex("802e0100020015000000100100800200800300800400800500800600400700c0") + bytes(16))
            wait(s)
        before = self.metrics()
        for then in (lambda s: any_certificate().wrap_socket(s).close(), not_tls, hangs_up, verifies, old):
            self.starttls(then)
        self.wait_for(lambda: self.grown(before, "mox_smtpserver_delivery_starttls_errors_total") == 4)
        m = self.metrics()
        self.assertEqual(self.grown(before, "mox_smtpserver_delivery_starttls_total"), 5)
        name = "mox_smtpserver_delivery_starttls_errors_total"
        for reason in ("nottls", "eof", "sslv2"):
            self.assertEqual(self.grown(before, name, reason=reason), 1, reason)
        alerts = {dict(l)["reason"] for (n, l), _ in m.values.items() if n == name} - {"nottls", "eof", "sslv2"}
        self.assertEqual(len(alerts), 1, alerts)
        self.assertRegex(alerts.pop(), r"^alert-4[268]-[a-z-]+$")

    def test_logins_by_mechanism_and_how_they_ended(self):
        before = self.metrics()
        with self.smtp("submission") as c:
            c.ehlo()
            for password in ("wrong-one", PASSWORD):
                plain = base64.b64encode(f"\0{USER}\0{password}".encode()).decode()
                c.docmd("AUTH", "PLAIN " + plain)
        with self.smtp("submission") as c:
            c.ehlo()
            c.docmd("AUTH", "SCRAM-SHA-256")
            c.docmd("*")
        c = self.imap()
        with self.assertRaises(imaplib.IMAP4.error):
            c.login(USER, "wrong-one")
        c.login(USER, PASSWORD)
        c.logout()
        for kind, variant, result in (("submission", "plain", "ok"), ("submission", "plain", "badcreds"),
                                      ("submission", "scram-sha-256", "aborted"), ("imap", "login", "badcreds"),
                                      ("imap", "login", "ok")):
            with self.subTest(kind=kind, variant=variant, result=result):
                self.assertEqual(self.grown(before, "mox_authentication_total", kind=kind, variant=variant,
                                            result=result), 1)

    def test_open_connections_come_and_go(self):
        def is_open(n):
            return self.metrics().get("mox_connections_count", protocol="imap", listener="local") == n
        self.wait_for(lambda: is_open(0))
        a, b = self.imap(), self.imap()
        self.assertTrue(is_open(2))
        a.shutdown()
        b.shutdown()
        self.wait_for(lambda: is_open(0))
        self.assertTrue(is_open(0))

    def test_lines_of_the_log_are_counted_below_their_level_too(self):
        before = self.metrics()
        self.assertEqual(subprocess.run([MOX, "loglevels", "-dir", self.server.dir, "error", "smtpserver"]).returncode, 0)
        with self.smtp():
            pass
        subprocess.run([MOX, "loglevels", "-dir", self.server.dir, "", "smtpserver"], check=True)
        self.assertGreaterEqual(self.grown(before, "mox_logging_level_info_total", pkg="smtpserver"), 1)

    def test_no_label_is_a_word_of_a_client(self):
        plain = base64.b64encode(f"\0{MARK}@localhost\0{MARK}".encode()).decode()
        lines = {
            "smtp": [f"EHLO {MARK}.example", f"{MARK} x", f"MAIL FROM:<{MARK}@x.example> {MARK}=1",
                     f"MAIL FROM:<{MARK}@x.example>", f"RCPT TO:<{MARK}@{MARK}.example>", f"AUTH {MARK}", "QUIT"],
            "submission": [f"EHLO {MARK}", f"AUTH {MARK}", f"AUTH PLAIN {plain}", f"{MARK}", "QUIT"],
            "imap": [f"{MARK} {MARK}", f"{MARK} login {MARK} {MARK}", f"{MARK} authenticate {MARK}",
                     f"a authenticate PLAIN {plain}", f"a uid {MARK}", f"a select {MARK}", "a logout"],
        }
        lines["imap"].insert(0, "a noop")
        for service, dialogue in lines.items():
            for first in (dialogue, [MARK]):
                with contextlib.suppress(OSError), socket.create_connection(
                        ("127.0.0.1", self.server.port(service)), PATIENCE) as s:
                    for line in first:
                        s.sendall(line.encode() + b"\r\n")
                        time.sleep(0.05)
                    while s.recv(4096):
                        pass
        text = self.text()
        Metrics(text)
        self.assertNotIn(MARK, text.lower())


if __name__ == "__main__":
    unittest.main()
