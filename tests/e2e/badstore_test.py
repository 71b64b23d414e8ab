# SPDX-License-Identifier: MIT
"""When the disk is the problem: a damaged store, folders that cannot be written, no space left. One line
says what is wrong and what helps; the server stays up, and loses nothing."""
import errno
import imaplib
import os
import pathlib
import shutil
import smtplib
import sqlite3
import subprocess
import tempfile
import unittest

from daemon import MOX, PASSWORD, USER, Daemon, free_base

MESSAGE = "From: a@example.org\r\nSubject: {}\r\n\r\n{}\r\n"


class Base(unittest.TestCase):
    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="mox-badstore."))
        self.addCleanup(shutil.rmtree, self.tmp)

    def daemon(self, directory, under=()):
        os.makedirs(f"{directory}-log")
        server = Daemon(directory=str(directory), under=under)
        server.start()
        self.addCleanup(server.stop)
        return server

    def smtp(self, server, service="smtp"):
        return smtplib.SMTP("127.0.0.1", server.port(service), "localhost", timeout=60)

    def deliver(self, server, subject, filler=""):
        """The code and the text of the reply."""
        with self.smtp(server) as c:
            try:
                c.sendmail("a@example.org", [USER], MESSAGE.format(subject, filler))
            except smtplib.SMTPDataError as refused:
                return refused.smtp_code, refused.smtp_error.decode()
        return 250, ""

    def subjects(self, server):
        imap = imaplib.IMAP4("127.0.0.1", server.port("imap"))
        imap.login(USER, PASSWORD)
        imap.select("INBOX", readonly=True)
        data = imap.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
        imap.logout()
        return [d[1].decode().split(": ")[1].strip() for d in data if isinstance(d, tuple)]


def garbage(path):
    path.write_bytes(b"no database " * 1000)


def cut(path):
    os.truncate(path, 8192)


def foreign(path):
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE recipes (name)")


def newer(path):
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 999")


def folder(path):
    path.unlink()
    path.mkdir()


class Start(Base):
    """It ends, and never says that it listens."""

    def refused(self, directory, *texts):
        done = subprocess.run([MOX, "localserve", "-dir", directory, "-ip", "127.0.0.1",
                               "-port-base", str(free_base())],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for text in texts:
            self.assertIn(text, done.stderr)

    def prepared(self):
        directory = self.tmp / "server"
        subprocess.run([MOX, "localserve", "-initonly", "-dir", directory], check=True,
                       capture_output=True, timeout=60)
        return directory

    def test_a_damaged_store_is_named_with_what_helps(self):
        for spoil, text in ((garbage, "file is not a database; restore it from a backup"),
                            (cut, "malformed; restore it from a backup"),
                            (foreign, "not a mail store; move it away"),
                            (newer, "use the newer program"),
                            (folder, "it and its folder must be readable and writable")):
            with self.subTest(spoil=spoil.__name__):
                directory = self.prepared()
                spoil(directory / "data/accounts/mox/index.db")
                self.refused(directory, "open mail store", "accounts/mox/index.db: ", text)
                shutil.rmtree(directory)

    def test_a_folder_that_cannot_be_made_is_named_with_what_helps(self):
        (self.tmp / "file").write_text("")
        self.refused(self.tmp / "file", "it is a file; name a folder")
        self.refused(self.tmp / "file/server", "is a file; name another folder")
        self.refused(self.tmp / "nowhere/server", "does not exist; make that one first")

    def test_a_data_directory_that_cannot_be_written_is_named(self):
        directory = self.prepared()
        shutil.rmtree(directory / "data")
        (directory / "data").write_text("")
        self.refused(directory, "open data directory", "it must exist and be writable")


class Running(Base):
    def test_a_store_damaged_meanwhile_is_a_passing_error_and_one_line_for_each_attempt(self):
        server = self.daemon(self.tmp / "server")
        garbage(self.tmp / "server/data/accounts/mox/index.db")

        def lines():
            return server.log_text().count("file is not a database; restore it from a backup")

        code, text = self.deliver(server, "lost")
        self.assertEqual((code, text[:5]), (451, "4.3.0"))
        self.assertEqual(lines(), 1)
        with self.smtp(server, "submission") as c:
            c.ehlo()
            self.assertEqual(c.docmd("AUTH", "PLAIN AG1veEBsb2NhbGhvc3QAbW94bW94bW94")[0], 454)
        self.assertEqual(lines(), 2)
        imap = imaplib.IMAP4("127.0.0.1", server.port("imap"))
        with self.assertRaisesRegex(imaplib.IMAP4.error, "try again later"):
            imap.login(USER, PASSWORD)
        imap.logout()
        self.assertEqual(lines(), 3)


class FullDisk(Base):
    def small_disk(self):
        """A server whose folder is on a disk of 4 MB that only it sees, and that disk's path for us."""
        disk = self.tmp / "disk"
        disk.mkdir()
        under = ["unshare", "-m" if os.geteuid() == 0 else "-Urm", "sh", "-c",
                 'mount -t tmpfs -o size=4m none "$0" && exec "$@"', str(disk)]
        if shutil.which("unshare") is None or subprocess.run(
                [*under, "true"], capture_output=True).returncode != 0:
            self.skipTest("no disk may be mounted here")
        server = self.daemon(disk / "server", under)
        return server, f"/proc/{server.process.pid}/root{disk}"

    def fill(self, path):
        with open(path, "wb", buffering=0) as f, self.assertRaises(OSError) as full:
            while True:
                f.write(b"x" * 4096)
        self.assertEqual(full.exception.errno, errno.ENOSPC)

    def test_mail_is_refused_for_now_and_flows_again_when_there_is_space(self):
        server, disk = self.small_disk()
        filler = ("x" * 70 + "\r\n") * 4000  # 288 kB: in a file of its own
        self.assertEqual(self.deliver(server, "before")[0], 250)
        self.assertEqual(self.deliver(server, "large", filler)[0], 250)
        accepted = ["before", "large"]
        self.fill(disk + "/ballast")
        for n in range(3):
            self.assertEqual(self.deliver(server, f"large {n}", filler)[0], 452)
        codes = [self.deliver(server, f"small {n}")[0] for n in range(5)]
        self.assertLessEqual(set(codes), {250, 452}, codes)
        accepted += [f"small {n}" for n in range(5) if codes[n] == 250]
        self.assertEqual(self.subjects(server), accepted)
        lines = [line for line in server.log_text().splitlines() if "message not delivered" in line]
        self.assertEqual(len(lines), 3 + codes.count(452), lines)
        for line in lines:
            self.assertIn("no space left on disk, make room", line)
        self.assertEqual(server.log_text().count("l=error"), len(lines), "one line for each")
        os.unlink(disk + "/ballast")
        for subject, size in (("after", ""), ("large after", filler)):
            self.assertEqual(self.deliver(server, subject, size)[0], 250)
            accepted.append(subject)
        self.assertEqual(self.subjects(server), accepted)
        self.assertIsNone(server.process.poll())


if __name__ == "__main__":
    unittest.main()
