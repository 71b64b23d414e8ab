# SPDX-License-Identifier: MIT
"""Guessers and senders of junk are slowed down at no cost to others; other protocols get one answer and a clean
end. $MOX_LOAD is how many times the small sizes are taken."""
import os
import smtplib
import socket
import ssl
import time
import unittest

from crowd import Crowd, Process, raise_descriptors
from daemon import USER, Daemon

TIMES = int(os.environ.get("MOX_LOAD", "1"))
SLOW = 200 * TIMES
SANITIZED = "SANITIZED" in os.environ
# Mail of a list that proves its domain does not wait as that of strangers does.
MESSAGE = b"List-Id: <list.example>\r\nSubject: mail\r\n\r\n" + b"x" * 70 + b"\r\n"
GIVE_UP = {"submission": b"AUTH PLAIN\r\n*\r\n", "imap": b"a AUTHENTICATE PLAIN\r\n*\r\n"}
GIVEN_UP = {"submission": b"501 5.5.0", "imap": b"a BAD"}
NO_LIMITS = "Limits:\n" + "".join(
    f"\t{limit}:\n\t\tAddress: -1\n\t\tNetwork: -1\n\t\tWideNetwork: -1\n"
    for limit in ("ConnectionsPerMinute", "OpenConnections", "FailedLoginsPerMinute", "FailedLoginsPerDay"))


def limited(*args):
    """A server that slows clients down, but lets them come by the thousand from one address."""
    server = Daemon("-limits", *args)
    server.start()
    server.stop()
    with open(os.path.join(server.dir, "mox.conf"), "a", encoding="utf-8") as conf:
        conf.write(NO_LIMITS)
    return server


def hear_all(s):
    """Lines until the server closes. A reset is an error."""
    heard = b""
    while data := s.recv(65536):
        heard += data
    return heard.splitlines()


def dial(server, service):
    return socket.create_connection((server.ip, server.port(service)), 60)


def say(server, service, said):
    with dial(server, service) as s:
        s.sendall(said)
        return hear_all(s)


def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="mx.example").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


class OtherProtocols(unittest.TestCase):
    ANSWERS = {"smtp": b"500 5.5.2 please speak SMTP", "submission": b"500 5.5.2 please speak SMTP",
               "imap": b"* BYE please try again speaking imap"}

    def test_they_get_one_line_and_a_clean_end(self):
        rest = b"Host: x\r\n" * 20000  # in the end nobody has read it all: still no reset
        with Daemon("-loglevel", "debug") as server:
            for service, answer in self.ANSWERS.items():
                for said in [b"GET /private HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n" + rest, client_hello(),
                             b"\r\n", b"\0\0\0\0"]:
                    with self.subTest(service=service, said=said[:20]):
                        lines = say(server, service, said)
                        self.assertEqual(len(lines), 2, lines)
                        self.assertEqual(lines[1], answer)
            for service in ["submissions", "imaps"]:
                for said in [b"GET /private HTTP/1.1\r\n\r\n", b"EHLO x\r\n" + rest, b"a LOGIN u p\r\n"]:
                    with self.subTest(service=service, said=said[:20]):
                        self.assertEqual(say(server, service, said), [])
            log = server.log_text()
        self.assertEqual(log.count('m="not speaking smtp"'), 10, log)
        self.assertEqual(log.count('m="not speaking imap"'), 5, log)
        self.assertEqual(log.count('m="not speaking tls"'), 6, log)
        for line in log.splitlines():
            if "not speaking" in line:
                self.assertIn("l=debug", line)
                self.assertIn("remote=127.0.0.1", line)
        self.assertNotIn("private", log)

    def test_nothing_of_them_is_logged_above_debug(self):
        with Daemon("-loglevel", "info") as server:
            before = len(server.log_text())
            for service in ["smtp", "imap", "submissions"]:
                say(server, service, b"GET /private HTTP/1.1\r\n\r\n")
            lines = server.log_text()[before:].splitlines()
            self.assertEqual([line for line in lines if 'm="new connection"' not in line], [])

    def test_a_later_command_that_is_none_is_answered(self):
        with Daemon("-loglevel", "error") as server:
            lines = say(server, "smtp", b"NOOP\r\nGET / HTTP/1.1\r\nNOOP\r\nQUIT\r\n")
            self.assertEqual([line[:9] for line in lines[1:]],
                             [b"250 2.0.0", b"500 5.5.1", b"250 2.0.0", b"221 2.0.0"])
            lines = say(server, "imap", b"a NOOP\r\nGET / HTTP/1.1\r\nb NOOP\r\nc LOGOUT\r\n")
            self.assertEqual([line.split()[0] for line in lines[1:]], [b"a", b"GET", b"b", b"*", b"c"])


