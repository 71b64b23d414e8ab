# SPDX-License-Identifier: MIT
"""Why a message is where it is: mox explain, with the running server and without."""
import json
import subprocess
import unittest

from daemon import MOX, PATIENCE, USER
from judging_test import HAM_WORDS, Server, ham, message, text_of


KNOWN = "news@example.com"  # SPF proves it


class Explain(Server):
    def run_mox(self, *args):
        return subprocess.run([MOX, *args, "-dir", self.daemon.dir], capture_output=True, timeout=PATIENCE)

    def explain(self, mailbox, uid, *flags):
        done = self.run_mox("explain", *flags, "mox", mailbox, str(uid))
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertTrue(all(b == 10 or 32 <= b < 127 for b in done.stdout), done.stdout)
        return done.stdout.decode()

    def explained(self, mailbox, uid):
        return json.loads(self.explain(mailbox, uid, "--json"))

    def test_a_message_says_why_it_came_and_what_is_thought_of_it_now(self):
        self.assertEqual(self.send(ham(1, KNOWN), KNOWN)[0], 250)
        first = self.explained("Inbox", 1)
        self.assertEqual((first["account"], first["mailbox"], first["uid"]), ("mox", "Inbox", 1))
        self.assertTrue(first["reason"].startswith("no-bad-signals;"), first["reason"])
        self.assertIn("spf=", first["authentication_results"])
        self.assertEqual(first["arrival"]["from"], KNOWN)
        self.assertEqual(first["arrival"]["recipient"], USER)
        self.assertEqual(first["now"]["mailbox"], "Inbox")
        self.assertEqual(first["now"]["reputation"]["method"], "none")
        self.assertIn("junk_filter", first["now"])
        self.mark(r"$Junk")
        self.assertEqual(self.send(message(KNOWN, "Again", text_of(HAM_WORDS, 2), "again"), KNOWN)[0], 451)
        now = self.explained("Inbox", 1)
        self.assertEqual(now["flags"], ["junk"])
        self.assertEqual(now["reason"], first["reason"])
        self.assertEqual((now["now"]["reputation"]["method"], now["now"]["reputation"]["leaning"]),
                         ("msgfromfull", "junk"))
        step = [s for s in now["now"]["reputation"]["steps"] if s["decided"]]
        self.assertEqual([(s["method"], s["junk"]) for s in step], [("msgfromfull", 1)])
        reject = self.explained("Rejects", 1)
        self.assertTrue(reject["is_reject"])
        self.assertTrue(reject["reason"].startswith("msgfromfull;"), reject["reason"])
        self.assertEqual(reject["arrival"]["destined"], "Inbox")
        self.assertIn("reject", reject["arrival"]["kinds"])

    def mark(self, flag):
        with self.imap() as c:
            c.select("Inbox")
            self.assertEqual(c.store("1", "+FLAGS", flag)[0], "OK")

    def test_without_the_server_the_answer_is_the_same(self):
        self.assertEqual(self.send(ham(1), "someone@work.example")[0], 250)
        running = self.explain("Inbox", 1, "--json"), self.explain("Inbox", 1)
        self.daemon.stop()
        self.assertEqual((self.explain("Inbox", 1, "--json"), self.explain("Inbox", 1)), running)
        self.assertIn("\nnow:\n  mailbox: Inbox\n  reputation:\n    method: none\n", running[1])

    def test_what_a_stranger_wrote_reaches_no_terminal(self):
        data = message("someone@work.example", "x", "y", "1").replace(
            b"Subject: x", b"X-Mox-Reason: forged\r\nAuthentication-Results: forged\r\nSubject: \x1b[2J")
        self.assertEqual(self.send(data, "someone@work.example")[0], 250)
        self.assertNotIn("forged", self.explain("Inbox", 1))

    def test_a_message_that_did_not_come_by_smtp_has_no_sender(self):
        self.append("Archive", ham(3))
        got = self.explained("Archive", 1)
        self.assertEqual((got["arrival"]["over_smtp"], got["reason"]), (False, ""))
        self.assertNotIn("reputation", got["now"])

    def test_what_is_not_there_is_said(self):
        for running in (True, False):
            for args, text in ((("mox", "Inbox", "9"), b"has no message with UID 9"),
                               (("mox", "Inbux", "9"), b"no mailbox Inbux"), (("max", "Inbox", "9"), b"max")):
                done = self.run_mox("explain", *args)
                self.assertEqual((done.returncode, done.stdout), (1, b""))
                self.assertIn(text, done.stderr)
            if running:
                self.assertEqual(self.send(ham(1), "someone@work.example")[0], 250)
                self.daemon.stop()
        for uid in ("0", "-1", "x", "4294967296"):
            self.assertEqual(self.run_mox("explain", "mox", "Inbox", uid).returncode, 2)


del Server  # not a test of this file

if __name__ == "__main__":
    unittest.main()
