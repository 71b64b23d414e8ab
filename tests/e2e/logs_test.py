# SPDX-License-Identifier: MIT
"""What the running server writes to its log, at each level: its levels change while sessions are open, and
no line shows a password, or a message, to whoever has not asked for it."""
import base64
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import unittest

from daemon import MOX, PATIENCE, USER, Daemon
from dialogue import Client

PASSWORD, WRONG = "S3cret-pa55w0rd", "wr0ng-gu3ss-too"
SUBJECT, BODY = "subject-of-the-letter", "what-the-letter-says"
LEVELS = ["error", "warn", "info", "debug", "trace", "traceauth", "tracedata"]


def b64(text):
    return base64.b64encode(text.encode()).decode()


def forms(secret):
    """The text, and what base64 makes of it wherever it stands in a response."""
    yield secret
    for i in range(3):
        encoded = b64("." * i + secret)
        yield encoded[-(-i * 8 // 6):len(encoded) // 4 * 4 - 4]


def plain(password):
    return b64(f"\0{USER}\0{password}")


# Ways to log in: lines, each sent once the one before was answered.
SMTP_LOGINS = [
    lambda p: ["AUTH PLAIN " + plain(p)],
    lambda p: ["auth plain", plain(p)],
    lambda p: ["AUTH LOGIN", b64(USER), b64(p)],
    lambda p: ["AUTH LOGIN " + b64(USER), b64(p)],
    lambda p: ["AUTH PLAIN", "*", plain(p), p],  # it does not know that it has given up
    lambda p: ["AUTH NOSUCH " + plain(p), plain(p)],
    lambda p: ["AUTH PLAIN =" + plain(p)],
]
IMAP_LOGINS = [
    lambda p: [f"t login {USER} {p}"],
    lambda p: [f't LOGIN "{USER}" "{p}"'],
    lambda p: [f"t login {{{len(USER)}}}", f"{USER} {{{len(p)}}}", p],
    lambda p: [f"t login {{{len(USER)}+}}\r\n{USER} {{{len(p)}+}}\r\n{p}"],
    lambda p: [f"t login {USER} {p} and more"],
    lambda p: [f"t Login {USER} \"{p}"],
    lambda p: ["t authenticate plain " + plain(p)],
    lambda p: ["t authenticate plain", plain(p)],
    lambda p: ["t authenticate nosuch " + plain(p)],
    lambda p: ["t authenticate plain", "*", "t " + p, p],
]


class LogsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Daemon().__enter__()
        cls.addClassCleanup(cls.server.__exit__)
        subprocess.run([MOX, "setaccountpassword", "-dir", cls.server.dir, USER], input=PASSWORD + "\n", text=True,
                       check=True, timeout=PATIENCE)

    def mox(self, *args):
        done = subprocess.run([MOX, args[0], "-dir", self.server.dir, *args[1:]], capture_output=True, text=True,
                              timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, ""), args)
        return done.stdout

    @contextlib.contextmanager
    def level(self, level):
        """Yields a function that gives what was logged since. What clients did before they left is in the log
        by then: the server sees it before the command's connection."""
        self.mox("loglevels", level)
        start = len(self.server.log_text())
        try:
            yield lambda: self.server.log_text()[start:]
        finally:
            self.mox("loglevels", "info")

    def log_in_everyhow(self, password, step):
        for service, logins in (("submission", SMTP_LOGINS), ("imap", IMAP_LOGINS)):
            for login in logins:
                with Client(self.server, service) as c:
                    if service == "submission":
                        c.say("EHLO x")
                    for line in login(password):
                        if not c.say(line, step):
                            break

    def test_passwords_are_seen_from_traceauth_on(self):
        for level in LEVELS:
            with self.subTest(level), self.level(level) as log:
                self.log_in_everyhow(PASSWORD, None)
                self.log_in_everyhow(WRONG, 7)
                text = log()
                for secret in (PASSWORD, WRONG):
                    found = [f for f in forms(secret) if f in text]
                    self.assertEqual(bool(found), level in ("traceauth", "tracedata"), found)
                self.assertEqual("RC: ***" in text, level == "trace")

    def test_passwords_that_come_byte_by_byte(self):
        with self.level("trace") as log:
            self.log_in_everyhow(PASSWORD, 1)
            self.assertEqual([f for f in forms(PASSWORD) if f in log()], [])

    def send_messages(self):
        message = f"Subject: {SUBJECT}\r\nContent-Type: text/plain; name={SUBJECT}.txt\r\n\r\n{BODY}\r\n"
        size = len(message)
        with Client(self.server, "smtp") as c:
            for line in ("EHLO x", "MAIL FROM:<a@x.example>", f"RCPT TO:<{USER}>", "DATA"):
                c.say(line)
            self.assertRegex(c.say(message + "."), "^250")
            c.say("MAIL FROM:<a@x.example>")
            c.say(f"RCPT TO:<{USER}>")
            for command, chunk in ((f"BDAT {size}", message), (f"BDAT {len(BODY)} LAST", BODY)):
                c.send(f"{command}\r\n{chunk}", 5)
                self.assertRegex(c.answer(), "^250")
        with Client(self.server, "smtp") as c:
            c.say("EHLO x")
            self.assertRegex(c.say("DATA"), "^503")
            for line in message.splitlines():
                c.say(line or "x")
            c.send(f"BDAT {size}\r\n{message}")
            self.assertRegex(c.answer(), "^503")
        with Client(self.server, "imap") as c:
            self.assertRegex(c.say(f"t login {USER} {PASSWORD}"), "^t OK")
            self.assertRegex(c.say(f"t append inbox {{{size}}}"), r"^\+")
            self.assertRegex(c.say(message), "^t OK")
            self.assertRegex(c.say(f"t append nowhere {{{size}+}}\r\n{message}", 9), "^t NO")
            self.assertRegex(c.say("t select inbox"), "^t OK")
            self.assertRegex(c.say("t fetch * (flags body.peek[] body.peek[text] rfc822.header envelope body "
                                   "bodystructure body.peek[header.fields (subject)] body.peek[]<3.40>)"), "^t OK")

    def test_messages_are_seen_at_tracedata(self):
        for level in LEVELS:
            with self.subTest(level), self.level(level) as log:
                self.send_messages()
                text = log()
                self.assertEqual([w for w in (SUBJECT, BODY) if w in text],
                                 [SUBJECT, BODY] if level == "tracedata" else [])
                self.assertEqual("RC: ..." in text, level in ("trace", "traceauth"))

    def test_a_level_counts_from_the_next_line_of_open_sessions_on(self):
        with Client(self.server, "smtp") as a, Client(self.server, "imap") as b:
            a.say("EHLO x")
            a.say("NOOP first")
            self.mox("loglevels", "trace", "smtpserver")
            self.mox("loglevels", "debug", "imapserver")
            self.assertIn("smtpserver: trace\n", self.mox("loglevels"))
            a.say("NOOP second")
            b.say("t noop")
            self.mox("loglevels", "", "smtpserver")
            self.mox("loglevels", "", "imapserver")
            a.say("NOOP third")
            b.say("t noop")
        text = self.server.log_text()
        seen = re.findall(r'l=trace m="RC: NOOP (\w+)" pkg=smtpserver', text)
        self.assertEqual(seen, ["second"])
        self.assertEqual(len(re.findall(r'm="imap command result" pkg=imapserver', text)), 1)
        self.assertNotRegex(text, r"m=\"RC: t noop\"")

    def test_the_package_wins_over_the_default(self):
        with self.level("trace") as log:
            self.mox("loglevels", "error", "smtpserver")
            with Client(self.server, "smtp") as c:
                c.say("EHLO x")
            with Client(self.server, "imap") as c:
                c.say("t noop")
            self.mox("loglevels", "", "smtpserver")
            self.assertIn('m="RC: t noop" pkg=imapserver', log())
            self.assertNotIn("pkg=smtpserver", log())

    def test_each_line_of_a_connection_says_whose_it_is(self):
        with self.level("tracedata") as log:
            with Client(self.server, "submission") as c:
                c.say("EHLO x")
                c.say("AUTH PLAIN " + plain(PASSWORD))
                for line in (f"MAIL FROM:<{USER}>", "RCPT TO:<b@x.example>", "DATA"):
                    c.say(line)
                c.say(f"From: {USER}\r\nSubject: x\r\n\r\nx\r\n.")
                c.say("QUIT")
            with Client(self.server, "imap") as c:
                c.say(f"t login {USER} {PASSWORD}")
                c.say("t select inbox")
                c.say("t logout")
            deadline = time.monotonic() + PATIENCE
            while log().count('m="connection closed"') < 2 and time.monotonic() < deadline:
                time.sleep(0.02)
            lines = [l for l in log().splitlines() if re.search("pkg=(smtpserver|imapserver)", l)]
        for line in lines:
            self.assertRegex(line, r"^l=\w+ m=.* pkg=\w+ cid=[0-9a-f]+ delta=[0-9a-z.]+( |$)")
        for pkg, first in (("smtpserver", "LS: 235 "), ("imapserver", "LS: t OK ")):
            own = [l for l in lines if "pkg=" + pkg in l]
            self.assertEqual(len({re.search("cid=(\\w+)", l)[1] for l in own}), 1, own)
            user = [f" username={USER}" in l for l in own]
            at = next(i for i, l in enumerate(own) if first in l)
            self.assertFalse(any(user[:at - 2]), own)
            self.assertTrue(all(user[at:]), own)


class StartTest(unittest.TestCase):
    """Levels at the start."""

    def levels(self, *flags, config=""):
        with Daemon() as server:
            server.stop()
            path = os.path.join(server.dir, "mox.conf")
            with open(path) as f:
                text = f.read()
            self.assertIn("LogLevel: info\n", text)
            with open(path, "w") as f:
                f.write(text.replace("LogLevel: info\n", config or "LogLevel: info\n"))
            server.args = flags
            server.start()
            return subprocess.run([MOX, "loglevels", "-dir", server.dir], capture_output=True, text=True).stdout

    def test_the_configuration_is_honoured(self):
        self.assertEqual(self.levels(), "(default): info\n")
        self.assertEqual(self.levels(config="LogLevel: error\nPackageLogLevels:\n\tstore: debug\n\tctl: warn\n"),
                         "(default): error\nctl: warn\nstore: debug\n")

    def test_the_command_line_goes_over_it(self):
        config = "LogLevel: error\nPackageLogLevels:\n\tstore: debug\n\tctl: warn\n"
        self.assertEqual(self.levels("-loglevel", "warn", config=config),
                         "(default): warn\nctl: warn\nstore: debug\n")
        self.assertEqual(self.levels("-loglevel", "store=trace,smtpserver=info", config=config),
                         "(default): error\nctl: warn\nsmtpserver: info\nstore: trace\n")

    def test_a_log_that_nobody_reads_any_more_is_no_end(self):
        without_readers = ("import os, signal, sys; r, w = os.pipe(); os.close(r); os.dup2(w, 2); "
                           "signal.signal(signal.SIGPIPE, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])")
        with Daemon(under=(sys.executable, "-c", without_readers)) as server:
            with Client(server, "smtp") as c:
                c.say("EHLO x")
                for line in ("MAIL FROM:<a@x.example>", f"RCPT TO:<{USER}>", "DATA"):
                    c.say(line)
                self.assertRegex(c.say("Subject: x\r\n\r\nx\r\n."), "^250 ")
            self.assertEqual(server.stop(), signal.SIGTERM)


if __name__ == "__main__":
    unittest.main()
