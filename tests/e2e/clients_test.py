# SPDX-License-Identifier: MIT
"""Programs that nobody here wrote, against the built daemon: curl, swaks, mutt, mbsync."""
import fcntl
import imaplib
import mailbox
import lzma
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import tempfile
import termios
import time
import unittest

from daemon import PASSWORD, PATIENCE, USER, Daemon, any_certificate

MESSAGE = (b"From: Dev <dev@example.org>\r\nTo: mox@localhost\r\nSubject: from a client\r\n"
           b"Date: Mon, 2 Jan 2023 03:04:05 +0100\r\n\r\n.dots\r\n..two\r\nend\r\n")
TUID = re.compile(rb"(?m)^X-TUID: [^\n]*\n")  # the line that mbsync adds


def need(program):
    return unittest.skipUnless(shutil.which(program), f"{program} is not installed")


def run(*args, **kwargs):
    return subprocess.run(args, capture_output=True, timeout=300, **kwargs)


def run_on_terminal(*args, env):
    """Like run(), for programs that want a screen."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(args, stdin=theirs, stdout=theirs, stderr=theirs, env=env,
                               start_new_session=True)
    os.close(theirs)
    screen, deadline = b"", time.monotonic() + PATIENCE
    try:
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.2)[0]:
                screen += os.read(ours, 65536)
            elif process.poll() is not None:
                break
    except OSError:  # EIO: it has closed its side
        pass
    finally:
        os.close(ours)
        try:
            process.wait(max(1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return subprocess.CompletedProcess(args, process.returncode, screen, b"")


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Daemon()
        cls.server.start()
        cls.tmp = tempfile.mkdtemp(prefix="mox-clients.")

    @classmethod
    def tearDownClass(cls):
        try:
            assert cls.server.stop() is not None
            good, text = cls.server.verify()
            assert good, text
        finally:
            shutil.rmtree(cls.tmp)
            shutil.rmtree(cls.server.root)

    def file(self, name, content):
        path = os.path.join(self.tmp, name)
        with open(path, "wb") as f:
            f.write(content)
        return path

    def ok(self, done):
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr).decode(errors="replace"))
        return done.stdout

    def curl(self, path, *args, tls=True):
        scheme, port = ("imaps", "imaps") if tls else ("imap", "imap")
        return run("curl", "-sSk", f"{scheme}://127.0.0.1:{self.server.port(port)}/{path}",
                   "-u", f"{USER}:{PASSWORD}", *args)

    def last_uid(self, box):
        imap = imaplib.IMAP4_SSL("127.0.0.1", self.server.port("imaps"),
                                 ssl_context=any_certificate())
        imap.login(USER, PASSWORD)
        imap.select(box, readonly=True)
        uid = imap.uid("search", None, "ALL")[1][0].split()[-1].decode()
        imap.logout()
        return uid

    @need("swaks")
    @need("curl")
    def test_swaks_delivers_and_curl_reads_the_same_bytes(self):
        path = self.file("swaks.eml", MESSAGE)
        self.ok(run("swaks", "--to", USER, "--from", "dev@example.org", "--server",
                    f"127.0.0.1:{self.server.port('smtp')}", "--data", "@" + path))
        got = self.ok(self.curl(f"INBOX;UID={self.last_uid('INBOX')}"))
        prefix, _, rest = got.partition(MESSAGE)
        self.assertEqual(rest.strip(), b"", got.decode())  # swaks ends data with empty lines
        self.assertIn(b"Return-Path: <dev@example.org>\r\n", prefix)
        self.assertIn(b"Received: from ", prefix)

    @need("swaks")
    def test_swaks_with_every_transport(self):
        path = self.file("swaks2.eml", MESSAGE)
        login = ["--auth-user", USER, "--auth-password", PASSWORD]
        for port, args in (("smtp", ["--tls"]), ("smtp", ["--pipeline"]),
                           ("submission", ["--auth", "PLAIN", *login]),
                           ("submission", ["--tls", "--auth", "LOGIN", *login]),
                           ("submissions", ["--tls-on-connect", "--auth", "PLAIN", *login])):
            with self.subTest(port=port, args=args):
                self.ok(run("swaks", "--to", USER, "--from", USER, "--server",
                            f"127.0.0.1:{self.server.port(port)}", "--data", "@" + path, *args))

    @need("curl")
    def test_curl_sends_lists_searches_and_appends(self):
        path = self.file("curl.eml", MESSAGE)
        self.ok(run("curl", "-sSk", f"smtps://127.0.0.1:{self.server.port('submissions')}",
                    "-u", f"{USER}:{PASSWORD}", "--mail-from", USER, "--mail-rcpt", USER,
                    "-T", path))
        self.assertIn(b"Inbox", self.ok(self.curl("", "-X", 'LIST "" *')))
        self.ok(self.curl("Archive", "-T", path))
        got = self.ok(self.curl(f"Archive;UID={self.last_uid('Archive')}", tls=False))
        self.assertEqual(got, MESSAGE)
        header = self.ok(self.curl(f"Archive;UID={self.last_uid('Archive')};SECTION=HEADER"))
        self.assertEqual(header, MESSAGE[:MESSAGE.index(b"\r\n\r\n") + 4])
        found = self.ok(self.curl("Archive?SUBJECT%20client"))
        self.assertRegex(found, rb"\* SEARCH( \d+)+")

    @need("mutt")
    def test_mutt_sends_and_reads(self):
        rc = self.file("muttrc", f"""