class BadCommands(unittest.TestCase):
    def test_ten_are_enough(self):
        junk = b"x" * 200 + b"\r\n"
        with Daemon("-loglevel", "error") as server:
            for count in [10, 5000]:  # more than is looked at
                lines = say(server, "smtp", b"EHLO x\r\n" + junk * count)
                self.assertEqual(len([line for line in lines if line.startswith(b"500 5.5.1")]), 10)
                self.assertTrue(lines[-1].startswith(b"421 4.7.0"), lines[-1])
                lines = say(server, "imap", b"a NOOP\r\n" + (b"a " + junk) * count)
                self.assertEqual(len([line for line in lines if line.startswith(b"a BAD")]), 10)
                self.assertTrue(lines[-1].startswith(b"* BYE"), lines[-1])


def slow(service):
    """A client that gives up three times, and goes on to send commands whose answers never come to an end: the last
    of them are its value."""
    noops = (b"NOOP\r\n" if service == "submission" else b"a NOOP\r\n") * 200

    def script(c):
        yield from c.line(b"220", b"* OK")
        if service == "submission":
            c.send(b"EHLO x\r\n")
            yield from c.line(b"250 ")
        c.send(GIVE_UP[service] * 3)
        before = c.received
        while c.received == before and not c.closed:
            yield
        c.value = "slow"
        for _ in range(20):
            c.send(noops)
        words = b""
        while not c.closed:
            words = (words + bytes(c.input))[-200:]
            c.input.clear()
            yield
        return words
    return script


class Slow(unittest.TestCase):
    def add_slow(self, crowd, server, count):
        services = ["submission", "imap"]
        clients = []
        while len(clients) < count:
            group = [crowd.add(server.port(services[i % 2]), slow(services[i % 2])) for i in range(50)]
            clients += group
            self.assertTrue(crowd.run(lambda: all(c.value == "slow" or c.done for c in group)))
        self.assertEqual([c.problem for c in clients if c.done], [])
        return clients

    def deliver(self, server, count):
        """How long each of so many deliveries took, in milliseconds, sorted."""
        times = []
        with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=60) as smtp:
            for _ in range(count):
                start = time.monotonic()
                smtp.sendmail("a@example.com", [USER], MESSAGE)
                times.append((time.monotonic() - start) * 1e3)
        return sorted(times)

    def test_the_end_of_the_server_is_the_end_of_slowness(self):
        with limited("-loglevel", "error") as server, Crowd() as crowd:
            clients = self.add_slow(crowd, server, 50)
            server.process.terminate()
            self.assertTrue(crowd.run(lambda: all(c.done for c in clients)))
            server.stop()
            for c in clients:
                self.assertIsNone(c.problem)
                self.assertTrue(b"\r\n421 4.3.2 " in c.value or b"\r\n* BYE shutting down" in c.value, c.value)

    def test_many_slow_clients_cost_memory_only(self):
        raise_descriptors(SLOW)
        with limited("-loglevel", "error") as server, Crowd() as crowd:
            process = Process(server.process.pid)
            self.deliver(server, 20)
            alone = self.deliver(server, 200)
            descriptors, before = process.descriptors(), process.anonymous()
            clients = self.add_slow(crowd, server, SLOW)
            memory = (process.anonymous() - before) / SLOW
            received, cpu, start = sum(c.received for c in clients), process.cpu(), time.monotonic()
            crowd.rest(5)
            took = time.monotonic() - start
            cpu = (process.cpu() - cpu) / took
            rate = (sum(c.received for c in clients) - received) / took / SLOW
            beside = self.deliver(server, 200)
            figures = [("memory of each, KiB", memory), ("bytes a second to each", rate),
                       ("CPU of the server, % of one", cpu * 100)]
            for name, times in [("alone", alone), ("beside them", beside)]:
                figures += [(f"delivery {name}, p50 ms", times[len(times) // 2]),
                            (f"delivery {name}, p99 ms", times[len(times) * 99 // 100])]
            for what, value in figures:
                print(f"{SLOW} slow clients: {what}: {value:.2f}")
            if not SANITIZED:
                self.assertLess(memory, 32)
            self.assertLess(rate, 20, "they are not slow")
            for client in clients:
                client.hang_up()
            self.assertTrue(crowd.run(lambda: process.descriptors() <= descriptors + 4), "descriptors are left")

    def test_a_test_server_slows_nobody(self):
        with Daemon("-loglevel", "error") as server:
            for service, end in [("submission", b"QUIT\r\n"), ("imap", b"a LOGOUT\r\n")]:
                pieces = []
                with dial(server, service) as s:
                    s.sendall((b"EHLO x\r\n" if service == "submission" else b"") + GIVE_UP[service] * 9 + end)
                    while data := s.recv(65536):
                        pieces.append(data)
                given_up = [line for line in b"".join(pieces).splitlines() if line.startswith(GIVEN_UP[service])]
                self.assertEqual(len(given_up), 9)
                self.assertLess(len(pieces), 20, "the first 25 seconds would bring as many bytes")


if __name__ == "__main__":
    unittest.main()
