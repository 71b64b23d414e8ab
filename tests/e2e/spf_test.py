# SPDX-License-Identifier: MIT
"""mox spf, and the example that has a resolver of its own: against a name server of a few lines."""
import json
import os
import socket
import struct
import subprocess
import tempfile
import threading
import unittest

MOX = os.environ["MOX"]
EXAMPLE = os.environ.get("SPF_CHECK")

ZONE = """a.example\tTXT\tv=spf1 mx include:b.example -all exp=x.example
a.example\tMX\t10 h.example
h.example\tA\t192.0.2.7
b.example\tTXT\tv=spf1 ip6:2001:db8::/32 ?all
x.example\tTXT\tgo away, %{i}
two.example\tTXT\tv=spf1 -all
two.example\tTXT\tv=spf1 +all
slow.example\tTXT\t!TIMEOUT
"""


def mox(*args, **more):
    return subprocess.run([MOX, *args], capture_output=True, text=True, timeout=60, **more)


class Spf(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="mox-spf.")
        self.zone = os.path.join(self.folder.name, "zone.tsv")
        with open(self.zone, "w", encoding="ascii") as f:
            f.write(ZONE)

    def tearDown(self):
        self.folder.cleanup()

    def check(self, ip, mailfrom, *more):
        return mox("spf", "check", "--ip", ip, "--helo", "x.example", "--mailfrom", mailfrom,
                   "--zone", self.zone, *more)

    def verdict(self, ip, mailfrom):
        done = self.check(ip, mailfrom, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_a_verdict_is_an_object(self):
        v = self.verdict("192.0.2.7", "me@a.example")
        self.assertEqual((v["spf"]["result"], v["spf"]["domain"], v["spf"]["mechanism"]),
                         ("pass", "a.example", "mx"))
        self.assertIn({"name": "a.example", "type": "MX", "status": "found", "secure": False},
                      v["dns"])
        v = self.verdict("192.0.2.8", "me@a.example")
        self.assertEqual((v["spf"]["result"], v["spf"]["explanation"]),
                         ("fail", "go away, 192.0.2.8"))
        self.assertEqual(self.verdict("2001:db8::1", "me@a.example")["spf"]["mechanism"],
                         "include:b.example")
        for mailfrom, result in (("me@two.example", "permerror"), ("me@slow.example", "temperror"),
                                 ("me@none.example", "none"), ("", "none")):
            self.assertEqual(self.verdict("192.0.2.7", mailfrom)["spf"]["result"], result, mailfrom)

    def test_people_read_why(self):
        done = self.check("192.0.2.8", "me@a.example")
        self.assertEqual(done.returncode, 0)
        for line in ("result       fail", "decided by   -all", "the domain says: go away, 192.0.2.8"):
            self.assertIn(line, done.stdout.splitlines())

    def test_records_are_shown_and_faults_located(self):
        done = mox("spf", "lookup", "a.example", "--zone", self.zone)
        self.assertEqual(done.returncode, 0)
        self.assertIn("include:b.example", done.stdout)
        self.assertEqual(mox("spf", "lookup", "two.example", "--zone", self.zone).returncode, 1)
        self.assertEqual(mox("spf", "lookup", "none.example", "--zone", self.zone).returncode, 1)
        done = mox("spf", "parse", "v=spf1 a/24 mix -all")
        self.assertEqual(done.returncode, 1)
        self.assertIn("wrong at byte 12, mix: there is no such mechanism", done.stderr)
        self.assertEqual(mox("spf", "check", "--helo", "x").returncode, 2)
        self.assertEqual(self.check("no-address", "me@a.example").returncode, 2)

    @unittest.skipUnless(EXAMPLE, "examples are not built")
    def test_the_example_asks_a_name_server(self):
        with NameServer() as server:
            for ip, word in (("192.0.2.7", "pass"), ("192.0.2.8", "fail")):
                done = subprocess.run([EXAMPLE, "127.0.0.1", str(server.port), ip, "x.example",
                                       "me@a.example"], capture_output=True, text=True, timeout=60)
                self.assertEqual(done.stdout.split()[:2], [word, "me@a.example"], done.stderr)


def wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


class NameServer:
    """Answers TXT, MX and A of ZONE over UDP."""
    TYPES = {16: "TXT", 15: "MX", 1: "A"}

    def __enter__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.socket.close()

    def serve(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(2048)
            except OSError:
                return
            self.socket.sendto(self.answer(query), peer)

    def answer(self, query):
        labels, at = [], 12
        while query[at] != 0:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        kind = struct.unpack("!H", query[at + 1:at + 3])[0]
        rows = [line.split("\t") for line in ZONE.splitlines()]
        mine = [row for row in rows if row[0] == ".".join(labels).lower()]
        data = [self.data(kind, row[2]) for row in mine if row[1] == self.TYPES.get(kind)]
        records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(d)) + d
                           for d in data)
        head = query[:2] + struct.pack("!HHHHH", 0x8180 | (0 if mine else 3), 1, len(data), 0, 0)
        return head + query[12:at + 5] + records

    @staticmethod
    def data(kind, value):
        if kind == 1:
            return socket.inet_aton(value)
        if kind == 15:
            preference, host = value.split()
            return struct.pack("!H", int(preference)) + wire(host)
        return bytes([len(value)]) + value.encode()


if __name__ == "__main__":
    unittest.main()
