# SPDX-License-Identifier: MIT
"""What users submit, as it is found in a mailbox: completed, without Bcc, and within limits."""
import email
import email.policy
import imaplib
import os
import shutil
import smtplib
import subprocess
import time
import unittest

from daemon import PASSWORD, USER, Daemon, any_certificate

FROM = f"From: Me <{USER}>\r\n"
DATE = "Date: Fri, 2 Jan 2026 03:04:05 +0100\r\n"
ID = "Message-Id: <mine@client.example>\r\n"
PREFIX = ["Delivered-To", "Return-Path", "Received"]
DELIVERED = ["X-Mox-Reason", *PREFIX[:2], "Authentication-Results", "Received-SPF", "Received"]


class Submissions(unittest.TestCase):
    args = ()
    config = {}  # lines of domains.conf, and what stands below them

    @classmethod
    def setUpClass(cls):
        cls.server = Daemon(*cls.args)
        cls.server.start()
        if cls.config:
            assert cls.server.stop() is not None
            cls.configure(os.path.join(cls.server.dir, "domains.conf"))
            cls.server.start()

    @classmethod
    def configure(cls, path):
        with open(path) as f:
            lines = f.read().split("\n")
        for place, more in cls.config.items():
            at = lines.index(place)
            lines[at + 1:at + 1] = more
        with open(path, "w") as f:
            f.write("\n".join(lines))

    @classmethod
    def tearDownClass(cls):
        try:
            assert cls.server.stop() is not None
            good, text = cls.server.verify()
            assert good, text
        finally:
            shutil.rmtree(cls.server.root)

    def connect(self, service="submission"):
        port = self.server.port(service)
        if service == "submissions":
            c = smtplib.SMTP_SSL("127.0.0.1", port, "client.example", timeout=60,
                                 context=any_certificate())
        else:
            c = smtplib.SMTP("127.0.0.1", port, "client.example", timeout=60)
            c.starttls(context=any_certificate())
        c.ehlo()
        c.login(USER, PASSWORD)
        self.addCleanup(c.close)
        return c

    def send(self, text, sender=USER, to=(USER,), service="submission", options=()):
        """The code, the enhanced code and the text of the last reply."""
        c = self.connect(service)
        code, reply = c.mail(sender, options)
        for address in to:
            if code == 250:
                code, reply = c.rcpt(address)
        if code == 250:
            code, reply = c.data(text if isinstance(text, bytes) else text.encode())
        c.quit()
        enhanced, _, said = reply.decode().partition(" ")
        return code, enhanced, said

    def accept(self, *args, **kwargs):
        code, enhanced, said = self.send(*args, **kwargs)
        self.assertEqual((code, enhanced), (250, "2.2.0"), said)

    def refuse(self, code, enhanced, *args, **kwargs):
        got = self.send(*args, **kwargs)
        self.assertEqual(got[:2], (code, enhanced), got)
        return got[2]

    def imap(self):
        imap = imaplib.IMAP4("127.0.0.1", self.server.port("imap"), timeout=60)
        imap.login(USER, PASSWORD)
        self.addCleanup(imap.shutdown)
        imap.select("Inbox", readonly=True)
        return imap

    def last(self):
        """The newest message: header names in order, the message, and its text."""
        imap = self.imap()
        uid = imap.uid("SEARCH", "ALL")[1][0].split()[-1]
        text = imap.uid("FETCH", uid, "(BODY.PEEK[])")[1][0][1]
        message = email.message_from_bytes(text, policy=email.policy.default)
        return [name for name, _ in message.raw_items()], message, text

    def received(self):
        return " ".join(self.last()[1]["Received"].split())

    def envelope(self):
        imap = self.imap()
        uid = imap.uid("SEARCH", "ALL")[1][0].split()[-1]
        return imap.uid("FETCH", uid, "(ENVELOPE)")[1][0]


