# SPDX-License-Identifier: MIT
"""A disk that fails syncs, writes, reads or opening: what cannot be done is refused for now with one
line in the log, what was acknowledged is there once, and all goes on when the disk is well again,
without a restart."""
import contextlib
import errno
import sqlite3
import time
import unittest

import faults
from daemon import PATIENCE
from faults import Faults
from mailcase import LARGE, MEDIUM, SMALL, MailCase
from trouble import Refusals, Work

IMAP_NO = ["NO [UNAVAILABLE]"]


class BadDisk(MailCase):
    def setUp(self):
        super().setUp()
        self.faults = Faults(self.tmp / "faults")
        self.server = self.daemon(self.tmp / "server", self.faults.under)
        self.work = Work(self, self.server)

    def refused(self, text, *args, **kwargs):
        """Twice over: a fault comes, all is refused; it goes, all is done."""
        total = 0
        for _ in range(2):
            self.work.prepare()
            self.faults.on(*args, **kwargs)
            trial = Refusals(self.work, ["451", "452"], IMAP_NO, text)
            trial.try_all()
            self.faults.off()
            total += trial.refused
            self.work.check()
            for change in self.work.changes():
                self.assertEqual(self.work.attempt(change), "OK", change[0])
            self.work.check()
        self.assertEqual(total, 2 * len(self.work.changes()), "a change needs no disk?")
        self.assertGreater(self.faults.refused(), 0)
        log = self.server.log_text()  # what happens in the background is told once for each fault
        self.assertLessEqual(log.count("the junk filter cannot learn"),
                             log.count("the junk filter learns again") + 1)
        self.assertLessEqual(log.count("attempts to log in cannot be recorded"),
                             log.count("attempts to log in are recorded again") + 1)
        print(f"{self.id()}: {total} changes refused, {self.faults.refused()} calls failed")
        self.stop_and_verify(self.server)

    def test_syncs_fail(self):
        self.refused("input/output error", faults.SYNC)

    def test_writes_fail(self):
        self.refused("input/output error", faults.WRITE)

    def test_the_file_system_becomes_read_only(self):
        self.refused("read-?only", faults.CHANGE, error=errno.EROFS)

    def test_reads_fail(self):
        self.assertEqual(self.deliver(self.server, "first")[0], 250)
        imap = self.imap(self.server)
        imap.select("Inbox")
        self.faults.on(faults.READ)
        for what in ("ENVELOPE", "BODY.PEEK[]"):
            status, data = imap.fetch("1", what)
            self.assertEqual(status, "NO")  # SQLite takes some of what it cannot read for damage
            self.assertRegex(data[0], rb"^\[(UNAVAILABLE|CORRUPTION)\]")
            self.assertIn("command failed", self.server.errors()[-1])
        self.assertEqual(len(self.server.errors()), 2)
        self.faults.off()
        self.assertEqual(imap.fetch("1", "(ENVELOPE BODY.PEEK[])")[0], "OK")
        self.assertEqual(len(self.server.errors()), 2)

    def test_the_folders_of_large_messages_fail(self):
        self.work.prepare()
        self.faults.on(faults.SYNC, "/msg")
        self.assertEqual(self.work.attempt(self.work.deliver("lost", LARGE)), "451")
        self.assertEqual(self.work.attempt(self.work.append("lost", LARGE)), IMAP_NO[0])
        self.assertEqual(self.work.attempt(self.work.deliver("small", SMALL)), "OK")
        self.faults.off()
        self.assertEqual(self.work.attempt(self.work.deliver("large", LARGE)), "OK")
        self.work.check()
        self.stop_and_verify(self.server)

    def test_checkpoints_fail(self):
        self.faults.on(faults.SYNC, "index.db$")
        for n in range(300):  # 60 kB each: the log is due several times
            self.assertEqual(self.work.attempt(self.work.deliver(f"m{n}.", MEDIUM)), "OK")
        deadline = time.monotonic() + PATIENCE
        while not self.server.errors() and time.monotonic() < deadline:  # a thread copies it when it has the time
            n += 1
            self.assertEqual(self.work.attempt(self.work.deliver(f"m{n}.", MEDIUM)), "OK")
        errors = self.server.errors()
        self.assertEqual(len(errors), 1, errors)
        self.assertIn("cannot write the database; its log grows", errors[0])
        self.assertLess(self.faults.refused(), 20)
        self.faults.off()
        while "the database is written again" not in self.server.log_text():
            n += 1
            self.assertEqual(self.work.attempt(self.work.deliver(f"m{n}.", MEDIUM)), "OK")
        self.assertEqual(len(self.server.errors()), 1)
        self.work.check()
        self.stop_and_verify(self.server)

    def test_writes_are_short_or_interrupted(self):
        for fault in (faults.SHORT, faults.TWICE):
            self.work.prepare()
            before = self.faults.refused()
            self.faults.on(fault)
            for change in self.work.changes():
                self.assertEqual(self.work.attempt(change), "OK", change[0])
            self.faults.off()
            self.assertGreater(self.faults.refused(), before)
            self.work.check()
        self.assertNotIn("l=error", self.server.log_text())
        self.stop_and_verify(self.server)


