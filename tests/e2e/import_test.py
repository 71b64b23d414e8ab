# SPDX-License-Identifier: MIT
"""`mox import`: mail of other programs, through the running server and without one; all of it or nothing; and what
the junk filter learns from it."""
import calendar
import contextlib
import glob
import imaplib
import os
import pwd
import re
import shutil
import signal
import subprocess
import tarfile
import time
import unittest

from daemon import MOX, PASSWORD, PATIENCE, USER, Daemon

CORPORA = os.environ.get("MOX_CORPORA", "")


def corpus(name):
    path = os.path.join(CORPORA, "mailbox", name)
    if not os.path.exists(path):
        raise unittest.SkipTest(f"no {path}")
    return path


def words(count, seed):
    """Text that repeats and differs."""
    return " ".join(f"w{(seed * 7919 + n * n) % 997}" for n in range(count))


def size_of(path):
    """0 of one that is not there: the server removes its log whenever it closes the account."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.getsize(path)
    return 0


class Import(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(Daemon())
        self.import_dir = os.path.join(self.server.dir, "data/import")
        os.makedirs(self.import_dir)

    def imap(self):
        imap = imaplib.IMAP4("127.0.0.1", self.server.port("imap"))
        imap.login(USER, PASSWORD)
        self.addCleanup(imap.shutdown)
        return imap

    def command(self, *args):
        return [MOX, "import", *args, "-dir", self.server.dir]

    def mox(self, *args):
        return subprocess.run(self.command(*args), capture_output=True, text=True, timeout=PATIENCE * 3)

    def imports(self, count, *args):
        done = self.mox(*args)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        plural = "" if count == 1 else "s"
        self.assertEqual(done.stdout, f"imported {count} message{plural} into {args[-2]} of account mox\n")

    def fails(self, text, *args):
        done = self.mox(*args)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn(text, done.stderr)

    def write(self, name, text):
        path = os.path.join(self.import_dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(text.encode() if isinstance(text, str) else text)
        return path

    def mbox(self, name, texts):
        return self.write(name, "".join(f"From a@example.org Sun Jan 23 20:41:55 2022\n{text}\n\n" for text in texts))

    def fetch(self, mailbox, imap=None):
        """Of each message: its flags in lower case, INTERNALDATE in seconds, size, content."""
        imap = imap or self.imap()
        self.assertEqual(imap.select(f'"{mailbox}"', readonly=True)[0], "OK", mailbox)
        contents = [part[1] for part in imap.fetch("1:*", "(BODY.PEEK[])")[1] if isinstance(part, tuple)]
        found = []
        for line, content in zip(imap.fetch("1:*", "(FLAGS INTERNALDATE RFC822.SIZE)")[1], contents, strict=True):
            text = line.decode()
            flags = set(re.search(r"FLAGS \(([^)]*)\)", text)[1].lower().split()) - {"\\recent"}
            when = int(time.mktime(imaplib.Internaldate2tuple(line)))
            found.append((flags, when, int(re.search(r"RFC822.SIZE (\d+)", text)[1]), content))
        return found

    def mailboxes(self):
        imap = self.imap()
        listed = [line.decode().rsplit(" ", 1)[1].strip('"') for line in imap.list()[1]]
        subscribed = [line.decode().rsplit(" ", 1)[1].strip('"') for line in imap.lsub()[1]]
        return listed, subscribed

    def stop_and_verify(self):
        self.assertEqual(self.server.stop(), signal.SIGTERM)
        self.assertEqual(self.server.verify(), (True, ""))

    def wait_until(self, true, what):
        until = time.monotonic() + PATIENCE
        while not true():
            self.assertLess(time.monotonic(), until, what)
            time.sleep(0.02)

    def test_an_mbox_comes_with_flags_keywords_and_times(self):
        path = self.mbox("box", ["Subject: a\nStatus: RO\nX-Status: AF\nX-Keywords: $Forwarded, Todo\n\none\n>From x",
                                 "Subject: b\n\ntwo"])
        for _ in range(2):  # twice gives everything twice
            self.imports(2, "mbox", "mox", "old/2022", path)
        found = self.fetch("old/2022")
        self.assertEqual([f[:2] for f in found],
                         [({"\\seen", "\\answered", "\\flagged", "$forwarded", "todo", "$notjunk"}, 1642970515),
                          ({"$notjunk"}, 1642970515)] * 2)
        self.assertTrue(found[0][3].endswith(b"Todo\r\n\r\none\r\nFrom x\r\n"), found[0][3])
        self.assertEqual(found[1][3], b"Subject: b\r\n\r\ntwo\r\n")
        for names in self.mailboxes():
            self.assertLessEqual({"old", "old/2022"}, set(names))
        self.stop_and_verify()

    def test_without_a_server_it_is_the_same(self):
        path = self.mbox("box", ["Subject: a\n\none"])
        self.assertEqual(self.server.stop(), signal.SIGTERM)
        here = os.path.dirname(path)
        done = subprocess.run(self.command("mbox", "mox", "inbox", "box"), capture_output=True, text=True, cwd=here,
                              timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.server.verify(), (True, ""))
        self.server.start()
        self.assertEqual(self.fetch("Inbox")[0][3], b"Subject: a\r\n\r\none\r\n")

    @unittest.skipIf(os.geteuid() != 0, "only root may give files away")
    def test_root_writes_nothing_where_somebody_else_is_the_server(self):
        path = self.mbox("box", ["Subject: a\n\none"])
        self.assertEqual(self.server.stop(), signal.SIGTERM)
        accounts = os.path.join(self.server.dir, "data/accounts")
        os.chown(accounts, 65534, 65534)
        self.fails("run the command as that user", "mbox", "mox", "Inbox", path)
        retrained = subprocess.run([MOX, "retrain", "-dir", self.server.dir], capture_output=True, text=True,
                                   timeout=PATIENCE)
        self.assertIn("run the command as that user", retrained.stderr)
        os.chown(accounts, 0, 0)
        self.imports(1, "mbox", "mox", "Inbox", path)

    def test_a_maildir_is_read_with_its_folders(self):
        for name in ("cur", "new", "tmp", ".Sub.Folder/cur", ".Sub.Folder/new", ".&AOk-/cur", ".&AOk-/new"):
            os.makedirs(os.path.join(self.import_dir, "Maildir", name))
        self.write("Maildir/dovecot-keywords", "0 $Label1\nx y\n")
        self.write("Maildir/cur/1642970515.M1P2.host:2,FSaq", "Subject: a\n\none")
        self.write("Maildir/.Sub.Folder/new/1642970516.M1P2.host", "Subject: b\n\ntwo\n")
        path = os.path.join(self.import_dir, "Maildir")
        done = self.mox("maildir", "-recursive", "mox", "old", path)
        self.assertEqual((done.returncode, done.stdout), (0, "imported 2 messages into old of account mox\n"))
        self.assertEqual(len(done.stderr.splitlines()), 2, done.stderr)
        self.assertIn("dovecot-keywords:2: the line", done.stderr)
        self.assertIn("no keyword belongs to its letter 'q'", done.stderr)
        self.assertEqual(self.fetch("old"), [({"\\seen", "\\flagged", "$label1", "$notjunk"}, 1642970515, 19,
                                              b"Subject: a\r\n\r\none\r\n")])
        self.assertEqual(self.fetch("old/Sub/Folder")[0][1:3], (1642970516, 19))
        self.assertIn("old/&AOk-", self.mailboxes()[0])

    def test_a_folder_for_junk_is_junk_below_any_mailbox(self):
        for folder in ("", ".Junk", ".Work"):
            for sub in ("cur", "new", "tmp"):
                os.makedirs(os.path.join(self.import_dir, "Maildir", folder, sub))
            self.write(f"Maildir/{folder}/cur/1642970515.M1P2.host:2,S", f"Subject: a\n\nin {folder}\n")
        path = os.path.join(self.import_dir, "Maildir")

        def check(mailbox):
            for name, flag in (("", "$notjunk"), ("/Junk", "$junk"), ("/Work", "$notjunk")):
                self.assertEqual([f[0] for f in self.fetch(mailbox + name)], [{"\\seen", flag}], name)

        self.imports(3, "maildir", "-recursive", "mox", "old", path)
        check("old")
        self.assertEqual(self.server.stop(), signal.SIGTERM)
        self.imports(3, "maildir", "-recursive", "mox", "older", path)
        retrained = subprocess.run([MOX, "retrain", "-dir", self.server.dir], capture_output=True, text=True,
                                   timeout=PATIENCE)
        self.assertIn("learnt 4 messages that are not junk and 2 that are", retrained.stdout)
        self.server.start()
        check("old")
        check("older")
        self.stop_and_verify()

    def test_what_dovecot_wrote_is_what_dovecot_says(self):
        path = os.path.join(self.import_dir, "Maildir")
        with tarfile.open(corpus("maildir/dovecot-made.tar.gz")) as tar:
            tar.extractall(path)
        wanted = {}
        with open(corpus("maildir/dovecot-made.expected.txt")) as f:
            for line in f:
                found = re.fullmatch(r'(\S+)\t\d+ \(UID \d+ FLAGS \(([^)]*)\) INTERNALDATE "([^"]*)" '
                                     r"RFC822.SIZE (\d+)\)\n", line)
                if found:
                    when = calendar.timegm(time.strptime(found[3], "%d-%b-%Y %H:%M:%S +0000"))
                    flags = set(found[2].lower().split()) - {"\\recent"}
                    wanted.setdefault(found[1], []).append((flags, when, int(found[4])))
        for name, messages in wanted.items():  # times that the archive has lost: Dovecot keeps them with the files
            folder = os.path.join(path, "" if name == "INBOX" else "." + name.replace("/", "."))
            for _, when, size in messages:
                file, = glob.glob(f"{folder}/*/*W={size}*")
                os.utime(file, (when, when))
        self.imports(sum(map(len, wanted.values())), "maildir", "-recursive", "mox", "old", path)
        for name, messages in wanted.items():
            got = [(f[0] - {"$junk", "$notjunk"}, *f[1:3]) for f in self.fetch("old" if name == "INBOX" else "old/" + name)]
            plain = [(m[0] - {"$junk", "$notjunk"}, *m[1:]) for m in messages]
            self.assertCountEqual(got, plain, name)

    def test_an_mbox_that_dovecot_wrote(self):
        with tarfile.open(corpus("mbox/dovecot-made-mbox.tar.gz")) as tar:
            tar.extractall(self.import_dir)
        self.imports(4, "mbox", "mox", "old", os.path.join(self.import_dir, "INBOX"))
        found = self.fetch("old")
        self.assertEqual([f[1] for f in found], [1362132000, 1362737220, 1363342440, 1363947660])
        self.assertEqual([f[0] - {"$notjunk"} for f in found],
                         [{"\\seen"}, {"\\answered", "\\flagged", "\\seen", "todo", "$label1"},
                          {"$mdnsent", "$phishing"}, {"\\seen", "project-x"}])

    def test_the_filter_learns_from_it(self):
        ham = [f"From: f{n}@example.org\nSubject: agenda {n}\n\nmeeting minutes project {words(40, n)}" for n in range(60)]
        spam = [f"From: s{n}@example.net\nSubject: winner {n}\n\ncheap pills lottery {words(40, n)}" for n in range(60)]
        self.imports(60, "mbox", "mox", "Archive", self.mbox("ham", ham))
        self.imports(60, "mbox", "mox", "Junk", self.mbox("spam", spam))
        self.assertEqual([f[0] for f in self.fetch("Junk")], [{"$junk"}] * 60)
        retrained = subprocess.run([MOX, "retrain", "-dir", self.server.dir], capture_output=True, text=True,
                                   timeout=PATIENCE)
        self.assertIn("learnt 60 messages that are not junk and 60 that are", retrained.stdout)
        for text, low, high in ((f"Subject: winner\n\ncheap pills lottery {words(40, 99)}\n", 0.9, 1.0),
                                (f"Subject: agenda\n\nmeeting minutes project {words(40, 99)}\n", 0.0, 0.1)):
            path = self.write("one.eml", f"From: new@example.com\n{text}")
            done = subprocess.run([MOX, "check", "-account", "mox", "-json", "-ip", "192.0.2.1", "-dir", self.server.dir, path],
                                  capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 0, done.stderr)
            found = re.search(r'"probability": *"?([0-9.]+)', done.stdout)
            self.assertTrue(found, done.stdout)
            self.assertTrue(low <= float(found[1]) <= high, (text, found[1]))

    def test_what_cannot_be_read_says_why(self):
        none = os.path.join(self.import_dir, "none")
        done = self.mox("mbox", "mox", "Inbox", none)
        self.assertEqual((done.returncode, done.stderr), (1, f"mox: open {none}: No such file or directory\n"))
        self.fails("box:1: this is no mbox", "mbox", "mox", "Inbox", self.write("box", "Subject: x\n\n"))
        self.fails("a maildir has folders new and cur", "maildir", "mox", "Inbox", self.import_dir)
        self.fails("an mbox is a file", "mbox", "mox", "Inbox", self.import_dir)
        self.fails("control character", "mbox", "mox", "a\tb", self.mbox("box", ["x: y\n\n"]))
        self.fails("nobody", "mbox", "nobody", "Inbox", self.mbox("box", ["x: y\n\n"]))

    def without_rights(self):
        """A server for which a file of somebody else is as for any user, also when root runs it."""
        if os.geteuid() != 0:
            return ()
        under = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
        if shutil.which("setpriv") is None or subprocess.run([*under, "true"], capture_output=True).returncode != 0:
            self.skipTest("root cannot be without its rights here")
        return under

    def keep_to_its_owner(self, path):
        os.chmod(path, 0o600 if os.geteuid() == 0 else 0)
        if os.geteuid() == 0:
            os.chown(path, 65534, 65534)

    def test_who_is_to_be_able_to_read_it_is_named(self):
        under = self.without_rights()
        self.server.stop()
        self.server.under = under
        self.server.start()
        name = pwd.getpwuid(os.geteuid()).pw_name
        told = f"Permission denied; the server reads it, as user {name} ({os.geteuid()}): make it readable for that user"
        path = self.mbox("box", ["Subject: a\n\none"])
        self.keep_to_its_owner(path)
        self.fails(told, "mbox", "mox", "Inbox", path)
        for sub in ("cur", "new"):
            os.makedirs(os.path.join(self.import_dir, "Maildir", sub))
        self.keep_to_its_owner(self.write("Maildir/new/1642970516.M1P2.host", "Subject: b\n\ntwo\n"))
        self.fails(told, "maildir", "mox", "Inbox", os.path.join(self.import_dir, "Maildir"))

    def test_an_account_that_has_no_mail_yet(self):
        self.assertEqual(self.server.stop(), signal.SIGTERM)
        with open(os.path.join(self.server.dir, "domains.conf"), "r+") as f:
            junk_filter = re.search(r"\t\tJunkFilter:\n.*", f.read(), re.DOTALL)[0]
            f.write("\talice:\n\t\tDomain: localhost\n\t\tDestinations:\n\t\t\talice@localhost: nil\n" + junk_filter)

        def mox(*args):
            return subprocess.run([MOX, *args, "-dir", self.server.dir], capture_output=True, text=True, timeout=PATIENCE)

        for args in ((), ("alice",)):
            done = mox("retrain", *args)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("alice: no mail yet, so there is nothing to learn from\n", done.stdout)
        self.assertEqual(mox("explain", "alice", "Inbox", "1").stderr, "mox: account alice is configured, but has no mail yet\n")
        self.assertIn("none has that name", mox("retrain", "nobody").stderr)
        done = mox("import", "mbox", "alice", "old", self.mbox("box", ["X-Keywords: NonJunk\n\none"]))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("alice: learnt 1 message", mox("retrain", "alice").stdout)
        self.assertEqual(self.server.verify(), (True, ""))

    def test_a_quota_is_kept_and_nothing_stays(self):
        self.assertEqual(self.server.stop(), signal.SIGTERM)
        with open(os.path.join(self.server.dir, "mox.conf"), "a") as f:
            f.write("QuotaMessageSize: 100000\n")
        self.server.start()
        path = self.mbox("box", [f"Subject: {n}\n\n{words(200, n)}" for n in range(200)])
        self.fails("quota", "mbox", "mox", "old", path)
        self.assertNotIn("old", self.mailboxes()[0])
        self.stop_and_verify()

    @unittest.skipIf(os.geteuid() != 0, "only root may make a small disk")
    def test_a_disk_is_not_filled_up(self):
        path = self.big()
        disk = os.path.join(self.server.root, "disk")
        os.mkdir(disk)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=76m", "tmpfs", disk], capture_output=True).returncode != 0:
            self.skipTest("no disk may be mounted here")
        self.addCleanup(subprocess.run, ["umount", disk], check=True)
        os.mkdir(os.path.join(disk, "data-log"))
        self.server.stop()
        self.server = self.enterContext(Daemon(directory=os.path.join(disk, "data")))
        self.fails("less than 64 MiB left", "mbox", "mox", "old", path)
        self.assertNotIn("old", self.mailboxes()[0])
        self.assertEqual(self.imap().append("Inbox", None, None, b"Subject: x\r\n\r\nx\r\n")[0], "OK")
        self.stop_and_verify()

    def big(self, name="big", count=6000):
        return self.mbox(name, [f"Subject: {n}\n\n{words(700, n)}" for n in range(count)])

    def interrupt_once(self, count, meanwhile):
        process = subprocess.Popen(self.command("mbox", "mox", "old", self.big(count=count)), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        database = os.path.join(self.server.dir, "data/accounts/mox/index.db-wal")
        begin = size_of(database)
        while process.poll() is None and size_of(database) - begin < 1 << 20:
            pass
        meanwhile(process)
        out, err = process.communicate(timeout=PATIENCE * 3)
        return process.returncode, out, err

    def interrupted(self, meanwhile):
        """The status, and what was told, of an import in the middle of which that was done."""
        runs = self.server.process is not None
        for doubled in range(4):
            returncode, out, err = self.interrupt_once(6000 << doubled, meanwhile)
            if out == "":
                return returncode, err
            self.assertEqual(returncode, 0)  # it was too late: all of it is there
            self.start_anew()
            self.assertEqual(len(self.fetch("old")), 6000 << doubled)
            self.assertEqual(self.imap().delete("old")[0], "OK")
            if not runs:
                self.server.stop()
        self.fail("it is always too late")

    def start_anew(self):
        if self.server.process is not None:
            self.server.stop()
        self.server.start()

    def test_an_interrupted_import_leaves_nothing(self):
        returncode, _ = self.interrupted(lambda process: process.send_signal(signal.SIGINT))
        self.assertEqual(returncode, -signal.SIGINT)
        self.wait_until(lambda: "an import was interrupted" in self.server.log_text(), "it goes on")
        self.assertNotIn("old", self.mailboxes()[0])
        self.stop_and_verify()
        returncode, err = self.interrupted(lambda process: process.send_signal(signal.SIGTERM))
        self.assertEqual(returncode, 1)
        self.assertIn("interrupted; nothing was imported", err)
        self.assertEqual(self.server.verify(), (True, ""))
        self.server.start()
        self.assertNotIn("old", self.mailboxes()[0])

    def test_a_server_that_stops_says_so_and_leaves_nothing(self):
        def stop(_):
            self.server.process.terminate()
            self.server.process.wait(PATIENCE)  # a second signal would end it at once

        returncode, err = self.interrupted(stop)
        self.assertEqual(self.server.stop(), signal.SIGTERM)
        self.assertEqual(self.server.verify(), (True, ""))
        self.assertEqual(returncode, 1)
        if "closing sessions that did not finish in time" not in self.server.log_text():
            self.assertEqual(err, "mox: the server is shutting down\n")
        self.server.start()
        self.assertNotIn("old", self.mailboxes()[0])

    def test_two_at_once_into_one_mailbox_that_a_client_has_open(self):
        imap = self.imap()
        self.assertEqual(imap.create("old")[0], "OK")
        self.assertEqual(imap.select("old"), ("OK", [b"0"]))
        both = [subprocess.Popen(self.command("mbox", "mox", "old", self.big(name, 2000)), stdout=subprocess.PIPE, text=True)
                for name in ("one", "two")]
        for process in both:
            self.assertEqual(process.communicate(timeout=PATIENCE * 3)[0], "imported 2000 messages into old of account mox\n")
        self.assertEqual(imap.noop()[0], "OK")
        self.assertEqual(imap.response("EXISTS")[1][-1], b"4000")
        subjects = [part[1] for part in imap.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
                    if isinstance(part, tuple)]
        once = [b"Subject: %d\r\n\r\n" % n for n in range(2000)]
        self.assertEqual(subjects, once + once)  # one behind the other
        self.stop_and_verify()

    def test_a_killed_server_leaves_nothing(self):
        returncode, _ = self.interrupted(lambda _: self.server.kill())
        self.assertEqual(returncode, 1)
        self.assertEqual(self.server.verify(), (True, ""))
        self.server.start()
        self.assertNotIn("old", self.mailboxes()[0])
        self.stop_and_verify()

    def test_mail_goes_on_meanwhile(self):
        imap = self.imap()  # before it, since that takes longer when others are busy
        process = subprocess.Popen(self.command("mbox", "mox", "old", self.big()), stdout=subprocess.PIPE, text=True)
        count = 0
        while count == 0 or process.poll() is None:
            self.assertEqual(imap.append("Inbox", None, None, b"Subject: x\r\n\r\nmeanwhile\r\n")[0], "OK")
            count += 1
        self.assertEqual(process.communicate(timeout=PATIENCE * 3)[0], "imported 6000 messages into old of account mox\n")
        self.assertEqual(len(self.fetch("Inbox", imap)), count)
        self.assertEqual(int(imap.select("old")[1][0]), 6000)
        self.stop_and_verify()


if __name__ == "__main__":
    unittest.main(verbosity=2)