class Lenient(Submissions):
    """A server for tests: any sender, no limits."""

    def test_what_is_missing_is_added_once_between_received_and_the_rest(self):
        for service in ("submission", "submissions"):
            with self.subTest(service=service):
                self.accept(FROM + "Subject: bare\r\n\r\nbody\r\n", service=service)
                names, message, _ = self.last()
                self.assertEqual(names, [*PREFIX, "Message-Id", "Date", "Authentication-Results",
                                         "From", "Subject"])
                self.assertRegex(message["Message-Id"], r"^<[A-Za-z0-9_-]{22}@localhost>$")
                self.assertLess(abs(message["Date"].datetime.timestamp() - time.time()), 600)
                self.assertTrue(message["Date"].endswith(" +0000"), message["Date"])

    def test_imap_shows_the_date_and_the_message_id_that_were_added(self):
        self.accept(FROM + "Subject: bare\r\n\r\nbody\r\n")
        _, message, _ = self.last()
        fields = dict(message.raw_items())  # as they stand there: else Python writes a day as 06
        envelope = self.envelope()
        self.assertIn(b'"%s"' % fields["Date"].strip().encode(), envelope)
        self.assertIn(b'"%s"' % fields["Message-Id"].strip().encode(), envelope)

    def test_what_is_there_stays_alone(self):
        self.accept("date:" + DATE[5:] + "MESSAGE-ID:" + ID[11:] + FROM + "\r\nbody\r\n")
        names, message, _ = self.last()
        self.assertEqual(names, [*PREFIX, "Authentication-Results", "date", "MESSAGE-ID", "From"])
        self.assertEqual(message["Message-Id"], "<mine@client.example>")
        self.accept(ID + FROM + "\r\nbody\r\n")
        self.assertEqual(self.last()[0], [*PREFIX, "Date", "Authentication-Results", "Message-Id",
                                          "From"])
        self.accept(DATE + FROM + "\r\nbody\r\n")
        self.assertEqual(self.last()[0], [*PREFIX, "Message-Id", "Authentication-Results", "Date",
                                          "From"])

    def test_what_other_servers_deliver_is_left_as_it_is(self):
        text = "From: a@client.example\r\nBcc: b@client.example\r\n\r\nbody\r\n"
        with smtplib.SMTP("127.0.0.1", self.server.port("smtp"), "client.example") as c:
            c.sendmail("a@client.example", [USER], text)
        names, _, raw = self.last()
        self.assertEqual(names, [*DELIVERED, "From", "Bcc"])
        self.assertTrue(raw.endswith(text.encode()))

    def test_received_hides_the_client_and_the_results_name_the_user(self):
        self.accept(FROM + "\r\nbody\r\n", sender="mox+tag@localhost")
        _, message, _ = self.last()
        received = self.received()
        self.assertTrue(received.startswith("from localhost by localhost ("), received)
        self.assertNotIn("client.example", received)
        self.assertIn("with ESMTPSA id ", received)
        self.assertIn(f"for <{USER}>; ", received)
        self.assertEqual(message["Authentication-Results"],
                         "localhost;\tauth=pass smtp.mailfrom=mox+tag@localhost")

    def test_copies_do_not_name_the_other_recipients(self):
        self.accept(FROM + "\r\nbody\r\n", to=("a@x.example", "b@y.example"))
        received = self.received()
        self.assertNotIn(" for ", received)
        self.assertNotIn(b"a@x.example", self.last()[2])
        self.assertRegex(received, r"; \w+, \d+ \w+ \d+ [\d:]+ \+0000$")

    def test_bcc_goes_and_nothing_else_does(self):
        head = FROM + DATE + ID
        cases = [
            ("Bcc: hidden@x.example\r\n", ""),
            ("bCC: hidden1@x.example,\r\n\thidden2@x.example,\r\n hidden3@x.example\r\nTo: a@b\r\n",
             "To: a@b\r\n"),
            ("Bcc:\r\nTo: a@b\r\nBCC: hidden@x.example\r\nResent-Bcc: hidden@y.example\r\n",
             "To: a@b\r\n"),
            ("X-Bcc: kept\r\nSubject: s\r\n Bcc: kept\r\n", None),
        ]
        body = "\r\nBcc: in the body\r\n\tstays\r\n"
        for fields, kept in cases:
            for size in (1, 20000):  # the second is a file of its own
                with self.subTest(fields=fields, size=size):
                    filler = "line of a body\r\n" * size
                    self.accept(head + fields + body + filler)
                    raw = self.last()[2]
                    rest = raw.partition(b"From: Me")[2]
                    self.assertEqual(rest.decode(),
                                     head.partition("From: Me")[2] +
                                     (fields if kept is None else kept) + body + filler)

    def test_bcc_goes_from_headers_longer_than_any_piece(self):
        many = "".join(f"X-{n}: {'x' * 100}\r\n" for n in range(3000))
        bcc = "Bcc: " + ",\r\n ".join(f"hidden{n}@x.example" for n in range(5000)) + "\r\n"
        self.accept(FROM + many + bcc + many + "\r\nbody\r\n")
        raw = self.last()[2]
        self.assertTrue(raw.endswith((FROM + many + many + "\r\nbody\r\n").encode()))
        self.assertNotIn(b"hidden", raw)

    def test_from_is_exactly_one_address(self):
        for field in ("Subject: none\r\n", FROM + FROM, "From: a@x.example, b@x.example\r\n",
                      "From: nobody\r\n", "From: all: a@x.example;\r\n", "From: a@[127.0.0.1]\r\n"):
            with self.subTest(field=field):
                self.refuse(550, "5.6.0", field + "\r\nbody\r\n")
        self.accept("From: \"A, B\" <any@x.example>\r\n\r\nbody\r\n", sender="other@y.example")
        self.accept(FROM + "Return-Path: <x@y.example>\r\n\r\nbody\r\n", sender="")

    def test_a_message_has_an_empty_line_and_its_extra_fields_once(self):
        self.refuse(554, "5.6.0", FROM + "Subject: no body\r\n")
        self.accept(FROM + "X-Mox-Extra-A: 1\r\nX-Mox-Extra-B: 1\r\n\r\nbody\r\n")
        self.assertEqual(self.last()[1]["X-Mox-Extra-A"], "1")
        self.refuse(554, "5.6.0", FROM + "X-Mox-Extra-A: 1\r\nx-mox-extra-a: 2\r\n\r\nbody\r\n")

    def test_futures_and_required_tls_are_not_promised(self):
        c = self.connect()
        self.assertFalse({"futurerelease", "requiretls"} & set(c.esmtp_features))
        for option in ("HOLDFOR=10", "HOLDUNTIL=2099-01-01T00:00:00Z", "REQUIRETLS"):
            code, reply = c.mail(USER, [option])
            self.assertEqual((code, reply.split()[0]), (555, b"5.3.3"))
        self.assertEqual(c.mail(USER, ["HOLDFOR=x"])[0], 501)

    def test_smtputf8_is_said_when_it_is_needed(self):
        self.accept(FROM + "\r\n\xe9\r\n", options=["SMTPUTF8", "BODY=8BITMIME"])
        self.assertIn("with ESMTPSA id", self.received())
        self.accept((FROM + "Subject: \xe9\r\n\r\nbody\r\n"), options=["SMTPUTF8"])
        self.assertIn("with UTF8SMTPSA id", self.received())

    def test_deliveries_too_say_smtputf8_when_it_is_needed(self):
        for subject, protocol in (("e", "ESMTP"), ("\xe9", "UTF8SMTP")):
            with smtplib.SMTP("127.0.0.1", self.server.port("smtp"), "client.example") as c:
                c.ehlo()
                c.mail("a@client.example", ["SMTPUTF8", "BODY=8BITMIME"])
                c.rcpt(USER)
                self.assertEqual(c.data(f"Subject: {subject}\r\n\r\n\xe9\r\n".encode())[0], 250)
            self.assertIn(f"with {protocol} id", self.received())

    def test_addresses_that_ask_for_a_failure(self):
        self.refuse(550, "5.0.0", FROM + "\r\nbody\r\n", to=("x-permerror@x.example",))
        self.assertIn("result=localserveerror", self.server.log_text())

    @unittest.skipUnless(shutil.which("swaks"), "swaks is not installed")
    def test_swaks(self):
        path = os.path.join(self.server.root, "swaks.eml")
        with open(path, "w") as f:
            f.write(f"From: {USER}\nTo: x@y.example\nBcc: hidden@x.example,\n hidden@y.example\n"
                    "Subject: by swaks\n\nBcc: body\n")
        for port, args in (("submission", ["--tls"]), ("submissions", ["--tls-on-connect"])):
            done = subprocess.run(["swaks", "--to", USER, "--from", USER, "--server",
                                   f"127.0.0.1:{self.server.port(port)}", "--data", "@" + path,
                                   "--auth", "PLAIN", "--auth-user", USER, "--auth-password",
                                   PASSWORD, *args], capture_output=True, timeout=100)
            self.assertEqual(done.returncode, 0, done.stdout)
            names, message, raw = self.last()
            self.assertEqual(names, [*PREFIX, "Message-Id", "Date", "Authentication-Results",
                                     "From", "To", "Subject"])
            self.assertNotIn(b"hidden", raw)
            self.assertTrue(message.get_content().startswith("Bcc: body"))


