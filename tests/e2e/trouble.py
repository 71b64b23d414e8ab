# SPDX-License-Identifier: MIT
"""A user at work on a server in trouble: each kind of change, tried; what was acknowledged is
remembered, and compared with what is there in the end."""
import collections
import imaplib
import smtplib

from daemon import USER
from mailcase import LARGE, SMALL, mailbox_content, mailbox_names, message


class Work:
    """`expected` is what the mailboxes must hold: for each the messages, in order, with whether they
    are flagged. Only acknowledged changes enter it."""

    def __init__(self, case, server):
        self.case, self.server, self.count = case, server, 0
        self.imap = case.imap(server)
        self.expected = collections.defaultdict(list)
        for name in mailbox_names(self.imap):
            self.expected[name] = []
        self.imap.select("Inbox")

    def uid(self, ident):
        return self.imap.uid("SEARCH", "SUBJECT", ident)[1][0].split()[0].decode()

    # Each change: (what it is, the command, what it makes of `expected`).

    def deliver(self, ident, lines):
        def smtp():
            with self.case.smtp(self.server) as c:
                c.sendmail("a@example.org", [USER], message(ident, lines))
            return "OK", []
        return "SMTP", smtp, lambda: self.expected["Inbox"].append([ident, False])

    def append(self, ident, lines):
        return ("APPEND", lambda: self.imap.append("Archive", None, None, message(ident, lines)),
                lambda: self.expected["Archive"].append([ident, False]))

    def flag(self, ident):
        def done():
            self.find(ident)[1] = True
        return "STORE", lambda: self.imap.uid("STORE", self.uid(ident), "+FLAGS", "\\Flagged"), done

    def copy(self, ident):
        return ("COPY", lambda: self.imap.uid("COPY", self.uid(ident), "Drafts"),
                lambda: self.expected["Drafts"].append(list(self.find(ident))))

    def move(self, ident):
        def done():
            self.expected["Trash"].append(self.find(ident))
            self.expected["Inbox"].remove(self.find(ident))
        return "MOVE", lambda: self.imap.uid("MOVE", self.uid(ident), "Trash"), done

    def expunge(self, ident):
        """Of a message that has \\Deleted."""
        return ("EXPUNGE", lambda: self.imap.uid("EXPUNGE", self.uid(ident)),
                lambda: self.expected["Inbox"].remove(self.find(ident)))

    def create(self, name):
        return ("CREATE", lambda: self.imap.create(name),
                lambda: self.expected.__setitem__(name, []))

    def rename(self, name, new_name):
        return ("RENAME", lambda: self.imap.rename(name, new_name),
                lambda: self.expected.__setitem__(new_name, self.expected.pop(name)))

    def delete(self, name):
        return "DELETE", lambda: self.imap.delete(name), lambda: self.expected.pop(name)

    def find(self, ident):
        return next(m for m in self.expected["Inbox"] if m[0] == ident)

    def prepare(self):
        """What the next changes() work on; must succeed."""
        self.count += 1
        n = self.count
        for change in (*(self.deliver(f"m{i}.{n}.", SMALL) for i in range(5)),
                       self.create(f"old.{n}"), self.create(f"gone.{n}")):
            self.case.assertEqual(self.attempt(change), "OK")
        self.case.assertEqual(self.imap.noop()[0], "OK")
        self.case.assertEqual(
            self.imap.uid("STORE", self.uid(f"m4.{n}."), "+FLAGS", "\\Deleted")[0], "OK")

    def changes(self):
        n = self.count
        return [self.deliver(f"small.{n}.", SMALL), self.deliver(f"large.{n}.", LARGE),
                self.append(f"append.{n}.", SMALL), self.append(f"large append.{n}.", LARGE),
                self.flag(f"m1.{n}."), self.copy(f"m2.{n}."), self.move(f"m3.{n}."),
                self.expunge(f"m4.{n}."), self.create(f"new.{n}"),
                self.rename(f"old.{n}", f"renamed.{n}"), self.delete(f"gone.{n}")]

    def attempt(self, change):
        """OK, or why not: the code of SMTP, the response code of IMAP."""
        _, command, done = change
        try:
            status, data = command()
        except smtplib.SMTPResponseException as refused:
            return str(refused.smtp_code)
        if status == "OK":
            done()
            return "OK"
        text = data[0].decode()
        return f"{status} {text[:text.find(']') + 1]}"

    def check(self):
        """All that was acknowledged is there, once, whole; nothing else is."""
        imap = self.case.imap(self.server)
        found = {}
        for name in mailbox_names(imap):
            messages = mailbox_content(imap, name)[2]
            self.case.assertTrue(all(m.whole for m in messages), messages)
            found[name] = [[m.ident, "\\Flagged" in m.flags] for m in messages]
        imap.logout()
        self.case.assertEqual(found, dict(self.expected))


class Refusals:
    """Tries all changes during a fault: each is refused for now, with one line in the log."""

    def __init__(self, work, smtp, imap, text):
        self.work, self.smtp, self.imap, self.text = work, smtp, imap, text
        self.refused = 0

    def try_all(self):
        for change in self.work.changes():
            name, case = change[0], self.work.case
            before = len(self.work.server.errors())
            outcome = self.work.attempt(change)
            lines = self.work.server.errors()[before:]
            case.assertIn(outcome, self.smtp if name == "SMTP" else self.imap, f"{name}: {lines}")
            case.assertEqual(len(lines), outcome != "OK", f"{name} {outcome}: {lines}")
            self.refused += outcome != "OK"
            for line in lines:
                case.assertRegex(line, self.text, self.work.server.log_text()[-600:])
