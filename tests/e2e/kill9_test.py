# SPDX-License-Identifier: MIT
"""kill -9 under load: every message that was acknowledged is there once, and nothing is damaged."""
import imaplib
import itertools
import os
import random
import smtplib
import threading
import time
import unittest

from daemon import PASSWORD, USER, Daemon

CONNECTIONS = 20
ROUNDS = int(os.environ.get("MOX_KILL_ROUNDS", "3"))


class Sender(threading.Thread):
    """Delivers small and large messages until the server goes away; remembers what was acknowledged."""

    def __init__(self, daemon, name):
        super().__init__(daemon=True)
        self.server, self.label = daemon, name
        self.acknowledged, self.tried = [], 0

    def run(self):
        try:
            with smtplib.SMTP("127.0.0.1", self.server.port("smtp"), timeout=30) as smtp:
                while True:
                    ident = f"{self.label}-{self.tried}"
                    self.tried += 1
                    filler = "x" * 70 + "\r\n"
                    size = 2500 if self.tried % 10 == 0 else 40  # one in ten goes to a file
                    smtp.sendmail("a@remote.example", [USER],
                                  f"Subject: {ident}\r\n\r\n" + filler * size)
                    self.acknowledged.append(ident)
        except (OSError, smtplib.SMTPException):
            pass


class Appender(threading.Thread):
    """The same over IMAP."""

    def __init__(self, daemon, name):
        super().__init__(daemon=True)
        self.server, self.label = daemon, name
        self.acknowledged = []

    def run(self):
        try:
            with imaplib.IMAP4("127.0.0.1", self.server.port("imap"), timeout=30) as imap:
                imap.login(USER, PASSWORD)
                for n in itertools.count():
                    ident = f"{self.label}-{n}"
                    status, _ = imap.append("Inbox", "(\\Flagged)", None,
                                            f"Subject: {ident}\r\n\r\nbody\r\n".encode())
                    if status == "OK":
                        self.acknowledged.append(ident)
        except (OSError, imaplib.IMAP4.error):
            pass


def subjects(server):
    imap = imaplib.IMAP4("127.0.0.1", server.port("imap"), timeout=60)
    imap.login(USER, PASSWORD)
    imap.select("Inbox", readonly=True)
    _, data = imap.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    imap.logout()
    found = []
    for item in data:
        if isinstance(item, tuple):
            found.append(item[1].decode().split(":", 1)[1].strip())
    return found


class Kill9(unittest.TestCase):
    def test_every_acknowledged_message_is_there_once(self):
        acknowledged, label = set(), 0
        with Daemon() as server:
            for _ in range(ROUNDS):
                threads = []
                for _ in range(CONNECTIONS):
                    kind = Appender if label % 5 == 4 else Sender
                    threads.append(kind(server, f"c{label}"))
                    label += 1
                for thread in threads:
                    thread.start()
                time.sleep(random.uniform(0.3, 1.5))
                server.kill()
                for thread in threads:
                    thread.join(30)
                    acknowledged.update(thread.acknowledged)
                server.start()  # clears away what was not acknowledged
                found = subjects(server)
                missing = acknowledged - set(found)
                self.assertFalse(missing, f"acknowledged and lost: {sorted(missing)[:5]}")
                self.assertEqual(len(found), len(set(found)), "a message is there twice")
                server.stop()
                good, text = server.verify()
                self.assertTrue(good, text)
                server.start()
            self.assertGreater(len(acknowledged), CONNECTIONS, "too little load to prove anything")
            print(f"{ROUNDS} kills, {len(acknowledged)} acknowledged, {len(found)} stored")


if __name__ == "__main__":
    unittest.main()