class Pedantic(Submissions):
    args = ("-pedantic",)
    config = {"Domains:": ["\toff.example:", "\t\tDisabled: true"],
              "\t\tDestinations:": ["\t\t\tmox@off.example: nil"]}

    def test_a_domain_that_is_disabled_sends_nothing_for_now(self):
        self.refuse(451, "4.3.0", FROM + "\r\nbody\r\n", sender="mox@off.example")
        self.refuse(451, "4.3.0", "From: mox@off.example\r\n\r\nbody\r\n")

    def test_other_servers_declare_what_they_need(self):
        with smtplib.SMTP("127.0.0.1", self.server.port("smtp"), "client.example") as c:
            for options, code in (("", 550), (" SMTPUTF8", 250)):
                c.docmd("EHLO", "client.example")
                c.docmd("MAIL", "FROM:<a@client.example> BODY=8BITMIME" + options)
                c.docmd("RCPT", f"TO:<{USER}>")
                self.assertEqual(c.data("Subject: \xe9\r\n\r\nbody\r\n".encode())[0], code)
        self.assertIn('m="incoming message rejected"', self.server.log_text())

    def test_users_send_as_themselves(self):
        self.accept(FROM + "\r\nbody\r\n")
        self.accept("From: MOX+tag@LocalHost\r\n\r\nbody\r\n", sender="mox+other@localhost")
        self.accept(FROM + "\r\nbody\r\n", sender="")
        self.refuse(550, "5.7.1", "From: other@localhost\r\n\r\nbody\r\n")
        self.refuse(550, "5.7.1", "From: mox@x.example\r\n\r\nbody\r\n")
        for sender in ("other@localhost", "mox@x.example", "mox@[127.0.0.1]"):
            self.refuse(550, "5.7.1", FROM + "\r\nbody\r\n", sender=sender)

    def test_fields_and_bytes_that_do_not_belong_there(self):
        self.refuse(550, "5.6.0", FROM + "Return-Path: <mox@localhost>\r\n\r\nbody\r\n")
        self.refuse(500, "5.6.0", FROM + "\r\n\xe9\r\n")
        self.accept(FROM + "\r\n\xe9\r\n", options=["BODY=8BITMIME"])
        self.refuse(550, "5.6.0", FROM + "Subject: \xe9\r\n\r\nx\r\n", options=["BODY=8BITMIME"])
        self.accept(FROM + "Subject: \xe9\r\n\r\nx\r\n", options=["BODY=8BITMIME", "SMTPUTF8"])
        self.assertIn("result=missingsmtputf8", self.server.log_text())


