# SPDX-License-Identifier: MIT
"""What a server makes of mail, and how a user teaches it: moving a message is all that he does."""
import contextlib
import email
import email.policy
import imaplib
import pathlib
import random
import re
import smtplib
import unittest

from daemon import PASSWORD, USER, Daemon, any_certificate

NEUTRAL = (451, b"4.3.0")
SPAM_WORDS = "pills casino winner guaranteed refinance mortgage lottery enlarge unsubscribe billion cheap viagra".split()
HAM_WORDS = "meeting compiler patch minutes garden train dinner review budget holiday library kernel".split()


def text_of(words, number):
    """Some forty words, other ones for each number."""
    return "\r\n".join(" ".join(random.Random(number * 7 + i).choices(words, k=8)) for i in range(5))


def message(sender, subject, body, number, to=USER):
    return (f"From: <{sender}>\r\nTo: <{to}>\r\nSubject: {subject}\r\nDate: Thu, 26 Nov 2026 10:00:00 +0000\r\n"
            f"Message-ID: <{number}@test.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n{body}\r\n").encode()


def spam(number, sender="stranger@bulk.example"):
    return message(sender, "You are a guaranteed winner", text_of(SPAM_WORDS, number), f"spam{number}")


def ham(number, sender="someone@work.example"):
    return message(sender, "Minutes of the meeting", text_of(HAM_WORDS, number), f"ham{number}")


