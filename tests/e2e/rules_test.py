# SPDX-License-Identifier: MIT
"""What an administrator may write for an account and an address, beside the mailbox: each as the server does it."""
import json
import pathlib
import subprocess
import unittest

from daemon import MOX, PATIENCE, USER
from judging_test import NEUTRAL, Server, ham, message, spam

PROVED = "example.com"  # whose SPF passes
ACCOUNT = """
Domains:
	localhost: nil
Accounts:
	mox:
		Domain: localhost
		RejectsMailbox: Rejects
%s
		AutomaticJunkFlags:
			Enabled: true
			JunkMailboxRegexp: ^(junk|spam)
			NeutralMailboxRegexp: ^(inbox|neutral|postmaster|dmarc|tlsrpt|rejects|introbox)
		JunkFilter:
			Threshold: 0.95
			Onegrams: true
		Destinations:
			mox@localhost:%s
"""
RULE = "\n\t\t\t\tRulesets:\n\t\t\t\t\t-\n"


class Rules(Server):
    def configure(self, *lines, rule=None):
        self.daemon.stop()
        account = "\n".join("\t\t" + line for line in lines)
        destination = " nil" if rule is None else RULE + "\n".join("\t" * 6 + line for line in rule)
        pathlib.Path(self.daemon.dir, "domains.conf").write_text(ACCOUNT % (account, destination))
        self.daemon.start()

    def kinds(self, mailbox, uid=1):
        """What the server has noted of it."""
        done = subprocess.run([MOX, "explain", "--json", "-dir", self.daemon.dir, "mox", mailbox, str(uid)],
                              capture_output=True, timeout=PATIENCE, check=True)
        return json.loads(done.stdout)["arrival"]["kinds"]

    def test_who_forwards_is_not_to_blame(self):
        self.configure(rule=(r"SMTPMailFromRegexp: ^me@example\.com$", f"VerifiedDomain: {PROVED}", "IsForward: true",
                             "Mailbox: Forwarded"))
        path = "me@" + PROVED
        for n in range(3):
            self.assertEqual(self.send(message(f"n{n}@author{n}.example", "x", "x", n), path)[0], 250)
        self.assertEqual(len(self.stored("Forwarded")), 3)
        self.assertIn("forward", self.kinds("Forwarded"))
        self.move("Forwarded", "Junk", "1:*")
        self.assertEqual(self.send(message("n4@author4.example", "x", "x", 4), path)[0], 250)
        self.assertEqual(self.send(message(path, "x", "x", 5), "you@" + PROVED)[0], 250)
        self.assertEqual([len(self.stored(m)) for m in ("Forwarded", "Inbox")], [1, 1])

    def test_a_list_is_accepted_whatever_its_content_if_it_is_proved(self):
        rule = (r"MsgFromRegexp: .", f"ListAllowDomain: {PROVED}", "Mailbox: Lists")
        self.configure(rule=rule)
        self.teach()
        self.assertEqual(self.send(spam(1000), "bounces@" + PROVED)[0], 250)
        self.assertEqual(len(self.stored("Lists")), 1)
        self.assertEqual(self.send(spam(1001), "bounces@bulk.example"), NEUTRAL)
        self.assertTrue(self.reason("Rejects").startswith("junk-content"))

    def test_what_would_be_refused_goes_to_a_mailbox_of_the_rule(self):
        self.configure(rule=(r"SMTPMailFromRegexp: @bulk\.example$", "AcceptRejectsToMailbox: Refused", "Mailbox: Inbox"))
        self.teach()
        self.assertEqual(self.send(spam(1000), "stranger@bulk.example")[0], 250)
        self.assertEqual(self.send(spam(1001, "x@cheap.example"), "x@cheap.example"), NEUTRAL)
        self.assertEqual([len(self.stored(m)) for m in ("Refused", "Rejects", "Inbox")], [1, 1, 0])
        (flags, refused), = self.stored("Refused")
        self.assertIn("\\Seen", flags)
        self.assertNotIn("$NotJunk", flags)  # it is kept there, and no ham
        self.assertTrue(refused["X-Mox-Reason"].startswith("junk-content"))
        self.assertIn("reject", self.kinds("Refused"))

    def test_first_messages_go_to_the_introbox(self):
        self.configure("Introbox: Introbox")
        sender = "friend@" + PROVED
        self.assertEqual(self.send(ham(1, sender), sender)[0], 250)
        self.assertEqual([len(self.stored(m)) for m in ("Introbox", "Inbox")], [1, 0])
        self.assertIn("first message", self.kinds("Introbox"))
        self.move("Introbox", "Inbox")
        self.assertEqual(self.send(ham(2, sender), sender)[0], 250)
        self.assertEqual([len(self.stored(m)) for m in ("Introbox", "Inbox")], [0, 2])

    def rejects_of_a_small_account(self, *lines):
        """Ten are more than a quarter of the quota."""
        self.configure("QuotaMessageSize: 80000", *lines)
        sender = "news@" + PROVED
        self.assertEqual(self.send(ham(0, sender), sender)[0], 250)
        self.move("Inbox", "Junk")
        for n in range(10):
            self.assertEqual(self.send(message(sender, "News", "word " * 600, f"r{n}", USER), sender), NEUTRAL)
        return len(self.stored("Rejects"))

    def test_rejects_go_when_there_are_many_unless_they_are_kept(self):
        few = self.rejects_of_a_small_account()
        self.assertTrue(0 < few < 10, few)

    def test_rejects_are_kept(self):
        self.assertEqual(self.rejects_of_a_small_account("KeepRejects: true"), 10)


if __name__ == "__main__":
    unittest.main()
