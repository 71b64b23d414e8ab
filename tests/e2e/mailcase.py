# SPDX-License-Identifier: MIT
"""What tests of a server in trouble share: servers in a folder that goes with the test, messages whose
content follows from their name, and all that a user's mailboxes hold."""
import contextlib
import hashlib
import imaplib
import os
import pathlib
import re
import shutil
import smtplib
import tempfile
import unittest

from daemon import PASSWORD, USER, Daemon

SMALL, MEDIUM, LARGE = 1, 900, 4000  # lines: a large message is a file of its own


def message(ident, lines=SMALL):
    """As it is sent."""
    line = (hashlib.sha256(ident.encode()).hexdigest() + "\r\n").encode()
    return f"From: a@example.org\r\nSubject: {ident}\r\n\r\n".encode() + line * lines


def is_whole(ident, body):
    """Whether these are the bytes of the message of that name."""
    return body and body == message(ident, body.count(b"\n")).split(b"\r\n\r\n", 1)[1]


class Stored:
    """A message as it is in a mailbox."""

    def __init__(self, uid):
        self.uid, self.ident, self.flags, self.whole = uid, None, set(), True

    def __repr__(self):
        return f"{self.ident}@{self.uid}{sorted(self.flags)}{'' if self.whole else ' damaged'}"


def mailbox_content(imap, name):
    """UIDVALIDITY, UIDNEXT and the messages."""
    status, data = imap.select(f'"{name}"', readonly=True)
    assert status == "OK", data
    numbers = [int(imap.response(code)[1][0]) for code in ("UIDVALIDITY", "UIDNEXT")]
    found = []
    for item in imap.uid("FETCH", "1:*",
                         "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)] BODY.PEEK[TEXT])")[1]:
        head, literal = item if isinstance(item, tuple) else (item or b"", b"")
        if match := re.search(rb"\(UID (\d+)", head):
            found.append(Stored(int(match[1])))
        if match := re.search(rb"FLAGS \(([^)]*)\)", head):
            found[-1].flags = set(match[1].decode().split())
        if b"SUBJECT" in head:
            found[-1].ident = literal.decode().split(": ")[1].strip()
        elif b"TEXT" in head:
            found[-1].whole = is_whole(found[-1].ident, literal)
    return (*numbers, found)


def mailbox_names(imap):
    return sorted(re.search(rb'"?([^" ]+)"?$', line)[1].decode() for line in imap.list()[1])


class MailCase(unittest.TestCase):
    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="mox-case."))
        self.addCleanup(shutil.rmtree, self.tmp)

    def daemon(self, directory, under=()):
        os.makedirs(f"{directory}-log", exist_ok=True)
        server = Daemon(directory=str(directory), under=under)
        server.start()
        self.addCleanup(server.stop)
        return server

    def smtp(self, server, service="smtp"):
        return smtplib.SMTP("127.0.0.1", server.port(service), "localhost", timeout=60)

    def imap(self, server):
        imap = imaplib.IMAP4("127.0.0.1", server.port("imap"), timeout=60)
        imap.login(USER, PASSWORD)
        self.addCleanup(self.leave, imap)
        return imap

    @staticmethod
    def leave(imap):
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            imap.shutdown()

    def deliver(self, server, ident, lines=SMALL):
        """The code and the text of the reply."""
        with self.smtp(server) as c:
            try:
                c.sendmail("a@example.org", [USER], message(ident, lines))
            except smtplib.SMTPDataError as refused:
                return refused.smtp_code, refused.smtp_error.decode()
        return 250, ""

    def subjects(self, server, mailbox="Inbox"):
        imap = self.imap(server)
        found = mailbox_content(imap, mailbox)[2]
        imap.logout()
        self.assertTrue(all(m.whole for m in found), found)
        return [m.ident for m in found]

    def stop_and_verify(self, server):
        self.assertIsNone(server.process.poll())
        server.stop()
        good, text = server.verify()
        self.assertTrue(good, text)
