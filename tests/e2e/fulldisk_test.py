# SPDX-License-Identifier: MIT
"""No space left on the disk, or a file system that is read-only from the start: what cannot be done is
refused for now, with one line in the log that says what helps; then all goes on without a restart."""
import errno
import os
import shutil
import subprocess
import unittest

from daemon import MOX, free_base
from mailcase import LARGE, SMALL, MailCase
from trouble import Refusals, Work

FULL = "no space left on disk, make room"


class Disk(MailCase):
    """A disk that only the server sees."""

    def setUp(self):
        super().setUp()
        self.disk = self.tmp / "disk"
        self.disk.mkdir()

    def mounted(self, *options):
        """The command that runs another with the disk mounted, after `options`, a line of sh."""
        under = ["unshare", "-m" if os.geteuid() == 0 else "-Urm", "sh", "-ec",
                 "; ".join(['mount -t tmpfs -o size=4m none "$0"', *options, 'exec "$@"']),
                 str(self.disk)]
        if shutil.which("unshare") is None or subprocess.run(
                [*under, "true"], capture_output=True).returncode != 0:
            self.skipTest("no disk may be mounted here")
        return under

    def refused_to_start(self, under):
        done = subprocess.run([*under, MOX, "localserve", "-dir", self.disk / "server", "-ip",
                               "127.0.0.1", "-port-base", str(free_base())],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.stderr


class Full(Disk):
    def setUp(self):
        super().setUp()
        self.server = self.daemon(self.disk / "server", self.mounted())
        self.ballast = f"/proc/{self.server.process.pid}/root{self.disk}/ballast"

    def fill(self):
        with open(self.ballast, "wb", buffering=0) as f, self.assertRaises(OSError) as full:
            while True:
                f.write(b"x" * 4096)
        self.assertEqual(full.exception.errno, errno.ENOSPC)

    def test_mail_is_refused_for_now_and_flows_again_when_there_is_space(self):
        self.assertEqual(self.deliver(self.server, "before")[0], 250)
        self.assertEqual(self.deliver(self.server, "large", LARGE)[0], 250)
        accepted = ["before", "large"]
        self.fill()
        for n in range(3):
            self.assertEqual(self.deliver(self.server, f"large {n}", LARGE)[0], 452)
        codes = [self.deliver(self.server, f"small {n}")[0] for n in range(5)]
        self.assertLessEqual(set(codes), {250, 452}, codes)
        accepted += [f"small {n}" for n in range(5) if codes[n] == 250]
        self.assertEqual(self.subjects(self.server), accepted)
        lines = [line for line in self.server.log_text().splitlines() if "message not delivered" in line]
        self.assertEqual(len(lines), 3 + codes.count(452), lines)
        for line in lines:
            self.assertIn(FULL, line)
        self.assertEqual(len(self.server.errors()), len(lines), "one line for each")
        os.unlink(self.ballast)
        for subject, size in (("after", SMALL), ("large after", LARGE)):
            self.assertEqual(self.deliver(self.server, subject, size)[0], 250)
            accepted.append(subject)
        self.assertEqual(self.subjects(self.server), accepted)
        self.assertIsNone(self.server.process.poll())

    def test_changes_over_imap_too(self):
        work = Work(self, self.server)
        refused = 0
        for _ in range(2):
            work.prepare()
            self.fill()
            for _ in range(20):  # what is left of the WAL's last page
                if work.attempt(work.append("filler", SMALL)) != "OK":
                    break
            trial = Refusals(work, ["452", "OK"], ["NO [UNAVAILABLE]", "OK"], FULL)
            trial.try_all()
            refused += trial.refused
            os.unlink(self.ballast)
            work.check()
            work.prepare()
            for change in work.changes():
                self.assertEqual(work.attempt(change), "OK", change[0])
            work.check()
        self.assertGreaterEqual(refused, 10, "the disk was not full")
        print(f"full disk: {refused} changes refused")


class Start(Disk):
    def test_a_disk_that_is_full_at_the_start_is_named(self):
        text = self.refused_to_start(self.mounted('head -c 5m /dev/zero >"$0/ballast" 2>/dev/null || true'))
        self.assertRegex(text, "(?i)no space left on d")

    def test_a_read_only_file_system_is_named(self):
        text = self.refused_to_start(self.mounted(
            f'{MOX} localserve -initonly -dir "$0/server" >/dev/null 2>&1',
            'mount -o remount,ro "$0"'))
        self.assertIn("Read-only file system", text)


if __name__ == "__main__":
    unittest.main()