class FilterWithoutSpace(MailCase):
    """No space for the junk filter: removed messages make room all the same, and it catches up."""

    def eventually(self, condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, self.server.log_text()[-2000:])
            time.sleep(0.02)

    def bodies(self):
        return len(list((self.tmp / "server").glob("data/accounts/mox/msg/**/*[0-9]")))

    def learnt(self):
        path = self.tmp / "server/data/accounts/mox/junk.db"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=PATIENCE)) as db:
            return db.execute("SELECT hams, spams FROM filter").fetchone()

    def test_what_is_removed_goes_although_the_filter_cannot_forget_it(self):
        switch = Faults(self.tmp / "faults")
        self.server = self.daemon(self.tmp / "server", switch.under)
        for name in ("kept", "removed"):
            self.assertEqual(self.deliver(self.server, name, LARGE)[0], 250)
        imap = self.imap(self.server)
        imap.select("Inbox")
        imap.store("1:2", "+FLAGS", "$Junk")
        self.eventually(lambda: self.learnt() == (0, 2))
        before = self.bodies()
        switch.on(faults.WRITE, "junk.db", errno.ENOSPC)
        imap.store("2", "FLAGS", "\\Deleted $NotJunk")
        self.eventually(lambda: "the junk filter cannot learn" in self.server.log_text())
        self.assertEqual(imap.expunge()[0], "OK")
        imap.noop()
        self.eventually(lambda: self.bodies() < before)
        switch.off()
        self.eventually(lambda: "the junk filter was built anew" in self.server.log_text())
        self.eventually(lambda: self.learnt() == (0, 1))
        self.stop_and_verify(self.server)


class InDoubt(MailCase):
    """A commit whose sync fails is written all the same, and nobody holds the database open."""

    def setUp(self):
        super().setUp()
        self.faults = Faults(self.tmp / "faults")
        self.server = self.daemon(self.tmp / "server", self.faults.under)
        self.assertEqual(self.deliver(self.server, "first")[0], 250)

    def refuse(self, lines):
        self.faults.on(faults.SYNC, "-wal")
        for n in range(3):
            self.assertEqual(self.deliver(self.server, f"refused {n}", lines)[0], 451)
        self.faults.off()

    def test_what_was_refused_does_not_come_back(self):
        self.refuse(SMALL)
        self.refuse(LARGE)
        self.assertEqual(self.deliver(self.server, "second", LARGE)[0], 250)
        self.assertEqual(self.subjects(self.server), ["first", "second"])
        self.stop_and_verify(self.server)

    def test_a_connection_that_idles_is_told_of_what_was_accepted_only(self):
        imap = self.imap(self.server)
        imap.select("Inbox")
        imap.send(b"i IDLE\r\n")
        self.assertEqual(imap.readline()[:1], b"+")
        self.refuse(SMALL)
        self.assertEqual(self.deliver(self.server, "second")[0], 250)
        self.assertEqual(imap.readline(), b"* 2 EXISTS\r\n")
        imap.send(b"DONE\r\n")
        lines = [imap.readline() for _ in range(3)]  # RECENT, FETCH, the result
        self.assertEqual((lines[1][:17], lines[2][:4]), (b"* 2 FETCH (UID 2 ", b"i OK"), lines)
        self.stop_and_verify(self.server)

    def test_after_a_crash_it_is_there_whole_or_not_at_all(self):
        self.refuse(LARGE)
        self.server.kill()
        self.server.start()
        self.assertEqual(self.subjects(self.server)[0], "first")
        self.stop_and_verify(self.server)


if __name__ == "__main__":
    unittest.main()