class Limited(Submissions):
    args = ("-limits",)

    config = {"\tmox:": ["\t\tMaxOutgoingMessagesPerDay: 5",
                         "\t\tMaxFirstTimeRecipientsPerDay: 2"]}

    def restart(self, kill):
        if kill:
            self.server.kill()
        else:
            self.assertIsNotNone(self.server.stop())
        self.server.start()

    def test_limits_hold_through_restarts_and_crashes(self):
        text = FROM + "\r\nbody\r\n"
        self.accept(text, to=("a@x.example", "b@x.example"))
        said = self.refuse(451, "4.7.1", text, to=("c@x.example",))
        self.assertIn("MaxFirstTimeRecipientsPerDay", said)
        self.assertIn("2 of 2", said)
        self.refuse(451, "4.7.1", text, to=("a@x.example", "c@x.example"))
        self.restart(kill=True)
        self.accept(text, to=("A@x.example", "B@X.example"))  # the same people
        self.restart(kill=False)
        said = self.refuse(451, "4.7.1", text, to=("a@x.example", "b@x.example"))
        self.assertIn("MaxOutgoingMessagesPerDay of account mox", said)
        self.assertIn("4 of 5", said)
        self.accept(text, to=("a@x.example",))
        self.restart(kill=True)
        self.refuse(451, "4.7.1", text, to=("a@x.example",))
        log = self.server.log_text()
        self.assertIn("result=messagelimiterror", log)
        self.assertIn("result=recipientlimiterror", log)
        imap = self.imap()
        self.assertEqual(len(imap.uid("SEARCH", "ALL")[1][0].split()), 5)
        with smtplib.SMTP("127.0.0.1", self.server.port("smtp"), "client.example") as c:
            c.sendmail("a@client.example", [USER], text)  # deliveries do not count


del Submissions

if __name__ == "__main__":
    unittest.main()
