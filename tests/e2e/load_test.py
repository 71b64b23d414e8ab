# SPDX-License-Identifier: MIT
"""Crowds of clients, slow ones and malicious ones: the server's memory stays bounded, mail flows on, and all get
right answers in the end. $MOX_LOAD is how many times the small sizes are taken: 1 in the tests, 10 for the
figures that are printed (5,000 idle sessions, 1,000 slow readers, 500 that send a byte a second)."""
import multiprocessing
import os
import smtplib
import sqlite3
import ssl
import subprocess
import time
import unittest

from crowd import Closed, Crowd, Process, raise_descriptors
from daemon import PASSWORD, PATIENCE, USER, Daemon, any_certificate

FILL = os.environ["FILL"]
TIMES = int(os.environ.get("MOX_LOAD", "1"))
IDLE, SLOW, TRICKLERS = 500 * TIMES, 100 * TIMES, 50 * TIMES
TOLD = 20  # of those that idle, on the mailbox that mail goes to
FIRST_COMMAND = 25  # seconds; the server's is 30
MESSAGES = 4000  # of the large mailbox: 2 MB
LOGIN = f"a LOGIN {USER} {PASSWORD}\r\n".encode()
# KiB of a session that idles or has just begun to speak, and of one whose output nobody takes.
IDLE_KIB, STUCK_KIB = 16, 320
SANITIZED = "SANITIZED" in os.environ  # their own memory is not the server's


# -- mail that is not to suffer --

def send_mail(port, count, interval, out):
    """Sends messages in a process of its own, and puts how long each took."""
    times = []
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as smtp:
        for n in range(count):
            start = time.monotonic()
            smtp.sendmail("a@remote.example", [USER], f"Subject: m{n}\r\n\r\nHello\r\n")
            times.append(time.monotonic() - start)
            time.sleep(interval)
    out.put(times)


class Mail:
    def __init__(self, server, count, interval=0.01):
        self.out, self.count = multiprocessing.SimpleQueue(), count
        self.process = multiprocessing.Process(
            target=send_mail, args=(server.port("smtp"), count, interval, self.out))
        self.process.start()

    def is_done(self):
        return not self.out.empty() or not self.process.is_alive()

    def times(self):
        """In ms, sorted."""
        times = self.out.get() if not self.out.empty() else []
        self.process.join(60)
        return sorted(1000 * t for t in times)


def quantiles(times):
    return f"p50 {times[len(times) // 2]:.2f} ms, p99 {times[len(times) * 99 // 100]:.2f} ms"


# -- clients --

def idle(c, mailbox=b"Archive"):
    """Idles; its value is how many messages it was told of."""
    yield from c.line(b"* OK")
    c.send(LOGIN)
    yield from c.line(b"a OK")
    c.send(b"b SELECT " + mailbox + b"\r\n")
    yield from c.line(b"b OK")
    c.send(b"c IDLE\r\n")
    yield from c.line(b"+")
    c.value = "idle"
    while True:
        line = yield from c.line(b"* ")
        if line.endswith(b" EXISTS\r\n"):
            c.value = int(line.split()[1])


def idle_on_inbox(c):
    return idle(c, b"INBOX")


def slow_reader(c):
    """In the middle of a long answer it reads 100 bytes a second, until `c.crowd.go_on`."""
    yield from c.line(b"* OK")
    c.send(LOGIN)
    yield from c.line(b"a OK")
    c.send(b"b SELECT Big\r\n")
    yield from c.line(b"b OK")
    c.send(b"c FETCH 1:* (UID BODY.PEEK[])\r\n")
    yield from c.count(8192)
    c.read(False)
    c.value = "stuck"
    while not c.crowd.go_on:
        c.sip(100)
        yield from c.pause(1)
    c.read(True)
    more = yield from c.until(b"\r\nc OK")
    return 8192 + more


def trickle_bytes(c, data):
    """One a second, until the crowd is in a hurry."""
    for i in range(len(data)):
        c.send(data[i:i + 1])
        if not c.crowd.hurry:
            yield from c.pause(1)


def patiently(script):
    """A server need not wait for ever: who was sent away after FIRST_COMMAND seconds was treated well too."""
    def patient(c):
        since = time.monotonic()
        try:
            return (yield from script(c))
        except (Closed, AssertionError) as problem:
            said = bytes(problem.args[0], "ascii") if problem.args else b""
            refused = isinstance(problem, Closed) or b"421 " in said or b"* BYE" in said
            if not refused or time.monotonic() - since < FIRST_COMMAND:
                raise
            return "sent away"
    return patient


def trickle(data, expected):
    def script(c):
        yield from c.line(b"* OK", b"220")
        yield from trickle_bytes(c, data)
        for answer in expected:
            yield from c.line(answer)
        return "answered"
    return script


