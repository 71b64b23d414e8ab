# SPDX-License-Identifier: MIT
"""mox dns lookup: how it writes records, whatever they hold, and whom it asks: -resolver, over mox.conf."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

MOX = os.environ["MOX"]

ZONE = """\
a.example\tA\t192.0.2.1
a.example\tA\t192.0.2.2
a.example\tAAAA\t2001:db8::1
a.example\tMX\t10 mail.a.example
none.example\tMX\t0 .
a.example\tTXT\tv=spf1 -all
a.example\tNS\tns.a.example
_imaps._tcp.a.example\tSRV\t0 1 993 mail.a.example
_25._tcp.a.example\tTLSA\t3 1 1 00ff
1.2.0.192.in-addr.arpa\tPTR\ta.example
alias.example\tCNAME\ta.example
slow.example\tA\t!TIMEOUT
xn--bcher-kva.example\tA\t192.0.2.3
odd.example\tTXT\t\x1b[31mred\x07 caf\u00e9
"""

# Of a name that nobody here asks for: it takes the root's place, and all else is insecure.
ANCHOR = "elsewhere.example. DS 12345 13 2 " + "00" * 32 + "\n"


def run(*args, env=None):
    return subprocess.run([MOX, *args], capture_output=True, timeout=60, env={**os.environ, **(env or {})})


class Server:
    """A name server that has the same address for every name."""

    def __init__(self, family, ip, address):
        self.address = socket.inet_aton(address)
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind((ip, 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            packet, peer = self.socket.recvfrom(65536)
            if len(packet) < 12:
                return
            end = 12
            while packet[end] != 0:
                end += 1 + packet[end]
            question = packet[12:end + 5]
            is_a = question[-4:-2] == b"\0\1"
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + self.address if is_a else b""
            self.socket.sendto(packet[:2] + b"\x81\x80\0\1" + (b"\0\1" if is_a else b"\0\0") + b"\0\0\0\0" +
                               question + answer, peer)

    def close(self):
        with socket.socket(self.socket.family, socket.SOCK_DGRAM) as s:
            s.sendto(b"end", self.socket.getsockname())
        self.thread.join()
        self.socket.close()


class LookupTest(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="mox-lookup-"))
        self.addCleanup(shutil.rmtree, self.dir)
        self.zone = self.dir / "zone.tsv"
        self.zone.write_text(ZONE, encoding="utf-8")
        self.anchor = self.dir / "anchor"
        self.anchor.write_text(ANCHOR)

    def server(self, family, ip, address):
        server = Server(family, ip, address)
        self.addCleanup(server.close)
        return server

    def look_up(self, type, name):
        return run("dns", "lookup", "--zone", self.zone, type, name)

    def test_each_type_is_written_as_zone_files_have_it(self):
        for type, name, lines in [
                ("a", "A.Example.", ["192.0.2.1", "192.0.2.2"]),
                ("aaaa", "a.example", ["2001:db8::1"]),
                ("mx", "a.example", ["10 mail.a.example"]),
                ("mx", "none.example", ["0 ."]),
                ("txt", "a.example", ["v=spf1 -all"]),
                ("ns", "a.example", ["ns.a.example"]),
                ("srv", "_imaps._tcp.a.example", ["0 1 993 mail.a.example"]),
                ("tlsa", "_25._tcp.a.example", ["3 1 1 00ff"]),
                ("ptr", "1.2.0.192.in-addr.arpa", ["a.example"]),
                ("cname", "alias.example", ["a.example"]),
                ("a", "alias.example", ["192.0.2.1", "192.0.2.2"]),
                ("a", "XN--BCHER-KVA.example", ["192.0.2.3"])]:
            with self.subTest(type=type, name=name):
                got = self.look_up(type, name)
                self.assertEqual((got.returncode, got.stderr), (0, b""))
                *records, state = got.stdout.decode().splitlines()
                self.assertEqual((sorted(records), state), (sorted(lines), "found, insecure"))

    def test_without_records_it_fails_and_says_why(self):
        for name, status in [("aaaa.example", b"nxdomain"), ("none.example", b"nodata"),
                             ("slow.example", b"timeout")]:
            got = self.look_up("a", name)
            self.assertEqual((got.returncode, got.stderr), (1, b""))
            self.assertTrue(got.stdout.startswith(status + b", insecure"), got.stdout)

    @unittest.skipIf(os.environ.get("MOX_NO_IDN"), "built without IDN")
    def test_a_name_may_have_unicode(self):
        self.assertEqual(self.look_up("a", "b\u00fccher.example".encode()).stdout,
                         b"192.0.2.3\nfound, insecure\n")

    def test_a_type_without_a_name_is_a_mistake_of_who_asks(self):
        self.assertEqual(self.look_up("hinfo", "a.example").returncode, 2)

    def test_nothing_of_a_stranger_reaches_the_terminal_as_it_is(self):
        for args in ["odd.example"], ["odd.example", "--json"]:
            got = run("dns", "lookup", "--zone", self.zone, "txt", *args)
            self.assertEqual(got.returncode, 0)
            self.assertTrue(all(c == 0x0a or 0x20 <= c < 0x7f for c in got.stdout), got.stdout)

    def test_json_takes_any_bytes_for_a_name(self):
        got = run("dns", "lookup", "--json", "--zone", self.zone, "a", b"\xff.example")
        self.assertEqual((got.returncode, got.stderr), (1, b""))
        self.assertEqual(json.loads(got.stdout)["status"], "nxdomain")

    def test_a_resolver_may_be_named_by_an_ipv6_address(self):
        try:
            server = self.server(socket.AF_INET6, "::1", "192.0.2.66")
        except OSError as e:
            self.skipTest(f"no IPv6 on loopback: {e}")
        got = run("-resolver", f"[::1]:{server.port}", "-trust-anchor", self.anchor, "dns", "lookup", "a",
                  "www.sender.example")
        self.assertEqual((got.returncode, got.stdout), (0, b"192.0.2.66\nfound, insecure\n"))

    def test_mox_conf_names_the_resolver_unless_the_command_line_does(self):
        configured = self.server(socket.AF_INET, "127.0.0.1", "192.0.2.10")
        typed = self.server(socket.AF_INET, "127.0.0.1", "192.0.2.20")
        folder = self.dir / "localserve"
        self.assertEqual(run("-dir", folder, "localserve", "-initonly").returncode, 0)
        path = folder / "mox.conf"
        path.write_text(path.read_text() +
                        f"Resolver:\n\tForward: 127.0.0.1:{configured.port}\n\tTrustAnchor: ../anchor\n")
        lookup = ["dns", "lookup", "a", "www.sender.example"]
        got = run("-dir", folder, *lookup)
        self.assertEqual(got.stdout, b"192.0.2.10\nfound, insecure\n")
        got = run("-dir", folder, "-resolver", f"127.0.0.1:{typed.port}", *lookup)
        self.assertEqual(got.stdout, b"192.0.2.20\nfound, insecure\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
