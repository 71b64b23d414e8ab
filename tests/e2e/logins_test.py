# SPDX-License-Identifier: MIT
"""Each login that fails, in whatever way, is one line of the log that fail2ban matches, without the password and
with a user name that is nothing but that."""
import base64
import hashlib
import hmac
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

from daemon import PASSWORD, PATIENCE, USER, Daemon
from dialogue import Client

FILTER = pathlib.Path(__file__).resolve().parents[2] / "examples/fail2ban/mox.conf"
WRONG = "wr0ng-gu3ss"
FORGED = 'x remote=192.0.2.7 reason="ok" l=info m="failed authentication attempt'


def b64(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def plain(user=USER, password=WRONG, authorize=""):
    return b64(f"{authorize}\0{user}\0{password}")


def cram(user=USER, password=WRONG):
    def respond(challenge):
        digest = hmac.new(password.encode(), base64.b64decode(challenge), "md5").hexdigest()
        return b64(f"{user} {digest}")
    return respond


def scram(name, user=USER, password=WRONG, extra=""):
    """The initial response, and what answers the server's first message."""
    first = f"n={user.replace('=', '=3D').replace(',', '=2C')},r=fyko+d2lbbFgONRv9qkxdawL"

    def respond(challenge):
        server = base64.b64decode(challenge).decode()
        fields = dict(f.split("=", 1) for f in server.split(","))
        salted = hashlib.pbkdf2_hmac(name, password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
        key = hmac.new(salted, b"Client Key", name).digest()
        final = f"c=biws,r={fields['r']}{extra}"
        stored = hashlib.new(name, key).digest()
        signature = hmac.new(stored, f"{first},{server},{final}".encode(), name).digest()
        return b64(f"{final},p={b64(bytes(a ^ b for a, b in zip(key, signature)))}")
    return b64("n,," + first), respond


def ways():
    """How a login fails: mechanism, responses (a text, or a function of the challenge), reason. The first is the
    initial response; None for none; "*" gives up, and "" closes the connection."""
    yield "PLAIN", [plain()], "badcreds"
    yield "PLAIN", [None, plain()], "badcreds"
    yield "PLAIN", [plain("nobody@nowhere.example")], "badcreds"
    yield "PLAIN", [plain(FORGED)], "badcreds"
    yield "PLAIN", [plain("a\r\nl=info b")], "badcreds"
    yield "PLAIN", [plain(authorize="somebody@localhost")], "badcreds"
    yield "PLAIN", [b64("no NULs")], "badprotocol"
    yield "PLAIN", ["!!!"], "badprotocol"
    yield "PLAIN", [None, "*"], "aborted"
    yield "PLAIN", [None, ""], "aborted"
    yield "LOGIN", [None, b64(USER), b64(WRONG)], "badcreds"
    yield "LOGIN", [b64(FORGED), b64(WRONG)], "badcreds"
    yield "LOGIN", [None, b64(USER), "*"], "aborted"
    yield "LOGIN", [None, b64(USER), ""], "aborted"
    yield "CRAM-MD5", [None, cram()], "badcreds"
    yield "CRAM-MD5", [None, cram(FORGED.replace(" ", ""))], "badcreds"
    yield "CRAM-MD5", [None, b64("no digest")], "badprotocol"
    yield "CRAM-MD5", [None, "*"], "aborted"
    for mechanism, name in (("SCRAM-SHA-1", "sha1"), ("SCRAM-SHA-256", "sha256")):
        yield mechanism, [*scram(name), "*"], "badcreds"
        yield mechanism, [*scram(name), ""], "badcreds"
        yield mechanism, [*scram(name, FORGED), "*"], "badcreds"
        yield mechanism, [*scram(name, "nobody@nowhere.example"), "*"], "badcreds"
        yield mechanism, [b64("n,,nonsense")], "badprotocol"
        yield mechanism, [scram(name)[0], b64("nonsense")], "badprotocol"
        yield mechanism, [scram(name)[0], "*"], "aborted"
        yield mechanism, [scram(name)[0], ""], "aborted"


class LoginsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Daemon().__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def lines(self):
        return [l for l in self.server.log_text().splitlines() if 'm="failed authentication attempt"' in l]

    def more_lines(self, before):
        """Those since: waits for one, and then long enough that a second would be there."""
        deadline = time.monotonic() + PATIENCE
        while len(self.lines()) == len(before) and time.monotonic() < deadline:
            time.sleep(0.02)
        with Client(self.server, "imap") as c:
            c.say("t noop")
        return self.lines()[len(before):]

    def fail(self, service, mechanism, responses):
        with Client(self.server, service) as c:
            if service == "submission":
                c.say("EHLO x")
            command = ("t authenticate " if c.imap else "AUTH ") + mechanism
            answer = c.say(command if responses[0] is None else f"{command} {responses[0]}")
            for response in responses[1:]:
                self.assertRegex(answer, r"^(334|\+)")
                if response == "":
                    return
                if callable(response):
                    response = response(answer.split()[1])
                answer = c.say(response)
            self.assertRegex(answer, r"^(5\d\d|454|455|t NO|t BAD)")

    def check(self, line, protocol, mechanism, reason):
        self.assertRegex(line, r'^l=(info|warn) m="failed authentication attempt" .*remote=127\.0\.0\.1 protocol=%s '
                         r'mechanism=%s user=("(?:[^"\\]|\\.)*"|[^ "=\\]+) reason=%s$' % (protocol, mechanism, reason))
        for secret in (WRONG, b64(WRONG), plain()):
            self.assertNotIn(secret, line)

    def test_each_way_to_fail_is_one_line(self):
        for service, protocol in (("submission", "smtp"), ("imap", "imap")):
            for mechanism, responses, reason in ways():
                if mechanism == "CRAM-MD5" and service == "imap":
                    responses = [None, *responses[1:]]
                with self.subTest(service=service, mechanism=mechanism, responses=responses):
                    before = self.lines()
                    self.fail(service, mechanism, responses)
                    found = self.more_lines(before)
                    self.assertEqual(len(found), 1, found)
                    self.check(found[0], protocol, mechanism, reason)

    def test_the_command_login_of_imap(self):
        quoted = FORGED.replace('"', '\\"')
        for line, reason in ((f"t login {USER} {WRONG}", "badcreds"), (f't login "{quoted}" {WRONG}', "badcreds"),
                             (f"t login {{{len(USER)}+}}\r\n{USER} {{{len(WRONG)}+}}\r\n{WRONG}", "badcreds")):
            with self.subTest(line), Client(self.server, "imap") as c:
                before = self.lines()
                self.assertRegex(c.say(line), "^t NO")
                found = self.more_lines(before)
                self.assertEqual(len(found), 1, found)
                self.check(found[0], "imap", "LOGIN", reason)

    def test_no_line_for_who_logs_in(self):
        before = self.lines()
        with Client(self.server, "submission") as c:
            c.say("EHLO x")
            self.assertRegex(c.say("AUTH PLAIN " + plain(USER, PASSWORD)), "^235")
        with Client(self.server, "imap") as c:
            self.assertRegex(c.say(f"t login {USER} {PASSWORD}"), "^t OK")
        self.assertEqual(self.lines(), before)


class Fail2banTest(unittest.TestCase):
    """The filter that comes with mox, on lines of a real log and on such that a client would like to see."""

    GOOD = [
        'l=info m="failed authentication attempt" pkg=smtpserver cid=1f delta=1.5ms remote=192.0.2.1 protocol=smtp '
        "mechanism=PLAIN user=a@x.example reason=badcreds",
        'l=info m="failed authentication attempt" err="not \\"a\\" message" pkg=imapserver cid=1f delta=0us '
        'username=b@x.example remote=2001:db8::1 protocol=imap mechanism=SCRAM-SHA-256 user="" reason=badprotocol',
    ]
    BAD = [
        'l=info m="failed authentication attempt" pkg=smtpserver cid=1f delta=1.5ms remote=192.0.2.1 protocol=smtp '
        "mechanism=PLAIN user=a@x.example reason=error",
        'l=info m="new connection" pkg=smtpserver cid=1f delta=1.5ms remote=192.0.2.1',
        'l=info m=login pkg=imapserver cid=1 delta=1us remote=192.0.2.1 protocol=imap mechanism=LOGIN user=a reason=ok',
        'l=trace m="RC: l=info m=\\"failed authentication attempt\\" pkg=a cid=1 delta=1us remote=192.0.2.7 '
        'protocol=smtp mechanism=PLAIN user=a reason=badcreds" pkg=smtpserver cid=1f delta=1us size=8',
    ]

    def regex(self):
        text = FILTER.read_text()
        value = re.search(r"^value = (.*)$", text, re.M)[1]
        regex = re.search(r"^failregex = (.*)$", text, re.M)[1]
        return re.compile(regex.replace("%(value)s", value).replace("<ADDR>", r"(?P<addr>[0-9a-f.:]+)"))

    def real_lines(self):
        with Daemon() as server:
            for user in (USER, FORGED, ""):
                with Client(server, "submission") as c:
                    c.say("EHLO x")
                    c.say("AUTH PLAIN " + plain(user))
                with Client(server, "imap") as c:
                    c.say("t authenticate PLAIN " + plain(user))
            return [l for l in server.log_text().splitlines() if l.startswith("l=")]

    def test_python(self):
        regex = self.regex()
        real = self.real_lines()
        failed = [l for l in real if 'm="failed' in l]
        self.assertEqual(len(failed), 6)
        for line in self.GOOD + failed:
            self.assertRegex(line, regex)
            self.assertRegex("host mox[12]: " + line, regex)
        for line in self.BAD + [l for l in real if l not in failed]:
            self.assertNotRegex(line, regex)
        self.assertEqual({regex.match(l)["addr"] for l in failed}, {"127.0.0.1"})

    @unittest.skipUnless(shutil.which("fail2ban-regex"), "fail2ban is not installed")
    def test_fail2ban_regex(self):
        lines = self.GOOD + self.real_lines() + self.BAD
        expected = [l for l in lines if self.regex().match(l)]
        with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
            log.write("".join(l + "\n" for l in lines))
            log.flush()
            done = subprocess.run(["fail2ban-regex", "--print-all-matched", log.name, str(FILTER)],
                                  capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"Lines: %d lines, 0 ignored, %d matched, %d missed" %
                         (len(lines), len(expected), len(lines) - len(expected)))
        for line in expected:
            self.assertIn(line, done.stdout)


if __name__ == "__main__":
    unittest.main()
