# SPDX-License-Identifier: MIT
"""The daemon's allocations fail, its own and those of its libraries, each in turn: that ends one
connection at most, nobody is told that his mail is refused for good, and nothing acknowledged is lost."""
import contextlib
import imaplib
import os
import smtplib
import socket
import time
import unittest

from daemon import PASSWORD, USER, any_certificate, in_background
from faults import Faults
from mailcase import LARGE, SMALL, MailCase, mailbox_content, message

STEP = int(os.environ.get("MOX_NOMEM_STEP", "13"))  # 1: really each


@unittest.skipUnless(os.environ.get("FAULT_MALLOC") == "1",
                     "a sanitizer has an allocator of its own")
class NoMemory(MailCase):
    def setUp(self):
        super().setUp()
        self.faults = Faults(self.tmp / "faults")
        self.server = self.daemon(self.tmp / "server", self.faults.under)
        self.acknowledged, self.refused, self.ended, self.count = [], 0, 0, 0

    def ident(self):
        self.count += 1
        return f"m{self.count}"

    def problems(self):
        """How many lines of the log tell of one, but for those that a thread writes when it has the time."""
        return sum(any(text in line for text in ("l=error", "l=warn", "tls handshake failed"))
                   for line in self.server.log_text().splitlines() if not in_background(line))

    def in_turn(self, session, step=STEP):
        """The session once with each allocation failing; then it works again."""
        session()  # what is allocated once only
        failed = 0
        for first in range(1, 100000, step):
            problems = self.problems()
            self.faults.fail_malloc(first)
            try:
                session()
            except (OSError, smtplib.SMTPServerDisconnected, imaplib.IMAP4.abort):
                self.ended += 1
                self.assertGreater(self.problems(), problems, f"allocation {first}: nothing is said")
            counted = self.faults.mallocs()[0]
            self.faults.fail_malloc(0)
            self.assertLess(self.problems() - problems, 3, f"allocation {first}: said too often")
            self.assertIsNone(self.server.process.poll(),
                              f"allocation {first}: " + self.server.log_text()[-500:])
            if counted < first:
                break
            failed += 1
        self.assertGreater(failed, 5)
        self.assertEqual(self.deliver(self.server, ident := self.ident())[0], 250)
        self.acknowledged.append(ident)

    def check(self):
        imap = self.imap(self.server)
        found = []
        for name in ("Inbox", "Archive"):
            messages = mailbox_content(imap, name)[2]
            self.assertTrue(all(m.whole for m in messages), messages)
            found += [m.ident for m in messages]
        imap.logout()
        self.assertEqual(len(found), len(set(found)), "a message is there twice")
        self.assertFalse(set(self.acknowledged) - set(found), "acknowledged and lost")
        self.assertFalse(self.faults.mallocs()[0] and self.server.process.poll())
        self.stop_and_verify(self.server)
        print(f"{self.id()}: {self.faults.mallocs()[1]} allocations failed, {self.ended} connections "
              f"ended, {self.refused} refusals, {len(self.acknowledged)} acknowledged")

    def send(self, smtp, lines):
        ident = self.ident()
        try:
            smtp.sendmail("a@example.org", [USER], message(ident, lines))
            self.acknowledged.append(ident)
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPRecipientsRefused as refused:
            self.assertLess(refused.recipients[USER][0], 500, refused)
            self.refused += 1
        except smtplib.SMTPResponseException as refused:
            self.assertLess(refused.smtp_code, 500, refused)
            self.refused += 1

    def smtp_session(self):
        with self.smtp(self.server) as smtp:
            self.send(smtp, SMALL)
            self.send(smtp, LARGE)

    def submission_session(self):
        with self.smtp(self.server, "submission") as smtp:
            try:
                smtp.login(USER, PASSWORD)
            except smtplib.SMTPAuthenticationError as refused:
                self.assertEqual(refused.smtp_code, 454)
                self.refused += 1
                return
            self.send(smtp, SMALL)
            self.send(smtp, LARGE)

    def tls_session(self):
        with self.smtp(self.server) as smtp:
            smtp.starttls(context=any_certificate())
            self.send(smtp, SMALL)

    def imap_session(self):
        imap = imaplib.IMAP4("127.0.0.1", self.server.port("imap"), timeout=60)
        try:
            self.imap_commands(imap)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            self.refused += 1
        finally:
            self.leave(imap)

    def imap_commands(self, imap):
        imap.login(USER, PASSWORD)
        imap.select("Inbox")
        for lines in (SMALL, LARGE):
            ident = self.ident()
            if imap.append("Archive", "(\\Seen $label)", None, message(ident, lines))[0] == "OK":
                self.acknowledged.append(ident)
        for command in (("FETCH", "1:3", "(ENVELOPE BODYSTRUCTURE FLAGS BODY.PEEK[] RFC822.SIZE)"),
                        ("SEARCH", "OR", "TEXT", "e", "UNSEEN"), ("STORE", "1", "+FLAGS", "$other"),
                        ("COPY", "1", "Drafts")):
            imap.uid(*command)
        imap.create("made/here")
        imap.rename("made", "renamed")
        imap.list()
        imap.status("renamed/here", "(MESSAGES)")
        for name in ("renamed/here", "made/here", "renamed", "made"):
            with contextlib.suppress(imaplib.IMAP4.readonly):
                imap.delete(name)
        imap.select("Drafts")
        imap.store("1:*", "+FLAGS", "\\Deleted")
        imap.expunge()

    def test_smtp(self):
        self.in_turn(self.smtp_session)
        self.check()

    def test_submission(self):
        self.in_turn(self.submission_session)
        self.check()

    def test_smtp_with_tls(self):
        self.in_turn(self.tls_session, 50 * STEP)  # some 12,000, most of them for big numbers
        self.check()

    def test_imap(self):
        self.assertEqual(self.deliver(self.server, "keeps the account open")[0], 250)
        self.in_turn(self.imap_session, max(STEP // 3, 1))
        self.check()

    def test_imap_opens_the_account(self):
        self.in_turn(self.imap_session)
        self.check()

    def test_a_crowd_for_which_the_event_loop_has_no_memory(self):
        """Its tables have room for some 256 connections; libev ends a process that has no more."""
        self.faults.fail_malloc(1, 1, at_least=8192)
        with contextlib.ExitStack() as stack:
            crowd = [stack.enter_context(socket.create_connection(
                ("127.0.0.1", self.server.port("smtp")), 60)) for _ in range(600)]
            while self.faults.mallocs()[1] < 10:
                self.assertIsNone(self.server.process.poll(), self.server.log_text()[-200:])
                time.sleep(0.01)
            self.faults.fail_malloc(0)
            for client in crowd:
                self.assertEqual(client.recv(4), b"220 ")
        self.check()

    def test_memory_that_is_short_for_long(self):
        for again in (1000, 300, 100, 30, 10, 3, 1):
            self.faults.fail_malloc(again, again)
            for _ in range(5):
                for session in (self.smtp_session, self.imap_session, self.tls_session):
                    with contextlib.suppress(OSError, smtplib.SMTPException, imaplib.IMAP4.error):
                        session()
            self.faults.fail_malloc(0)
            self.assertIsNone(self.server.process.poll(), self.server.log_text()[-500:])
        self.smtp_session()
        self.check()


if __name__ == "__main__":
    unittest.main()
