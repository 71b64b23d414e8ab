# SPDX-License-Identifier: MIT
"""What users do with their mail reaches the junk filter, and `mox retrain` builds the same again: through the
running server, without one, and after something went wrong."""
import glob
import imaplib
import os
import re
import signal
import socket
import subprocess
import time
import unittest

from daemon import MOX, PASSWORD, PATIENCE, USER, Daemon

HAMS, SPAMS = 5 << 5, 3 << 5


class Retrain(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(Daemon())
        with self.imap() as imap:
            for n in range(5):
                self.append(imap, "Archive", f"meeting agenda{'x' * n} minutes")
            for n in range(3):
                self.append(imap, "Junk", f"cheap pills{'x' * n} winner")
            for mailbox in ("Archive", "Junk"):
                for _ in range(5):
                    imap.select(mailbox)
                    self.assertEqual(imap.uid("COPY", "1:*", mailbox)[0], "OK")
            self.append(imap, "Inbox", "nobody has judged this")

    def imap(self):
        imap = imaplib.IMAP4("127.0.0.1", self.server.port("imap"))
        imap.login(USER, PASSWORD)
        return imap

    def append(self, imap, mailbox, words):
        text = f"From: <a@example.org>\r\nSubject: {words}\r\n\r\n{words} and more\r\n"
        self.assertEqual(imap.append(mailbox, None, None, text.encode())[0], "OK")

    def mox(self, *args):
        return subprocess.run([MOX, *args, "-dir", self.server.dir], capture_output=True, text=True,
                              timeout=PATIENCE)

    def retrain(self, *args):
        done = self.mox("retrain", *args)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = re.fullmatch(r"mox: learnt (\d+) messages that are not junk and (\d+) that are, with (\d+) words\n",
                             done.stdout)
        self.assertTrue(found, done.stdout)
        return tuple(map(int, found.groups()))

    def account_file(self, name):
        return os.path.join(self.server.dir, "data/accounts/mox", name)

    def stop_and_verify(self):
        self.assertEqual(self.server.stop(), signal.SIGTERM)
        self.assertEqual(self.server.verify(), (True, ""))

    def test_with_and_without_the_server_it_is_the_same(self):
        running = self.retrain()
        self.assertEqual(running[:2], (HAMS, SPAMS))
        self.assertGreater(running[2], 10)
        with self.imap() as imap:
            imap.select("Junk")
            imap.uid("MOVE", "1:10", "Archive")
            imap.uid("STORE", "11:20", "+FLAGS.SILENT", "\\Deleted")
            imap.expunge()
        self.assertEqual(self.retrain("mox")[:2], (HAMS + 10, SPAMS - 20))
        self.stop_and_verify()
        self.assertEqual(self.retrain()[:2], (HAMS + 10, SPAMS - 20))
        self.assertEqual(self.server.verify(), (True, ""))
        self.server.start()
        self.assertEqual(self.retrain("mox")[:2], (HAMS + 10, SPAMS - 20))

    def test_who_closes_the_connection_interrupts_it(self):
        """The server waits for its client to take a piece of what it tells, so it is in the middle of it."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE)
            s.connect(os.path.join(self.server.dir, "data/ctl"))
            with s.makefile("rwb") as f:
                f.readline()
                f.write(b"retrain\nmox\n")
                f.flush()
                self.assertEqual(f.readline(), b"ok\n")
                self.assertRegex(f.read(int(f.readline())), rb"^progress\tmox\t")
                self.assertIn("built already", self.mox("retrain", "mox").stderr)
                self.assertTrue(os.path.exists(self.account_file("junk.db.new")))
        until = time.monotonic() + PATIENCE
        while os.path.exists(self.account_file("junk.db.new")) and time.monotonic() < until:
            time.sleep(0.02)
        self.assertFalse(os.path.exists(self.account_file("junk.db.new")))
        while "built already" in self.mox("retrain").stderr and time.monotonic() < until:
            time.sleep(0.02)
        self.assertEqual(self.server.log_text().count("retraining was interrupted"), 1)
        self.assertEqual(self.retrain()[:2], (HAMS, SPAMS))
        self.stop_and_verify()

    def interrupted(self, by):
        """The status, and what it said: of a retraining that got the signal when it had begun."""
        process = subprocess.Popen([MOX, "retrain", "-dir", self.server.dir], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        while not os.path.exists(self.account_file("junk.db.new")) and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(by)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err

    def double_the_mail(self):
        self.server.start()
        with self.imap() as imap:
            for mailbox in ("Archive", "Junk"):
                imap.select(mailbox)
                self.assertEqual(imap.uid("COPY", "1:*", mailbox)[0], "OK")
        self.assertEqual(self.server.stop(), signal.SIGTERM)

    def test_an_interrupt_leaves_the_filter_as_it_was(self):
        self.assertEqual(self.server.stop(), signal.SIGTERM)
        factor = 1
        for by, status in ((signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGKILL, -signal.SIGKILL)):
            got = self.interrupted(by)
            while got[1] != "" and factor < 1 << 10:  # it was ready before that
                self.double_the_mail()
                factor *= 2
                got = self.interrupted(by)
            self.assertEqual(got[:2], (status, ""))
            if by != signal.SIGKILL:
                self.assertIn("interrupted; the filter is as before", got[2])
                self.assertEqual(glob.glob(self.account_file("junk.db.*")), [])
            self.assertEqual(self.server.verify(), (True, ""))
        self.server.start()
        self.assertEqual(self.retrain()[:2], (HAMS * factor, SPAMS * factor))
        self.stop_and_verify()

    def test_a_damaged_filter_is_replaced_while_mail_flows(self):
        self.assertEqual(self.server.stop(), signal.SIGTERM)
        with open(self.account_file("junk.db"), "r+b") as f:
            f.write(b"no database at all" * 100)
        self.server.start()
        with self.imap() as imap:
            self.append(imap, "Archive", "meeting again")
        self.assertEqual(self.retrain()[:2], (HAMS + 1, SPAMS))
        log = [line for line in self.server.log_text().splitlines() if "set aside" in line]
        self.assertEqual(len(log), 1, log)
        self.assertIn("l=error", log[0])
        self.assertEqual(len(glob.glob(self.account_file("junk.db.damaged-*"))), 1)
        self.stop_and_verify()

    def test_an_account_without_a_filter_says_what_to_configure(self):
        self.assertEqual(self.server.stop(), signal.SIGTERM)
        path = os.path.join(self.server.dir, "domains.conf")
        with open(path) as f:
            text = f.read()
        without = re.sub(r"\n\t\tJunkFilter:\n(?:\t\t\t.*\n|\n(?=\t\t\t))*", "\n", text)
        self.assertNotEqual(text, without)
        with open(path, "w") as f:
            f.write(without)
        for _ in range(2):
            for args, words in ((("retrain", "mox"), "JunkFilter"), (("retrain",), "JunkFilter"),
                                (("retrain", "nobody"), "nobody")):
                done = self.mox(*args)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(words, done.stderr)
            if self.server.process is None:
                self.server.start()


if __name__ == "__main__":
    unittest.main()
