# SPDX-License-Identifier: MIT
"""Why a message is where it is, and what would become of one: mox explain and mox check -account, with the running
server and without."""
import json
import pathlib
import re
import subprocess
import unittest

from daemon import MOX, PATIENCE, USER
from judging_test import HAM_WORDS, SPAM_WORDS, Server, ham, message, spam, text_of


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
        self.assertIs(first["now"]["junk_filter"]["learnt_enough"], False)
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

    def test_mail_for_any_address_is_explained_as_for_where_it_went(self):
        self.assertEqual(self.send(ham(1, KNOWN), KNOWN, ["you@example.org"])[0], 250)
        self.mark(r"$Junk")
        self.assertEqual(self.send(ham(2, KNOWN), KNOWN, ["you@example.org"])[0], 451)
        for mailbox in "Inbox", "Rejects":
            now = self.explained(mailbox, 1)["now"]
            self.assertEqual((now["mailbox"], now["reputation"]["method"]), ("Inbox", "msgfromfull"))
            self.assertIn("its recipient is not among the account's addresses", now["problem"])

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
        text = self.explain("Inbox", 1)
        self.assertNotIn("forged", text)
        self.assertIn("reason: no-bad-signals;", text)

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


ZONE = ("example.com\tTXT\tv=spf1 ip4:192.0.2.1 -all\nmail.example.com\tA\t192.0.2.1\n"
        "1.2.0.192.in-addr.arpa\tPTR\tmail.example.com\n2.2.0.192.in-addr.arpa\tPTR\tmail.bulk.example\n"
        "mail.bulk.example\tA\t192.0.2.2\nbulk.example\tTXT\tv=spf1 ip4:192.0.2.2 -all\n"
        "2.0.0.127.bl.example\tA\t127.0.0.2\n2.2.0.192.broken.example\tA\t127.0.0.2\n"
        "2.2.0.192.bl.example\tA\t127.0.0.2\n2.2.0.192.bl.example\tTXT\tsent spam\n")