class Server(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon()
        self.enterContext(self.daemon)

    @contextlib.contextmanager
    def imap(self):
        with imaplib.IMAP4("127.0.0.1", self.daemon.port("imap"), timeout=60) as c:
            c.starttls(any_certificate())
            c.login(USER, PASSWORD)
            yield c

    def send(self, data, sender, to=(USER,)):
        """The code and the begin of the text of the reply."""
        with smtplib.SMTP("127.0.0.1", self.daemon.port("smtp"), timeout=60) as c:
            try:
                c.sendmail(sender, list(to), data)
            except smtplib.SMTPDataError as refused:
                return refused.smtp_code, refused.smtp_error.split(b" ")[0]
        return 250, b""

    def stored(self, mailbox):
        """Flags and message of all in the mailbox."""
        with self.imap() as c:
            ok, (count,) = c.select(mailbox, readonly=True)
            if ok != "OK" or count == b"0":
                return []
            _, flags = c.fetch("1:*", "(FLAGS)")
            _, data = c.fetch("1:*", "(BODY.PEEK[])")
        messages = [email.message_from_bytes(d[1], policy=email.policy.compat32) for d in data if isinstance(d, tuple)]
        return list(zip([re.search(rb"FLAGS \(([^)]*)\)", f).group(1).decode() for f in flags], messages))

    def reason(self, mailbox):
        return self.stored(mailbox)[-1][1]["X-Mox-Reason"].split(";")[0].strip()

    def move(self, origin, destination, which="*"):
        with self.imap() as c:
            c.select(origin)
            self.assertEqual(c._simple_command("MOVE", which, destination)[0], "OK")

    def append(self, mailbox, data):
        with self.imap() as c:
            self.assertEqual(c.append(mailbox, None, None, data)[0], "OK")

    def teach(self, count=60):
        """Mail that the user has put where it belongs."""
        with self.imap() as c:
            for i in range(count):
                for mailbox, data in (("Junk", spam(i)), ("Archive", ham(i))):
                    self.assertEqual(c.append(mailbox, None, None, data)[0], "OK")


class Judging(Server):
    def test_what_a_user_moves_decides_over_the_next_message_of_its_sender(self):
        sender = "news@example.com"  # which SPF proves

        def post(number):
            return self.send(message(sender, "News", "Hello.", number), sender)

        self.assertEqual(post(1)[0], 250)
        self.assertEqual(self.reason("Inbox"), "no-bad-signals")
        self.move("Inbox", "Junk")
        self.assertEqual(post(2), NEUTRAL)
        self.assertEqual(post(2), NEUTRAL)
        (flags, rejected), = self.stored("Rejects")
        self.assertIn("\\Seen", flags)
        self.assertNotIn("Junk", flags)
        self.assertTrue(rejected["X-Mox-Reason"].startswith("msgfromfull"), rejected["X-Mox-Reason"])
        # It was a mistake: the user takes it out, and the sender's next attempt gets through.
        self.move("Rejects", "Archive")
        flags, _ = self.stored("Archive")[-1]
        self.assertNotIn("\\Seen", flags)
        self.assertEqual(post(3)[0], 250)
        self.assertEqual(self.reason("Inbox"), "msgfromfull")

    def test_a_reject_that_is_moved_to_the_inbox_makes_its_sender_known(self):
        sender = "news@example.com"
        self.assertEqual(self.send(message(sender, "News", "Hello.", 1), sender)[0], 250)
        self.move("Inbox", "Junk")
        self.assertEqual(self.send(message(sender, "News", "Hello.", 2), sender), NEUTRAL)
        self.move("Rejects", "Inbox")
        self.assertIn("$NotJunk", self.stored("Inbox")[-1][0])
        self.assertEqual(self.send(message(sender, "News", "Hello.", 3), sender)[0], 250)
        self.assertEqual(self.reason("Inbox"), "msgfromfull")

    def test_a_message_that_is_accepted_later_leaves_the_rejects(self):
        sender = "news@example.com"
        data = message(sender, "News", "Hello.", 1)
        self.append("Archive", ham(1))
        self.assertEqual(self.send(message(sender, "Old", "x", 0), sender)[0], 250)
        self.move("Inbox", "Junk")
        self.assertEqual(self.send(data, sender), NEUTRAL)
        self.assertEqual(len(self.stored("Rejects")), 1)
        with self.imap() as c:
            c.select("Junk")
            c.store("1:*", "-FLAGS", "($Junk)")
            c.store("1:*", "+FLAGS", "($NotJunk)")
        self.assertEqual(self.send(data, sender)[0], 250)
        self.assertEqual(self.stored("Rejects"), [])

    def test_the_filter_learns_where_mail_is_put_and_tells_strangers_apart(self):
        self.teach()
        self.assertEqual(self.send(spam(1000), "stranger@bulk.example"), NEUTRAL)
        self.assertTrue(self.reason("Rejects").startswith("junk-content"))
        self.assertEqual(self.send(ham(1000), "someone@work.example")[0], 250)
        self.assertEqual(self.reason("Inbox"), "no-bad-signals")

    def test_who_was_written_to_gets_through(self):
        self.teach()
        friend = "friend@example.net"
        self.append("Sent", message(USER, "Hello", "x", "sent", to=friend))
        self.assertEqual(self.send(spam(1001, friend), friend)[0], 250)
        self.assertEqual(self.reason("Inbox"), "msgtofull")

    def test_what_was_learnt_outlives_a_crash(self):
        self.teach()
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual(self.send(spam(1002), "stranger@bulk.example"), NEUTRAL)
        self.assertEqual(self.send(ham(1002), "someone@work.example")[0], 250)
        self.daemon.stop()
        fine, text = self.daemon.verify()
        self.assertTrue(fine, text)



CONFIG = """
Domains:
	localhost:
		LocalpartCatchallSeparator: +
		Aliases:
			family:
				Addresses:
					- mox@localhost
					- ann@localhost
				PostPublic: false
			open:
				Addresses:
					- mox@localhost
					- ann@localhost
				PostPublic: true
			proof:
				Addresses:
					- proved@localhost
					- ann@localhost
				PostPublic: true
			collected:
				Addresses:
					- proved@localhost
					- collector@localhost
				PostPublic: true
			mixed:
				Addresses:
					- collector@localhost
					- ann@localhost
					- proved@localhost
				PostPublic: true
Accounts:
	mox:
		Domain: localhost
		RejectsMailbox: Rejects
		Destinations:
			mox@localhost:
				Rulesets:
					-
						HeadersRegexp:
							^list-id$: <gardening\\.example>
						Mailbox: Lists/Gardening
			gone@localhost:
				SMTPError: 550 moved away
			proved@localhost:
				MessageAuthRequiredSMTPError: only mail that proves its sender
			collector@localhost:
				MessageAuthRequiredSMTPError: only mail that proves its sender
				Rulesets:
					-
						SMTPMailFromRegexp: .*
						Mailbox: Collector
						AcceptRejectsToMailbox: Collected
	ann:
		Domain: localhost
		Destinations:
			ann@localhost: nil
"""


class Configured(Server):
    """Addresses and rules, as an administrator writes them."""

    def setUp(self):
        super().setUp()
        self.daemon.stop()
        next(pathlib.Path(self.daemon.dir).rglob("domains.conf")).write_text(CONFIG.replace("\\\\", "\\"))
        self.daemon.start()

    def test_rules_choose_the_mailbox(self):
        data = message("a@news.example", "Roses", "x", 1).replace(b"Subject:", b"List-Id:  <gardening.example>\r\nSubject:")
        self.assertEqual(self.send(data, "a@news.example")[0], 250)
        self.assertEqual(len(self.stored("Lists/Gardening")), 1)
        self.assertEqual(self.send(data.replace(b"Message-ID: <1", b"Message-ID: <1b"), "a@news.example", ["open@localhost"])[0],
                         250)
        self.assertEqual(len(self.stored("Lists/Gardening")), 2)
        self.assertEqual(self.stored("Inbox"), [])

    def test_an_address_can_refuse_all_mail(self):
        with smtplib.SMTP("127.0.0.1", self.daemon.port("smtp"), timeout=60) as c:
            c.ehlo()
            c.mail("a@news.example")
            code, text = c.rcpt("gone@localhost")
            self.assertEqual((code, text.split(b" (")[0]), (550, b"5.1.1 moved away"))

    def test_an_address_can_ask_for_proof(self):
        data = message("a@news.example", "x", "x", 2, to="proved@localhost")
        self.assertEqual(self.send(data, "a@news.example", ["proved@localhost"]), (550, b"5.7.26"))
        data = message("a@example.com", "x", "x", 3, to="proved@localhost")
        self.assertEqual(self.send(data, "a@example.com", ["proved@localhost"])[0], 250)

    def test_a_list_is_for_its_members_and_none_gets_two_copies(self):
        data = message("a@news.example", "x", "x", 4, to="family@localhost")
        self.assertEqual(self.send(data, "a@news.example", ["family@localhost"]), (550, b"5.7.2"))
        self.assertEqual(self.send(data, "a@news.example", ["open@localhost", "mox@localhost"])[0], 250)
        self.assertEqual(len(self.stored("Inbox")), 1)
        data = message("ann@localhost", "x", "x", 5, to="family@localhost")
        self.assertEqual(self.send(data, "ann@localhost", ["family@localhost"])[0], 250)
        self.assertEqual(len(self.stored("Inbox")), 2)
        with smtplib.SMTP("127.0.0.1", self.daemon.port("submission"), timeout=60) as c:
            c.starttls(context=any_certificate())
            c.login(USER, PASSWORD)  # who wrote it is in From, whatever the path is
            c.sendmail("", ["family@localhost"], message("mox@localhost", "x", "x", 6, to="family@localhost"))
            c.sendmail(USER, ["family@localhost"], message("ann@localhost", "x", "x", 7, to="family@localhost"))
            with self.assertRaises(smtplib.SMTPDataError) as refused:
                c.sendmail(USER, ["family@localhost"], message("a@news.example", "x", "x", 8, to="family@localhost"))
            self.assertEqual(refused.exception.smtp_code, 550)
        self.assertEqual(len(self.stored("Inbox")), 3)

    def test_a_list_has_the_reason_of_the_member_who_accepts(self):
        data = message("a@news.example", "x", "x", 7, to="proof@localhost")
        self.assertEqual(self.send(data, "a@news.example", ["proof@localhost"])[0], 250)
        log = self.daemon.log_text()
        reason = re.search(r"message delivered.* reason=(\S+)", log).group(1)
        self.assertEqual(reason, "no-bad-signals")
        self.assertEqual(self.reason("Inbox"), reason)

    def test_what_speaks_for_a_sender_with_one_member_is_not_told_to_others(self):
        data = message("a@news.example", "x", "x", 10, to="proof@localhost")
        self.assertEqual(self.send(data, "a@news.example", ["proof@localhost"])[0], 250)
        (_, stored), = self.stored("Inbox")
        rules = [r.strip() for r in stored["X-Mox-Reason"].split(";")]
        self.assertEqual(rules[0], "no-bad-signals")
        self.assertTrue(rules[1].startswith("msg-auth-required: "), rules)  # his own, which decided for him
        self.assertNotIn("nothing speaks against it", stored["X-Mox-Reason"])  # as ann has it, who accepts it

    def test_a_member_whose_rule_takes_rejects_takes_them_for_nobody_else(self):
        data = message("a@news.example", "x", "x", 8, to="collected@localhost")
        self.assertEqual(self.send(data, "a@news.example", ["collected@localhost"])[0], 250)
        self.assertEqual([len(self.stored(m)) for m in ("Collected", "Rejects", "Inbox")], [1, 1, 0])
        self.assertEqual(self.reason("Rejects"), "msg-auth-required")
        log = self.daemon.log_text()
        self.assertRegex(log, "message delivered.* reason=msg-auth-required .*mailbox=Collected")

    def test_a_list_that_somebody_opens_gives_its_reason(self):
        data = message("a@news.example", "x", "x", 9, to="mixed@localhost")
        self.assertEqual(self.send(data, "a@news.example", ["mixed@localhost"])[0], 250)
        self.assertEqual([len(self.stored(m)) for m in ("Collected", "Rejects", "Inbox")], [1, 0, 1])
        self.assertEqual([self.reason(m) for m in ("Collected", "Inbox")], ["no-bad-signals"] * 2)

    def test_a_message_that_one_recipient_refuses_is_there_for_the_other(self):
        to = ["mox@localhost", "proved@localhost"]
        data = message("stranger@elsewhere.example", "Twice", "x", 6)
        self.assertEqual(self.send(data, "mox@localhost", to)[0], 250)
        (_, stored), = self.stored("Inbox")
        self.assertEqual(stored["Delivered-To"], "mox@localhost")
        log = self.daemon.log_text()
        self.assertRegex(log, "incoming message rejected.*reason=msg-auth-required.*rcptto=proved@localhost")
        self.assertIn("sender not told of failed recipients", log)  # a server for tests makes no bounces


if __name__ == "__main__":
    unittest.main()
