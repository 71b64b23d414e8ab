# SPDX-License-Identifier: MIT
"""When the store is the problem: it is damaged, or its folders cannot be made. One line says what is
wrong and what helps."""
import imaplib
import os
import shutil
import sqlite3
import subprocess
import unittest

from daemon import MOX, PASSWORD, USER, free_base
from mailcase import MailCase


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


class Start(MailCase):
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


class Running(MailCase):
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


if __name__ == "__main__":
    unittest.main()
