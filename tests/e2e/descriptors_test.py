# SPDX-License-Identifier: MIT
"""Too many open files: connections wait without costing CPU, what needs a file is refused for now with
one line in the log, and all goes on as soon as descriptors are free."""
import contextlib
import errno
import os
import resource
import socket
import time
import unittest

import faults
from faults import Faults
from mailcase import LARGE, SMALL, MailCase
from trouble import Work

TEXT = "too many open files|too many files are open"


class Descriptors(MailCase):
    def test_connections_wait_until_descriptors_are_free(self):
        server = self.daemon(self.tmp / "server")
        pid = server.process.pid
        self.assertEqual(self.deliver(server, "before")[0], 250)
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        few = len(os.listdir(f"/proc/{pid}/fd")) + 20
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (few, hard))
        with contextlib.ExitStack() as stack:
            crowd = [stack.enter_context(socket.create_connection(
                ("127.0.0.1", server.port("smtp")), 60)) for _ in range(40)]
            while "cannot accept connections" not in server.log_text():
                time.sleep(0.01)
            for _ in range(10):  # what was to do before may be done meanwhile; who spins does so each time
                share = self.cpu_share(pid)
                if share < 0.2:
                    break
            self.assertLess(share, 0.2, "it spins")
            for client in crowd[:20]:
                client.close()
            for client in crowd[20:35]:  # these have waited
                self.assertEqual(client.recv(3), b"220")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        self.assertEqual(self.deliver(server, "after", LARGE)[0], 250)
        self.assertEqual(self.subjects(server), ["before", "after"])
        self.assertEqual(server.log_text().count("cannot accept connections"), 1)
        self.stop_and_verify(server)
        print(f"starved of descriptors: {share * 100:.1f} % CPU")

    def cpu_share(self, pid):
        before, start = self.cpu_seconds(pid), time.monotonic()
        time.sleep(2)
        return (self.cpu_seconds(pid) - before) / (time.monotonic() - start)

    @staticmethod
    def cpu_seconds(pid):
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Files(MailCase):
    def setUp(self):
        super().setUp()
        self.faults = Faults(self.tmp / "faults")
        self.server = self.daemon(self.tmp / "server", self.faults.under)

    def refused(self, outcome, change, match):
        before = len(self.server.errors())
        self.faults.on(faults.OPEN, match, errno.EMFILE)
        self.assertEqual(self.work.attempt(change), outcome)
        self.faults.off()
        lines = self.server.errors()[before:]
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], TEXT)
        self.assertEqual(self.work.attempt(change), "OK")

    def test_files_that_cannot_be_opened(self):
        self.work = Work(self, self.server)
        for match in ("/tmp/", "/msg"):
            self.refused("451", self.work.deliver(f"large {match[1:4]}", LARGE), match)
            self.refused("NO [UNAVAILABLE]", self.work.append(f"large {match[1:4]}", LARGE), match)
        self.work.prepare()
        for change in self.work.changes():
            self.assertEqual(self.work.attempt(change), "OK", change[0])
        self.work.check()
        self.stop_and_verify(self.server)

    def test_a_message_file_that_cannot_be_opened_is_not_missing(self):
        self.assertEqual(self.deliver(self.server, "large", LARGE)[0], 250)
        imap = self.imap(self.server)
        imap.select("Inbox")
        self.faults.on(faults.OPEN, "/msg/", errno.EMFILE)
        status, data = imap.fetch("1", "BODY.PEEK[]")
        self.faults.off()
        self.assertEqual((status, data[0][:13]), ("NO", b"[UNAVAILABLE]"))
        self.assertEqual(len(self.server.errors()), 1)
        self.assertRegex(self.server.errors()[0], TEXT)
        self.assertEqual(imap.fetch("1", "BODY.PEEK[]")[0], "OK")

    def test_an_account_that_cannot_be_opened(self):
        self.faults.on(faults.OPEN, "index.db", errno.EMFILE)
        for n in range(3):
            self.assertEqual(self.deliver(self.server, f"refused {n}")[0], 451)
            self.assertRegex(self.server.errors()[-1], TEXT)
        self.assertEqual(len(self.server.errors()), 3)
        self.faults.off()
        self.assertEqual(self.deliver(self.server, "accepted")[0], 250)
        self.assertEqual(self.subjects(self.server), ["accepted"])
        self.stop_and_verify(self.server)


if __name__ == "__main__":
    unittest.main()