set from = "{USER}"
set smtp_url = "smtp://{USER}@127.0.0.1:{self.server.port('submission')}/"
set smtp_pass = "{PASSWORD}"
set smtp_authenticators = "plain"
set ssl_starttls = no
set ssl_force_tls = no
set imap_user = "{USER}"
set imap_pass = "{PASSWORD}"
set record = ""
set folder = "imap://127.0.0.1:{self.server.port('imap')}/"
set spoolfile = "+INBOX"
set header_cache = ""
set sort = mailbox-order
""".encode())
        env = dict(os.environ, HOME=self.tmp, TERM="vt100")
        self.ok(run("mutt", "-n", "-F", rc, "-s", "from mutt", "--", USER, input=b"hello mutt\n",
                    env=env))
        uid = self.last_uid("INBOX")
        imap = imaplib.IMAP4("127.0.0.1", self.server.port("imap"))
        imap.login(USER, PASSWORD)
        imap.select("INBOX", readonly=True)
        text = imap.uid("fetch", uid, "(BODY.PEEK[])")[1][0][1]
        imap.logout()
        self.assertIn(b"Subject: from mutt", text)
        # Opens the folder, saves the newest message to a file and leaves.
        saved = os.path.join(self.tmp, "saved")
        self.ok(run_on_terminal("mutt", "-n", "-F", rc, "-e", "set confirmcreate = no", "-e",
                                "set quit = yes", "-e",
                                f"push '<last-entry><copy-message>{saved}<enter><quit>'", env=env))
        box = mailbox.mbox(saved)
        self.addCleanup(box.close)
        copy, = box
        self.assertEqual(copy["Subject"], "from mutt")
        self.assertEqual(copy.get_payload(), "hello mutt\n")


def archive_messages():
    """The 600 messages of the list archive: CRLF line ends, without the mbox lines."""
    path = os.path.join(os.environ.get("MOX_CORPORA", ""), "mailbox/mbox/dovecot-list-2002.mbox.xz")
    if not os.path.exists(path):
        raise unittest.SkipTest("no list archive in $MOX_CORPORA")
    with lzma.open(path) as f:
        text = f.read()
    parts = re.split(rb"(?:\A|\r\n)From \S+[^\r\n]*\d\d:\d\d:\d\d[^\r\n]*\r\n", text)[1:]
    return [p if p.endswith(b"\r\n") else p + b"\r\n" for p in parts]


class Mbsync(unittest.TestCase):
    @need("mbsync")
    def test_a_list_archive_goes_up_and_comes_down_unchanged(self):
        messages = archive_messages()
        self.assertEqual(len(messages), 600)
        # mbsync leaves out a CR inside a line, on its way up already; one message has one.
        sent = [re.sub(rb"\r(?!\n)", b"", m) for m in messages]
        self.assertEqual(sum(a != b for a, b in zip(sent, messages)), 1)
        with Daemon() as server, tempfile.TemporaryDirectory(prefix="mox-mbsync.") as tmp:
            up, down = os.path.join(tmp, "up"), os.path.join(tmp, "down")
            for root in (up, down):
                for sub in ("cur", "new", "tmp"):
                    os.makedirs(os.path.join(root, "list", sub))
            for n, message in enumerate(messages):
                when = 1000000000 + n
                name = os.path.join(up, "list", "cur", f"{when}.{n}.test:2,S")
                with open(name, "wb") as f:
                    f.write(message.replace(b"\r\n", b"\n"))
            for root in (up, down):
                self.sync(server, tmp, root)
            self.assertEqual(self.on_server(server), sorted(sent))
            server.stop()
            good, text = server.verify()
            self.assertTrue(good, text)
            self.assertEqual(self.contents(down), sorted(m.replace(b"\r", b"") for m in sent))
            print(f"{len(messages)} messages up and down")

    def sync(self, server, tmp, root):
        rc = os.path.join(tmp, "mbsyncrc")
        with open(rc, "w") as f:
            f.write(f"""
IMAPAccount mox
Host 127.0.0.1
Port {server.port('imap')}
User {USER}
Pass {PASSWORD}
SSLType None
AuthMechs PLAIN LOGIN

IMAPStore far
Account mox

MaildirStore near
Path {root}/
Inbox {root}/INBOX
SubFolders Verbatim

Channel list
Far :far:
Near :near:
Patterns list
Create Both
Sync All
SyncState {root}/state-
""")
        done = run("mbsync", "-c", rc, "-V", "list")
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr).decode(errors="replace"))

    def on_server(self, server):
        imap = imaplib.IMAP4("127.0.0.1", server.port("imap"))
        imap.login(USER, PASSWORD)
        imap.select("list", readonly=True)
        data = imap.fetch("1:*", "(BODY.PEEK[])")[1]
        imap.logout()
        return sorted(TUID.sub(b"", item[1], count=1) for item in data if isinstance(item, tuple))

    def contents(self, root):
        found = []
        for sub in ("cur", "new"):
            folder = os.path.join(root, "list", sub)
            for name in os.listdir(folder):
                with open(os.path.join(folder, name), "rb") as f:
                    found.append(TUID.sub(b"", f.read(), count=1))
        return sorted(found)


if __name__ == "__main__":
    unittest.main()
