# SPDX-License-Identifier: MIT
"""What the server finds out about who sent a message: in the stored message, the log and the metrics. Names
are those built into localserve."""
import email
import email.policy
import imaplib
import smtplib
import unittest

from daemon import PASSWORD, USER, Daemon, any_certificate

BODY = "From: Jane <%s>\r\nSubject: %s\r\nDate: Thu, 26 Nov 2026 10:00:00 +0000\r\n\r\nHello.\r\n"


class Senders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon()
        cls.daemon.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__(None, None, None)

    def send(self, sender, message, helo="localhost"):
        with smtplib.SMTP("127.0.0.1", self.daemon.port("smtp"), local_hostname=helo, timeout=60) as c:
            return c.sendmail(sender, ["mox@localhost"], message.encode())

    def last(self):
        with imaplib.IMAP4("127.0.0.1", self.daemon.port("imap")) as c:
            c.starttls(any_certificate())
            c.login(USER, PASSWORD)
            _, (count,) = c.select("Inbox", readonly=True)
            _, data = c.fetch(count.decode(), "(BODY[])")
        return email.message_from_bytes(data[0][1], policy=email.policy.compat32)

    def results(self):
        return " ".join(self.last()["Authentication-Results"].split())

    def test_a_sender_of_this_machine_is_genuine(self):
        self.send("jane@example.org", BODY % ("jane@example.org", "genuine"))
        message = self.last()
        self.assertEqual(message.keys()[:6], ["X-Mox-Reason", "Delivered-To", "Return-Path", "Authentication-Results",
                                              "Received-SPF", "Received"])
        results = self.results()
        for part in ("iprev=pass (without dnssec) policy.iprev=127.0.0.1", "dkim=none",
                     "spf=pass (without dnssec) smtp.mailfrom=example.org",
                     "dmarc=none (without dnssec) header.from=example.org"):
            self.assertIn(part, results)
        self.assertTrue(message["Received-SPF"].startswith("pass (domain example.org)"))
        self.assertIn("by localhost", " ".join(message["Received"].split()))

    def test_one_that_does_not_exist_is_delivered_and_named(self):
        self.send("a@nowhere.example", BODY % ("a@nowhere.example", "unknown"), helo="client.example")
        self.assertIn("spf=none", self.results())
        self.assertIn("Received: from client.example (localhost [127.0.0.1])",
                      " ".join(("Received: " + self.last()["Received"]).split()))

    def test_a_signature_without_key_is_an_error_of_its_own(self):
        field = ("DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=x; h=From:Subject;\r\n"
                 " bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=dGVzdA==\r\n")
        self.send("a@example.org", field + BODY % ("a@example.org", "signed"))
        self.assertIn("dkim=permerror", self.results())

    def test_a_loop_ends(self):
        stations = "Received: from a by b; Thu, 26 Nov 2026 10:00:00 +0000\r\n"
        self.send("a@example.org", stations * 100 + BODY % ("a@example.org", "long way"))
        with self.assertRaises(smtplib.SMTPDataError) as caught:
            self.send("a@example.org", stations * 101 + BODY % ("a@example.org", "loop"))
        self.assertEqual(caught.exception.smtp_code, 550)
        self.assertIn(b"5.4.6", caught.exception.smtp_error)

    def test_the_log_and_the_metrics_tell(self):
        self.send("jane@example.net", BODY % ("jane@example.net", "told"))
        line = [l for l in self.daemon.log_text().splitlines() if "sender checked" in l
                and "mailfrom=jane@example.net" in l][-1]
        for part in ("spf=pass", "iprev=pass", "dkim=none", "dmarc=none", "msgfrom=example.net"):
            self.assertIn(part, line)


if __name__ == "__main__":
    unittest.main()