def trickle_handshake(c):
    """A TLS handshake of one byte a second, up to the greeting behind it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = any_certificate().wrap_bio(incoming, outgoing, server_hostname="localhost")
    shaken = False
    while True:
        try:
            if not shaken:
                tls.do_handshake()
                shaken = True
            if tls.read().startswith(b"* OK"):
                return "answered"
        except ssl.SSLWantReadError:
            yield from trickle_bytes(c, outgoing.read())
        while not c.input:
            if c.closed:
                raise Closed
            yield
        incoming.write(bytes(c.input))
        c.input.clear()


SMTP_MAIL = (b"EHLO slow.example\r\nMAIL FROM:<a@slow.example>\r\nRCPT TO:<mox@localhost>\r\nDATA\r\n"
             b"Subject: slow\r\n\r\nslow\r\n.\r\nQUIT\r\n")
SMTP_ANSWERS = [b"250 ", b"250 ", b"250 ", b"354 ", b"250 ", b"221 "]
IMAP_APPEND = LOGIN + b"b APPEND Inbox {19+}\r\nSubject: x\r\n\r\nabc\r\n\r\nc LOGOUT\r\n"
IMAP_ANSWERS = [b"a OK", b"b OK", b"* BYE", b"c OK"]


class Load(unittest.TestCase):
    def open_all(self, crowd, clients, value):
        ready = crowd.run(lambda: all(c.value == value or c.done for c in clients), 300)
        problems = [c.problem for c in clients if c.done]
        self.assertTrue(ready and not problems, f"not all get there: {problems[:3]}")

    def add_in_turn(self, crowd, count, *args, value, **options):
        """Opens clients in groups, so that the server need not queue all their logins."""
        clients = []
        while len(clients) < count:
            group = [crowd.add(*args, **options) for _ in range(min(100, count - len(clients)))]
            clients += group
            self.open_all(crowd, group, value)
        return clients

    def assert_memory(self, process, before, sessions, stuck, what):
        now = process.anonymous()
        limit = before + 4096 + sessions * IDLE_KIB + stuck * STUCK_KIB
        print(f"{what}: {now - before} KiB more than before, {now} in all")
        if not SANITIZED:
            self.assertLess(now, limit, what)

    def fill_big(self, server):
        """A mailbox of many messages besides the INBOX that mail goes to."""
        server.stop()
        subprocess.run([FILL, os.path.join(server.dir, "data"), "mox", str(MESSAGES), "Big"], check=True)
        server.start()

    def test_mail_flows_and_memory_is_bounded_while_a_crowd_idles_and_trickles(self):
        self.assertEqual(raise_descriptors(IDLE + SLOW + TRICKLERS), IDLE + SLOW + TRICKLERS)
        with Daemon("-loglevel", "error") as server, Crowd() as crowd:
            self.fill_big(server)
            crowd.go_on = crowd.hurry = False
            process = Process(server.process.pid)
            self.add_in_turn(crowd, 1, server.port("imap"), idle, value="idle")
            alone = Mail(server, 200)
            self.assertTrue(crowd.run(alone.is_done))
            alone = alone.times()
            self.assertEqual(len(alone), 200, "not all mail was accepted")
            before = process.anonymous()

            self.add_in_turn(crowd, IDLE - TOLD, server.port("imap"), idle, value="idle")
            told = self.add_in_turn(crowd, TOLD, server.port("imap"), idle_on_inbox, value="idle")
            self.assert_memory(process, before, IDLE, 0, f"{IDLE} idle")
            base = process.anonymous()
            readers = self.add_in_turn(crowd, SLOW, server.port("imap"), slow_reader, value="stuck",
                                       receive_buffer=4096)
            crowd.rest(1)
            self.assert_memory(process, base, 0, SLOW, f"{SLOW} stuck in a FETCH")
            tricklers = self.add_tricklers(crowd, server)
            crowd.rest(1)

            mail = Mail(server, 300)
            self.assertTrue(crowd.run(mail.is_done))
            mail = mail.times()
            self.assertEqual(len(mail), 300, "not all mail was accepted")
            self.assert_memory(process, before, IDLE + TRICKLERS + SLOW, SLOW, "all of them, and mail")
            self.assert_no_snapshot(server)
            print(f"a message alone: {quantiles(alone)}; with them: {quantiles(mail)}")

            crowd.hurry = True
            self.assertTrue(crowd.run(lambda: all(t.done for t in tricklers), 200))
            self.assertEqual([t.problem for t in tricklers if t.problem], [])
            answered = sum(t.value == "answered" for t in tricklers)
            print(f"of {TRICKLERS} with a byte a second {answered} were answered, the others sent away")
            crowd.go_on = True
            self.assertTrue(crowd.run(lambda: all(r.done for r in readers), 300))
            self.assertEqual([r.problem for r in readers if r.problem], [])
            sizes = {r.value for r in readers}
            self.assertEqual(len(sizes), 1, "readers of one mailbox got different answers")
            self.assertGreater(sizes.pop(), MESSAGES * 200)
            total = 500 + sum(t.value == "answered" and t.leaves_mail for t in tricklers)
            self.assertTrue(crowd.run(lambda: all(c.value == total for c in told), 60),
                            f"not all idle sessions know of {total} messages")

    def add_tricklers(self, crowd, server):
        kinds = [("smtp", trickle(SMTP_MAIL, SMTP_ANSWERS)), ("imap", trickle(IMAP_APPEND, IMAP_ANSWERS)),
                 ("imaps", trickle_handshake)]
        tricklers = [crowd.add(server.port(kinds[i % 3][0]), patiently(kinds[i % 3][1]))
                     for i in range(TRICKLERS)]
        for i, trickler in enumerate(tricklers):
            trickler.leaves_mail = i % 3 != 2
        return tricklers

    def assert_no_snapshot(self, server):
        """A checkpoint that waits for all readers of the database succeeds: the WAL cannot grow because of
        somebody who does not read."""
        path = os.path.join(server.dir, "data", "accounts", "mox", "index.db")
        deadline = time.monotonic() + PATIENCE
        with sqlite3.connect(path, timeout=PATIENCE) as db:
            busy = 1
            while busy and time.monotonic() < deadline:  # SQLite does not wait for a checkpoint of the server
                busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        db.close()
        self.assertEqual(busy, 0, "somebody holds a snapshot")


if __name__ == "__main__":
    unittest.main()
