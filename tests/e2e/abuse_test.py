# SPDX-License-Identifier: MIT
"""Clients that vanish, never speak, hang up half, or take all connections: they get what they deserve, and leave
nothing behind. $MOX_LOAD is how many times the small sizes are taken."""
import os
import smtplib
import socket
import struct
import unittest

from crowd import Crowd, Process, raise_descriptors
from daemon import PASSWORD, USER, Daemon

TIMES = int(os.environ.get("MOX_LOAD", "1"))
VANISHING, SILENT = 1000 * TIMES, 100 * TIMES
LEFT_KIB = 1024  # a thousand idle sessions have four times as much
SANITIZED = "SANITIZED" in os.environ  # their own memory is not the server's
DESCRIPTORS = 200
LOGIN = f"a LOGIN {USER} {PASSWORD}\r\n".encode()
LARGE = b"Subject: large\r\n\r\n" + b"x" * 70 + b"\r\n"


def idle(c):
    yield from c.line(b"* OK")
    c.send(LOGIN + b"b SELECT INBOX\r\nc IDLE\r\n")
    yield from c.line(b"a OK")
    yield from c.line(b"b OK")
    yield from c.line(b"+")
    c.value = "idle"
    yield from c.end()


def silent(c):
    yield from c.end()


def greeted(c):
    yield from c.line(b"220", b"* OK")
    c.value = "greeted"
    yield from c.end()


def reset(client):
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.hang_up()


class Abuse(unittest.TestCase):
    def vanish(self, server, crowd, count):
        """So many idle, and are gone."""
        clients = []
        while len(clients) < count:
            group = [crowd.add(server.port("imap"), idle) for _ in range(50)]
            self.assertTrue(crowd.run(lambda: all(c.value == "idle" for c in group)))
            clients += group
        for client in clients:
            reset(client)

    def test_clients_that_vanish_all_at_once_leave_nothing(self):
        raise_descriptors(VANISHING)
        with Daemon("-loglevel", "error") as server, Crowd() as crowd:
            process = Process(server.process.pid)
            self.vanish(server, crowd, 50)  # the account is open, and threads have their memory
            crowd.rest(1)
            descriptors, memory = process.descriptors(), process.anonymous()
            for _ in range(3):
                self.vanish(server, crowd, VANISHING)
                self.assertTrue(crowd.run(lambda: process.descriptors() <= descriptors + 4), "descriptors are left")
            if not SANITIZED:  # it goes back within some seconds
                crowd.run(lambda: process.anonymous() < memory + LEFT_KIB, 120)
                self.assertLess(process.anonymous(), memory + LEFT_KIB)

    def test_who_never_speaks_is_sent_away(self):
        raise_descriptors(SILENT)
        with Daemon("-loglevel", "error") as server, Crowd() as crowd:
            services = ["imap", "smtp", "submission"]
            for i in range(SILENT):
                crowd.add(server.port(services[i % 3]), silent)
            self.assertTrue(crowd.run(lambda: all(c.done for c in crowd.clients), 120), "some are still there")

    def test_a_client_that_hangs_up_half_gets_its_answers(self):
        with Daemon("-loglevel", "error") as server:
            dialogues = [("smtp", b"EHLO half.example\r\nNOOP\r\n", [b"220 ", b"250 SMTPUTF8", b"250 2.0.0"]),
                         ("imap", b"a CAPABILITY\r\nb NOOP\r\n", [b"* OK", b"a OK", b"b OK"])]
            for service, said, answers in dialogues:
                with socket.create_connection(("127.0.0.1", server.port(service)), 30) as s:
                    s.sendall(said)
                    s.shutdown(socket.SHUT_WR)
                    heard = b""
                    while data := s.recv(65536):
                        heard += data
                for answer in answers:
                    self.assertIn(answer, heard)

    def is_quiet(self, process, crowd):
        cpu = process.cpu()
        crowd.rest(1)
        return process.cpu() - cpu < 0.5

    def test_a_crowd_that_takes_all_connections_leaves_files_to_those_who_are_there(self):
        shell = ["sh", "-c", f'ulimit -n {DESCRIPTORS}; exec "$@"', "sh"]
        with Daemon("-loglevel", "error", under=shell) as server, Crowd() as crowd:
            process = Process(server.process.pid)
            with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=60) as smtp:
                smtp.ehlo()
                for _ in range(DESCRIPTORS):
                    crowd.add(server.port("imap"), greeted)
                self.assertTrue(crowd.run(lambda: all(c.value == "greeted" or c.done for c in crowd.clients)))
                inside = [c for c in crowd.clients if c.value == "greeted"]
                self.assertLess(len(inside), DESCRIPTORS, "there was room for all")
                self.assertGreater(len(inside), DESCRIPTORS // 2)
                for _ in range(5):  # a spool, its file, and an account that was not open
                    smtp.sendmail("a@remote.example", [USER], LARGE * 5000)
                self.assertTrue(any(self.is_quiet(process, crowd) for _ in range(10)), "it spins")
            with open(server.log.name, encoding="utf-8", errors="replace") as log:
                self.assertLess(len(log.readlines()), 60)


if __name__ == "__main__":
    unittest.main()