class Check(Server):
    def setUp(self):
        super().setUp()
        self.zone = pathlib.Path(self.daemon.root, "zone")
        self.zone.write_text(ZONE)

    def check(self, data, *more, ip="192.0.2.1", sender=KNOWN, code=0):
        done = subprocess.run([MOX, "check", "-dir", self.daemon.dir, "-zone", self.zone, "-ip", ip, "-mailfrom", sender,
                               *more, "-"], input=data, capture_output=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def analysis(self, data, *more, **how):
        got = json.loads(self.check(data, "-account", "mox", "-json", *more, **how))["analysis"]
        decided, = (r["name"] for r in got["rules"] if r["decided"])
        self.assertEqual(decided, got["reason"])
        return got

    def with_and_without_the_server(self):
        yield "with"
        self.daemon.stop()
        yield "without"

    def test_a_mark_decides_over_the_next_message(self):
        data = ham(1, KNOWN)
        before = self.analysis(data)
        self.assertEqual((before["accepted"], before["reason"], before["mailbox"], before["reply"]),
                         (True, "no-bad-signals", "Inbox", ""))
        self.assertEqual(self.send(data, KNOWN)[0], 250)
        self.move("Inbox", "Junk")
        for _ in self.with_and_without_the_server():
            after = self.analysis(ham(2, KNOWN))
            self.assertEqual((after["accepted"], after["reason"], after["destined"]), (False, "msgfromfull", "Inbox"))
            self.assertTrue(after["reply"].startswith("451 4.3.0 "), after["reply"])
            self.assertEqual(after["reputation"]["leaning"], "junk")
            text = self.check(ham(2, KNOWN), "-account", "mox").decode()
            self.assertIn("\naccepted: no\nreason: msgfromfull\n", text)
            self.assertTrue(text.startswith("iprev  pass "), text)

    def test_who_is_known_does_not_wait(self):
        data = ham(1, KNOWN)
        self.assertIs(self.analysis(data)["waits_as_first_message"], True)
        self.assertEqual(self.send(data, KNOWN)[0], 250)
        self.move("Inbox", "Archive")
        for _ in self.with_and_without_the_server():
            known = self.analysis(ham(2, KNOWN))
            self.assertEqual((known["accepted"], known["reason"]), (True, "msgfromfull"))
            self.assertIs(known["waits_as_first_message"], False)

    def test_the_filter_tells_the_words_that_decide(self):
        self.teach()
        spammer = {"ip": "192.0.2.2", "sender": "x@bulk.example"}
        for _ in self.with_and_without_the_server():
            got = self.analysis(spam(1000, "x@bulk.example"), **spammer)
            self.assertEqual((got["accepted"], got["reason"]), (False, "junk-content"))
            judged = got["junk_filter"]
            self.assertGreater(judged["probability"], judged["threshold"])
            self.assertGreater(judged["from_words"] + judged["from_rest"], 2.94)  # the odds of 0.95
            self.assertEqual(judged["strict"], "")
            self.assertEqual((judged["trained_hams"], judged["trained_spams"], judged["learnt_enough"]), (60, 60, True))
            self.assertTrue({w["word"] for w in judged["words"]} & set(SPAM_WORDS), judged["words"])
            self.assertTrue(self.analysis(ham(1000, KNOWN))["accepted"])

    def test_what_is_broken_here_is_named(self):
        self.daemon.stop()
        path = next(pathlib.Path(self.daemon.dir).rglob("accounts/mox/index.db")).with_name("junk.db")
        path.unlink(missing_ok=True)
        path.mkdir()
        self.daemon.start()
        self.assertEqual(self.send(ham(1, KNOWN), KNOWN), (451, b"4.3.0"))
        told = [line for line in self.daemon.errors() if 'm="the account could not judge a message"' in line]
        self.assertEqual(len(told), 1)
        self.assertRegex(told[0], 'err=".*junk.db.*" .*reason=junk-filter-error account=mox')
        for _ in self.with_and_without_the_server():
            got = self.analysis(ham(1, KNOWN))
            self.assertEqual((got["accepted"], got["reason"]), (False, "junk-filter-error"))
            self.assertIn("junk.db", got["problem"])
            self.assertTrue(got["reply"].startswith("451 4.3.0 error processing"), got["reply"])

    def test_nothing_is_stored(self):
        self.analysis(ham(1, KNOWN))
        self.assertEqual(self.stored("Inbox") + self.stored("Rejects"), [])

    def test_whose_answer_it_is_is_said(self):
        args = [MOX, "check", "-dir", self.daemon.dir, "-zone", self.zone, "-ip", "192.0.2.1", "-account", "mox", "-"]
        for told in b"", b"mox: no server is running; this is what one on the internet would do\n":
            done = subprocess.run(args, input=ham(1, KNOWN), capture_output=True, timeout=PATIENCE)
            self.assertEqual((done.returncode, done.stderr), (0, told))
            self.daemon.stop()

    def test_limits_count(self):
        self.daemon.stop()
        path = pathlib.Path(self.daemon.dir, "mox.conf")
        path.write_text(path.read_text() + "Limits:\n\tMessagesPerDay:\n\t\tAddress: 1\n")
        self.daemon.args = ("-limits",)
        self.daemon.start()
        self.assertEqual(self.send(ham(1), "someone@work.example")[0], 250)
        for _ in self.with_and_without_the_server():
            got = self.analysis(ham(2), ip="127.0.0.1", sender="someone@work.example")
            self.assertEqual((got["accepted"], got["reason"]), (False, "high-rate"))
            self.assertTrue(got["reply"].startswith("452 4.2.2 too many messages from your address"), got["reply"])
            self.assertNotEqual(self.analysis(ham(2))["reason"], "high-rate")

    def set_lists(self):
        """Lists that the first listener asks; the server reads them when it starts."""
        self.daemon.stop()
        path = pathlib.Path(self.daemon.dir, "mox.conf")
        text, n = re.subn(r"(?ms)^\t\tSMTP:\n.*?Enabled: true\n", r"\g<0>\t\t\tDNSBLs:\n\t\t\t\t- broken.example\n\t\t\t\t- bl.example\n",
                          path.read_text(), count=1)
        self.assertEqual(n, 1)
        path.write_text(text)
        self.daemon.start()

    def test_lists_are_asked_when_nothing_else_decides(self):
        self.set_lists()
        spammer = {"ip": "192.0.2.2", "sender": "x@bulk.example"}
        for _ in self.with_and_without_the_server():
            got = self.analysis(ham(1, "x@bulk.example"), **spammer)
            self.assertEqual((got["accepted"], got["reason"]), (False, "dns-blocklisted"))
            self.assertIn("bl.example", got["rules"][-1]["text"])
            self.assertEqual(self.analysis(ham(1, KNOWN))["reason"], "no-bad-signals")
        asked = json.loads(self.check(ham(1, KNOWN), "-json"))["dns"]
        self.assertFalse([a for a in asked if a["name"].endswith("bl.example")])

    def test_who_is_asked_must_be_there(self):
        for _ in self.with_and_without_the_server():
            self.assertIn(b"nobody", self.check(ham(1), "-account", "nobody", code=1))
            self.assertIn(b"no address of account mox",
                          self.check(ham(1), "-account", "mox", "-rcpt", "x@elsewhere.example", code=1))

    def test_localhost_signs_as_on_a_delivery_to_a_server_for_tests(self):
        key = pathlib.Path(self.daemon.root, "key.pem")
        subprocess.run([MOX, "dkim", "gened25519", "-out", key], check=True, capture_output=True, timeout=PATIENCE)
        record = subprocess.run([MOX, "dkim", "txt", "-raw", key], check=True, capture_output=True, timeout=PATIENCE)
        self.zone.write_text(ZONE + f"k._domainkey.localhost\tTXT\t{record.stdout.decode().strip()}\n")
        plain = ham(1, "jane@localhost")
        field = subprocess.run([MOX, "dkim", "sign", "-domain", "localhost", "-selector", "k", "-key", key, "-"],
                               input=plain, check=True, capture_output=True, timeout=PATIENCE).stdout
        self.daemon.stop()
        path = pathlib.Path(self.daemon.dir, "domains.conf")
        text, n = re.subn("mox@localhost: nil\n", r"""mox@localhost:
				MessageAuthRequiredSMTPError: only mail that proves its sender
""", path.read_text(), count=1)
        self.assertEqual(n, 1, text)
        path.write_text(text)
        self.daemon.start()
        for _ in self.with_and_without_the_server():
            self.assertEqual(self.analysis(plain)["reason"], "msg-auth-required")
            self.assertEqual(self.analysis(field + plain)["reason"], "no-bad-signals")

    def test_a_large_message_with_any_bytes(self):
        data = message(KNOWN, "Large", "x", "large") + bytes(range(256)) * 8192
        self.assertTrue(self.analysis(data)["accepted"])


del Server  # not a test of this file

if __name__ == "__main__":
    unittest.main()
